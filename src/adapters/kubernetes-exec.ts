import type { KubeConfig } from "@kubernetes/client-node";
import { messageOf, StanchError } from "../errors.ts";
import { redactShapes } from "../redact.ts";
import { proxyFor } from "./network.ts";

export interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Channels of Kubernetes' WebSocket protocols (v4, v5). */
const [STDOUT, STDERR, STATUS] = [1, 2, 3];
const CONNECT_MS = 15_000;

/**
 * Runs one command over `pods/exec` (WebSocket, v5 or v4 channels) without input and without a terminal. Ends when the command has ended, when
 * the time is over, or when the connection is lost; the last two answer without an exit code, because nobody knows whether it goes on.
 * Throws StanchError `forbidden`, `not-found`, `invalid` or `cluster` for what did not begin.
 */
export async function execIn(
  config: KubeConfig,
  path: string,
  bounds: { readonly timeoutMs: number; readonly outputBytes: number },
  env: Readonly<Record<string, string | undefined>>,
): Promise<Ended> {
  const { Exec, KubeConfig: Loaded } = await import("@kubernetes/client-node");
  const chunks: Buffer[] = [];
  let left = bounds.outputBytes;
  let finish = (_: number | null): void => undefined;
  const ended = new Promise<number | null>((resolve) => {
    finish = resolve;
  });
  const listen = (channel: number, data: Buffer): boolean => {
    if ((channel === STDOUT || channel === STDERR) && left > 0) {
      chunks.push(Buffer.from(data.subarray(0, left)));
      left -= data.length;
    }
    if (channel !== STATUS) return true;
    finish(exitCodeOf(data));
    return false;
  };
  const opening = new Exec(withProxy(config, Loaded, env)).handler
    .connect(path, null, listen)
    .catch((error: unknown) => {
      throw refusal(error);
    });
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), CONNECT_MS);
    });
    const socket = await Promise.race([opening, late]);
    if (socket === null) {
      void opening.then((open) => open.close()).catch(() => undefined);
      throw new StanchError("cluster", "the API server did not answer when a command was to be run in a pod");
    }
    clearTimeout(timer);
    timer = setTimeout(() => finish(null), bounds.timeoutMs);
    socket.onclose = () => finish(null);
    socket.onerror = () => finish(null);
    const exitCode = await ended;
    socket.close();
    return { exitCode, output: Buffer.concat(chunks).toString("utf8") };
  } finally {
    clearTimeout(timer);
  }
}

/** The SDK knows a proxy of the kubeconfig and none of the environment. */
function withProxy(
  config: KubeConfig,
  Loaded: typeof KubeConfig,
  env: Readonly<Record<string, string | undefined>>,
): KubeConfig {
  const cluster = config.getCurrentCluster();
  const proxy = cluster === null ? undefined : proxyFor(new URL(cluster.server), env);
  if (cluster === null || cluster.proxyUrl !== undefined || proxy === undefined) return config;
  const copy = new Loaded();
  copy.loadFromOptions({
    clusters: config.getClusters().map((one) => (one.name === cluster.name ? { ...one, proxyUrl: proxy } : one)),
    users: config.getUsers(),
    contexts: config.getContexts(),
    currentContext: config.getCurrentContext(),
  });
  return copy;
}

/** What the last message says: `Success`, or a Failure whose cause `ExitCode` holds the number. Null: the runtime could not run it. */
function exitCodeOf(data: Buffer): number | null {
  try {
    const status = JSON.parse(data.toString("utf8")) as {
      status?: unknown;
      reason?: unknown;
      details?: { causes?: readonly { reason?: unknown; message?: unknown }[] };
    };
    if (status.status === "Success") return 0;
    const said = status.details?.causes?.find((cause) => cause.reason === "ExitCode")?.message;
    const code = Number(said);
    // `InternalError`: there is no such program in the container, which shells report as 126 or 127.
    return said === undefined || !Number.isInteger(code) ? (status.reason === "InternalError" ? 126 : null) : code;
  } catch {
    return null;
  }
}

/** The API server's no to the upgrade, of which the SDK passes on the status alone. */
function refusal(error: unknown): StanchError {
  const text = redactShapes(messageOf((error as { error?: unknown } | null)?.error ?? error));
  const status = /Unexpected server response: (\d{3})/.exec(text)?.[1];
  const said = `a command cannot be run in the pod: ${status === undefined ? text : `the API server answers ${status}`}`;
  if (status === "401" || status === "403")
    return new StanchError("forbidden", said, { hint: "`stanch doctor` names the rights that are missing" });
  if (status === "404") return new StanchError("not-found", said);
  if (status === "400") return new StanchError("invalid", said, { hint: "does its container run?" });
  return new StanchError("cluster", said);
}
