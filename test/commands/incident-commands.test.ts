import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deployment, isKilled, makeWorld, REPOSITORY, type World } from "../pipeline/world.ts";
import { command, flagsFor } from "./command.ts";

/** One incident from `run --dry-run` to `undo`, in order. */
let world: World;
let at: Awaited<ReturnType<typeof flagsFor>>;

beforeAll(async () => {
  world = await makeWorld({ "apps/app.yaml": deployment() });
  at = await flagsFor(world);
  await world.deploy();
  await world.until(() => isKilled(world));
}, 30_000);
afterAll(async () => {
  await at.close();
  await world[Symbol.asyncDispose]();
});

const name = () => world.incidents()[0]?.metadata.name ?? "";

describe("stanch run --dry-run", () => {
  it("opens and changes nothing, and says what it would do", async () => {
    const [clusterFrom, hostFrom] = [world.cluster.requests.length, world.host.requests.length];
    const before = JSON.stringify(world.cluster.get("apps/v1", "Deployment", "shop", "app")?.["spec"]);
    const { out, code } = await command("run", { ...at.flags, "dry-run": true });
    expect(out).toContain("REPORTED  Deployment shop/app  OOMKilled");
    expect(out).toContain("would be applied live (accepted by server-side dry run)");
    expect(out).toContain("64Mi → 128Mi");
    expect(code).toBe(0);
    for (const request of world.cluster.requests.slice(clusterFrom)) {
      const asks = request.method === "GET" || request.path.includes("selfsubjectaccessreviews");
      expect([request.method, request.path, asks || request.query["dryRun"] === "All"]).toEqual([
        request.method,
        request.path,
        true,
      ]);
    }
    const writes = world.host.requests
      .slice(hostFrom)
      .filter((row) => row.method !== "GET" && !row.path.endsWith("git-upload-pack"));
    expect(writes).toEqual([]);
    expect(JSON.stringify(world.cluster.get("apps/v1", "Deployment", "shop", "app")?.["spec"])).toBe(before);
    expect(world.incidents()).toEqual([]);
    expect(world.cluster.list("coordination.k8s.io/v1", "Lease", "stanch-system")).toEqual([]);
  });

  it("needs no custom resource and no incident to look at", async () => {
    const { out, code } = await command("incidents", at.flags);
    expect([out, code]).toEqual(["No incidents.\n", 0]);
    expect((await command("incidents", { ...at.flags, output: "json" })).out).toBe("[]\n");
  });
});

describe("stanch run", () => {
  it("does it, and answers as JSON", async () => {
    const { out, code, error } = await command("run", { ...at.flags, output: "json" });
    const report = JSON.parse(out);
    expect(report.outcomes).toMatchObject([
      { kind: "proposed", pullRequest: `${world.host.url}/${REPOSITORY}/pull/1` },
    ]);
    expect(report.scanned.pods).toBe(1);
    expect(code).toBe(0);
    expect(error).toContain('"msg":"run finished"');
    expect(error).not.toContain(at.flags.env.GITHUB_TOKEN);
    expect(world.memory()).toBe("128Mi");
  }, 30_000);

  it("leaves a run that is at work alone", async () => {
    const [lease] = world.cluster.list("coordination.k8s.io/v1", "Lease", "stanch-system");
    await world.api.replace({
      ...(lease as NonNullable<typeof lease>),
      spec: {
        holderIdentity: "other",
        leaseDurationSeconds: 60,
        renewTime: new Date().toISOString().replace("Z", "000Z"),
      },
    });
    const { code, error } = await command("run", at.flags);
    expect(code).toBe(4);
    expect(error).toContain("another run is at work: other holds the lease stanch-system/stanch");
    // For a scheduler that is no fault: the next one comes.
    const scheduled = await command("run", { ...at.flags, scheduled: true });
    expect(scheduled.code).toBe(0);
    expect(scheduled.error).toContain('"msg":"gave way to another run"');
    const [held] = world.cluster.list("coordination.k8s.io/v1", "Lease", "stanch-system");
    await world.api.replace({ ...(held as NonNullable<typeof held>), spec: { holderIdentity: "" } });
  });
});

describe("stanch incidents", () => {
  it("lists them", async () => {
    const { out, code } = await command("incidents", at.flags);
    const [head, row = ""] = out.trimEnd().split("\n");
    expect(head).toMatch(/^NAMESPACE {3}NAME {2,}PHASE {2,}WORKLOAD {2,}FIX {2,}LIVE {2,}PULL REQUEST {2,}AGE$/);
    expect(row).toContain(name());
    expect(row).toContain("Proposed");
    expect(row).toContain(" stands ");
    expect(row).toContain(`${world.host.url}/${REPOSITORY}/pull/1`);
    expect(code).toBe(0);
  });

  it.each([
    ["of this namespace", { namespace: ["shop"] }, true],
    ["of a glob", { namespace: ["s*p"] }, true],
    ["of another namespace", { namespace: ["other"] }, false],
    ["of a glob that does not match", { namespace: ["x*"] }, false],
    ["of all", { "all-namespaces": true, namespace: ["other"] }, true],
  ])("%s", async (_, flags, shown) => {
    expect((await command("incidents", { ...at.flags, ...flags })).out.includes("app-oomkilled")).toBe(shown);
  });

  it("shows one with its timeline, by name or with its namespace", async () => {
    for (const word of [name(), `shop/${name()}`]) {
      const { out } = await command("incidents", at.flags, [word]);
      expect(out).toContain(`Incident:      shop/${name()}`);
      expect(out).toContain("Workload:      Deployment shop/app, container app");
      expect(out).toMatch(/Live change: {3}applied \d+s ago/);
      expect(out).toMatch(/Timeline:\n {2}\d{4}-\S+ {2}Detected {4}/);
      expect(out).toContain("Evidence:\n  ");
    }
    const { out } = await command("incidents", { ...at.flags, output: "json" }, [name()]);
    expect(JSON.parse(out)).toMatchObject({ kind: "Incident", status: { phase: "Proposed" } });
  });

  it("says when there is none of that name", async () => {
    const { code, error } = await command("incidents", at.flags, ["nope"]);
    expect(code).toBe(2);
    expect(error).toContain('there is no incident "nope"');
    expect(error).toContain("stanch incidents -A");
  });
});

describe("stanch undo", () => {
  it("says when there is no such incident", async () => {
    expect(await command("undo", at.flags, ["nope"])).toMatchObject({ code: 2 });
    expect(await command("undo", { ...at.flags, namespace: ["other"] }, [name()])).toMatchObject({ code: 2 });
  });

  it("only says what it would take back with --dry-run", async () => {
    const before = world.cluster.requests.length;
    const { out, code } = await command("undo", { ...at.flags, "dry-run": true }, [name()]);
    expect(out).toContain("Would take back: raise");
    expect(code).toBe(0);
    expect(world.cluster.requests.slice(before).every((row) => row.method === "GET")).toBe(true);
    expect(world.memory()).toBe("128Mi");
  });

  it("takes the live change back, and leaves the problem alone", async () => {
    const { out, code } = await command("undo", { ...at.flags, namespace: ["shop"] }, [name()]);
    expect(out).toContain("Live change taken back: asked for on the command line");
    expect(code).toBe(0);
    expect(world.memory()).toBe("64Mi");
    expect(world.incidents()[0]?.status?.phase).toBe("Silenced");
    const again = await command("undo", at.flags, [name()]);
    expect([again.out, again.code]).toEqual([`There is no live change to take back in ${name()}.\n`, 0]);
    await command("run", at.flags);
    expect(world.memory()).toBe("64Mi");
  });
});
