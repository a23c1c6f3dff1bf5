import { describe, expect, it } from "vitest";
import type { Json, KubeObject, RefusedState } from "../../src/model.ts";
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
