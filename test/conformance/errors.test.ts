import { describe, expect, it } from "vitest";
import { BUSYBOX } from "./programs.ts";
import { deployment, useTarget } from "./target.ts";

const target = useTarget("errors");

const paused = (name: string) =>
  deployment(
    name,
    {
      image: BUSYBOX,
      command: ["sleep", "3600"],
      resources: { requests: { memory: "32Mi" }, limits: { memory: "64Mi" } },
    },
    { replicas: 0 },
  );
const map = (name: string, more: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data: { a: "b" },
  ...more,
});
const failure = (code: number, reason: string, message: string, details?: object) => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message,
  reason,
  ...(details === undefined ? {} : { details }),
  code,
});

describe("errors the API server answers with", () => {
  it("names what is not there", async () => {
    const response = await target.get(target.at("apps/v1", "deployments", "nope"));
    expect(response.body).toEqual(
      failure(404, "NotFound", 'deployments.apps "nope" not found', {
        name: "nope",
        group: "apps",
        kind: "deployments",
      }),
    );
    expect(response.code).toBe(404);
  });

  it("tells an unknown resource from an unknown group", async () => {
    const resource = await target.get(target.at("apps/v1", "foos"));
    expect(resource.body).toEqual(failure(404, "NotFound", "the server could not find the requested resource", {}));
    const group = await target.get(target.at("nope.example.com/v1", "foos"));
    expect([group.code, group.text]).toEqual([404, "404 page not found\n"]);
  });

  it("refuses a second object of a name, and a namespace that is not there", async () => {
    await target.make(map("twice"));
    const again = await target.post(target.at("v1", "configmaps"), map("twice"));
    expect(again.body).toEqual(
      failure(409, "AlreadyExists", 'configmaps "twice" already exists', { name: "twice", kind: "configmaps" }),
    );
    const nowhere = await target.post("/api/v1/namespaces/conf-nowhere/configmaps", map("a"));
    expect(nowhere.body).toEqual(
      failure(404, "NotFound", 'namespaces "conf-nowhere" not found', { name: "conf-nowhere", kind: "namespaces" }),
    );
    const other = await target.post(
      target.at("v1", "configmaps"),
      map("b", { metadata: { name: "b", namespace: "elsewhere" } }),
    );
    expect(other.body).toEqual(
      failure(
        400,
        "BadRequest",
        "the namespace of the provided object does not match the namespace sent on the request",
      ),
    );
  });

  it("says that somebody was faster", async () => {
    const made = await target.make(map("raced"));
    const path = target.at("v1", "configmaps", "raced");
    const first = await target.put(path, { ...made, data: { a: "1" } });
    expect(first.code).toBe(200);
    expect(first.body.metadata.resourceVersion).not.toBe(made.metadata.resourceVersion);
    const second = await target.put(path, { ...made, data: { a: "2" } });
    const message =
      'Operation cannot be fulfilled on configmaps "raced": the object has been modified; please apply your changes to the latest version and try again';
    expect(second.body).toEqual(failure(409, "Conflict", message, { name: "raced", kind: "configmaps" }));
    expect((await target.get(path)).body.data).toEqual({ a: "1" });
  });

  it("keeps the resourceVersion when a write changes nothing", async () => {
    const made = await target.make(map("still"));
    const same = await target.put(target.at("v1", "configmaps", "still"), made);
    expect(same.body.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });

  it("refuses a name that is not the path's, and methods that are not served", async () => {
    await target.make(map("named"));
    const renamed = await target.put(target.at("v1", "configmaps", "named"), map("other"));
    expect(renamed.body).toEqual(
      failure(400, "BadRequest", "the name of the object (other) does not match the name on the URL (named)"),
    );
    const method = await target.put(target.at("v1", "configmaps"), map("named"));
    expect(method.body).toEqual(
      failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {}),
    );
  });

  it("lists every cause of invalid content", async () => {
    const bad = { ...deployment("x", {}), metadata: { name: "Bad_Name" } };
    bad.spec.template.metadata.labels = { app: "y" };
    const response = await target.post(target.at("apps/v1", "deployments"), bad);
    expect(response.code).toBe(422);
    expect(response.body.reason).toBe("Invalid");
    expect(response.body.message).toMatch(
      /^Deployment.apps "Bad_Name" is invalid: \[metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain/,
    );
    expect(
      response.body.details.causes.map((cause: { field: string; reason: string }) => [cause.field, cause.reason]),
    ).toEqual([
      ["metadata.name", "FieldValueInvalid"],
      ["spec.template.metadata.labels", "FieldValueInvalid"],
      ["spec.template.spec.containers[0].image", "FieldValueRequired"],
    ]);
  });

  it("keeps a selector as it is", async () => {
    await target.make(paused("selected"));
    const response = await target.patch(target.at("apps/v1", "deployments", "selected"), "merge", {
      spec: { selector: { matchLabels: { app: "x" } } },
    });
    expect(response.code).toBe(422);
    expect(response.body.details.causes).toContainEqual({
      reason: "FieldValueInvalid",
      message: 'Invalid value: {"matchLabels":{"app":"x"}}: field is immutable',
      field: "spec.selector",
    });
  });

  it("compares requests with limits, and reads quantities", async () => {
    await target.make(paused("sized"));
    const path = target.at("apps/v1", "deployments", "sized");
    const limit = (memory: unknown) =>
      target.patch(path, "strategic-merge", {
        spec: { template: { spec: { containers: [{ name: "app", resources: { limits: { memory } } }] } } },
      });
    const low = await limit("8Mi");
    const text =
      'spec.template.spec.containers[0].resources.requests: Invalid value: "32Mi": must be less than or equal to memory limit of 8Mi';
    expect(low.body.message).toBe(`Deployment.apps "sized" is invalid: ${text}`);
    expect(low.body.details).toMatchObject({ name: "sized", group: "apps", kind: "Deployment" });
    const odd = await limit("12Foo");
    expect([odd.code, odd.body.reason, odd.body.details.causes[0].field]).toEqual([422, "Invalid", "patch"]);
    expect(odd.body.message).toMatch(
      /^ "" is invalid: patch: Invalid value: .*quantities must match the regular expression/s,
    );
    const fresh = { ...paused("odd") };
    fresh.spec.template.spec.containers[0].resources.limits.memory = "12Foo";
    const posted = await target.post(target.at("apps/v1", "deployments"), fresh);
    const regular = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    expect(posted.body).toEqual(
      failure(400, "BadRequest", `Deployment in version "v1" cannot be handled as a Deployment: ${regular}`),
    );
  });

  it("knows the types of fields", async () => {
    const wrong = { ...paused("typed") };
    wrong.spec.replicas = "two";
    const response = await target.post(target.at("apps/v1", "deployments"), wrong);
    expect(response.body.message).toBe(
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    );
    expect(response.code).toBe(400);
  });

  it("refuses a mount of no volume, a probe of no kind, a port out of range", async () => {
    const odd = deployment("odd", {
      image: BUSYBOX,
      volumeMounts: [{ name: "no", mountPath: "/no" }],
      livenessProbe: { periodSeconds: 1 },
      ports: [{ containerPort: 70000 }],
    });
    const response = await target.post(target.at("apps/v1", "deployments"), odd);
    const at = "spec.template.spec.containers[0]";
    expect(
      response.body.details.causes
        .map((cause: { field: string; message: string }) => `${cause.field}: ${cause.message}`)
        .sort(),
    ).toEqual([
      `${at}.livenessProbe: Required value: must specify a handler type`,
      `${at}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
      `${at}.volumeMounts[0].name: Not found: "no"`,
    ]);
  });

  it("knows only dryRun=All", async () => {
    const response = await target.post(`${target.at("v1", "configmaps")}?dryRun=Nope`, map("dry"));
    expect(response.body.message).toBe(
      'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Nope"]: supported values: "All"',
    );
    expect(response.code).toBe(422);
  });
});
