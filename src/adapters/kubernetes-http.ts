import http from "node:http";
import https from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { messageOf, StanchError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import { redactShapes } from "../redact.ts";
import { proxyFor } from "./network.ts";

export interface ApiRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** Answer as text (logs). */
  readonly text?: boolean;
  /** A program behind the API server is asked: nothing is tried again, and of its answer only the start is read. */
  readonly foreign?: boolean;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

const TIMEOUT_MS = 60_000;
const IDLE_MS = 20_000;
const ATTEMPTS = 4;
const MAX_BYTES = 256 * 1024 * 1024;
/** What a program may say before it is not listened to any more, and how long it may take. */
const FOREIGN_BYTES = 16 * 1024;
const FOREIGN_TIMEOUT_MS = 5_000;
const TRANSIENT = new Set(["ECONNRESET", "ECONNREFUSED", "EPIPE", "ETIMEDOUT", "EAI_AGAIN"]);

/**
 * Sends requests to the API server of a kubeconfig over kept connections and parses the answers as they are: the
 * generated client's deserialisation costs several times the parse, which counts for ten thousand pods.
 */
export function createApiClient(
  kubeConfig: KubeConfig,
  clock: Clock,
  env: Readonly<Record<string, string | undefined>> = {},
) {
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster === null) {
    throw new StanchError("config", "no cluster is configured", {
      hint: "set KUBECONFIG, pass --kubeconfig or --context, or run inside a pod with a service account",
    });
  }
  const base = new URL(cluster.server);
  const plain = base.protocol === "http:";
  // The SDK refuses plain http unless TLS verification is off; on loopback (kubectl proxy) there is nothing to verify.
  if (plain && ["localhost", "127.0.0.1", "[::1]"].includes(base.hostname))
    Object.assign(cluster, { skipTLSVerify: true });
  // The SDK's agents close after each call: a handshake for every page of a list. A connection that has idled is not used for a
  // write, which could not be tried again when the other side had closed it.
  const keeping = { keepAlive: true, timeout: IDLE_MS };
  const proxy = proxyFor(base, env);
  const kept = plain
    ? new http.Agent(keeping)
    : new https.Agent(proxy === undefined ? keeping : { ...keeping, proxyEnv: { HTTPS_PROXY: proxy } });
  let calls = 0;

  async function once(request: ApiRequest): Promise<ApiAnswer & { retryAfter?: number }> {
    const options: https.RequestOptions = { headers: {} };
    await kubeConfig.applyToHTTPSOptions(options);
    if (cluster?.proxyUrl === undefined) options.agent = kept;
    const payload = request.body === undefined ? undefined : Buffer.from(jsonOf(request.body));
    const headers: Record<string, string | number> = {
      ...(options.headers as Record<string, string>),
      accept: request.accept ?? "application/json",
      "user-agent": "stanch",
    };
    if (payload !== undefined) {
      headers["content-type"] = request.contentType ?? "application/json";
      headers["content-length"] = payload.length;
    }
    calls += 1;
    return new Promise((resolve, reject) => {
      const send = plain ? http.request : https.request;
      const prefix = base.pathname.replace(/\/$/, "");
      const sent = send(
        {
          ...options,
          hostname: base.hostname.replace(/^\[|\]$/g, ""),
          port: base.port || (plain ? 80 : 443),
          path: prefix + request.path,
          method: request.method,
          headers,
          timeout: request.foreign === true ? FOREIGN_TIMEOUT_MS : TIMEOUT_MS,
        },
        (answer) => {
          const chunks: Buffer[] = [];
          let size = 0;
          answer.on("data", (chunk: Buffer) => {
            size += chunk.length;
            if (request.foreign === true && size > FOREIGN_BYTES) {
              resolve({ status: answer.statusCode ?? 0, body: null });
              sent.destroy();
            } else if (size > MAX_BYTES) sent.destroy(new Error("the answer is larger than 256 MiB"));
            else chunks.push(chunk);
          });
          answer.on("error", reject);
          answer.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            const retryAfter = Number(answer.headers["retry-after"]);
            const status = answer.statusCode ?? 0;
            const extra = Number.isFinite(retryAfter) && retryAfter > 0 ? { retryAfter } : {};
            if (request.foreign === true) return resolve({ status, body: statusObject(text) });
            if (request.text === true && status < 400) return resolve({ status, body: text, ...extra });
            try {
              resolve({ status, body: text === "" ? {} : JSON.parse(text), ...extra });
            } catch {
              resolve({
                status: status < 400 ? 502 : status,
                body: { message: `the answer is no JSON: ${text.slice(0, 200)}` },
                ...extra,
              });
            }
          });
        },
      );
      if (request.foreign === true) {
        // The time-out above counts from the last byte: a program that says one now and then would be listened to for hours.
        const patience = setTimeout(
          () => sent.destroy(new Error("the program did not answer in time")),
          FOREIGN_TIMEOUT_MS,
        );
        sent.on("close", () => clearTimeout(patience));
      }
      sent.on("timeout", () => sent.destroy(Object.assign(new Error("no answer within 60 s"), { code: "ETIMEDOUT" })));
      sent.on("error", reject);
      sent.end(payload);
    });
  }

  /**
   * One call. Reads are tried again on broken connections, 429 and 5xx; writes only when the server said that it did not
   * take them (429, 503 with Retry-After), because a write that may have happened must be looked at and not repeated.
   */
  async function call(request: ApiRequest): Promise<ApiAnswer> {
    const reading = request.method === "GET" || request.path.includes("dryRun=All");
    for (let attempt = 1; ; attempt += 1) {
      let wait = 250 * 2 ** attempt;
      try {
        const answer = await once(request);
        const busy =
          !isUntyped(answer) &&
          (answer.status === 429 ||
            (answer.status >= 500 && answer.status !== 501 && (reading || answer.retryAfter !== undefined)));
        const eviction = request.path.endsWith("/eviction");
        if (!busy || eviction || request.foreign === true || attempt >= ATTEMPTS)
          return { status: answer.status, body: answer.body };
        if (answer.retryAfter !== undefined) wait = Math.min(answer.retryAfter, 10) * 1000;
      } catch (error) {
        const code = (error as { code?: string }).code ?? "";
        const refused = code === "ECONNREFUSED";
        if (attempt >= ATTEMPTS || request.foreign === true || !TRANSIENT.has(code) || !(reading || refused))
          throw unreachable(base, error);
      }
      await clock.sleep(wait);
    }
  }

  return {
    call,
    calls: () => calls,
    /** A request that goes another way. */
    count: () => {
      calls += 1;
    },
    server: cluster.server,
    close: () => kept.destroy(),
  };
}

export type ApiClient = ReturnType<typeof createApiClient>;

/** A field that the schema does not know, and a value that is none of its type, such as a quantity. */
const UNTYPED = /^failed to (?:create typed patch object|convert new object)/;

/** Server-side apply's answer to an object that does not fit its schema: a fault of the object that no retry mends. */
export function isUntyped({ status, body }: ApiAnswer): boolean {
  const message = (body as { message?: unknown } | null)?.message;
  return status === 500 && typeof message === "string" && UNTYPED.test(message);
}

/** A `Status` of the API server; null for anything else, such as a page of the program behind it. */
function statusObject(text: string): unknown {
  try {
    const body = JSON.parse(text) as { kind?: unknown; apiVersion?: unknown } | null;
    return body?.kind === "Status" && body.apiVersion === "v1" ? body : null;
  } catch {
    return null;
  }
}

function unreachable(base: URL, error: unknown): StanchError {
  const text = redactShapes(messageOf(error));
  if (/HTTP protocol is not allowed/.test(text))
    return new StanchError("config", `the API server ${base.origin} is plain http`, {
      hint: "use https, or set insecure-skip-tls-verify for this cluster when you know what you do",
      cause: error,
    });
  const tls = /certificate|self.signed|SSL|TLS/i.test(text);
  return new StanchError("cluster", `the API server at ${base.host} cannot be reached: ${text}`, {
    hint: tls
      ? "check certificate-authority-data in the kubeconfig"
      : "check the server address, the network and VPN, or choose another --context",
    cause: error,
  });
}

/**
 * A body as Go's encoder writes it (https://pkg.go.dev/encoding/json#HTMLEscape). To any other reader it is the same JSON, but the API server
 * compares the value of a JSON Patch's `test` with its own encoding byte by byte: `a && b` in a command would never be what is there.
 */
function jsonOf(body: unknown): string {
  return JSON.stringify(body).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
