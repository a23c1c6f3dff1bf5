import { describe, expect, it } from "vitest";
import { StanchError } from "../../src/errors.ts";
import { APP, broken, message, onMain, owners, phases, pulls, revertLive, said } from "./incident.ts";
import { deployment, makeWorld, REPOSITORY, virtualClock } from "./world.ts";

describe.concurrent("a live change that stands", () => {
  it("is not called over while GitHub cannot be reached, and gets its pull request afterwards", async () => {
    await using world = await broken();
    world.host.faults.add({
      method: "POST",
      path: /\/pulls$/,
      status: 422,
      body: { message: "Validation Failed" },
      times: 99,
    });
    expect(said(await world.run())).toEqual(["failed"]);
    expect(world.memory()).toBe("128Mi");
    const again = await world.run();
    expect(said(again)).toContain("failed");
    expect(said(again)).not.toContain("resolved");
    expect(phases(world)).toEqual(["Verified"]);
    world.host.faults.clear();
    expect(said(await world.run())).toContain("proposed");
    expect(pulls(world)).toEqual(["open"]);
  });

  it("is known to the cooldown also where a namespace is named that is never watched", async () => {
    const only = {
      scope: { namespaces: ["shop", "kube-system"] },
      guard: { cooldown: "1h" },
      remedies: { enabled: ["raise-memory-limit"] },
    };
    await using world = await broken();
    world.cluster.deny({ group: "stanch.dev", resource: "incidents", verb: "list", namespace: "kube-system" });
    expect(said(await world.run(undefined, only))).toEqual(["proposed"]);
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    expect(said(await world.run(undefined, only))).toEqual(["resolved"]);
    await onMain(world, "64Mi");
    await revertLive(world);
    const again = await world.run(undefined, only);
    expect(message(again)).toMatch(/cooldown|was changed .* ago/);
    expect(world.memory()).toBe("64Mi");
  });

  it("without a way into Git waits for a person, and is over when they have corrected Git", async () => {
    await using world = await broken();
    // Git and the cluster disagree, so that no edit can be proved.
    const only = { remedies: { enabled: ["raise-memory-limit"] } };
    await onMain(world, "80Mi");
    const report = await world.run(undefined, only);
    expect(said(report)).toEqual(["escalated"]);
    expect(message(report)).toMatch(
      /The live change stands, and Git still says the opposite.*A person must make this change/,
    );
    expect(said(await world.run(undefined, only))).toEqual(["waiting"]);
    await onMain(world, "128Mi");
    expect(said(await world.run(undefined, only))).toEqual(["resolved"]);
    expect(owners(world)).not.toContain("stanch");
  });

  it("that does not heal is taken back, and a person is told what was tried", async () => {
    await using world = await broken();
    const report = await world.run(undefined, {
      remedies: { enabled: ["raise-memory-limit"], memory: { step: 1.1 } },
    });
    expect(said(report)).toEqual(["escalated"]);
    expect(message(report)).toMatch(/A person is needed: .*raise-memory-limit: .*OOMKilled/);
    expect(world.memory()).toBe("64Mi");
    expect(owners(world)).not.toContain("stanch");
    expect(pulls(world)).toEqual([]);
    expect(world.incidents()[0]?.status?.tried).toEqual([
      expect.objectContaining({ remedy: "raise-memory-limit", result: expect.stringMatching(/^(unchanged|worse): /) }),
    ]);
  });

  it("that another manager takes back at once goes into Git only", async () => {
    await using world = await broken();
    const report = await world.run(({ api, hosts }) => ({
      hosts,
      api: {
        ...api,
        async patch(ref, operations, options) {
          const written = await api.patch(ref, operations, options);
          if (ref.name === "app" && options?.dryRun !== true) await world.deploy();
          return written;
        },
      },
    }));
    expect(said(report)).toEqual(["proposed"]);
    expect(world.memory()).toBe("64Mi");
    expect(owners(world)).not.toContain("stanch");
    expect(world.host.pulls(REPOSITORY)[0]?.body).toMatch(/the change was undone by kubectl-client-side-apply/);
    expect(world.incidents()[0]?.status?.hotfix?.undoneAt).toBeDefined();
    expect(said(await world.run())).toEqual(["waiting"]);
    expect(world.memory()).toBe("64Mi");
  });

  it("is not made at all without proof, where that is required", async () => {
    await using world = await broken();
    await onMain(world, "80Mi");
    const report = await world.run(undefined, {
      remedies: { enabled: ["raise-memory-limit"] },
      guard: { requireProof: true },
    });
    expect(said(report)).toEqual(["escalated"]);
    expect(world.memory()).toBe("64Mi");
  });
});

describe.concurrent("a fault", () => {
  it("that heals by itself is over, but not by a scan that did not see everything", async () => {
    await using world = await broken();
    const none = { remedies: { enabled: ["evict"] } };
    expect(said(await world.run(undefined, none))).toEqual(["escalated"]);
    expect(world.memory()).toBe("64Mi");
    await onMain(world, "128Mi");
    await world.deploy();
    await world.clock.sleep(20 * 60_000);
    world.cluster.faults.add({ method: "GET", path: /\/services\?/, status: 403 });
    const partial = await world.run(undefined, none);
    expect(partial.gaps).toEqual([expect.stringMatching(/services cannot be read/)]);
    expect(phases(world)).toEqual(["Escalated"]);
    world.cluster.faults.clear();
    expect(said(await world.run(undefined, none))).toEqual(["resolved"]);
    expect(phases(world)).toEqual(["Resolved"]);
  });

  it("is not called over by a run that does not look at it", async () => {
    const none = { remedies: { enabled: ["evict"] } };
    await using world = await broken();
    expect(said(await world.run(undefined, none))).toEqual(["escalated"]);
    for (const scope of [
      { namespaces: ["other-*"] },
      { excludeNamespaces: ["shop"] },
      { selector: "team=payments" },
      { kinds: ["StatefulSet"] },
    ]) {
      expect(said(await world.run(undefined, { ...none, scope })), JSON.stringify(scope)).toEqual([]);
      expect(phases(world)).toEqual(["Escalated"]);
    }
    const live = await world.api.get(APP);
    const annotations = { ...live?.metadata.annotations, "stanch.dev/ignore": "true" };
    if (live !== null) await world.api.replace({ ...live, metadata: { ...live.metadata, annotations } });
    expect(said(await world.run(undefined, none))).toEqual([]);
    expect(phases(world)).toEqual(["Escalated"]);
  });

  it("is acted on once by two runs at once: the lease lets one of them through", async () => {
    await using world = await broken();
    const runs = await Promise.allSettled([world.run(), world.run()]);
    const [lost] = runs.flatMap((run) => (run.status === "rejected" ? [run.reason] : []));
    expect(runs.filter((run) => run.status === "fulfilled")).toHaveLength(1);
    expect(lost).toBeInstanceOf(StanchError);
    expect(lost).toMatchObject({ code: "lease", message: expect.stringMatching(/another run is at work/) });
    const patches = world.cluster.requests.filter(
      (request) => request.method === "PATCH" && request.path.endsWith("/app") && request.query["dryRun"] === undefined,
    );
    expect(patches).toHaveLength(1);
    expect(pulls(world)).toEqual(["open"]);
  });
});

describe("while Git is out of reach", () => {
  it("what the cluster itself proves is still done live, and gets its pull request once Git is back", async () => {
    await using world = await makeWorld({ "apps/app.yaml": deployment({ memory: "256Mi" }) }, virtualClock());
    await world.deploy();
    await world.clock.sleep(120_000);
    // A release whose image is not there, beside pods of the one before that are ready.
    const bad = deployment({ memory: "256Mi", image: "example.com/app:9.9.9" });
    await world.host.commit(REPOSITORY, "main", { "apps/app.yaml": bad }, { message: "Release" });
    await world.deploy();
    await world.clock.sleep(30_000);
    world.host.faults.add({ path: /git-upload-pack|info\/refs/, status: 503, times: 999 });
    const report = await world.run();
    expect(said(report), message(report)).toEqual(["failed"]);
    expect(phases(world)).toEqual(["Verified"]);
    const live = world.cluster.get("apps/v1", "Deployment", "shop", "app");
    expect(JSON.stringify(live?.["spec"])).toContain("example.com/app:1.0.0");
    world.host.faults.clear();
    expect(said(await world.run())).toContain("proposed");
    expect(pulls(world)).toEqual(["open"]);
  }, 60_000);
});
