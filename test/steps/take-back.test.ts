import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { patchOf } from "../../src/gitops/holds.ts";
import type { Incident } from "../../src/incident/incident.ts";
import { getAt } from "../../src/kube/field-path.ts";
import type { Change, Hold, ObjectRef } from "../../src/model.ts";
import { act } from "../../src/steps/act.ts";
import { letGo, takeBack } from "../../src/take-back.ts";
import { definition, OWNERS } from "../pipeline/engine.ts";
import { APP, deployment, findingOf, type Lab, MEMORY, meanwhile, memoryTo, planOf, startLab } from "./lab.ts";

const OTHER: ObjectRef = { ...APP, name: "other" };
const APPLICATION = OWNERS.Application;
const SKIP: Change = {
  object: APPLICATION,
  path: ["metadata", "annotations", "argocd.argoproj.io/skip-reconcile"],
  to: "true",
};
const note = (object: ObjectRef): Change => ({
  object,
  path: ["metadata", "annotations", "kustomize.toolkit.fluxcd.io/reconcile"],
  to: "disabled",
});

function hold(over: Partial<Hold>): Hold {
  return {
    kind: "flux-object",
    object: APP,
    owner: APPLICATION,
    reason: "held",
    takenAt: "2026-01-10T12:00:00Z",
    expiresAt: "2026-01-11T12:00:00Z",
    changes: [note(APP)],
    ...over,
  };
}

const rests = (object: ObjectRef): Hold => hold({ kind: "argocd-skip", object, changes: [SKIP] });

async function lab(): Promise<Lab> {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "argocd" } };
  const app = {
    apiVersion: APPLICATION.apiVersion,
    kind: "Application",
    metadata: { name: "shop", namespace: "argocd" },
    spec: {},
  };
  return startLab(definition(APPLICATION), namespace, deployment(), deployment({ name: "other" }), app);
}

const through = (made: Lab, cluster = made.api) => ({
  cluster,
  store: made.store,
  clock: made.clock,
  log: made.log,
  config: parseConfig(""),
});

async function hotfixed(made: Lab, ref: ObjectRef, held: Hold): Promise<Incident> {
  const finding = findingOf({ workload: ref, fingerprint: (ref.name === "app" ? "0" : "1").repeat(16) });
  const plan = planOf([memoryTo("128Mi", "64Mi", ref)], { finding });
  const acted = await act(plan, await made.incident(finding), through(made), [held]);
  if (!acted.applied) throw new Error(acted.reason);
  return acted.incident;
}

const skipped = async (made: Lab): Promise<unknown> => getAt(await made.api.get(APPLICATION), SKIP.path);
const noted = (made: Lab): unknown => getAt(made.deployment(), note(APP).path);
const managers = (made: Lab): unknown[] =>
  (made.deployment()?.metadata.managedFields ?? []).map((entry) => entry.manager).filter((name) => name === "stanch");

describe("taking a hold", () => {
  it("is written down before, and done in the patch of the fields", async () => {
    await using made = await lab();
    const incident = await made.incident(findingOf({ fingerprint: "0".repeat(16) }));
    let journal: Incident | null = null;
    const cluster = meanwhile(made, "app", async () => {
      journal = await made.store.get("shop", incident.metadata.name);
    });
    made.writes();
    const plan = planOf([memoryTo("128Mi")], { finding: findingOf({ fingerprint: "0".repeat(16) }) });
    await act(plan, incident, through(made, cluster), [hold({})]);
    expect(journal).toMatchObject({ status: { phase: "Acting", holds: [{ kind: "flux-object" }] } });
    expect(made.writes().filter((line) => line.startsWith("PATCH"))).toEqual([
      "PATCH deployments/app (dry run)",
      "PATCH deployments/app",
    ]);
    expect([getAt(made.deployment(), MEMORY), noted(made)]).toEqual(["128Mi", "disabled"]);
  });

  it("that its owner needs comes before the fields, and by dry run before that", async () => {
    await using made = await lab();
    made.writes();
    await hotfixed(made, APP, rests(APP));
    expect(made.writes().filter((line) => line.startsWith("PATCH"))).toEqual([
      "PATCH applications/shop (dry run)",
      "PATCH deployments/app (dry run)",
      "PATCH applications/shop",
      "PATCH deployments/app",
    ]);
  });

  it("leaves the fields alone when somebody annotates the object in between", async () => {
    await using made = await lab();
    const cluster = meanwhile(made, "app", () =>
      made.cluster.apply([
        {
          ...deployment(),
          metadata: {
            name: "app",
            namespace: "shop",
            annotations: { "kustomize.toolkit.fluxcd.io/reconcile": "disabled" },
          },
        },
      ]),
    );
    const acted = await act(planOf([memoryTo("128Mi")]), await made.incident(), through(made, cluster), [hold({})]);
    expect(acted).toMatchObject({ applied: false, reason: expect.stringMatching(/changed in the meantime/) });
    expect(getAt(made.deployment(), MEMORY)).toBe("64Mi");
  });
});

describe("ending a hold", () => {
  it("goes with the fields in one patch when they are taken back", async () => {
    await using made = await lab();
    const incident = await hotfixed(made, APP, hold({}));
    made.writes();
    const undone = await takeBack(incident, "refused", "RolledBack", through(made));
    expect(made.writes().filter((line) => line.startsWith("PATCH"))).toEqual([
      // The fields and the annotation; then the ownership.
      "PATCH deployments/app",
      "PATCH deployments/app",
    ]);
    expect([getAt(made.deployment(), MEMORY), noted(made), managers(made)]).toEqual(["64Mi", undefined, []]);
    expect(undone.incident.status?.holds).toMatchObject([{ releasedAt: expect.any(String) }]);
    expect(undone.text).toBe("Live change taken back: refused");
  });

  it("and the fields stay when Git says them: annotation and ownership go in one patch", async () => {
    await using made = await lab();
    const incident = await hotfixed(made, APP, hold({}));
    made.writes();
    expect((await letGo(incident, "Merged.", through(made))).left).toBeNull();
    expect(made.writes().filter((line) => line.startsWith("PATCH"))).toEqual(["PATCH deployments/app"]);
    expect([getAt(made.deployment(), MEMORY), noted(made), managers(made)]).toEqual(["128Mi", undefined, []]);
  });

  it("asks an Application that starts again to look at Git first, in the same write", async () => {
    await using made = await lab();
    const incident = await hotfixed(made, APP, rests(APP));
    await letGo(incident, "Merged.", through(made));
    expect((await made.api.get(APPLICATION))?.metadata.annotations).toMatchObject({
      "argocd.argoproj.io/refresh": "normal",
    });
    expect(await skipped(made)).toBeUndefined();
  });

  it("leaves what somebody has made of it since", async () => {
    await using made = await lab();
    const incident = await hotfixed(made, APP, hold({}));
    await made.api.patch(APP, [
      { op: "replace", path: "/metadata/annotations/kustomize.toolkit.fluxcd.io~1reconcile", value: "enabled" },
    ]);
    expect((await letGo(incident, "Merged.", through(made))).left).toBeNull();
    expect(noted(made)).toBe("enabled");
  });

  it("of an owner that two incidents share is the last one's to end", async () => {
    await using made = await lab();
    const first = await hotfixed(made, APP, rests(APP));
    const second = await hotfixed(made, OTHER, rests(OTHER));
    expect((await letGo(first, "Merged.", through(made))).left).toBeNull();
    expect(await skipped(made)).toBe("true");
    expect(managers(made)).toEqual([]);
    await letGo(second, "Merged.", through(made));
    expect(await skipped(made)).toBeUndefined();
  });

  it("that is not allowed stays in the incident", async () => {
    await using made = await lab();
    const incident = await hotfixed(made, APP, rests(APP));
    made.cluster.deny({ ...patchOf(APPLICATION), verb: "patch" });
    const freed = await letGo(incident, "Merged.", through(made));
    expect(freed.left).toMatch(/Application argocd\/shop: .*(forbidden|cannot patch)/i);
    expect(freed.incident.status?.holds?.[0]?.releasedAt).toBeUndefined();
    expect(freed.incident.status?.message).toMatch(/A hold still stands/);
    expect(made.warnings).toContain("a hold was not released");
  });
});
