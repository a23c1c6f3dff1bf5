import { describe, expect, it } from "vitest";
import { act } from "../../src/steps/act.ts";
import { releaseOwnership } from "../../src/steps/release.ts";
import { APP, annotate, deployment, type Lab, meanwhile, memoryTo, planOf, startLab } from "./lab.ts";

async function hotfixed(): Promise<Lab> {
  const lab = await startLab(deployment());
  await act(planOf([memoryTo("128Mi")]), await lab.incident(), {
    cluster: lab.api,
    store: lab.store,
    clock: lab.clock,
  });
  return lab;
}

const managers = (lab: Lab): (string | undefined)[] =>
  (lab.deployment()?.metadata.managedFields ?? [])
    .filter((entry) => entry.subresource === undefined)
    .map((entry) => entry.manager);

describe("release", () => {
  it("gives up the fields, and neither their values nor anybody else's entry", async () => {
    await using lab = await hotfixed();
    expect(managers(lab)).toEqual(["kubectl-client-side-apply", "stanch"]);
    const spec = structuredClone(lab.deployment()?.["spec"]);
    await releaseOwnership([APP], { cluster: lab.api, clock: lab.clock, log: lab.log });
    expect(managers(lab)).toEqual(["kubectl-client-side-apply"]);
    expect(lab.deployment()?.["spec"]).toEqual(spec);
  });

  it("writes nothing when nothing is owned, or nothing is there", async () => {
    await using lab = await startLab(deployment());
    lab.writes();
    await releaseOwnership([APP, { ...APP, name: "gone" }], { cluster: lab.api, clock: lab.clock, log: lab.log });
    expect(lab.writes()).toEqual([]);
    expect(lab.warnings).toEqual([]);
  });

  it("looks again when the entries moved in between", async () => {
    await using lab = await hotfixed();
    const cluster = meanwhile(lab, "app", async (nth) => {
      if (nth === 1) await annotate(lab, APP, "yes");
      if (nth === 1) lab.cluster.faults.add({ method: "PATCH", path: /deployments\/app/, times: 1, status: 409 });
    });
    await releaseOwnership([APP], { cluster, clock: lab.clock, log: lab.log });
    expect(managers(lab)).not.toContain("stanch");
    expect(lab.deployment()?.metadata.annotations?.["acme/touched"]).toBe("yes");
  });

  it("logs what it may not do, and stops nothing", async () => {
    await using lab = await hotfixed();
    lab.cluster.deny({ group: "apps", resource: "deployments", verb: "patch" });
    await releaseOwnership([APP], { cluster: lab.api, clock: lab.clock, log: lab.log });
    expect(lab.warnings).toEqual(["ownership of the changed fields was not given up"]);
    expect(managers(lab)).toContain("stanch");
  });
});
