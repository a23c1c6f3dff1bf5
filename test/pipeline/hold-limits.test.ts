import { describe, expect, it } from "vitest";
import { resourceOf } from "../../src/kube/resources.ts";
import { OWNERS } from "./engine.ts";
import {
  expectFree,
  type Held,
  holdsOf,
  patchAs,
  settingsOf,
  startCase,
  startHeld,
  traces,
  wait,
  writeMemory,
} from "./held.ts";
import { branch, FILE, message, onMain, phases, pulls, said } from "./incident.ts";
import { killAt } from "./kill.ts";
import { deployment, isKilled, REPOSITORY } from "./world.ts";

const APPLICATIONS = { holds: { application: true } };
const incident = (world: Held) => world.incidents()[0];
const RECONCILE = "/metadata/annotations/kustomize.toolkit.fluxcd.io~1reconcile";
const DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/app";

/** A pull request is open, nothing was changed live, and the incident says why. */
function expectGitOnly(world: Held, why: RegExp): void {
  expect(pulls(world)).toEqual(["open"]);
  expect(world.memory()).toBe("64Mi");
  expect(incident(world)?.status?.hotfix).toBeUndefined();
  expect(incident(world)?.status?.plan?.gitOnly).toMatch(why);
  expect(world.host.pulls(REPOSITORY)[0]?.body).toMatch(/nothing was changed/);
  expectFree(world);
}

describe.concurrent("without a hold Git comes first", () => {
  it("where an Application heals itself and may not be made to rest", async () => {
    await using world = await startHeld("Application");
    expect(said(await world.run())).toEqual(["proposed"]);
    expectGitOnly(
      world,
      /Deployment shop\/app is deployed by Application argocd\/shop, which would revert a live change: .*not allowed \(holds\.application\)/,
    );
    expect(world.engine.reverts()).toBe(0);
  });

  it("where the account may not make it rest", async () => {
    await using world = await startHeld("Application");
    world.cluster.deny({ group: "argoproj.io", resource: "applications", verb: "patch" });
    await world.run(undefined, APPLICATIONS);
    expectGitOnly(world, /this account may not patch it/);
  });

  it("where an ApplicationSet makes it", async () => {
    const ownerReferences = [
      { apiVersion: "argoproj.io/v1alpha1", kind: "ApplicationSet", name: "shops", uid: "1", controller: true },
    ];
    await using world = await startHeld("Application", { metadata: { ownerReferences } });
    await world.run(undefined, APPLICATIONS);
    expectGitOnly(world, /ApplicationSet shops, which makes it, would take a hold back/);
  });

  it("where what deploys it is not there to be read", async () => {
    await using world = await startHeld("Kustomization");
    world.engine.pause(true);
    await world.api.delete(OWNERS.Kustomization);
    await world.run();
    expectGitOnly(world, /deployed by Flux Kustomization flux-system\/apps, which cannot be read/);
  });

  it("and after the merge its deployer is asked, once, and what it deploys is confirmed", async () => {
    await using world = await startHeld("Application");
    await world.run();
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    const report = await world.run();
    expect(message(report)).toMatch(/waiting for its deployment: .*Application argocd\/shop was asked to look at Git/);
    const asked = incident(world)?.status?.sync?.askedAt;
    expect(message(await world.run())).not.toMatch(/asked/);
    expect(incident(world)?.status?.sync?.askedAt).toBe(asked);
    // Not after three minutes, as it would by itself.
    await wait(world, 60);
    expect(world.memory()).toBe("128Mi");
    expect(said(await world.run())).toEqual(["resolved"]);
  });

  it("and without the right to ask, that is said and it is waited for", async () => {
    await using world = await startHeld("Application");
    world.cluster.deny({ group: "argoproj.io", resource: "applications", verb: "patch" });
    await world.run();
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    expect(message(await world.run())).toMatch(/Application argocd\/shop was not asked: this account may not patch it/);
    await wait(world, 240);
    expect(said(await world.run())).toEqual(["resolved"]);
  });

  it("and where Git says it already, its deployer is asked instead of a person", async () => {
    await using world = await startHeld("Application");
    await onMain(world, "128Mi");
    const report = await world.run();
    expect(said(report)).toEqual(["waiting"]);
    expect(message(report)).toMatch(
      /says so already at .*, but it is not deployed\. Application argocd\/shop was asked to look at Git/,
    );
    await wait(world, 60);
    expect(world.memory()).toBe("128Mi");
    expect(said(await world.run())).toEqual(["resolved"]);
    expect(pulls(world)).toEqual([]);
  });
});

describe.concurrent("where nothing reverts a live change", () => {
  it.each([
    ["Argo CD without self-heal", "Application", { syncPolicy: { automated: {} } }, /does not heal itself/],
    ["a suspended Kustomization", "Kustomization", { suspend: true }, /is suspended, and not by this incident/],
    ["a HelmRelease without drift detection", "HelmRelease", { driftDetection: null }, /does not correct drift/],
  ] as const)("nothing is held: %s", async (_, kind, spec, why) => {
    await using world = await startHeld(kind);
    const plural = resourceOf(OWNERS[kind].apiVersion, kind)?.plural;
    const { apiVersion, namespace, name } = OWNERS[kind];
    const operations = Object.entries(spec).map(([key, value]) => ({ op: "add", path: `/spec/${key}`, value }));
    await patchAs(world, `/apis/${apiVersion}/namespaces/${namespace}/${plural}/${name}`, "ada", operations);
    expect(said(await world.run())).toEqual(["proposed"]);
    await wait(world, 60);
    expect(world.memory()).toBe("128Mi");
    expect(holdsOf(world)).toMatchObject([{ kind: "none", changes: [], reason: expect.stringMatching(why) }]);
    expect(traces(world).filter((trace) => trace !== '"suspend":true')).toEqual(["manager stanch"]);
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    expect(said(await world.run())).toEqual(["resolved"]);
    expect(holdsOf(world)[0]?.releasedAt).toBeDefined();
    // A person's suspension is theirs.
    expect(traces(world)).toEqual(kind === "Kustomization" ? ['"suspend":true'] : []);
  });

  it("an annotation that a person set before is theirs, and stays", async () => {
    await using world = await startCase("flux-object");
    await patchAs(world, DEPLOYMENT, "ada", [
      { op: "add", path: "/metadata/annotations", value: {} },
      { op: "add", path: RECONCILE, value: "disabled" },
    ]);
    await world.run();
    expect(holdsOf(world)).toMatchObject([{ kind: "none", reason: expect.stringMatching(/held already/) }]);
    expect(world.memory()).toBe("128Mi");
    world.host.closePull(REPOSITORY, 1, { as: "ada" });
    await world.run();
    expect(world.memory()).toBe("64Mi");
    expect(traces(world)).toEqual(['"kustomize.toolkit.fluxcd.io/reconcile":"disabled"']);
    expect(phases(world)).toEqual(["Silenced"]);
  });
});

describe.concurrent("a revert war", () => {
  it("ends at the first revert: its writer is named, nothing stays held, Git goes on alone", async () => {
    await using world = await startHeld("Kustomization", { deaf: true });
    expect(said(await world.run())).toEqual(["proposed"]);
    expect(world.engine.reverts()).toBe(1);
    expect(world.memory()).toBe("64Mi");
    expect(incident(world)?.status?.verification?.seen).toBe("the change was undone by kustomize-controller");
    expect(world.host.pulls(REPOSITORY)[0]?.body).toMatch(
      /nothing was changed: the change was undone by kustomize-controller/,
    );
    expectFree(world);
    await wait(world, 60);
    expect(said(await world.run())).toEqual(["waiting"]);
    expect(world.engine.reverts()).toBe(1);
  });

  it("with a person is none: their value stands, and is not overwritten", async () => {
    await using world = await startHeld("Application", { spec: { syncPolicy: { automated: {} } } });
    let written = false;
    const sleep = world.clock.sleep;
    Object.assign(world.clock, {
      async sleep(ms: number) {
        await sleep(ms);
        if (written || world.memory() !== "128Mi") return;
        written = true;
        await writeMemory(world, "200Mi");
      },
    });
    await world.run();
    expect(written).toBe(true);
    expect(world.memory()).toBe("200Mi");
    expect(incident(world)?.status?.verification?.seen).toBe("the change was undone by ada");
    expectFree(world);
  });

  it("by a person while the pull request is open is left as it is, and held until the merge", async () => {
    await using world = await startCase("flux-object");
    await world.run();
    await writeMemory(world, "80Mi");
    const report = await world.run();
    expect(message(report)).toMatch(/undone by ada: it is left as it is, and stays held until/);
    await world.run();
    expect(world.memory()).toBe("80Mi");
    expect(traces(world)).not.toEqual([]);
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    await wait(world, 20);
    await world.run();
    // What was merged is Git's word: the engine brings it, now that nothing is held.
    expectFree(world);
    await wait(world, 60);
    expect(said(await world.run())).toEqual(["resolved"]);
    expect(world.memory()).toBe("128Mi");
  });

  it("while the pull request is open is said once; the hold goes, and the pull request stays", async () => {
    await using world = await startCase("flux-object");
    await world.run();
    await writeMemory(world, "80Mi", "flux-client");
    const report = await world.run();
    expect(said(report)).toEqual(["waiting"]);
    expect(message(report)).toMatch(/Meanwhile the change was undone by flux-client: the fault is back/);
    expect(incident(world)?.status?.message).toMatch(
      /undone by flux-client though it was held.*Let go of Deployment shop\/app/,
    );
    expectFree(world);
    expect(world.memory()).toBe("80Mi");
    expect(message(await world.run())).toMatch(/^#1 waits for review\.$/m);
    expect(pulls(world)).toEqual(["open"]);
  });
});

describe.concurrent("a hold ends", () => {
  it("only when its engine is at the merge, and what a person improved there is then brought", async () => {
    await using world = await startCase("flux-object");
    await world.run();
    await world.host.commit(
      REPOSITORY,
      branch(world),
      { [FILE]: deployment({ memory: "256Mi" }) },
      { message: "More" },
    );
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    world.engine.pause(true);
    expect(message(await world.run())).toMatch(
      /waiting for its deployment: Kustomization flux-system\/apps is at .*, not at /,
    );
    expect(traces(world)).not.toEqual([]);
    world.engine.pause(false);
    await wait(world, 20);
    await world.run();
    expectFree(world);
    await wait(world, 60);
    expect(said(await world.run())).toEqual(["resolved"]);
    expect(world.memory()).toBe("256Mi");
  });

  it("when somebody else has fixed Git, and only once that is deployed", async () => {
    await using world = await startCase("flux-object");
    await world.run();
    world.engine.pause(true);
    await onMain(world, "128Mi");
    const report = await world.run();
    expect(message(report)).toMatch(/Git says it without #1; waiting for its deployment/);
    expect(pulls(world)).toEqual(["open"]);
    expect(traces(world)).not.toEqual([]);
    world.engine.pause(false);
    await wait(world, 20);
    expect(said(await world.run())).toEqual(["resolved"]);
    expect(pulls(world)).toEqual(["closed"]);
    expect(world.engine.reverts()).toBe(0);
    expectFree(world);
  });

  it("with a pull request that is closed, though the run that closed it for another fix was killed", async () => {
    await using world = await startCase("flux-object");
    await world.run();
    await onMain(world, "128Mi");
    await wait(world, 120);
    const kill = killAt("update pull request", "after");
    expect(await Promise.race([world.run(kill.wrap), kill.died])).toBe("died");
    expect(pulls(world)).toEqual(["closed"]);
    await wait(world, 150);
    expect(said(await world.run())).toEqual(["resolved"]);
    expect(world.memory()).toBe("128Mi");
    expectFree(world);
  });

  it("when its owner is gone", async () => {
    await using world = await startCase("argocd-skip");
    const settings = settingsOf("argocd-skip");
    await world.run(undefined, settings);
    await world.api.delete(OWNERS.Application);
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    expect(said(await world.run(undefined, settings))).toEqual(["resolved"]);
    expectFree(world);
  });

  it("before the incident may be called resolved: a release that fails is tried again", async () => {
    await using world = await startCase("flux-object");
    await world.run();
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    await world.run();
    await wait(world, 20);
    const body = { kind: "Status", apiVersion: "v1", status: "Failure", code: 403, reason: "Forbidden", message: "no" };
    world.cluster.faults.add({
      method: "PATCH",
      path: /deployments\/app\?fieldManager=stanch$/,
      status: 403,
      body,
      times: 1,
    });
    const report = await world.run();
    expect(said(report)).toEqual(["failed"]);
    expect(message(report)).toMatch(/A hold still stands and could not be released \(Deployment shop\/app: .*no\)/);
    expect(phases(world)).toEqual(["Merged"]);
    expect(traces(world)).not.toEqual([]);
    await world.run();
    expect(phases(world)).toEqual(["Resolved"]);
    expectFree(world);
  });

  it("though its incident was lost: the next one of the same object takes it over", async () => {
    await using world = await startCase("flux-object");
    await world.run();
    for (const one of world.incidents()) await world.store.remove(one);
    await writeMemory(world, "64Mi");
    await world.until(() => isKilled(world));
    expect(said(await world.run())).toEqual(["updated"]);
    expect(holdsOf(world)).toMatchObject([{ kind: "flux-object" }]);
    expect(world.memory()).toBe("128Mi");
    world.host.closePull(REPOSITORY, 1, { as: "ada" });
    await world.run();
    expectFree(world);
    expect(world.memory()).toBe("64Mi");
  });

  it("at its expiry also where Git could not be corrected, and a person has not come", async () => {
    await using world = await startCase("flux-object");
    const settings = { sources: [] };
    expect(said(await world.run(undefined, settings))).toEqual(["escalated"]);
    expect(world.memory()).toBe("128Mi");
    await world.clock.sleep(25 * 3_600_000);
    expect(said(await world.run(undefined, settings))).toContain("rolled-back");
    expectFree(world);
    expect(world.memory()).toBe("64Mi");
    expect(phases(world)).toEqual(["Escalated"]);
  });

  it("at its expiry also where GitHub was out of reach; Git is then corrected alone once it can be", async () => {
    await using world = await startCase("flux-object");
    world.host.faults.add({ method: "POST", path: /\/pulls$/, status: 403, times: 99 });
    expect(said(await world.run())).toEqual(["failed"]);
    expect([phases(world), world.memory()]).toEqual([["Verified"], "128Mi"]);
    await world.clock.sleep(25 * 3_600_000);
    await world.run();
    expectFree(world);
    expect(world.memory()).toBe("64Mi");
    expect(phases(world)).toEqual(["Verified"]);
    world.host.faults.clear();
    await world.run();
    expect([phases(world), pulls(world), world.memory()]).toEqual([["Proposed"], ["open"], "64Mi"]);
    expect(world.host.pulls(REPOSITORY)[0]?.body).toMatch(/nothing was changed: .*its hold expired/);
  });

  it("also where the live change cannot be taken back: its engine then does it", async () => {
    await using world = await startCase("flux-object");
    await world.run();
    world.host.closePull(REPOSITORY, 1, { as: "ada" });
    const body = { kind: "Status", apiVersion: "v1", status: "Failure", code: 403, reason: "Forbidden", message: "no" };
    world.cluster.faults.add({
      method: "PATCH",
      path: /deployments\/app\?fieldManager=stanch$/,
      status: 403,
      body,
      times: 1,
    });
    expect(said(await world.run())).toContain("failed");
    expectFree(world);
    await wait(world, 60);
    expect(world.memory()).toBe("64Mi");
    await world.run();
    expect(incident(world)?.status?.hotfix?.undoneAt).toBeDefined();
  });

  it.each(["open", "merged"])("at its expiry also where an %s pull request cannot be followed", async (state) => {
    await using world = await startCase("flux-object");
    await world.run();
    if (state === "merged") {
      await world.host.merge(REPOSITORY, 1, { as: "ada" });
      world.engine.pause(true);
      await world.run();
      world.engine.pause(false);
    }
    expect(traces(world)).not.toEqual([]);
    world.host.faults.add({ method: "GET", path: /\/pulls\/1$/, status: 404, times: 99 });
    await world.clock.sleep(25 * 3_600_000);
    expect(said(await world.run())).toContain("failed");
    expectFree(world);
    expect(phases(world)).toEqual([state === "merged" ? "Merged" : "Proposed"]);
    await wait(world, 120);
    expect(world.memory()).toBe(state === "merged" ? "128Mi" : "64Mi");
  });
});
