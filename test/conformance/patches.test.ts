import { beforeAll, describe, expect, it } from "vitest";
import { BUSYBOX } from "./programs.ts";
import { deployment, timeless, useTarget } from "./target.ts";

const target = useTarget("patches");
const path = () => target.at("apps/v1", "deployments", "app");
const limitPath = "/spec/template/spec/containers/0/resources/limits/memory";
const refused = {
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message: "the server rejected our request due to an error in our request",
  reason: "Invalid",
  details: {},
  code: 422,
};

beforeAll(async () => {
  const container = {
    image: BUSYBOX,
    command: ["sleep", "3600"],
    env: [
      { name: "A", value: "1" },
      { name: "B", value: "2" },
    ],
    resources: { requests: { memory: "32Mi" }, limits: { memory: "64Mi" } },
  };
  await target.make(deployment("app", container, { replicas: 0 }));
  await target.until(path(), (body) => body.status?.observedGeneration === 1);
});

describe("JSON Patch", () => {
  it("changes what it tested, raises the generation and names the manager of the field", async () => {
    const before = (await target.get(path())).body;
    const response = await target.patch(`${path()}?fieldManager=stanch`, "json", [
      { op: "test", path: "/metadata/resourceVersion", value: before.metadata.resourceVersion },
      { op: "test", path: limitPath, value: "64Mi" },
      { op: "replace", path: limitPath, value: "128Mi" },
    ]);
    expect(response.code).toBe(200);
    const { metadata, spec } = response.body;
    expect(spec.template.spec.containers[0].resources.limits.memory).toBe("128Mi");
    expect(metadata.generation).toBe(before.metadata.generation + 1);
    expect(metadata.resourceVersion).not.toBe(before.metadata.resourceVersion);
    const mine = metadata.managedFields.find((entry: { manager: string }) => entry.manager === "stanch");
    expect(timeless(mine)).toEqual({
      manager: "stanch",
      operation: "Update",
      apiVersion: "apps/v1",
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:spec": {
          "f:template": {
            "f:spec": { "f:containers": { 'k:{"name":"app"}': { "f:resources": { "f:limits": { "f:memory": {} } } } } },
          },
        },
      },
    });
    const maker = metadata.managedFields.find((entry: { manager: string }) => entry.manager === "conformance");
    expect(maker.fieldsV1["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"app"}']["f:resources"]).toEqual(
      { ".": {}, "f:limits": {}, "f:requests": { ".": {}, "f:memory": {} } },
    );
  });

  it("refuses a failed test, a path that is not there and a removal of nothing alike", async () => {
    for (const operation of [
      { op: "test", path: "/spec/replicas", value: 9 },
      { op: "replace", path: "/spec/nope/x", value: 1 },
      { op: "remove", path: "/spec/nope" },
      { op: "test", path: "/metadata/resourceVersion", value: "1" },
    ]) {
      const response = await target.patch(path(), "json", [operation]);
      expect([response.code, response.body]).toEqual([422, refused]);
    }
  });

  it("compares what it tests byte by byte, as its own encoder escapes it", async () => {
    const name = target.at("v1", "configmaps", "escaped");
    const text = "a && b <c> \u2028";
    await target.make({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "escaped" }, data: { text } });
    const operation = JSON.stringify([{ op: "test", path: "/data/text", value: text }]);
    const escaped = (all: string): string =>
      all.replaceAll(/[<>&\u2028]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
    const codes = [operation, escaped(operation)].map(async (body) => (await target.patch(name, "json", body)).code);
    expect(await Promise.all(codes)).toEqual([422, 200]);
  });

  it("conflicts when it sets another resourceVersion", async () => {
    const response = await target.patch(path(), "json", [
      { op: "replace", path: "/metadata/resourceVersion", value: "1" },
    ]);
    expect([response.code, response.body.reason]).toEqual([409, "Conflict"]);
  });

  it("wants a list", async () => {
    const response = await target.patch(path(), "json", { a: 1 });
    expect(response.body.message).toBe(
      "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
    );
    expect(response.code).toBe(400);
  });

  it("leaves nothing behind when it is run dry", async () => {
    const before = (await target.get(path())).body;
    const response = await target.patch(`${path()}?dryRun=All&fieldManager=dry`, "json", [
      { op: "replace", path: "/spec/template/spec/containers/0/image", value: "busybox:9" },
    ]);
    expect(response.code).toBe(200);
    expect(response.body.spec.template.spec.containers[0].image).toBe("busybox:9");
    expect(response.body.metadata.generation).toBe(before.metadata.generation + 1);
    const after = (await target.get(path())).body;
    expect(after.spec).toEqual(before.spec);
    expect(after.metadata.managedFields.map((entry: { manager: string }) => entry.manager)).not.toContain("dry");
  });

  it("makes a new generation of a Deployment's annotations, and none of its labels", async () => {
    const before = (await target.get(path())).body;
    const noted = await target.patch(path(), "json", [
      { op: "add", path: "/metadata/annotations/stanch.dev~1note", value: "x" },
    ]);
    expect(noted.body.metadata.annotations["stanch.dev/note"]).toBe("x");
    expect(noted.body.metadata.generation).toBe(before.metadata.generation + 1);
    const labelled = await target.patch(path(), "merge", { metadata: { labels: { "stanch.dev/note": "x" } } });
    expect(labelled.body.metadata.generation).toBe(before.metadata.generation + 1);
  });
});

describe("merge patches", () => {
  it("replace lists whole, and remove by null", async () => {
    const response = await target.patch(`${path()}?dryRun=All`, "merge", {
      metadata: { annotations: { "stanch.dev/note": null } },
      spec: { template: { spec: { containers: [{ name: "only", image: BUSYBOX }] } } },
    });
    expect(response.body.spec.template.spec.containers.map((each: { name: string }) => each.name)).toEqual(["only"]);
    expect(response.body.metadata.annotations?.["stanch.dev/note"]).toBeUndefined();
  });

  it("merge lists by their keys when they are strategic", async () => {
    const container = {
      name: "app",
      env: [
        { name: "B", value: "3" },
        { name: "C", value: "4" },
        { name: "A", $patch: "delete" },
      ],
    };
    const response = await target.patch(`${path()}?dryRun=All`, "strategic-merge", {
      spec: { template: { spec: { containers: [container, { name: "side", image: BUSYBOX }] } } },
    });
    const containers = response.body.spec.template.spec.containers;
    expect(containers.map((each: { name: string }) => each.name).sort()).toEqual(["app", "side"]);
    const app = containers.find((each: { name: string }) => each.name === "app");
    expect(app.image).toBe(BUSYBOX);
    expect([...app.env].sort((a, b) => a.name.localeCompare(b.name))).toEqual([
      { name: "B", value: "3" },
      { name: "C", value: "4" },
    ]);
  });

  it("are refused in a type nobody knows", async () => {
    const response = await target.client.call("PATCH", path(), { body: [], type: "text/plain" });
    expect(response.body).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: "415: Unsupported Media Type",
      reason: "UnsupportedMediaType",
      details: {},
      code: 415,
    });
  });
});

describe("server-side apply", () => {
  const config = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "app" }, spec: { replicas: 3 } };

  it("says who owns the field it may not take", async () => {
    const response = await target.patch(`${path()}?fieldManager=applier&dryRun=All`, "apply", config);
    expect(response.code).toBe(409);
    expect(response.body.message).toBe(
      'Apply failed with 1 conflict: conflict with "conformance" using apps/v1: .spec.replicas',
    );
    expect(response.body.details.causes).toEqual([
      { reason: "FieldManagerConflict", message: 'conflict with "conformance" using apps/v1', field: ".spec.replicas" },
    ]);
  });

  it("takes it by force, dry", async () => {
    const response = await target.patch(`${path()}?fieldManager=applier&dryRun=All&force=true`, "apply", config);
    expect([response.code, response.body.spec.replicas]).toEqual([200, 3]);
    const entry = response.body.metadata.managedFields.find((each: { manager: string }) => each.manager === "applier");
    expect(timeless(entry)).toEqual({
      manager: "applier",
      operation: "Apply",
      apiVersion: "apps/v1",
      fieldsType: "FieldsV1",
      fieldsV1: { "f:spec": { "f:replicas": {} } },
    });
    expect((await target.get(path())).body.spec.replicas).toBe(0);
  });

  it("wants a field manager", async () => {
    const response = await target.patch(path(), "apply", config);
    expect(response.body.message).toBe(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
    expect(response.code).toBe(422);
  });

  it("creates, and removes what it no longer says", async () => {
    const at = `${target.at("v1", "configmaps", "applied")}?fieldManager=applier`;
    const map = (data: object) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "applied" }, data });
    const made = await target.patch(at, "apply", map({ a: "1", b: "2" }));
    expect(made.code).toBe(201);
    await target.patch(target.at("v1", "configmaps", "applied"), "merge", { data: { c: "3" } });
    const again = await target.patch(at, "apply", map({ a: "1" }));
    expect([again.code, again.body.data]).toEqual([200, { a: "1", c: "3" }]);
    expect(
      again.body.metadata.managedFields.map((each: { manager: string; operation: string; fieldsV1: unknown }) => [
        each.manager,
        each.operation,
        each.fieldsV1,
      ]),
    ).toEqual([
      ["applier", "Apply", { "f:data": { "f:a": {} } }],
      ["conformance", "Update", { "f:data": { "f:c": {} } }],
    ]);
  });

  it("takes back by force what another took, and the map around it stays", async () => {
    const at = `${target.at("v1", "configmaps", "taken")}?fieldManager=applier&force=true`;
    const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "taken" }, data: { a: "1" } };
    await target.patch(at, "apply", map);
    await target.patch(target.at("v1", "configmaps", "taken"), "merge", { data: { a: "2" } });
    const again = await target.patch(at, "apply", map);
    expect([again.code, again.body.data]).toEqual([200, { a: "1" }]);
  });

  it("keeps to the item it names", async () => {
    const only = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "app" },
      spec: { template: { spec: { containers: [{ name: "app", env: [{ name: "Z", value: "26" }] }] } } },
    };
    const response = await target.patch(`${path()}?fieldManager=applier&dryRun=All`, "apply", only);
    expect(response.code).toBe(200);
    expect(response.body.spec.template.spec.containers[0].env.map((each: { name: string }) => each.name)).toEqual([
      "A",
      "B",
      "Z",
    ]);
  });
});
