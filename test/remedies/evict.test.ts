import { describe, expect, it } from "vitest";
import type { Json, Symptom } from "../../src/model.ts";
import { container, pod, type WorkloadSpec, workload } from "../detectors/snapshot-builder.ts";
import { helps, NAMES, refuses, tried, type World } from "./remedy-context.ts";

const missing: Symptom = { kind: "ConfigMissing", refKind: "ConfigMap", name: "settings", message: "not found" };
const waiting = (name: string) =>
  pod({ name, containers: [container({ waiting: { reason: "CreateContainerConfigError", message: "not found" } })] });

function world(
  over: WorkloadSpec = {},
  configMaps: Record<string, string[]> = { settings: ["mode"] },
  symptom = missing,
): World {
  return {
    workload: workload({ pods: [waiting("cart-1"), pod({ name: "cart-2" })], ...over }),
    symptom,
    snapshot: { configs: { shop: { configMaps, secrets: {} } } },
  };
}

const pulling = (cause: "terminal" | "transient", tags: string[]): World => ({
  ...world({}, {}, { kind: "ImagePull", cause, image: "shop/cart:1.4.3", message: "not found", init: false }),
  registry: { "shop/cart": tags },
});

describe("evicts", () => {
  it("the pods that still wait for what exists by now, and changes no field", async () => {
    const planned = await helps("evict", world());
    expect(planned.changes).toEqual([]);
    expect(planned.action).toEqual({ kind: "evict", pods: ["cart-1"] });
    expect(planned.offered[0]).toBe("evict");
  });

  it("pods that wait out a back-off while the registry has the image by now", async () => {
    const planned = await helps("evict", pulling("terminal", ["1.4.3"]));
    expect([planned.action, planned.changes]).toEqual([{ kind: "evict", pods: ["cart-1"] }, []]);
    expect(planned.reason).toBe("The registry has shop/cart:1.4.3 by now, and the pod still waits out its back-off.");
  });

  it("three pods at most", async () => {
    const pods = ["a", "b", "c", "d"].map(waiting);
    expect((await helps("evict", world({ pods }))).action).toEqual({ kind: "evict", pods: ["a", "b", "c"] });
  });
});

describe("refuses", () => {
  it.each<[string, World, RegExp]>([
    ["while it is still missing", world({}, {}), /still missing: a restart would not help/],
    ["while the key is still missing", world({}, undefined, { ...missing, key: "level" } as Symptom), /still missing/],
    ["where nothing is known", { ...world(), snapshot: { configs: {} } }, /still missing/],
    [
      "while the registry does not have the image",
      pulling("terminal", []),
      /does not have shop\/cart:1.4.3: a restart/,
    ],
    ["what the kubelet tries again by itself", pulling("transient", ["1.4.3"]), /tried again by itself/],
    ["another symptom", world({}, undefined, { kind: "OOMKilled" }), /nothing proves that a restart would help/],
    ["when no pod waits", world({ pods: [pod()] }), /no pod waits for it any more/],
    ["pods that are being deleted", world({ pods: [{ ...waiting("cart-1"), deleting: true }] }), /no pod waits/],
    [
      "a pod of which another container waits",
      world({
        pods: [
          pod({ containers: [container({ name: "proxy", waiting: { reason: "ImagePullBackOff", message: "" } })] }),
        ],
      }),
      /no pod waits/,
    ],
    ["a pod whose end its Job would count", world({ kind: "Job" }), /no pod waits/],
    ["a pod that nobody would make anew", world({ kind: "Pod" }), /no pod waits/],
  ])("%s", async (_, given, says) => expect(await refuses("evict", given)).toMatch(says));
});

describe("parameters from elsewhere evict nothing:", () => {
  it.each<[string, { readonly [name: string]: Json }, RegExp]>([
    ["a healthy pod of the workload", { pods: ["cart-2"] }, /cart-2 is not one of the failing pods/],
    ["another workload's pod", { pods: ["bank-1"] }, /bank-1 is not one of the failing pods/],
    ["one of them among the right ones", { pods: ["cart-1", "bank-1"] }, /bank-1 is not/],
    ["no pods", { pods: [] }, /parameters are wrong/],
    ["many", { pods: ["cart-1", "cart-1", "cart-1", "cart-1"] }, /parameters are wrong/],
    ["all of them", { pods: "*" }, /parameters are wrong/],
    ["another namespace", { pods: ["cart-1"], namespace: "kube-system" }, /parameters are wrong/],
    ["nothing", {}, /parameters are wrong/],
  ])("%s", async (_, params, says) => expect(await tried("evict", params, world())).toMatch(says));

  it.each(NAMES)("a pod called %s", async (name) =>
    expect(await tried("evict", { pods: [name] }, world())).toMatch(
      /is not one of the failing pods|parameters are wrong/,
    ),
  );
});
