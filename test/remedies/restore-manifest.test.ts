import { describe, expect, it } from "vitest";
import type { Change, FieldPath, Json, KubeObject, RefusedState } from "../../src/model.ts";
import { isRefusedField } from "../../src/remedies/restore-manifest.ts";
import { ago, workload } from "../detectors/snapshot-builder.ts";
import { helps, refuses, tried, type World } from "./remedy-context.ts";

const REF = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
const commit = { sha: "c0ffee1234567", author: "Sam", email: "sam@example.com", at: ago("1h"), subject: "Release" };
const made = (image: string, envFrom: Json, replicas = 1): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "cart", namespace: "shop" },
  spec: { replicas, template: { spec: { containers: [{ name: "app", image, envFrom }] } } },
});
const before = made("cart:1", [{ secretRef: { name: "cart" } }]);
const broken = made("cart:2", [{ secretRef: null, name: "cart" }], 3);
const message = 'containers[name="app"].envFrom[0].name: field not declared in schema';
const ENV = ["spec", "template", "spec", "containers", { by: "name", value: "app" }, "envFrom", 0];

function world(over: Partial<World> = {}, state: Partial<RefusedState> = {}): World {
  return {
    workload: workload(),
    container: null,
    symptom: { kind: "ManifestRefused", message },
    snapshot: { refused: [{ ref: REF, object: broken, before, commit, message, ...state }] },
    // As the API server: the key that is out of place is refused.
    refusal: (object) => (JSON.stringify(object).includes('"secretRef":null') ? message : null),
    ...over,
  };
}

describe("restore-manifest", () => {
  it("puts back what the API server complains about, and nothing else of the commit", async () => {
    expect(await helps("restore-manifest", world())).toMatchObject({
      changes: [
        { object: REF, path: [...ENV, "secretRef"], to: { name: "cart" } },
        { object: REF, path: [...ENV, "name"], from: "cart" },
      ],
      gitOnly: "the cluster never took what Git says, and still runs what was before",
    });
  });

  it("puts back all that may be where that is not enough, never replicas", async () => {
    const refusal = (object: KubeObject): string | null =>
      JSON.stringify(object).includes("cart:2") ? "not signed" : null;
    const { changes } = await helps("restore-manifest", world({ refusal }, { message: "not signed" }));
    expect(changes.map((change) => change.path.at(-1)).toSorted()).toEqual(["image", "name", "secretRef"]);
  });

  it.each<[string, string, readonly Json[]]>([
    [
      "a label",
      "spec.template.metadata.labels: Invalid value: …: `selector` does not match template `labels`",
      ["spec", "template", "metadata", "labels", "app"],
    ],
    [
      "a number",
      '.spec.replicas: expected numeric (int or float), got &value.valueUnstructured{Value:"two"}',
      ["spec", "replicas"],
    ],
    [
      "an annotation",
      ".metadata.annotations.example.com/port: expected string, got &value.valueUnstructured{Value:8080}",
      ["metadata", "annotations", "example.com/port"],
    ],
    [
      "a part of it",
      'strict decoding error: unknown field "spec.template.spec.dnsPolicie"',
      ["spec", "template", "spec", "dnsPolicie"],
    ],
  ])("puts back any field that the API server gives the path of: %s", async (_, said, path) => {
    const made = (value: string): KubeObject => {
      const top = path.reduceRight<Json>((inner, step) => ({ [String(step)]: inner }), value) as KubeObject;
      return { ...top, apiVersion: REF.apiVersion, kind: REF.kind, metadata: { ...top.metadata, name: "cart" } };
    };
    const refusal = (one: KubeObject): string | null => (JSON.stringify(one).includes('"wrong"') ? said : null);
    const state = { object: made("wrong"), before: made("right"), message: said };
    const given = world({ refusal, symptom: { kind: "ManifestRefused", message: said } }, state);
    const { changes } = await helps("restore-manifest", given);
    expect(changes).toEqual([{ object: REF, path, from: "wrong", to: "right" }]);
  });

  it("never puts back who an object is, whatever is said of it", () => {
    const change = (path: FieldPath): Change => ({ object: REF, path, from: "a", to: "b" });
    for (const field of ["finalizers", "ownerReferences", "name", "namespace"])
      expect(isRefusedField(change(["metadata", field]), `metadata.${field}: Invalid value`), field).toBe(false);
    expect(isRefusedField(change(["spec", "replicas"]), "spec: Forbidden")).toBe(false);
    expect(isRefusedField(change(["spec", "replicas"]), "spec.revisionHistoryLimit: Invalid value: -1")).toBe(false);
    const surge = "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0";
    expect(isRefusedField(change(["spec", "strategy", "rollingUpdate", "maxSurge"]), surge)).toBe(true);
    expect(isRefusedField(change(["spec", "strategy", "rollingUpdate", "other"]), surge)).toBe(false);
    expect(isRefusedField(change(["spec", "is"]), "spec.replicas: what is this")).toBe(false);
    expect(isRefusedField(change(["spec", "ports", 0, "name"]), 'spec.ports[0].name: Invalid value: "A"')).toBe(true);
    expect(isRefusedField(change(["spec", "x"]), "spec.[".repeat(50_000))).toBe(false);
  });

  it.each<[string, World, RegExp]>([
    ["when the API server takes it by now", world({ snapshot: {} }), /takes what Git says/],
    [
      "when nothing that may be restored is enough",
      world({ refusal: () => "quota" }),
      /would not be enough. A person must correct it/,
    ],
    [
      "when the commit changed only what may not be",
      world({}, { before: made("cart:2", [{ secretRef: null, name: "cart" }], 1) }),
      /is not restored by rule/,
    ],
  ])("refuses %s", async (_, given, says) => expect(await refuses("restore-manifest", given)).toMatch(says));

  it.each<[string, Json]>([
    ["a value that the commit did not have", { object: REF, path: [...ENV, "name"], from: "cart", to: "root" }],
    ["another object", { object: { ...REF, name: "bank" }, path: [...ENV, "name"], from: "cart" }],
    ["another field", { object: REF, path: ["spec", "replicas"], from: 3, to: 1 }],
  ])("takes from nobody %s", async (_, field) => {
    expect(await tried("restore-manifest", { commit: commit.sha, fields: [field] }, world())).toMatch(
      /is nothing that the commit changed/,
    );
  });
});
