import { describe, expect, it } from "vitest";
import { fieldAllowList } from "../../src/guards/field-allow-list.ts";
import type { Change, FieldPath, Json, ObjectRef, Plan } from "../../src/model.ts";
import { CART, change, context, plan } from "./plan-builder.ts";

const APP: FieldPath = ["spec", "template", "spec", "containers", { by: "name", value: "app" }];
const POD: FieldPath = ["spec", "template", "spec"];

function verdictOn(path: FieldPath, from?: Json, to?: Json, object: ObjectRef = CART) {
  const one = { object, path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  return fieldAllowList.check(plan({ changes: [one] }), context());
}

const INGRESS: ObjectRef = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", namespace: "shop", name: "shop" };

describe("kinds that are never changed", () => {
  it.each(
    "Secret Role RoleBinding ClusterRole ClusterRoleBinding NetworkPolicy Namespace Node ReplicaSet PodDisruptionBudget AppProject Bucket ResourceQuota LimitRange ValidatingWebhookConfiguration CustomResourceDefinition".split(
      " ",
    ),
  )("%s", (kind) => {
    expect(verdictOn(["data", "x"], "a", "b", { ...CART, apiVersion: "v1", kind })).toMatchObject({
      decision: "refuse",
      rule: "field-allow-list",
      reason: `a ${kind} is never changed`,
    });
  });
});

describe("what workloads may do", () => {
  const ROLE: ObjectRef = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", namespace: "shop", name: "cart" };
  const RULES: FieldPath = ["rules"];
  const choice = { remedy: "restore-policy", params: {}, reason: "", evidence: [] };
  const rule = (...verbs: readonly string[]) => [{ apiGroups: [""], resources: ["pods"], verbs: [...verbs] }];
  const verdict = (over: Partial<Change>, chosen: Plan["choice"] = choice) =>
    fieldAllowList.check(
      plan({
        choice: chosen,
        changes: [{ object: ROLE, path: RULES, from: rule("get"), to: rule("get", "list"), ...over }],
      }),
      context(),
    );

  it("goes back to what it was by the rule for it", () => expect(verdict({})).toBeNull());

  it.each<[string, Partial<Change>, Plan["choice"]?]>([
    ["by another remedy", {}, { ...choice, remedy: "restore-from-git" }],
    ["by a model", {}, { ...choice, by: "model" }],
    ["in its labels", { path: ["metadata", "labels", "app"], from: "a", to: "b" }],
    ["as a whole", { path: [] }],
    ["to everything", { to: rule("*") }],
    ["to rights of others", { to: rule("impersonate") }],
    ["to Secrets", { to: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }] }],
    ["to other programs", { to: [{ apiGroups: [""], resources: ["pods/exec"], verbs: ["create"] }] }],
    ["to rights", { to: [{ apiGroups: ["*"], resources: ["clusterroles"], verbs: ["get"] }] }],
  ])("never %s", (_, over, chosen) => {
    expect(verdict(over, chosen ?? choice)).toMatchObject({ decision: "refuse", rule: "field-allow-list" });
  });

  it("keeps what it already gives", () => {
    const from = [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }, ...rule("get")];
    expect(verdict({ from, to: [...from.slice(0, 1), ...rule("get", "list")] })).toBeNull();
  });
});

describe("fields that are never changed", () => {
  it.each<[string, FieldPath, ObjectRef?]>([
    ["replicas", ["spec", "replicas"]],
    ["the selector", ["spec", "selector", "matchLabels", "app"]],
    ["labels", ["metadata", "labels", "app"]],
    ["annotations", ["metadata", "annotations", "stanch.dev/ignore"]],
    ["finalizers", ["metadata", "finalizers"]],
    ["the template's labels", ["spec", "template", "metadata", "labels", "app"]],
    ["the whole pod spec", POD],
    ["the whole list of containers", [...POD, "containers"]],
    ["a container by its position", [...POD, "containers", 0, "image"]],
    ["status", ["status", "replicas"]],
    ["everything", []],
    ["a field of a prototype", ["__proto__", "polluted"]],
    ["an Ingress's host", ["spec", "rules", 0, "host"], INGRESS],
    ["an Ingress's certificate", ["spec", "tls", 0, "secretName"], INGRESS],
    ["a rule of an Ingress as a whole", ["spec", "rules", 0], INGRESS],
    ["an annotation of an Ingress", ["metadata", "annotations", "nginx.ingress.kubernetes.io/auth-url"], INGRESS],
    ["a Service's type", ["spec", "type"], { apiVersion: "v1", kind: "Service", namespace: "shop", name: "cart" }],
    [
      "a ConfigMap's immutability",
      ["immutable"],
      { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "settings" },
    ],
  ])("%s", (_, path, object) => {
    expect(verdictOn(path, "a", "b", object)).toMatchObject({ decision: "refuse", rule: "field-allow-list" });
  });

  it("one of many is enough", () => {
    const replicas = change({ path: ["spec", "replicas"], from: 1, to: 0 });
    expect(fieldAllowList.check(plan({ changes: [change(), replicas] }), context())).toMatchObject({
      reason: "spec.replicas of a Deployment is no field that Stanch changes",
    });
  });
});

describe("security is never loosened", () => {
  it.each<[string, FieldPath, Json | undefined, Json | undefined]>([
    ["privileged", [...APP, "securityContext", "privileged"], false, true],
    ["privileged, with the whole context", [...APP, "securityContext"], {}, { privileged: true }],
    ["privilege escalation", [...APP, "securityContext", "allowPrivilegeEscalation"], false, true],
    ["the host's network", [...POD, "hostNetwork"], undefined, true],
    ["the host's processes", [...POD, "hostPID"], false, true],
    ["root", [...APP, "securityContext", "runAsUser"], 1000, 0],
    ["root allowed", [...APP, "securityContext", "runAsNonRoot"], true, false],
    ["a writable file system", [...APP, "securityContext", "readOnlyRootFilesystem"], true, false],
    ["a capability", [...APP, "securityContext", "capabilities", "add"], undefined, ["SYS_ADMIN"]],
    ["no context any more", [...POD, "securityContext"], { runAsNonRoot: true }, undefined],
    [
      "no context any more that also restricted",
      [...APP, "securityContext"],
      { privileged: true, runAsUser: 1000 },
      undefined,
    ],
    [
      "capabilities of which some were dropped",
      [...APP, "securityContext", "capabilities"],
      { add: ["A"], drop: ["ALL"] },
      undefined,
    ],
    ["a context of which nothing is known", [...APP, "securityContext"], {}, undefined],
    ["a restriction that goes", [...APP, "securityContext", "runAsNonRoot"], true, undefined],
    ["a privileged container", APP, undefined, { name: "app", image: "x", securityContext: { privileged: true } }],
    ["root allowed, with the whole context", [...APP, "securityContext"], {}, { runAsNonRoot: false }],
    ["root, with the whole context", [...APP, "securityContext"], { runAsUser: 1000 }, { runAsUser: 0 }],
    ["a restriction that the whole context loses", [...POD, "securityContext"], { runAsNonRoot: true }, { fsGroup: 1 }],
    ["a capability, with the whole context", [...APP, "securityContext"], {}, { capabilities: { add: ["NET_ADMIN"] } }],
    ["a folder of the host", [...POD, "volumes"], [], [{ name: "h", hostPath: { path: "/" } }]],
    [
      "one folder of the host among others",
      [...POD, "volumes", { by: "name", value: "h" }],
      undefined,
      { name: "h", hostPath: { path: "/var/run/docker.sock" } },
    ],
  ])("%s", (_, path, from, to) => {
    expect(verdictOn(path, from, to)).toMatchObject({
      decision: "refuse",
      reason: expect.stringMatching(/would loosen security; a person must decide$/),
    });
  });

  it.each<[string, FieldPath, Json | undefined, Json | undefined]>([
    ["an image", [...APP, "image"], "app:2", "app:1"],
    ["privileged taken away", [...APP, "securityContext", "privileged"], true, false],
    ["a context that only allowed, and goes", [...APP, "securityContext"], { privileged: true }, undefined],
    ["privileged that was not set before", [...APP, "securityContext", "privileged"], true, undefined],
    [
      "capabilities that were not added before",
      [...APP, "securityContext", "capabilities"],
      { add: ["SYS_ADMIN"] },
      undefined,
    ],
    ["root taken away", [...APP, "securityContext", "runAsUser"], 0, 1000],
    ["a context that gets stricter", [...APP, "securityContext"], { privileged: true }, { runAsNonRoot: true }],
    ["a volume of a ConfigMap", [...POD, "volumes"], [], [{ name: "c", configMap: { name: "c" } }]],
  ])("%s passes", (_, path, from, to) => expect(verdictOn(path, from, to)).toBeNull());
});

describe("what remedies correct passes, and nothing beside it", () => {
  const SERVICE: ObjectRef = { apiVersion: "v1", kind: "Service", namespace: "shop", name: "cart" };
  const CLAIM: ObjectRef = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "shop", name: "data" };
  const SET: ObjectRef = { ...CART, kind: "StatefulSet" };
  it.each<[string, FieldPath, ObjectRef]>([
    ["a probe's path", [...APP, "livenessProbe", "httpGet", "path"], CART],
    ["a variable's value", [...APP, "env", { by: "name", value: "DB_HOST" }, "value"], CART],
    ["a Service's selector", ["spec", "selector", "app"], SERVICE],
    ["a claim's class", ["spec", "storageClassName"], CLAIM],
    ["a claim template's class", ["spec", "volumeClaimTemplates", 0, "spec", "storageClassName"], SET],
    ["a node selector", [...POD, "nodeSelector", "pool"], CART],
  ])("%s", (_, path, object) => expect(verdictOn(path, "a", "b", object)).toBeNull());

  it.each<[string, FieldPath, ObjectRef]>([
    ["the host outside that a Service is", ["spec", "externalName"], SERVICE],
    ["addresses outside", ["spec", "externalIPs"], SERVICE],
    ["who may reach it", ["spec", "loadBalancerSourceRanges"], SERVICE],
    ["a Service's labels", ["metadata", "labels", "app"], SERVICE],
    ["what a claim copies", ["spec", "dataSource"], CLAIM],
    ["a claim's annotations", ["metadata", "annotations", "volume.beta.kubernetes.io/storage-class"], CLAIM],
    [
      "a class itself",
      ["provisioner"],
      { ...CLAIM, apiVersion: "storage.k8s.io/v1", kind: "StorageClass", namespace: "" },
    ],
    ["a node's labels", ["metadata", "labels", "pool"], { ...CLAIM, kind: "Node", namespace: "" }],
    ["what a claim is kept by", ["spec", "persistentVolumeClaimRetentionPolicy"], SET],
  ])("%s", (_, path, object) =>
    expect(verdictOn(path, "a", "b", object)).toMatchObject({ decision: "refuse", rule: "field-allow-list" }),
  );
});

describe("a rollout rests", () => {
  const CRON: ObjectRef = { apiVersion: "batch/v1", kind: "CronJob", namespace: "shop", name: "cart" };
  const contains = { template: "0123456789abcdef", pods: [] };
  const rest = (object: ObjectRef, path: FieldPath, from: Json | undefined, to: Json, over: object = { contains }) =>
    fieldAllowList.check(
      plan({ changes: [{ object, path, ...(from === undefined ? {} : { from }), to }], ...over }),
      context(),
    );

  it("to contain a fault", () => {
    expect(rest(CART, ["spec", "paused"], undefined, true)).toBeNull();
    expect(rest(CRON, ["spec", "suspend"], false, true)).toBeNull();
  });

  it.each<[string, ObjectRef, FieldPath, Json | undefined, Json, object?]>([
    ["for nothing else", CART, ["spec", "paused"], undefined, true, {}],
    ["and is not woken", CART, ["spec", "paused"], true, false],
    ["and no other kind does", { ...CART, kind: "StatefulSet" }, ["spec", "paused"], undefined, true],
    ["and a Job does not", { ...CRON, kind: "Job" }, ["spec", "suspend"], false, true],
    ["and nothing beside it changes", CART, ["spec", "replicas"], 3, 0],
  ])("%s", (_, object, path, from, to, over) =>
    expect(rest(object, path, from, to, over)).toMatchObject({ decision: "refuse", rule: "field-allow-list" }),
  );
});
