import { execFile } from "node:child_process";
import { access, constants, copyFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { publish } from "../../action/publish.ts";
import { APP_TOKEN, bundle, REPOSITORY, startWorld, TOKEN, type World } from "../../action/runner.ts";
import { deployment, ENV_FROM, KUSTOMIZE, service } from "../../action/trees.ts";
import { item, report, root } from "../../drift/reports.ts";

/** The workflows of the documentation, run by a real runner (nektos/act in self-hosted mode, which needs no container). */

const top = resolve(import.meta.dirname, "../../..");
const act = await programs("act");
if (act === null)
  console.warn(
    "\n!!! The Action on a real runner is NOT TESTED: act is not on the PATH (../shared/lab/build act builds it).\n",
  );

async function programs(name: string): Promise<string | null> {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), join(homedir(), ".cache/stanch-lab/bin")];
  for (const folder of folders) {
    const file = join(folder, name);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return null;
}

interface Ran {
  readonly code: number;
  readonly log: string;
}

let released = "";

/** What a release tag holds: `action.yml` and the bundle that it names. */
async function release(folder: string): Promise<string> {
  const made = join(folder, "release");
  await mkdir(join(made, "dist"), { recursive: true });
  await copyFile(join(top, "action.yml"), join(made, "action.yml"));
  await cp(dirname(await bundle()), join(made, "dist/action"), { recursive: true });
  return made;
}

async function runs(world: World, event: string, payload: object, workflow: string, revision: string): Promise<Ran> {
  released = await release(world.folder);
  const workspace = await world.checkout(revision, { depth: 0 });
  const home = join(world.folder, "home");
  await mkdir(home, { recursive: true });
  await mkdir(join(workspace, ".github/workflows"), { recursive: true });
  await writeFile(join(workspace, ".github/workflows/stanch.yml"), workflow);
  const file = join(world.folder, "event.json");
  await writeFile(file, JSON.stringify(payload));
  const words = [
    event,
    "-C",
    workspace,
    "-P",
    "self-hosted=-self-hosted",
    "-e",
    file,
    "-s",
    `GITHUB_TOKEN=${TOKEN}`,
    "--local-repository",
    `stanch-dev/stanch@v1=${released}`,
    "--no-cache-server",
    "--env",
    `GITHUB_REPOSITORY=${REPOSITORY}`,
  ];
  return new Promise((done) => {
    execFile(
      act ?? "",
      words,
      { maxBuffer: 64 * 1024 * 1024, env: { PATH: process.env["PATH"], HOME: home, XDG_CACHE_HOME: home } },
      (error, stdout, stderr) => done({ code: error === null ? 0 : 1, log: `${stdout}\n${stderr}` }),
    );
  });
}

const reviewing = (url: string, failOn: string): string => `name: Stanch
on: pull_request
permissions:
  contents: read
  pull-requests: write
jobs:
  review:
    runs-on: self-hosted
    steps:
      - id: stanch
        uses: stanch-dev/stanch@v1
        with:
          mode: review
          fail-on: ${failOn}
          check-images: false
          github-api-url: ${url}
      - if: always()
        run: echo "result=\${{ steps.stanch.outputs.result }} count=\${{ steps.stanch.outputs.count }}"
`;

const drifting = (url: string): string => `name: Stanch
on: schedule
jobs:
  drift:
    runs-on: self-hosted
    steps:
      - id: stanch
        uses: stanch-dev/stanch@v1
        with:
          mode: drift
          publisher: stanch[bot]
          cluster: prod
          branch: main
          fail-on: drift
          github-api-url: ${url}
      - if: always()
        run: echo "result=\${{ steps.stanch.outputs.result }} drifted=\${{ steps.stanch.outputs.drifted }}"
`;

describe.skipIf(act === null)("the Action on a real runner", () => {
  beforeAll(() => bundle(), 60_000);

  it("takes the documentation's workflows by its own strict schema, and a mistyped one not", async () => {
    await using world = await startWorld({ "a.yaml": "a: 1\n" });
    const page = await readFile(join(top, "docs/action.md"), "utf8");
    const workflows = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
    expect(workflows.length).toBeGreaterThan(3);
    const validated = async (workflow: string): Promise<string> => {
      const file = join(world.folder, "workflow.yml");
      await writeFile(file, workflow);
      return new Promise((done) => {
        const env = { PATH: process.env["PATH"], HOME: world.folder };
        const words = ["--validate", "--strict", "-W", file, "-C", world.folder];
        execFile(act ?? "", words, { env, cwd: world.folder }, (_, stdout, stderr) => done(`${stdout}\n${stderr}`));
      });
    };
    for (const workflow of workflows)
      expect(await validated(workflow)).not.toMatch(/Validation Error|Unknown Property/);
    const mistyped = (workflows[0] ?? "").replace("timeout-minutes", "timeout-minuten");
    expect(await validated(mistyped)).toMatch(/Validation Error/);
  });

  it("reviews a good pull request", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const pull = await world.open({ "base/cart.yaml": deployment("cart", { env: ENV_FROM, memory: "256Mi" }) });
    const ran = await runs(world, "pull_request", pull.event, reviewing(world.host.apiUrl, "problems"), pull.merge);
    expect(ran.log).toContain("result=clean count=0");
    expect(ran.code, ran.log).toBe(0);
    expect(world.host.pulls(REPOSITORY)[0]?.comments[0]?.body).toContain("`128Mi` → `256Mi`");
  });

  it("fails the job for a harmful one", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const pull = await world.open({ "base/service.yaml": service("cart", "htpp") });
    const ran = await runs(world, "pull_request", pull.event, reviewing(world.host.apiUrl, "problems"), pull.merge);
    expect(ran.log).toContain("result=problems count=2");
    expect(ran.code).toBe(1);
  });

  it("tells drift, its absence, and a missing report", async () => {
    await using world = await startWorld({ "deploy/app.yaml": "a: 1\n" });
    const event = { schedule: "0 * * * *", repository: { full_name: REPOSITORY, default_branch: "main" } };
    const step = () => runs(world, "schedule", event, drifting(world.host.apiUrl), "main");
    const none = await step();
    expect(none.log).toContain("result=error");
    expect(none.code).toBe(1);
    const takenAt = new Date().toISOString();
    await publish(world, APP_TOKEN, report({ takenAt, roots: [root({ items: [], inSync: 3 })] }));
    const clean = await step();
    expect(clean.log).toContain("result=clean drifted=false");
    expect(clean.code, clean.log).toBe(0);
    await publish(world, APP_TOKEN, report({ takenAt, roots: [root({ items: [item()] })] }));
    const drifted = await step();
    expect(drifted.log).toContain("result=drift drifted=true");
    expect(drifted.code).toBe(1);
  });
});
