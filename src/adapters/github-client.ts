import { randomUUID } from "node:crypto";
import { StanchError } from "../errors.ts";
import type { Clock, Log } from "../ports.ts";
import { checkAddress } from "./github-address.ts";
import { fetchFault } from "./network.ts";

export type GitHubAuth =
  | { readonly token: string }
  | { readonly appId: string; readonly privateKey: string; readonly installationId?: string };

export interface GitHubOptions {
  readonly apiUrl: string;
  readonly auth: GitHubAuth;
  /** Plain http to other hosts than loopback. */
  readonly allowHttp: boolean;
  /** Milliseconds between two writes. */
  readonly pauseMs: number;
  readonly log: Log;
  readonly clock: Clock;
  /** Login of an installation's token that was made elsewhere, where the host does not say it; absent: a workflow's own. */
  readonly login?: string;
  /** Milliseconds of a second while waiting for a retry; less in tests. */
  readonly secondMs?: number;
  /** Told of each request that goes out. */
  readonly onRequest?: () => void;
}

/** Seconds that a rate limit may make us wait before it becomes the finding's fault; the next run tries again. */
export const PATIENCE_S = 60;
/** A request without an answer must not outlast the lease, with its retries. */
const TIMEOUT_MS = 15_000;

/** Writes are spaced by `github.pause` and by nothing else; the plug-in's own seconds cannot be configured. */
const unspaced = {
  key: () => ({ schedule: <T>(_: object, work: () => Promise<T>): Promise<T> => work() }),
} as never;

/** A certificate or a proxy's refusal stays what it is for the next seconds: Octokit tries nothing again that is called an abort. */
function giveUp(error: unknown): never {
  const reason = fetchFault(error);
  const lasting = /certificate|\bproxy response \(40[37]\)/i.test(reason);
  throw lasting ? Object.assign(new Error(reason), { name: "AbortError" }) : error;
}

/** Octokit with retry and throttling, for the token or for each owner's installation of the App. */
export async function createClients(options: GitHubOptions) {
  checkAddress(options);
  const { auth } = options;
  // A header value that HTTP refuses would be quoted in the refusal.
  if ("token" in auth && /[^\x21-\x7e]/.test(auth.token))
    throw new StanchError("config", "GITHUB_TOKEN holds a blank or another character that no token has", {
      hint: "set it again, without line breaks: a Secret made from a file often ends with one",
    });
  const [{ Octokit }, { retry }, { throttling }] = await Promise.all([
    import("@octokit/rest"),
    import("@octokit/plugin-retry"),
    import("@octokit/plugin-throttling"),
  ]);
  const Client = Octokit.plugin(retry, throttling);
  type Client = InstanceType<typeof Client>;
  const quiet = (): void => undefined;
  const second = options.secondMs ?? 1000;
  const limited = (kind: string) => (seconds: number, request: object, _client: object, attempt: number) => {
    options.log.warn("rate limit", { kind, seconds, path: (request as { url?: string }).url ?? "" });
    return attempt < 2 && seconds <= PATIENCE_S;
  };
  const make = (identity: Record<string, unknown>): Client =>
    new Client({
      ...identity,
      baseUrl: options.apiUrl.replace(/\/+$/, ""),
      userAgent: "stanch",
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      request: {
        fetch: (url: string, init: RequestInit) => {
          options.onRequest?.();
          return fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(giveUp);
        },
      },
      // 429 belongs to throttling and to `call`, which honour its headers.
      retry: { doNotRetry: [400, 401, 403, 404, 409, 410, 422, 429, 451], retryAfterBaseValue: second },
      throttle: {
        // Limits count for each token: two clients of one process never wait for each other.
        id: randomUUID(),
        onRateLimit: limited("primary"),
        onSecondaryRateLimit: limited("secondary"),
        fallbackSecondaryRateRetryAfter: 10,
        retryAfterBaseValue: second,
        write: unspaced,
        notifications: unspaced,
      },
    });
  const clients = new Map<string, Promise<Client>>();
  return {
    /** The client for a repository. Throws what GitHub says when the App is not installed there. */
    for(repository: string): Promise<Client> {
      const key = "token" in auth ? "" : (repository.split("/")[0] ?? "");
      let client = clients.get(key);
      if (client === undefined) {
        client = "token" in auth ? Promise.resolve(make({ auth: auth.token })) : appClient(auth, repository, make);
        clients.set(key, client);
        // What failed once may be right the next time.
        client.catch(() => clients.delete(key));
      }
      return client;
    },
  };
}

export type GitHubClient = Awaited<ReturnType<Awaited<ReturnType<typeof createClients>>["for"]>>;

/** Does something in a repository: spaces writes, waits for limits, and translates faults. */
export type GitHubCall = <T>(
  what: string,
  repository: string,
  write: boolean,
  step: (client: GitHubClient, at: { owner: string; repo: string }) => Promise<T>,
) => Promise<T>;

async function appClient<T>(
  auth: Exclude<GitHubAuth, { token: string }>,
  repository: string,
  make: (identity: Record<string, unknown>) => T,
): Promise<T> {
  const { createAppAuth } = await import("@octokit/auth-app");
  // A Secret's value often has its line breaks written out.
  const identity = { appId: auth.appId, privateKey: auth.privateKey.replaceAll("\\n", "\n") };
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+-----END [A-Z ]*PRIVATE KEY-----/.test(identity.privateKey))
    throw new StanchError("config", "STANCH_GITHUB_APP_KEY is no private key in PEM form", {
      hint: "put the whole file that GitHub made for the App into it, from BEGIN to END",
    });
  let installationId = auth.installationId;
  if (installationId === undefined) {
    const app = make({ authStrategy: createAppAuth, auth: identity }) as {
      apps: { getRepoInstallation(at: { owner: string; repo: string }): Promise<{ data: { id: number } }> };
    };
    const [owner = "", repo = ""] = repository.split("/");
    installationId = String((await app.apps.getRepoInstallation({ owner, repo })).data.id);
  }
  return make({ authStrategy: createAppAuth, auth: { ...identity, installationId } });
}
