import { describe, expect, it } from "vitest";
import { advance, incidentName, newIncident } from "../../src/incident/incident.ts";
import { findingOf, startLab } from "../steps/lab.ts";

const NOW = new Date("2026-01-10T12:00:00Z");

describe("the store of incidents", () => {
  it("opens the same incident for the same finding, as it was left", async () => {
    await using lab = await startLab();
    const first = await lab.incident();
    await lab.store.advance(first, "Diagnosed", "It is known.");
    const again = await lab.incident();
    expect(again.metadata.uid).toBe(first.metadata.uid);
    expect(again.status?.phase).toBe("Diagnosed");
    expect(await lab.store.list(["shop"])).toHaveLength(1);
  });

  it("never lets two runs both write: the second is told that it was late", async () => {
    await using lab = await startLab();
    const read = await lab.incident();
    await lab.store.advance(read, "Diagnosed", "by one");
    await expect(lab.store.advance(read, "Escalated", "by the other")).rejects.toMatchObject({ code: "conflict" });
    expect((await lab.store.get("shop", read.metadata.name))?.status?.message).toBe("by one");
  });

  it("says what to install where the cluster does not know incidents", async () => {
    await using lab = await startLab();
    await lab.api.delete({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      namespace: "",
      name: "incidents.stanch.dev",
    });
    await lab.clock.sleep(60_000);
    await expect(lab.store.list(null)).rejects.toMatchObject({
      code: "config",
      hint: expect.stringContaining("kubectl apply --server-side -f deploy/crd.yaml"),
    });
  });

  it("keeps what a run needs to go on through the API server: nothing of it is pruned", async () => {
    await using lab = await startLab();
    const plan = {
      remedy: "rollback",
      params: { revision: "a", deep: { list: [1, { x: null }] } },
      title: "t",
      risk: "low",
      reason: "r",
      changes: [
        { object: findingOf().workload, path: ["a", 0, { by: "name", value: "x" }], from: null, to: { y: [] } },
      ],
    };
    const written = await lab.store.advance(await lab.incident(), "Diagnosed", "", { plan });
    expect((await lab.store.get("shop", written.metadata.name))?.status?.plan).toEqual(plan);
  });
});

describe("an incident", () => {
  it("has a name that Kubernetes takes, whatever the workload is called", () => {
    for (const name of ["cart", "a".repeat(253), "x.y.z", "UPPER_case"]) {
      const workload = { ...findingOf().workload, name };
      expect(incidentName(findingOf({ workload }))).toMatch(/^[a-z0-9]([-a-z0-9]{0,251}[a-z0-9])?$/);
    }
  });

  it("keeps its first entry and the last ones, and does not repeat itself", () => {
    let status = newIncident(findingOf(), NOW).status;
    if (status === undefined) throw new Error("it has no status");
    for (let index = 0; index < 100; index += 1) status = advance(status, "Proposed", `step ${index}`, NOW);
    expect(status.timeline).toHaveLength(40);
    expect(status.timeline[0]?.phase).toBe("Detected");
    expect(status.timeline.at(-1)?.text).toBe("step 99");
    expect(advance(status, "Proposed", "step 99", NOW).timeline).toHaveLength(40);
    expect(advance(status, "Proposed", "x".repeat(5000), NOW).message).toHaveLength(1000);
  });
});
