import { createGitHub, type GitHub } from "../../src/adapters/github.ts";
import type { GitHubAuth } from "../../src/adapters/github-client.ts";
import { type EmbeddedCodeHost, startCodeHost } from "../../src/demo/code-host/code-host.ts";
import { createLog } from "../../src/log.ts";
import type { Clock } from "../../src/ports.ts";

export const REPOSITORY = "acme/shop";
export const TOKEN = "github-test-token-0123456789abcdef";

export interface GitHubBench extends AsyncDisposable {
  readonly host: EmbeddedCodeHost;
  /** A client of its own: Octokit spaces the writes of one. */
  client(options?: {
    readonly auth?: GitHubAuth;
    readonly apiUrl?: string;
    readonly pauseMs?: number;
  }): Promise<GitHub>;
  /** Everything that was logged. */
  readonly logged: string[];
  /** Milliseconds that were slept by the clock. */
  readonly slept: number[];
  /** A branch with one commit on top of main. */
  branch(name: string): Promise<string>;
}

/** The embedded code host with one repository, and clients that wait a thousandth of the time. */
export async function startBench(): Promise<GitHubBench> {
  const host = await startCodeHost();
  host.addToken(TOKEN, { login: "stanch[bot]", permission: "write" });
  await host.addRepository(REPOSITORY, { commits: [{ message: "Import", files: { "a.yaml": "a: 1\n" } }] });
  const logged: string[] = [];
  const slept: number[] = [];
  const clock: Clock = { now: () => new Date(), sleep: async (ms) => void slept.push(ms) };
  const write = (text: string): void => void logged.push(text);
  const log = createLog({ format: "json", level: "debug", interactive: false, write, now: clock.now });
  return {
    host,
    logged,
    slept,
    client: ({ auth = { token: TOKEN }, apiUrl = host.apiUrl, pauseMs = 0 } = {}) =>
      createGitHub({ apiUrl, auth, allowHttp: false, pauseMs, log, clock, secondMs: 1 }),
    async branch(name) {
      await host.branch(REPOSITORY, name, "main");
      return host.commit(REPOSITORY, name, { "a.yaml": "a: 2\n" }, { message: "Two" });
    },
    [Symbol.asyncDispose]: () => host.close(),
  };
}
