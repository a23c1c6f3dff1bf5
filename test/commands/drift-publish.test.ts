import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createGitHub } from "../../src/adapters/github.ts";
import { readPublished } from "../../src/drift/read-published.ts";
import { createLog } from "../../src/log.ts";
import type { KubeObject } from "../../src/model.ts";
import { deployment, makeWorld, REPOSITORY, TOKEN, type World } from "../pipeline/world.ts";
import { command, flagsFor } from "./command.ts";

const APP = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" };
let world: World;
let at: Awaited<ReturnType<typeof flagsFor>>;

const settings = (drift: object = {}) => ({
  mode: "observe",

  drift: { wait: "0s", ...drift },
});

beforeEach(async () => {
  world = await makeWorld({ "apps/app.yaml": deployment({ memory: "256Mi" }) });
  await world.deploy();
});
afterEach(async () => {
  await at.close();
  await world[Symbol.asyncDispose]();
});

const edit = (value: string) =>
  world.api.patch(APP, [{ op: "replace", path: "/spec/template/spec/containers/0/image", value }]);
const asApp = () => world.host.addToken(TOKEN, { login: "stanch[bot]", permission: "write", app: "stanch" });
const checks = () => world.host.checks(REPOSITORY);
const issues = () => world.host.issues(REPOSITORY);
const writes = () =>
  // GraphQL is asked who wrote an issue last.
  world.host.requests.filter((row) => row.method !== "GET" && !/git-upload-pack|\/graphql$/.test(row.path)).length;
const run = () =>
  world.cluster.get("stanch.dev/v1alpha1", "Run", "stanch-system", "stanch") as
    | (KubeObject & { drift?: { at: string; nextAt: string; error?: string } })
    | undefined;

async function read(by: string) {
  const quiet = createLog({
    format: "json",
    level: "error",
    interactive: false,
    write: () => undefined,
    now: () => new Date(),
  });
  const github = await createGitHub({
    apiUrl: world.host.apiUrl,
    auth: { token: TOKEN },
    allowHttp: false,
    pauseMs: 0,
    log: quiet,
    clock: world.clock,
  });
  return readPublished(github, { repository: REPOSITORY, branch: "main", cluster: "test", by });
}

describe("stanch drift --publish", () => {
  it("tells the repository from a live cluster to the line in the source, closes when clean, and says it once", async () => {
    asApp();
    at = await flagsFor(world, settings());
    expect((await command("drift", { ...at.flags, publish: true })).code).toBe(0);
    expect(checks()).toMatchObject([{ conclusion: "success", title: "1 in sync" }]);
    await edit("example.com/app:1.1.0");
    const said = await command("drift", { ...at.flags, publish: true, output: "json" });
    expect(said.code).toBe(3);
    // The output stays the report.
    expect(JSON.parse(said.out)).toMatchObject({ version: 1 });
    expect(checks().at(-1)).toMatchObject({ conclusion: "action_required", title: "1 drifted" });
    const line =
      deployment()
        .split("\n")
        .findIndex((text) => text.includes("image:")) + 1;
    expect(checks().at(-1)?.annotations).toMatchObject([{ path: "apps/app.yaml", start_line: line }]);
    expect(issues()).toMatchObject([{ state: "open", title: "Drift in cluster test: 1 drifted" }]);
    expect(issues()[0]?.body).toContain("example.com/app:1.1.0");
    expect(await read("stanch[bot]")).toMatchObject({ found: true, end: "drift", behind: 0 });
    const before = writes();
    expect((await command("drift", { ...at.flags, publish: true })).code).toBe(3);
    expect(writes()).toBe(before);
    await edit("example.com/app:1.0.0");
    expect((await command("drift", { ...at.flags, publish: true })).code).toBe(0);
    expect(issues()).toMatchObject([{ state: "closed" }]);
    expect(await read("stanch[bot]")).toMatchObject({ found: true, end: "clean" });
  }, 60_000);

  it("is a fault where it cannot be told, writes nothing on a dry run, and takes no part for the whole", async () => {
    at = await flagsFor(world, settings());
    const before = writes();
    expect((await command("drift", { ...at.flags, publish: true, "dry-run": true })).code).toBe(0);
    expect(writes()).toBe(before);
    world.host.allowIssues(REPOSITORY, false);
    expect((await command("drift", { ...at.flags, publish: true })).code).toBe(1);
    const part = await command("drift", { ...at.flags, publish: true, root: ["apps"] });
    expect(part.code).toBe(2);
    expect(part.error).toContain("--root");
  }, 60_000);
});

describe("a run with drift.publish", () => {
  it("publishes at its end, at most each drift.every, and remembers when", async () => {
    asApp();
    at = await flagsFor(world, settings({ publish: true }));
    await edit("example.com/app:1.1.0");
    expect((await command("run", at.flags)).code).toBe(0);
    expect(issues()).toMatchObject([{ state: "open" }]);
    const { at: when = "", nextAt = "" } = run()?.drift ?? {};
    expect(Date.parse(nextAt) - Date.parse(when)).toBe(30 * 60_000);
    await edit("example.com/app:1.0.0");
    await command("run", at.flags);
    expect(issues()).toMatchObject([{ state: "open" }]);
    expect(run()?.drift?.at).toBe(when);
    await command("run", { ...at.flags, "dry-run": true });
    await at.close();
    at = await flagsFor(world, settings({ publish: true, every: "0s" }));
    await command("run", at.flags);
    expect(run()?.drift?.at).toBe(when);
  }, 60_000);

  it("that cannot publish ends as it would have, says so, and tries again before drift.every", async () => {
    at = await flagsFor(world, settings({ publish: true, every: "1h" }));
    world.host.allowIssues(REPOSITORY, false);
    const said = await command("run", at.flags);
    expect(said.code).toBe(0);
    const { at: when = "", nextAt = "", error } = run()?.drift ?? {};
    expect(error).toMatch(/^acme\/shop: .*404/);
    expect(Date.parse(nextAt) - Date.parse(when)).toBe(10 * 60_000);
  }, 60_000);
});
