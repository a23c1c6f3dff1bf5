import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAnthropic } from "../../src/adapters/anthropic.ts";
import { makeRedactor } from "../../src/advice/redaction.ts";
import { type FixDoors, type FixQuestion, type Sought, seekFix } from "../../src/code-fix/seek.ts";
import { Config } from "../../src/config/schema.ts";
import type { Diagnosis, Evidence, FileEdit } from "../../src/model.ts";
import type { Checkout, CheckResult } from "../../src/ports.ts";
import { type GitBench, startGitBench } from "../adapters/git-bench.ts";
import { type MessagesApi, type Script, type Scripted, startMessagesApi } from "../model/messages-api.ts";

export const KEY = "sk-ant-test-0123456789abcdefghijklmnop";
export const REPOSITORY = "acme/cart";
const WHEN = Date.parse("2026-01-01T12:00:00Z");

export type Files = Readonly<Record<string, string>>;

/** A program with a fault: its repository, what was seen, and what is asked. */
export interface FixWorld {
  readonly files?: Files;
  /** In the place of `files`: commits from the oldest on. */
  readonly commits?: readonly { readonly message: string; readonly files: Files }[];
  readonly checkout?: Checkout;
  readonly log?: string;
  readonly evidence?: readonly Evidence[];
  readonly summary?: string;
  readonly cause?: string;
  readonly image?: string;
  readonly folder?: string;
  readonly code?: object;
  readonly model?: object;
  readonly check?: FixDoors["check"];
  readonly deployed?: string;
  readonly secrets?: readonly string[];
  readonly reserve?: (worst: { readonly tokens: number; readonly dollars: number }) => string | null;
  readonly redactor?: FixDoors["redactor"];
  readonly tick?: () => Promise<void>;
}

export interface Asked {
  readonly sought: Sought;
  readonly question: FixQuestion;
  readonly settings: Config["model"];
  readonly redactor: FixDoors["redactor"];
  readonly clock: { ahead: number };
  readonly spent: { requests: number; dollars: number };
  readonly checkout: Checkout;
}

export interface FixBench extends AsyncDisposable {
  readonly api: MessagesApi;
  readonly git: GitBench;
  /** A repository with its branch `main` as a checkout of ours; the ids of its commits, the oldest first. */
  open(commits: NonNullable<FixWorld["commits"]>): Promise<Checkout>;
  ask(world: FixWorld, script: Script): Promise<Asked>;
}

/** The embedded code host with real git, and the embedded Messages API. */
export async function startFixBench(): Promise<FixBench> {
  const api = await startMessagesApi();
  const git = await startGitBench();
  const opened: Checkout[] = [];
  let count = 0;
  const known = new Map<string, Promise<Checkout>>();

  function open(commits: NonNullable<FixWorld["commits"]>): Promise<Checkout> {
    const key = JSON.stringify(commits);
    const made =
      known.get(key) ??
      (async () => {
        count += 1;
        const name = `acme/cart-${count}`;
        await git.host.addRepository(name, { commits: [...commits] });
        const checkout = await git.repositories().open(name, "main");
        opened.push(checkout);
        return checkout;
      })();
    known.set(key, made);
    return made;
  }

  return {
    api,
    git,
    open,
    async ask(world, script) {
      api.script(script);
      const checkout =
        world.checkout ??
        (await open(world.commits ?? [{ message: "Import", files: world.files ?? { "a.js": "a();\n" } }]));
      const clock = { ahead: 0 };
      const spent = { requests: 0, dollars: 0 };
      const settings = Config.parse({
        model: {
          enabled: true,
          baseUrl: api.url,
          timeout: "3s",
          ...world.model,
          code: { enabled: true, ...world.code },
        },
      }).model;
      const question: FixQuestion = {
        diagnosis: diagnosisOf(world),
        image: world.image ?? "ghcr.io/acme/cart:1",
        repository: REPOSITORY,
        folder: world.folder ?? ".",
        delimiter: "d0000000000000000f",
      };
      const redactor = world.redactor ?? makeRedactor([KEY, ...(world.secrets ?? [])]);
      const sought = await seekFix(question, {
        advisor: createAnthropic({ apiKey: KEY, baseUrl: api.url }),
        account: {
          reserve: async (worst) => world.reserve?.(worst) ?? null,
          async settle(spend) {
            spent.requests += 1;
            spent.dollars += spend?.dollars ?? 0;
          },
        },
        redactor,
        clock: {
          now: () => new Date(WHEN + clock.ahead),
          async sleep(ms) {
            clock.ahead += ms;
          },
        },
        settings,
        price: { input: 1, output: 10, cacheWrite: 1, cacheRead: 0.1 },
        tick: world.tick ?? (async () => undefined),
        mostMs: 60_000,
        checkout,
        ...(world.check === undefined ? {} : { check: world.check }),
        ...(world.deployed === undefined ? {} : { deployed: world.deployed }),
      });
      return { sought, question, settings, redactor, clock, spent, checkout };
    },
    async [Symbol.asyncDispose]() {
      for (const checkout of opened) await checkout.close();
      await git[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

function diagnosisOf({ log = "panic", evidence, summary, cause }: FixWorld): Diagnosis {
  return {
    finding: {
      detector: "crash-loop",
      workload: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" },
      container: "app",
      symptom: { kind: "crash-loop", exitCode: 1 } as never,
      summary: summary ?? "Container app ends with exit code 1.",
      evidence: evidence ?? [{ id: "e1", kind: "log", text: log }],
      since: "2026-01-01T11:50:00Z",
      pods: 1,
      fingerprint: "0123456789abcdef",
    } as never,
    cause: cause ?? "The program ends by itself.",
    by: "rule",
    choices: [],
    rejected: [{ remedy: "rollback", reason: "no earlier revision ran" }],
  };
}

/** Runs a command for real on a private copy with the edits: the tests' own repositories are no strangers'. */
export function really(
  checkout: () => Promise<Checkout>,
  command: readonly [string, ...string[]],
): NonNullable<FixDoors["check"]> {
  return async (edits, mostMs) => {
    const folder = await mkdtemp(join(tmpdir(), "stanch-fix-check-"));
    try {
      await cp((await checkout()).directory, folder, { recursive: true, filter: (path) => !path.endsWith("/.git") });
      for (const { file, after } of edits) await writeFile(join(folder, file), after);
      return await new Promise<CheckResult>((resolve) => {
        execFile(command[0], command.slice(1), { cwd: folder, timeout: mostMs }, (error, stdout, stderr) =>
          resolve({
            ran: true,
            exit: error === null ? 0 : typeof error.code === "number" ? error.code : null,
            timedOut: false,
            output: stdout + stderr,
            ms: 5,
          }),
        );
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

/** Calls of one turn. */
export const calls = (...list: readonly (readonly [string, object])[]): Scripted => ({
  thinking: true,
  calls: list.map(([name, input]) => ({ name, input })),
});
export const edit = (path: string, old: string, fresh: string) => ["edit", { path, old, new: fresh }] as const;
export const read = (path: string, first = 1, last = 400) => ["read", { path, first, last }] as const;
export const search = (text: string, files = "", ignore_case = false) =>
  ["search", { text, files, ignore_case }] as const;

/** A last answer. */
export function answering(
  fix: object,
  citations: readonly { readonly id: string; readonly quote: string }[],
  cause = "It fails.",
): Scripted {
  return { text: JSON.stringify({ cause, fix, citations }) };
}
export const fixed = (
  citations: readonly { readonly id: string; readonly quote: string }[],
  summary = "It is mended.",
): Scripted => answering({ kind: "edited", summary }, citations);

/** The texts that went back to the model for the calls of a request. */
export function results(api: MessagesApi, request: number): string[] {
  const content = api.requests[request]?.messages.at(-1)?.content ?? [];
  return content.flatMap((block) => (block.type === "tool_result" ? [block.content] : []));
}

export const editsOf = (sought: Sought): readonly FileEdit[] => (sought.fixed ? sought.edits : []);
