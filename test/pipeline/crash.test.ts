import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Hosts } from "../../src/compose.ts";
import type { KubeObject } from "../../src/model.ts";
import type { Cluster, Repositories } from "../../src/ports.ts";
import { deployment, isKilled, makeWorld, REPOSITORY, type World } from "./world.ts";

type Doors = { api: Cluster; hosts: Hosts };

/** Every write of a run that heals one workload, in order. Each is a place where the run is killed, before it and after it. */
const WRITES = [
  "create Lease",
  "create Incident",
  "Incident Detected",
  "Incident Diagnosed",
  "Incident Acting",
  "patch Deployment",
  "Incident Hotfixed",
  "create Event StanchHotfix",
  "Incident Verified",
  "create Event StanchVerified",
  "Incident Verified, second time",
  "publish",
  "create pull request",
  "Incident Proposed",
  "add labels",
  "create Event StanchPullRequest",
  "create Run",
  "release Lease",
];

/** How often it happens depends on how long the run takes, and one is like the other. */
const RENEWAL = "renew Lease";

/**
 * Ends a run at one of its writes to anything outside, right before or right after it happened: like a killed process, nothing
 * that comes later is done, not even what `finally` says.
 */
function killAt(place: string, when: "before" | "after") {
  const writes: string[] = [];
  let killed = false;
  let dead = (): void => undefined;
  const died = new Promise<"died">((resolve) => {
    dead = () => resolve("died");
  });
  const never = new Promise<never>(() => undefined);
  const die = (): Promise<never> => {
    killed = true;
    dead();
    return never;
  };
  /** `nameOf` says which write a call is; null for what only asks. */
  const write =
    <A extends unknown[], R>(does: (...args: A) => Promise<R>, nameOf: (...args: A) => string | null) =>
    async (...args: A): Promise<R> => {
      const plain = nameOf(...args);
      if (plain === null) return does(...args);
      if (killed) return never;
      const name = writes.includes(plain) && plain !== RENEWAL ? `${plain}, second time` : plain;
      writes.push(name);
      if (name === place && when === "before") return die();
      const result = await does(...args);
      return name === place ? die() : result;
    };
  const wrap = ({ api, hosts }: Doors): Doors => {
    const repositories: Repositories = {
      async open(repository, branch) {
        const checkout = await hosts.repositories.open(repository, branch);
        return { ...checkout, publish: write(checkout.publish, () => "publish") };
      },
    };
    return {
      api: {
        ...api,
        create: write(api.create, (object, options) =>
          options?.dryRun === true ? null : `create ${object.kind} ${object["reason"] ?? ""}`.trim(),
        ),
        patch: write(api.patch, (ref, _, options) => (options?.dryRun === true ? null : `patch ${ref.kind}`)),
        replace: write(api.replace, replaced),
        delete: write(api.delete, (ref) => `delete ${ref.kind}`),
        evict: write(api.evict, () => "evict"),
      },
      hosts: {
        ...hosts,
        repositories,
        codeHost: {
          ...hosts.codeHost,
          createPullRequest: write(hosts.codeHost.createPullRequest, () => "create pull request"),
          updatePullRequest: write(hosts.codeHost.updatePullRequest, () => "update pull request"),
          comment: write(hosts.codeHost.comment, () => "comment"),
          addLabels: write(hosts.codeHost.addLabels, () => "add labels"),
          requestReviewers: write(hosts.codeHost.requestReviewers, () => "request reviewers"),
          deleteBranch: write(hosts.codeHost.deleteBranch, () => "delete branch"),
        },
      },
    };
  };
  return { wrap, died, writes };
}

function replaced(object: KubeObject): string {
  if (object.kind !== "Lease") return `${object.kind} ${(object["status"] as { phase?: string } | undefined)?.phase}`;
  return (object["spec"] as { holderIdentity?: string }).holderIdentity === "" ? "release Lease" : RENEWAL;
}

async function broken(): Promise<World> {
  const world = await makeWorld({ "apps/app.yaml": deployment() });
  await world.deploy();
  await world.until(() => isKilled(world));
  return world;
}

async function goesOn(place: string, when: "before" | "after"): Promise<void> {
  await using world = await broken();
  const kill = killAt(place, when);
  const ended = await Promise.race([world.run(kill.wrap).then(() => "finished" as const), kill.died]);
  expect(ended, `the run never came to: ${place}`).toBe("died");
  // The dead run's lease runs out; then the next runs find what was left and go on.
  await sleep(1100);
  const phases = (): (string | undefined)[] => world.incidents().map((incident) => incident.status?.phase);
  for (let round = 0; round < 4 && (round === 0 || phases()[0] !== "Proposed"); round += 1) {
    await world.run();
    await sleep(300);
  }
  expect(world.memory()).toBe("128Mi");
  expect(phases()).toEqual(["Proposed"]);
  const pulls = world.host.pulls(REPOSITORY);
  expect(pulls.map((pull) => pull.state)).toEqual(["open"]);
  expect(await world.host.read(REPOSITORY, pulls[0]?.head ?? "", "apps/app.yaml")).toBe(
    deployment({ memory: "128Mi" }),
  );
}

describe("a run that is killed", () => {
  const places = [...WRITES, RENEWAL];
  it.concurrent.each(places)(
    "right before its write is finished by the next: %s",
    (place) => goesOn(place, "before"),
    60_000,
  );
  it.concurrent.each(places)(
    "right after its write is finished by the next: %s",
    (place) => goesOn(place, "after"),
    60_000,
  );

  it("makes exactly the writes that are tried here", async () => {
    await using world = await broken();
    const kill = killAt("nowhere", "before");
    await world.run(kill.wrap);
    expect(world.host.pulls(REPOSITORY)).toHaveLength(1);
    expect(kill.writes).toContain(RENEWAL);
    expect(kill.writes.filter((name) => name !== RENEWAL)).toEqual(WRITES);
  }, 60_000);
});
