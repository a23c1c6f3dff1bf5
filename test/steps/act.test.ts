import { describe, expect, it } from "vitest";
import { StanchError } from "../../src/errors.ts";
import { managersOf } from "../../src/kube/field-managers.ts";
import { getAt } from "../../src/kube/field-path.ts";
import type { Change, FieldPath, KubeObject } from "../../src/model.ts";
import { act, tryAct } from "../../src/steps/act.ts";
import { undo } from "../../src/steps/undo.ts";
import { firstLost } from "../../src/steps/verify.ts";
import {
  APP,
  annotate,
  deployment,
  findingOf,
  type Lab,
  MEMORY,
  meanwhile,
  memoryTo,
  planOf,
  startLab,
} from "./lab.ts";

const memory = (lab: Lab, name?: string): unknown => getAt(lab.deployment(name), MEMORY);
const OTHER = { ...APP, name: "other" };

describe("act", () => {
  it("asks by dry run, writes the intent down, patches, and only then says so", async () => {
    await using lab = await startLab(deployment());
    const incident = await lab.incident();
    lab.writes();
    const acted = await act(planOf([memoryTo("128Mi")]), incident, through(lab));
    const name = incident.metadata.name;
    expect(lab.writes()).toEqual([
      "PATCH deployments/app (dry run)",
      `PUT incidents/${name} status Acting`,
      "PATCH deployments/app",
      `PUT incidents/${name} status Hotfixed`,
    ]);
    expect(acted.applied).toBe(true);
    expect(memory(lab)).toBe("128Mi");
    expect(acted.incident.status?.hotfix).toMatchObject({
      changes: [memoryTo("128Mi")],
      objects: { "apps/Deployment/shop/app": { uid: lab.deployment()?.metadata.uid, generation: 2 } },
    });
  });

  it("has the whole undo in the journal before the first write", async () => {
    await using lab = await startLab(deployment());
    const incident = await lab.incident();
    let journal: unknown;
    const cluster = meanwhile(lab, "app", async () => {
      journal = (await lab.store.get("shop", incident.metadata.name))?.status;
    });
    await act(planOf([memoryTo("128Mi")]), incident, through(lab, cluster));
    expect(journal).toMatchObject({
      phase: "Acting",
      hotfix: { changes: [{ from: "64Mi", to: "128Mi" }], objects: {} },
    });
  });

  it("knows a whole probe again, with the defaults that the API server gives it, and takes it back as a whole", async () => {
    await using lab = await startLab(deployment());
    const path: FieldPath = [...MEMORY.slice(0, -3), "readinessProbe"];
    const to = { httpGet: { path: "/", port: 8080 }, periodSeconds: 5 };
    const acted = await act(planOf([{ object: APP, path, to }]), await lab.incident(), through(lab));
    const stands = getAt(lab.deployment(), path);
    expect(stands).toMatchObject({ ...to, timeoutSeconds: 1 });
    expect(acted.incident.status?.hotfix?.changes).toEqual([{ object: APP, path, to: stands }]);
    expect(await firstLost(acted.incident.status?.hotfix?.changes ?? [], lab.api.get)).toBeNull();
    const undone = await undo(acted.incident, "it did not help", "RolledBack", through(lab));
    expect(undone.complete).toBe(true);
    expect(getAt(lab.deployment(), path)).toBeUndefined();
  });

  it("writes what the API server's own encoder escapes, and takes it back", async () => {
    const wrong = 'ecko "up" && run <in >out \u2028';
    await using lab = await startLab(deployment({ container: { command: ["sh", "-c", wrong] } }));
    const path: FieldPath = [...MEMORY.slice(0, -3), "command", 2];
    const change = { object: APP, path, from: wrong, to: 'echo "up" && run <in >out' };
    const acted = await act(planOf([change]), await lab.incident(), through(lab));
    expect([acted.applied, getAt(lab.deployment(), path)]).toEqual([true, change.to]);
    expect((await undo(acted.incident, "it did not help", "RolledBack", through(lab))).complete).toBe(true);
    expect(getAt(lab.deployment(), path)).toBe(wrong);
  });

  it("owns what it said, and none of the defaults that the API server added", async () => {
    await using lab = await startLab(deployment());
    const path: FieldPath = [...MEMORY.slice(0, -3), "readinessProbe"];
    const to = { httpGet: { path: "/", port: 8080 }, periodSeconds: 5 };
    await act(planOf([memoryTo("128Mi"), { object: APP, path, to }]), await lab.incident(), through(lab));
    const live = lab.deployment() as KubeObject;
    const owners = (...field: FieldPath) => managersOf(live, field).map(({ manager }) => manager);
    expect(getAt(live, [...path, "httpGet", "scheme"])).toBe("HTTP");
    expect(owners(...path, "httpGet", "scheme")).not.toContain("stanch");
    expect(owners(...path, "timeoutSeconds")).not.toContain("stanch");
    for (const field of [["periodSeconds"], ["httpGet", "port"], ["httpGet", "path"]])
      expect(owners(...path, ...field), field.join()).toContain("stanch");
    expect(owners(...MEMORY)).toContain("stanch");
  });

  it("stands where its defaults could not be given up", async () => {
    await using lab = await startLab(deployment());
    const path: FieldPath = [...MEMORY.slice(0, -3), "readinessProbe"];
    const change: Change = { object: APP, path, to: { httpGet: { path: "/", port: 8080 } } };
    const cluster: typeof lab.api = {
      ...lab.api,
      patch: (...words) =>
        words[1].some((operation) => operation.path.includes("managedFields"))
          ? Promise.reject(new StanchError("conflict", "somebody was faster"))
          : lab.api.patch(...words),
    };
    const acted = await act(planOf([change]), await lab.incident(), through(lab, cluster));
    expect(acted.applied).toBe(true);
    expect(acted.incident.status?.phase).toBe("Hotfixed");
  });

  it("tries again when only the resourceVersion moved, and keeps what the other wrote", async () => {
    await using lab = await startLab(deployment());
    const cluster = meanwhile(lab, "app", async (nth) => {
      if (nth === 1) await annotate(lab, APP, "yes");
    });
    const acted = await act(planOf([memoryTo("128Mi")]), await lab.incident(), through(lab, cluster));
    expect(acted.applied).toBe(true);
    expect(memory(lab)).toBe("128Mi");
    expect(lab.deployment()?.metadata.annotations?.["acme/touched"]).toBe("yes");
  });

  it("gives up on an object that is written all the time, having written nothing", async () => {
    await using lab = await startLab(deployment());
    let tries = 0;
    const cluster = meanwhile(lab, "app", async (nth) => {
      tries = nth;
      await annotate(lab, APP, String(nth));
    });
    const acted = await act(planOf([memoryTo("128Mi")]), await lab.incident(), through(lab, cluster));
    expect(acted).toMatchObject({ applied: false, gitOnly: true, reason: expect.stringMatching(/again and again/) });
    expect(tries).toBe(5);
    expect(memory(lab)).toBe("64Mi");
  });

  it("writes nothing when somebody changed the very field in between", async () => {
    await using lab = await startLab(deployment());
    const cluster = meanwhile(lab, "app", () => lab.cluster.apply([deployment({ memory: "96Mi" })]));
    const acted = await act(planOf([memoryTo("128Mi")]), await lab.incident(), through(lab, cluster));
    expect(acted).toMatchObject({
      applied: false,
      gitOnly: false,
      reason: expect.stringMatching(/Deployment shop\/app changed in the meantime: .*is "96Mi" and not "64Mi"/),
    });
    expect(memory(lab)).toBe("96Mi");
  });

  it("writes nothing, not even its intent, when the field is not what the plan starts from", async () => {
    await using lab = await startLab(deployment());
    const incident = await lab.incident();
    lab.writes();
    const acted = await act(planOf([memoryTo("128Mi", "32Mi")]), incident, through(lab));
    expect(acted).toMatchObject({ applied: false, gitOnly: false });
    expect(lab.writes()).toEqual([]);
  });

  it.each<[string, (lab: Lab) => void, Change, RegExp]>([
    [
      "a field that cannot be changed (422)",
      () => undefined,
      {
        object: APP,
        path: ["spec", "selector", "matchLabels", "app"] satisfies FieldPath,
        from: "app",
        to: "other",
      },
      /the API server does not take the change of Deployment shop\/app/,
    ],
    [
      "a value that it does not take (422)",
      () => undefined,
      memoryTo("lots"),
      /the API server does not take the change of Deployment shop\/app/,
    ],
    [
      "a missing right (403)",
      (lab) => lab.cluster.deny({ group: "apps", resource: "deployments", verb: "patch" }),
      memoryTo("128Mi"),
      /does not take the change.*(forbidden|cannot patch)/i,
    ],
    [
      "an admission webhook that says no (403)",
      (lab) =>
        lab.cluster.faults.add({
          method: "PATCH",
          path: /deployments\/app/,
          status: 403,
          body: status(403, "Forbidden", 'admission webhook "policy.acme" denied the request'),
        }),
      memoryTo("128Mi"),
      /admission webhook "policy.acme" denied the request/,
    ],
    [
      "an object that is gone",
      () => undefined,
      memoryTo("128Mi", "64Mi", { ...APP, name: "gone" }),
      /Deployment shop\/gone is not in the cluster/,
    ],
  ])("leaves %s to Git, having written nothing", async (_, prepare, change, says) => {
    await using lab = await startLab(deployment());
    const incident = await lab.incident();
    prepare(lab);
    lab.writes();
    const acted = await act(planOf([change]), incident, through(lab));
    expect(acted).toMatchObject({ applied: false, gitOnly: true, reason: expect.stringMatching(says) });
    expect(lab.writes().filter((line) => !line.includes("(dry run)"))).toEqual([]);
    expect(memory(lab)).toBe("64Mi");
  });

  it("throws at a fault of the API server, which says nothing about the change", async () => {
    await using lab = await startLab(deployment());
    const incident = await lab.incident();
    lab.cluster.faults.add({
      method: "PATCH",
      path: /deployments\/app/,
      status: 500,
      body: status(500, "InternalError", "etcd"),
    });
    await expect(act(planOf([memoryTo("128Mi")]), incident, through(lab))).rejects.toMatchObject({ code: "cluster" });
    expect(memory(lab)).toBe("64Mi");
  });

  it("writes none of two objects when the dry run of the second is refused", async () => {
    await using lab = await startLab(deployment(), deployment({ name: "other" }));
    const incident = await lab.incident();
    lab.writes();
    const acted = await act(planOf([memoryTo("128Mi"), memoryTo("lots", "64Mi", OTHER)]), incident, through(lab));
    expect(acted).toMatchObject({ applied: false, gitOnly: true });
    expect(lab.writes()).toEqual(["PATCH deployments/app (dry run)", "PATCH deployments/other (dry run)"]);
  });

  it("decides to take the first of two objects back when the second is refused after all", async () => {
    await using lab = await startLab(deployment(), deployment({ name: "other" }));
    const cluster = meanwhile(lab, "other", () => lab.cluster.apply([deployment({ name: "other", memory: "96Mi" })]));
    const both = planOf([memoryTo("128Mi"), memoryTo("128Mi", "64Mi", OTHER)]);
    const acted = await act(both, await lab.incident(), through(lab, cluster));
    expect(acted.applied).toBe(false);
    expect(memory(lab)).toBe("128Mi");
    expect(acted.incident.status).toMatchObject({
      phase: "Acting",
      hotfix: { undo: { reason: expect.stringMatching(/not taken as a whole/) } },
    });

    const undone = await undo(acted.incident, "", "RolledBack", through(lab));
    expect(memory(lab)).toBe("64Mi");
    expect(memory(lab, "other")).toBe("96Mi");
    expect(undone.text).toMatch(/left as it is: .*Deployment shop\/other was changed by somebody else/);
  });

  describe("evicting", () => {
    const pods = (lab: Lab): string[] => lab.cluster.list("v1", "Pod", "shop").map((pod) => pod.metadata.name);
    const budget: KubeObject = {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "app", namespace: "shop" },
      spec: { minAvailable: 1, selector: { matchLabels: { app: "app" } } },
    };

    async function evicting(lab: Lab) {
      await lab.clock.sleep(60_000);
      const [pod = ""] = pods(lab);
      const plan = planOf([], { action: { kind: "evict", pods: [pod] } });
      return { pod, acted: await act(plan, await lab.incident(findingOf()), through(lab)) };
    }

    it("takes the pod through the Eviction API", async () => {
      await using lab = await startLab(deployment({ memory: "128Mi" }));
      const { pod, acted } = await evicting(lab);
      expect(acted.applied).toBe(true);
      await lab.clock.sleep(60_000);
      expect(pods(lab)).not.toContain(pod);
    });

    it("leaves a pod that a budget protects, and leaves nothing standing half done", async () => {
      await using lab = await startLab(deployment({ memory: "128Mi" }), budget);
      lab.cluster.faults.add({
        method: "POST",
        path: /eviction/,
        status: 429,
        body: status(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget."),
      });
      const { pod, acted } = await evicting(lab);
      expect(acted).toMatchObject({
        applied: false,
        reason: expect.stringMatching(/PodDisruptionBudget forbids the eviction of pod/),
      });
      expect(pods(lab)).toContain(pod);
      // Without it the incident would say for ever that a live change of ours stands.
      expect(acted.incident.status?.hotfix?.undo).toBeDefined();
    });
  });
});

describe("tryAct", () => {
  it("writes nothing", async () => {
    await using lab = await startLab(deployment());
    expect(await tryAct(planOf([memoryTo("128Mi")]), through(lab))).toBeNull();
    expect(lab.writes()).toEqual(["PATCH deployments/app (dry run)"]);
    expect(memory(lab)).toBe("64Mi");
  });
  it("says what the API server would say", async () => {
    await using lab = await startLab(deployment());
    expect(await tryAct(planOf([memoryTo("lots")]), through(lab))).toMatch(/does not take the change/);
  });
});

function through(lab: Lab, cluster = lab.api) {
  return { cluster, store: lab.store, clock: lab.clock };
}

function status(code: number, reason: string, message: string): object {
  return { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message };
}
