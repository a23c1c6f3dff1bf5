import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { type RolldownOptions, rolldown } from "rolldown";
import config from "../../rolldown.config.ts";
import { type EmbeddedCodeHost, startCodeHost } from "../../src/demo/code-host/code-host.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");

export const REPOSITORY = "acme/shop";
/** As the workflow's own token: an installation of GitHub Actions. */
export const TOKEN = "ghs-actions-token-0123456789abcdef";
/** The App that runs in the cluster. */
export const APP_TOKEN = "ghs-stanch-token-0123456789abcdef";
const WRITER = "person-token-0123456789abcdef";

/** A busy machine bundles and renders slowly. */
export const PATIENCE = { testTimeout: 120_000, hookTimeout: 120_000 } as const;

let built: Promise<string> | undefined;

/** Bundles the Action as a release does, once for the same sources. Answers the file that the runner starts. */
export function bundle(): Promise<string> {
  built ??= build();
  return built;
}

async function build(): Promise<string> {
  const all = config as RolldownOptions[];
  const options = all.find(({ input }) => (input as Record<string, string>)["main"] === "action/main.ts");
  if (options === undefined) throw new Error("rolldown.config.ts has no entry for the Action");
  const made = join(tmpdir(), `stanch-action-${await fingerprint()}`);
  const main = join(made, "main.mjs");
  if (await isThere(main)) return main;
  const dir = await mkdtemp(join(tmpdir(), "stanch-action-new-"));
  const bundled = await rolldown({ ...options, cwd: root, logLevel: "silent" });
  await bundled.write({ ...options.output, dir });
  // Another test file may have been faster.
  await rename(dir, made).catch(() => rm(dir, { recursive: true, force: true }));
  return main;
}

/** Of everything that the bundle is made from. */
async function fingerprint(): Promise<string> {
  const hash = createHash("sha256");
  for (const folder of ["action", "src"])
    for (const file of (await readdir(join(root, folder), { recursive: true })).toSorted())
      if (file.endsWith(".ts")) hash.update(file).update(await readFile(join(root, folder, file)));
  for (const file of ["rolldown.config.ts", "package.json", "package-lock.json"])
    hash.update(await readFile(join(root, file)).catch(() => ""));
  return hash.digest("hex").slice(0, 16);
}

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

export interface Step {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  /** Workflow commands, as the runner reads them. */
  readonly commands: readonly Command[];
}

export interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

export interface World extends AsyncDisposable {
  readonly host: EmbeddedCodeHost;
  /** Opens a pull request with these files changed. */
  open(files: Readonly<Record<string, string | null>>, options?: OpenOptions): Promise<Opened>;
  /** Runs the Action as the runner does. */
  step(inputs: Readonly<Record<string, string>>, options?: StepOptions): Promise<Step>;
  /** What actions/checkout leaves: the merge commit alone (or all of history), and its credentials in the configuration. */
  checkout(revision: string, options?: { readonly depth?: number }): Promise<string>;
  folder: string;
}

export interface OpenOptions {
  readonly branch?: string;
  readonly title?: string;
  readonly body?: string;
  /** The head lies in another repository. */
  readonly fork?: boolean;
  readonly author?: string;
}

export interface Opened {
  readonly number: number;
  readonly head: string;
  readonly base: string;
  readonly merge: string;
  readonly event: object;
}

export interface StepOptions {
  readonly event?: object | string;
  readonly eventName?: string;
  readonly sha?: string;
  readonly workspace?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The embedded GitHub with one repository, and what a runner gives to a step. */
export async function startWorld(files: Readonly<Record<string, string>>): Promise<World> {
  const host = await startCodeHost();
  const folder = await mkdtemp(join(tmpdir(), "stanch-runner-"));
  host.addToken(TOKEN, { login: "github-actions[bot]", permission: "write", app: "github-actions" });
  host.addToken(APP_TOKEN, { login: "stanch[bot]", permission: "write", app: "stanch" });
  host.addToken(WRITER, { login: "ada", permission: "write" });
  await host.addRepository(REPOSITORY, { commits: [{ message: "Import", files }] });
  let counter = 0;
  const remote = `${host.url}/${REPOSITORY}.git`;
  const authorized = (token: string): string[] => [
    "-c",
    `http.extraHeader=Authorization: Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`,
  ];

  const world: World = {
    host,
    folder,
    async open(
      changes,
      { branch = `change-${++counter}`, title = "Change", body = "", fork = false, author = "ada" } = {},
    ) {
      const scratch = join(folder, `scratch-${++counter}`);
      await run("git", [...authorized(WRITER), "clone", "--quiet", remote, scratch]);
      const git = async (...args: string[]): Promise<string> =>
        (
          await run(
            "git",
            ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", ...authorized(WRITER), ...args],
            {
              cwd: scratch,
            },
          )
        ).stdout.trim();
      const base = await git("rev-parse", "HEAD");
      const known = await git("ls-remote", "origin", `refs/heads/${branch}`);
      await git("checkout", "--quiet", "-b", branch, ...(known === "" ? [] : [`origin/${branch}`]));
      for (const [file, text] of Object.entries(changes)) {
        if (text === null) await rm(join(scratch, file));
        else {
          await mkdir(join(scratch, file, ".."), { recursive: true });
          await writeFile(join(scratch, file), text);
        }
      }
      await git("add", "--all");
      await git("commit", "--quiet", "--allow-empty", "-m", title);
      const head = await git("rev-parse", "HEAD");
      await git("push", "--quiet", "origin", `HEAD:refs/heads/${branch}`);
      const number = await pullOf(host, { branch, title, body });
      await git("checkout", "--quiet", base);
      await git("merge", "--quiet", "--no-ff", "-m", `Merge ${head} into ${base}`, head);
      const merge = await git("rev-parse", "HEAD");
      await git("push", "--quiet", "--force", "origin", `HEAD:refs/pull/${number}/merge`);
      const repository = { full_name: REPOSITORY, default_branch: "main" };
      const shown = host.pulls(REPOSITORY).find((pull) => pull.number === number);
      const event = {
        action: "synchronize",
        number,
        repository,
        pull_request: {
          number,
          title,
          body: shown?.body ?? body,
          user: { login: author },
          head: { sha: head, ref: branch, repo: fork ? { full_name: "mallory/shop" } : repository },
          base: { sha: base, ref: "main", repo: repository },
        },
      };
      return { number, head, base, merge, event };
    },
    async checkout(revision, { depth = 1 } = {}) {
      const workspace = join(folder, `work-${++counter}`);
      await mkdir(workspace);
      const git = (...args: string[]) => run("git", args, { cwd: workspace });
      await git("init", "--quiet");
      await git("remote", "add", "origin", remote);
      // As actions/checkout keeps it; a second header beside it is refused by GitHub.
      const basic = Buffer.from(`x-access-token:${TOKEN}`).toString("base64");
      await git("config", "--local", `http.${host.url}/.extraheader`, `AUTHORIZATION: basic ${basic}`);
      await git("fetch", "--quiet", "--no-tags", ...(depth === 0 ? [] : [`--depth=${depth}`]), "origin", revision);
      await git("checkout", "--quiet", "--detach", "FETCH_HEAD");
      return workspace;
    },
    step: (inputs, options) => runStep(host, folder, inputs, options),
    async [Symbol.asyncDispose]() {
      await host.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return world;
}

/** Runs the bundle as the runner does: inputs by environment, the payload in a file, answers in files and on standard output. */
export async function runStep(
  host: Pick<EmbeddedCodeHost, "url" | "apiUrl">,
  folder: string,
  inputs: Readonly<Record<string, string>>,
  { event = {}, eventName = "pull_request", sha = "", workspace, env = {} }: StepOptions = {},
): Promise<Step> {
  const main = await bundle();
  const own = await mkdtemp(join(folder, "step-"));
  const files = { event: join(own, "event.json"), output: join(own, "output"), summary: join(own, "summary.md") };
  await writeFile(files.event, typeof event === "string" ? event : JSON.stringify(event));
  await writeFile(files.output, "");
  await writeFile(files.summary, "");
  const work = workspace ?? join(own, "work");
  if (workspace === undefined) await mkdir(work);
  const defaults = { token: TOKEN, "check-images": "false" };
  const given = Object.entries({ ...defaults, ...inputs }).map(([name, value]) => [
    `INPUT_${name.toUpperCase()}`,
    value,
  ]);
  const done = await new Promise<{ code: number; stdout: string; stderr: string }>((answer) => {
    execFile(
      process.execPath,
      [main],
      {
        cwd: work,
        maxBuffer: 64 * 1024 * 1024,
        env: {
          PATH: process.env["PATH"],
          HOME: own,
          CI: "true",
          GITHUB_ACTIONS: "true",
          GITHUB_API_URL: host.apiUrl,
          GITHUB_SERVER_URL: host.url,
          GITHUB_REPOSITORY: REPOSITORY,
          GITHUB_EVENT_NAME: eventName,
          GITHUB_EVENT_PATH: files.event,
          GITHUB_SHA: sha,
          GITHUB_REF_NAME: "main",
          GITHUB_WORKSPACE: work,
          GITHUB_OUTPUT: files.output,
          GITHUB_STEP_SUMMARY: files.summary,
          RUNNER_TEMP: own,
          ...Object.fromEntries(given),
          ...env,
        },
      },
      (error, stdout, stderr) =>
        answer({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, stdout, stderr }),
    );
  });
  return {
    ...done,
    outputs: parseOutputs(await readFile(files.output, "utf8")),
    summary: await readFile(files.summary, "utf8"),
    commands: parseCommands(`${done.stdout}\n${done.stderr}`),
  };
}

async function pullOf(host: EmbeddedCodeHost, pull: { branch: string; title: string; body: string }): Promise<number> {
  const open = host.pulls(REPOSITORY).find(({ head, state }) => head === pull.branch && state === "open");
  if (open !== undefined) return open.number;
  const made = await fetch(`${host.apiUrl}/repos/${REPOSITORY}/pulls`, {
    method: "POST",
    headers: { authorization: `token ${WRITER}`, "content-type": "application/json" },
    body: JSON.stringify({ title: pull.title, body: pull.body, head: pull.branch, base: "main" }),
  });
  if (made.status !== 201) throw new Error(`the pull request was not made: ${await made.text()}`);
  return ((await made.json()) as { number: number }).number;
}

/** `name<<DELIMITER` blocks, as the runner reads them. */
function parseOutputs(text: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [, name, , value] of text.matchAll(/^(.+?)<<(\S+)\n([\s\S]*?)\n\2$/gm)) out[name ?? ""] = value ?? "";
  return out;
}

/**
 * Commands in a step's output, as the runner finds them (actions/runner, ActionCommand.cs): `::` at the start of a line, and the old
 * `##[` anywhere in one.
 */
function parseCommands(text: string): Command[] {
  return text.split(/\r?\n/).flatMap((line): Command[] => {
    const [, name = "", rest = "", message = ""] = /^\s*::([\w-]+)(?: ([^:]*?))?::(.*)$/.exec(line) ?? [];
    if (name !== "") {
      const pairs = rest.split(",").flatMap((pair) => {
        const at = pair.indexOf("=");
        return at < 0 ? [] : [[pair.slice(0, at).trim(), decoded(pair.slice(at + 1))] as const];
      });
      return [{ name, properties: Object.fromEntries(pairs), message: decoded(message) }];
    }
    const old = /##\[([\w-]+)/.exec(line)?.[1];
    return old === undefined ? [] : [{ name: `old ${old}`, properties: {}, message: line }];
  });
}

function decoded(text: string): string {
  return text
    .replaceAll("%0D", "\r")
    .replaceAll("%0A", "\n")
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",")
    .replaceAll("%25", "%");
}
