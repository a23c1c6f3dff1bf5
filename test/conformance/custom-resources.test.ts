import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fieldsOfSchema } from "../../src/kube/schema-fields.ts";
import { timeless, useTarget } from "./target.ts";

const target = useTarget("custom");
const group = `conf${Math.random().toString(36).slice(2, 7)}.example.com`;
const apiVersion = `${group}/v1`;
const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const widgets = () => target.at(apiVersion, "widgets");
const widget = (name: string, spec: object, more: object = {}) => ({
  apiVersion,
  kind: "Widget",
  metadata: { name },
  spec,
  ...more,
});

const schemaIn = (document: { components?: { schemas?: Record<string, object> } }): unknown =>
  Object.values(document.components?.schemas ?? {}).find((each) => JSON.stringify(each).includes('"kind":"Widget"'));

const schema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["size"],
      properties: {
        size: { type: "string", enum: ["small", "big"] },
        count: { type: "integer", minimum: 1, default: 3 },
        tags: { type: "array", items: { type: "string" } },
        free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
      },
    },
    status: { type: "object", properties: { phase: { type: "string" } } },
  },
};

beforeAll(async () => {
  const names = { kind: "Widget", plural: "widgets", shortNames: ["wg"] };
  const versions = [
    { name: "v1", served: true, storage: true, subresources: { status: {} }, schema: { openAPIV3Schema: schema } },
  ];
  const made = await target.post(definitions, {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `widgets.${group}` },
    spec: { group, scope: "Namespaced", names, versions },
  });
  expect(made.code).toBe(201);
  await target.until(widgets(), (body) => body.kind === "WidgetList");
});

afterAll(() => target.remove(`${definitions}/widgets.${group}`));

describe("a custom resource", () => {
  it("is told as its definition says, in the group's OpenAPI document", async () => {
    // The document follows the definition after a while.
    const document = await target.until(
      `/openapi/v3/apis/${apiVersion}`,
      (body) => fieldsOfSchema(schemaIn(body)).length > 0,
    );
    expect(fieldsOfSchema(schemaIn(document))).toEqual(
      expect.arrayContaining(["spec", "spec.size", "spec.count", "spec.tags", "spec.free", "status", "status.phase"]),
    );
  });

  it("is established and discovered", async () => {
    const { body } = await target.get(`${definitions}/widgets.${group}`);
    expect(
      body.status.conditions.map((each: { type: string; status: string; reason: string }) => [
        each.type,
        each.status,
        each.reason,
      ]),
    ).toEqual([
      ["NamesAccepted", "True", "NoConflicts"],
      ["Established", "True", "InitialNamesAccepted"],
    ]);
    expect(body.status.acceptedNames).toEqual({
      kind: "Widget",
      listKind: "WidgetList",
      plural: "widgets",
      singular: "widget",
      shortNames: ["wg"],
    });
    const resources = await target.get(`/apis/${apiVersion}`);
    expect(resources.body.resources.map((each: { name: string }) => each.name)).toEqual(["widgets", "widgets/status"]);
  });

  it("is pruned and defaulted; its status cannot be set on creation", async () => {
    const made = await target.post(
      widgets(),
      widget("a", { size: "small", junk: 1, free: { any: [1] } }, { status: { phase: "x" } }),
    );
    expect(made.code).toBe(201);
    expect(made.body.spec).toEqual({ size: "small", count: 3, free: { any: [1] } });
    expect(made.body.status).toBeUndefined();
    expect(made.body.metadata.generation).toBe(1);
  });

  it("is refused with a cause for each field", async () => {
    const wrong = await target.post(widgets(), widget("b", { size: "medium", count: "x", tags: [1] }));
    expect([wrong.code, wrong.body.reason]).toEqual([422, "Invalid"]);
    const causes = wrong.body.details.causes.map(
      (each: { field: string; reason: string; message: string }) => `${each.field} ${each.reason} ${each.message}`,
    );
    expect(causes.sort()).toEqual([
      'spec.count FieldValueTypeInvalid Invalid value: "string": spec.count in body must be of type integer: "string"',
      'spec.size FieldValueNotSupported Unsupported value: "medium": supported values: "small", "big"',
      'spec.tags[0] FieldValueTypeInvalid Invalid value: "integer": spec.tags[0] in body must be of type string: "integer"',
    ]);
    const absent = await target.post(widgets(), widget("b", { count: 0 }));
    expect(
      absent.body.details.causes
        .map((each: { field: string; message: string }) => `${each.field} ${each.message}`)
        .sort(),
    ).toEqual([
      "spec.count Invalid value: 0: spec.count in body should be greater than or equal to 1",
      "spec.size Required value",
    ]);
  });

  it("has a status of its own that raises no generation", async () => {
    await target.post(widgets(), widget("s", { size: "small" }));
    const path = target.at(apiVersion, "widgets", "s");
    const status = await target.patch(`${path}/status?fieldManager=stanch`, "merge", {
      status: { phase: "Done" },
      spec: { size: "big" },
    });
    expect([status.body.status, status.body.spec.size, status.body.metadata.generation]).toEqual([
      { phase: "Done" },
      "small",
      1,
    ]);
    const entry = status.body.metadata.managedFields.find((each: { manager: string }) => each.manager === "stanch");
    expect(timeless(entry)).toMatchObject({
      operation: "Update",
      subresource: "status",
      fieldsV1: { "f:status": { "f:phase": {} } },
    });
    const spec = await target.patch(path, "merge", { status: { phase: "Nope" }, spec: { size: "big" } });
    expect([spec.body.status, spec.body.spec.size, spec.body.metadata.generation]).toEqual([
      { phase: "Done" },
      "big",
      2,
    ]);
    const stale = await target.put(`${path}/status`, { ...status.body, status: { phase: "Late" } });
    expect([stale.code, stale.body.reason]).toEqual([409, "Conflict"]);
    const wrong = await target.patch(`${path}/status`, "json", [{ op: "replace", path: "/status/phase", value: 3 }]);
    expect([wrong.code, wrong.body.details.causes[0].field]).toEqual([422, "status.phase"]);
  });

  it("knows no strategic merge", async () => {
    await target.post(widgets(), widget("m", { size: "small" }));
    const response = await target.patch(target.at(apiVersion, "widgets", "m"), "strategic-merge", {});
    expect([response.code, response.body.message]).toEqual([
      415,
      "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    ]);
  });

  it("is deleted with a Status that names it", async () => {
    const made = await target.post(widgets(), widget("d", { size: "small" }));
    const gone = await target.remove(target.at(apiVersion, "widgets", "d"));
    expect(gone.body).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "d", group, kind: "widgets", uid: made.body.metadata.uid },
    });
  });

  it("waits for its finalizers", async () => {
    await target.post(widgets(), {
      ...widget("f", { size: "small" }),
      metadata: { name: "f", finalizers: ["stanch.dev/undo"] },
    });
    const path = target.at(apiVersion, "widgets", "f");
    const asked = await target.remove(path);
    expect([asked.code, asked.body.kind]).toEqual([200, "Widget"]);
    expect(asked.body.metadata.deletionTimestamp).toEqual(expect.any(String));
    expect((await target.get(path)).code).toBe(200);
    await target.patch(path, "merge", { metadata: { finalizers: null } });
    expect((await target.get(path)).code).toBe(404);
  });
});
