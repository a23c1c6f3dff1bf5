import { describe, expect, it } from "vitest";
import type { Incident } from "../../src/incident/incident.ts";
import { getAt } from "../../src/kube/field-path.ts";
import type { Change, FieldPath } from "../../src/model.ts";
import type { Cluster } from "../../src/ports.ts";
import { act } from "../../src/steps/act.ts";
import { undo } from "../../src/steps/undo.ts";
import { APP, annotate, deployment, type Lab, MEMORY, meanwhile, memoryTo, planOf, startLab } from "./lab.ts";

const REQUEST: FieldPath = [...MEMORY.slice(0, -2), "requests", "memory"];
const OTHER = { ...APP, name: "other" };
const memory = (lab: Lab, name?: string): unknown => getAt(lab.deployment(name), MEMORY);
const through = (lab: Lab, cluster: Cluster = lab.api) => ({ cluster, store: lab.store, clock: lab.clock });

async function hotfixed(lab: Lab, changes: readonly Change[] = [memoryTo("128Mi")]): Promise<Incident> {
  const acted = await act(planOf(changes), await lab.incident(), through(lab));
  if (!acted.applied) throw new Error(acted.reason);
  lab.writes();
  return acted.incident;
}

describe("undo", () => {
  it("stores its decision, puts the value back, and says so", async () => {
    await using lab = await startLab(deployment());
    const incident = await hotfixed(lab);
    const undone = await undo(incident, "it did not heal", "RolledBack", through(lab));
    expect(lab.writes()).toEqual([
      `PUT incidents/${incident.metadata.name} status Hotfixed`,
      "PATCH deployments/app",
      `PUT incidents/${incident.metadata.name} status RolledBack`,
    ]);
    expect(memory(lab)).toBe("64Mi");
    expect(undone).toMatchObject({ complete: true, text: "Live change taken back: it did not heal" });
    expect(undone.incident.status?.hotfix).toMatchObject({
      undo: { reason: "it did not heal" },
      undoneAt: expect.any(String),
    });
  });

  it("takes away what was not there before", async () => {
    await using lab = await startLab(deployment());
    const added: Change = { object: APP, path: REQUEST, to: "32Mi" };
    const incident = await hotfixed(lab, [added]);
    expect(getAt(lab.deployment(), REQUEST)).toBe("32Mi");
    await undo(incident, "", "RolledBack", through(lab));
    expect(getAt(lab.deployment(), REQUEST)).toBeUndefined();
  });

  it("is done once", async () => {
    await using lab = await startLab(deployment());
    const { incident } = await undo(await hotfixed(lab), "", "RolledBack", through(lab));
    lab.cluster.apply([deployment({ memory: "128Mi" })]);
    lab.writes();
    const again = await undo(incident, "", "RolledBack", through(lab));
    expect(again.text).toBe("There was no live change to take back.");
    expect(lab.writes()).toEqual([]);
    expect(memory(lab)).toBe("128Mi");
  });

  it("leaves a field that somebody has changed since to them, and names it", async () => {
    await using lab = await startLab(deployment());
    const incident = await hotfixed(lab);
    lab.cluster.apply([deployment({ memory: "256Mi" })]);
    const undone = await undo(incident, "closed", "RolledBack", through(lab));
    expect(memory(lab)).toBe("256Mi");
    expect(undone.complete).toBe(false);
    expect(undone.text).toMatch(
      /left as it is: spec\.template.*limits\.memory of Deployment shop\/app was changed by somebody else/,
    );
  });

  it("puts its own fields back beside one that is not its own any more", async () => {
    await using lab = await startLab(deployment());
    const incident = await hotfixed(lab, [memoryTo("128Mi"), { object: APP, path: REQUEST, to: "32Mi" }]);
    await lab.api.patch(APP, [
      { op: "replace", path: "/spec/template/spec/containers/0/resources/requests/memory", value: "48Mi" },
    ]);
    const undone = await undo(incident, "", "RolledBack", through(lab));
    expect(memory(lab)).toBe("64Mi");
    expect(getAt(lab.deployment(), REQUEST)).toBe("48Mi");
    expect(undone.text).toMatch(/requests\.memory of Deployment shop\/app was changed by somebody else/);
    expect(undone.text).not.toMatch(/limits\.memory/);
  });

  it("names an object that is gone, and puts the others back", async () => {
    await using lab = await startLab(deployment(), deployment({ name: "other" }));
    const incident = await hotfixed(lab, [memoryTo("128Mi"), memoryTo("128Mi", "64Mi", OTHER)]);
    await lab.api.delete(OTHER);
    await lab.clock.sleep(60_000);
    const undone = await undo(incident, "", "RolledBack", through(lab));
    expect(undone.complete).toBe(false);
    expect(undone.text).toMatch(/Deployment shop\/other is gone/);
    expect(memory(lab)).toBe("64Mi");
  });

  it("writes nothing to an object that was never changed, or was put back already", async () => {
    await using lab = await startLab(deployment());
    const incident = await hotfixed(lab);
    lab.cluster.apply([deployment({ memory: "64Mi" })]);
    lab.writes();
    const undone = await undo(incident, "", "RolledBack", through(lab));
    expect(undone.complete).toBe(true);
    expect(lab.writes().filter((line) => line.includes("deployments"))).toEqual([]);
  });

  it("tries again when somebody writes at the same moment, and keeps what they wrote", async () => {
    await using lab = await startLab(deployment());
    const incident = await hotfixed(lab);
    const cluster = meanwhile(lab, "app", async (nth) => {
      if (nth <= 2) await annotate(lab, APP, String(nth));
    });
    const undone = await undo(incident, "", "RolledBack", through(lab, cluster));
    expect(undone.complete).toBe(true);
    expect(memory(lab)).toBe("64Mi");
    expect(lab.deployment()?.metadata.annotations?.["acme/touched"]).toBe("2");
  });

  it("leaves the field when somebody changes it at that very moment", async () => {
    await using lab = await startLab(deployment());
    const incident = await hotfixed(lab);
    const cluster = meanwhile(lab, "app", () => lab.cluster.apply([deployment({ memory: "256Mi" })]));
    const undone = await undo(incident, "", "RolledBack", through(lab, cluster));
    expect(memory(lab)).toBe("256Mi");
    expect(undone.complete).toBe(false);
  });

  it("does not call done what the API server refuses, so that the next run finishes it", async () => {
    await using lab = await startLab(deployment());
    const incident = await hotfixed(lab);
    lab.cluster.deny({ group: "apps", resource: "deployments", verb: "patch" });
    await expect(undo(incident, "it did not heal", "RolledBack", through(lab))).rejects.toMatchObject({
      code: "forbidden",
    });
    const stored = await lab.store.get("shop", incident.metadata.name);
    expect(stored?.status?.hotfix).toMatchObject({ undo: { reason: "it did not heal" } });
    expect(stored?.status?.hotfix?.undoneAt).toBeUndefined();
  });
});
