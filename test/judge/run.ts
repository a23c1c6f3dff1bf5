/**
 * The product's side of the judge (`../shared/judge`): `npm run judge -- JOB.json` runs cycles of the real command line
 * against the cluster and the repository that the file names. Production defaults but for shorter windows; nothing here
 * knows a scenario.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { z } from "zod";

const Job = z.object({
  phase: z.enum(["incident", "after-merge"]),
  kubeconfig: z.string(),
  namespaces: z.array(z.string()),
  github: z.object({ api_url: z.string(), token: z.string(), repository: z.string(), branch: z.string() }),
  source: z.object({
    tool: z.string(),
    path: z.string(),
    namespace: z.string().nullable(),
    release: z.string().nullish(),
    values: z.array(z.string()).nullish(),
  }),
});

const BUDGET_MS = { incident: 330_000, "after-merge": 60_000 };
/** Nothing ripens any more: after this many cycles without anything to wait for, the job is done. */
const QUIET = { incident: 4, "after-merge": 1 };
const PAUSE_MS = 6_000;

const root = new URL("../..", import.meta.url).pathname;
const call = promisify(execFile);

async function main(file: string): Promise<number> {
  const job = Job.parse(JSON.parse(await readFile(file, "utf8")));
  const folder = await mkdtemp(join(tmpdir(), "stanch-judge-"));
  try {
    const config = join(folder, "stanch.yaml");
    await writeFile(config, stringify(configOf(job, folder)));
    await install(job.kubeconfig);
    return await cycles(job, config);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function configOf(job: z.infer<typeof Job>, folder: string): object {
  const { tool, release, values } = job.source;
  const known = ["plain", "kustomize", "helm"].includes(tool);
  return {
    mode: "remediate",
    cluster: "judge",
    // A namespace that every cluster has holds the lease: making one would be a change beside the fault.
    namespace: "kube-public",
    scope: { namespaces: job.namespaces.filter((name) => name !== "kube-system") },
    // A source that Stanch cannot render yet is left out: the finding is then reported to a person.
    sources: !known
      ? []
      : [
          {
            repository: job.github.repository,
            branch: job.github.branch,
            path: job.source.path,
            tool,
            ...(job.source.namespace === null ? {} : { namespace: job.source.namespace }),
            ...(release ? { helm: { release, values: values ?? [] } } : {}),
          },
        ],
    // The lab's registry answers for every registry, by path.
    registry: { mirrors: { "*": "http://127.0.0.1:5000" } },
    github: { apiUrl: job.github.api_url, pause: "0s" },
    git: { cache: join(folder, "git") },
    detect: { notReady: "20s", pending: "20s", noEndpoints: "20s" },
    guard: { cooldown: "0s" },
    verify: { least: "10s", patience: "2m", poll: "1s" },
  };
}

/** What an administrator does once: the custom resource. */
async function install(kubeconfig: string): Promise<void> {
  const kubectl = async (...words: string[]): Promise<void> =>
    void (await call("kubectl", ["--kubeconfig", kubeconfig, ...words]));
  await kubectl("apply", "--server-side", "-f", join(root, "deploy", "crd.yaml"));
  await kubectl("wait", "--for=condition=Established", "crd/incidents.stanch.dev", "--timeout=20s");
}

async function cycles(job: z.infer<typeof Job>, config: string): Promise<number> {
  const end = Date.now() + BUDGET_MS[job.phase];
  let quiet = 0;
  let worst = 0;
  while (Date.now() < end && quiet < QUIET[job.phase]) {
    const env = { ...process.env, GITHUB_TOKEN: job.github.token };
    const { code, stdout, stderr } = await run(
      [join(root, "src", "cli.ts"), "run", "--config", config, "--kubeconfig", job.kubeconfig, "-o", "json"],
      env,
    );
    process.stdout.write(`${stdout}\n`);
    process.stderr.write(stderr);
    if (code === 1 || code === 2) worst = code;
    const outcomes = outcomesOf(stdout);
    // Another lane's run: what it holds says nothing of this one.
    const busy =
      code === 4 || outcomes.some((outcome) => ["watching", "hotfixed", "rolled-back", "failed"].includes(outcome));
    const done = outcomes.some((outcome) => ["proposed", "resolved"].includes(outcome)) && !busy;
    if (job.phase === "incident" && done && outcomes.includes("proposed")) return 0;
    quiet = busy ? 0 : quiet + 1;
    await sleep(PAUSE_MS);
  }
  return worst;
}

function outcomesOf(stdout: string): string[] {
  try {
    const report = JSON.parse(stdout) as { outcomes?: { kind: string }[] };
    return (report.outcomes ?? []).map((outcome) => outcome.kind);
  } catch {
    return [];
  }
}

async function run(words: string[], env: NodeJS.ProcessEnv): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const { stdout, stderr } = await call(process.execPath, words, {
      env,
      maxBuffer: 16 * 1024 * 1024,
      timeout: 300_000,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const failed = error as { code?: number; stdout?: string; stderr?: string };
    return {
      code: typeof failed.code === "number" ? failed.code : 1,
      stdout: failed.stdout ?? "",
      stderr: failed.stderr ?? "",
    };
  }
}

const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("usage: npm run judge -- JOB.json\n");
  process.exitCode = 2;
} else process.exitCode = await main(file);
