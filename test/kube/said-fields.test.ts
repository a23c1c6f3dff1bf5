import { describe, expect, it } from "vitest";
import { disownDefaults } from "../../src/kube/said-fields.ts";
import type { Change, FieldPath, Json } from "../../src/model.ts";

const object = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" };
const POD: FieldPath = ["spec", "template", "spec"];
const CONTAINER: FieldPath = [...POD, "containers", { by: "name", value: "app" }];
const change = (path: FieldPath, to: Json): Change => ({ object, path, to });

/** An object whose pod template is owned like this by `stanch`. */
function owned(pod: Json, entry: object = {}) {
  return {
    metadata: {
      name: "app",
      managedFields: [
        { manager: "kubectl", operation: "Update", fieldsV1: { "f:spec": {} } },
        {
          manager: "stanch",
          operation: "Update",
          fieldsV1: { "f:spec": { "f:template": { "f:spec": pod } } },
          ...entry,
        },
      ],
    },
  };
}
const inApp = (fields: Json): Json => ({ "f:containers": { 'k:{"name":"app"}': fields } });

/** The pod's part of the set that the patch leaves; null: there is nothing to patch. */
function left(live: ReturnType<typeof owned>, ...changes: Change[]): unknown {
  const operations = disownDefaults(live, changes, "stanch");
  if (operations.length === 0) return null;
  expect(operations).toMatchObject([
    { op: "test", path: "/metadata/managedFields/1/fieldsV1" },
    { op: "replace", path: "/metadata/managedFields/1/fieldsV1" },
  ]);
  const value = operations[1]?.op === "replace" ? operations[1].value : undefined;
  return (value as { "f:spec": { "f:template": { "f:spec": unknown } } })["f:spec"]["f:template"]["f:spec"];
}

describe("disownDefaults", () => {
  it("keeps of a probe what was said", () => {
    const live = owned(inApp({ "f:readinessProbe": { ".": {}, "f:periodSeconds": {}, "f:timeoutSeconds": {} } }));
    expect(left(live, change([...CONTAINER, "readinessProbe"], { periodSeconds: 5 }))).toEqual(
      inApp({ "f:readinessProbe": { ".": {}, "f:periodSeconds": {} } }),
    );
  });

  it("knows a list item by its keys, and a port's protocol by its default", () => {
    const port = 'k:{"containerPort":80,"protocol":"TCP"}';
    const live = owned(inApp({ "f:ports": { ".": {}, [port]: { ".": {}, "f:containerPort": {}, "f:protocol": {} } } }));
    expect(left(live, change([...CONTAINER, "ports"], [{ containerPort: 80 }]))).toEqual(
      inApp({ "f:ports": { ".": {}, [port]: { ".": {}, "f:containerPort": {} } } }),
    );
  });

  it("is at home in an item that was written as a whole", () => {
    const volumes = (fields: Json): Json => ({ "f:volumes": { 'k:{"name":"data"}': fields } });
    const said = { name: "data", secret: { secretName: "app" } };
    const live = owned(
      volumes({ ".": {}, "f:name": {}, "f:secret": { ".": {}, "f:defaultMode": {}, "f:secretName": {} } }),
    );
    expect(left(live, change([...POD, "volumes", { by: "name", value: "data" }], said))).toEqual(
      volumes({ ".": {}, "f:name": {}, "f:secret": { ".": {}, "f:secretName": {} } }),
    );
  });

  it("leaves what another incident of the same manager wrote", () => {
    const live = owned(inApp({ "f:image": {}, "f:readinessProbe": { "f:periodSeconds": {}, "f:timeoutSeconds": {} } }));
    expect(left(live, change([...CONTAINER, "readinessProbe"], { periodSeconds: 5 }))).toEqual(
      inApp({ "f:image": {}, "f:readinessProbe": { "f:periodSeconds": {} } }),
    );
  });

  it.each<[string, ReturnType<typeof owned>, Change]>([
    ["a scalar", owned(inApp({ "f:image": {} })), change([...CONTAINER, "image"], "nginx:1.27")],
    ["a list that is owned as a whole", owned(inApp({ "f:command": {} })), change([...CONTAINER, "command"], ["sh"])],
    ["a field that is not in the set", owned(inApp({ "f:image": {} })), change([...CONTAINER, "args"], { a: 1 })],
    ["a removal", owned(inApp({ "f:image": {} })), { object, path: [...CONTAINER, "livenessProbe"] }],
    [
      "a write to a subresource",
      owned(inApp({ "f:ports": { "f:x": {} } }), { subresource: "scale" }),
      change([...CONTAINER, "ports"], {}),
    ],
    [
      "an apply",
      owned(inApp({ "f:ports": { "f:x": {} } }), { operation: "Apply" }),
      change([...CONTAINER, "ports"], {}),
    ],
  ])("has nothing to do for %s", (_, live, one) => {
    expect(left(live, one)).toBeNull();
  });

  it("does not change what it reads", () => {
    const live = owned(inApp({ "f:readinessProbe": { "f:timeoutSeconds": {} } }));
    const before = structuredClone(live);
    left(live, change([...CONTAINER, "readinessProbe"], {}));
    expect(live).toEqual(before);
  });
});
