import { describe, expect, it } from "vitest";
import { effectsOf } from "../../src/review/effects.ts";
import { showEffect } from "../../src/review/show.ts";
import { deployment } from "../action/trees.ts";
import { objects } from "./scene.ts";

const effects = (before: string, after: string) => effectsOf(objects(before), objects(after));
const one = (kind: string, apiVersion: string, rest: string): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: x }\n${rest}\n`;

describe("what a deployment does to objects", () => {
  it("tells what comes, goes, changes, and starts pods anew: worst first", () => {
    const map = (level: string): string => one("ConfigMap", "v1", `data: { level: ${level} }`);
    const said = effects(
      [deployment("a"), map("info"), one("Secret", "v1", "data: {}")].join("---\n"),
      [deployment("a", { memory: "1Gi" }), map("debug"), one("ServiceAccount", "v1", "")].join("---\n"),
    ).effects;
    expect(said.map(({ kind, object, rollout }) => [kind, object.kind, rollout])).toEqual([
      ["deleted", "Secret", false],
      ["changed", "Deployment", true],
      ["changed", "ConfigMap", false],
      ["created", "ServiceAccount", false],
    ]);
  });

  it("does not call a number of replicas a new start", () => {
    const said = effects(deployment("a", { replicas: 2 }), deployment("a", { replicas: 5 })).effects;
    expect(said).toMatchObject([{ kind: "changed", rollout: false }]);
  });

  it.each([
    [
      "a Deployment's selector",
      one("Deployment", "apps/v1", "spec: { selector: { matchLabels: { a: b } } }"),
      one("Deployment", "apps/v1", "spec: { selector: { matchLabels: { a: c } } }"),
    ],
    [
      "a StatefulSet's claims",
      one(
        "StatefulSet",
        "apps/v1",
        "spec: { volumeClaimTemplates: [{ metadata: { name: d }, spec: { storageClassName: a } }] }",
      ),
      one(
        "StatefulSet",
        "apps/v1",
        "spec: { volumeClaimTemplates: [{ metadata: { name: d }, spec: { storageClassName: b } }] }",
      ),
    ],
    [
      "a StatefulSet's service",
      one("StatefulSet", "apps/v1", "spec: { serviceName: a }"),
      one("StatefulSet", "apps/v1", "spec: { serviceName: b }"),
    ],
    [
      "a Job's template",
      one("Job", "batch/v1", "spec: { template: { spec: { containers: [{ name: a, image: b }] } } }"),
      one("Job", "batch/v1", "spec: { template: { spec: { containers: [{ name: a, image: c }] } } }"),
    ],
    [
      "a claim's class",
      one("PersistentVolumeClaim", "v1", "spec: { storageClassName: a }"),
      one("PersistentVolumeClaim", "v1", "spec: { storageClassName: b }"),
    ],
    [
      "a binding's role",
      one("RoleBinding", "rbac.authorization.k8s.io/v1", "roleRef: { name: a }"),
      one("RoleBinding", "rbac.authorization.k8s.io/v1", "roleRef: { name: b }"),
    ],
    [
      "an immutable ConfigMap",
      one("ConfigMap", "v1", "immutable: true\ndata: { a: b }"),
      one("ConfigMap", "v1", "immutable: true\ndata: { a: c }"),
    ],
    ["a Secret's type", one("Secret", "v1", "type: Opaque"), one("Secret", "v1", "type: kubernetes.io/tls")],
    [
      "a StorageClass",
      one("StorageClass", "storage.k8s.io/v1", "parameters: { a: b }"),
      one("StorageClass", "storage.k8s.io/v1", "parameters: { a: c }"),
    ],
  ])("says that %s means a new object", (_, before, after) => {
    expect(effects(before, after).effects).toMatchObject([{ kind: "replaced" }]);
  });

  it.each([
    [
      "a StatefulSet's template",
      one("StatefulSet", "apps/v1", "spec: { template: { spec: { a: 1 } } }"),
      one("StatefulSet", "apps/v1", "spec: { template: { spec: { a: 2 } } }"),
    ],
    [
      "a claim that grows",
      one("PersistentVolumeClaim", "v1", "spec: { resources: { requests: { storage: 1Gi } } }"),
      one("PersistentVolumeClaim", "v1", "spec: { resources: { requests: { storage: 2Gi } } }"),
    ],
    [
      "a CronJob's template",
      one("CronJob", "batch/v1", "spec: { jobTemplate: { spec: { template: { spec: { a: 1 } } } } }"),
      one("CronJob", "batch/v1", "spec: { jobTemplate: { spec: { template: { spec: { a: 2 } } } } }"),
    ],
    [
      "a Job's parallelism",
      one("Job", "batch/v1", "spec: { parallelism: 1 }"),
      one("Job", "batch/v1", "spec: { parallelism: 2 }"),
    ],
    [
      "a bare Pod's image",
      one("Pod", "v1", "spec: { containers: [{ name: a, image: b }] }"),
      one("Pod", "v1", "spec: { containers: [{ name: a, image: c }] }"),
    ],
    ["a ConfigMap", one("ConfigMap", "v1", "data: { a: b }"), one("ConfigMap", "v1", "data: { a: c }")],
  ])("says that %s changes in place", (_, before, after) => {
    expect(effects(before, after).effects).toMatchObject([{ kind: "changed" }]);
  });

  it("keeps generated names and checksums apart", () => {
    const map = (hash: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings-${hash} }\ndata: {}\n`;
    const { effects: said, follows } = effects(map("m2g7k9h4bt"), map("b9c7d8f4gh"));
    expect(said).toEqual([]);
    expect(follows).toEqual(["ConfigMap settings-m2g7k9h4bt is renamed to settings-b9c7d8f4gh"]);
  });

  it("shows no secret that is added within a list or a map, and what is beside it", () => {
    const container = (rest: string): string => `${deployment("a")}${rest}`;
    const shown = (before: string, after: string): string =>
      effects(container(before), container(after)).effects.map(showEffect).join("\n");
    const env = `          env:
            - { name: DB_PASSWORD, value: hunter2hunter }
            - { name: COLOR, value: blue }
            - { name: DB, valueFrom: { secretKeyRef: { name: db, key: password } } }
`;
    expect(shown("", env)).toContain(
      '`[{"name":"DB_PASSWORD","value":"‹redacted›"},{"name":"COLOR","value":"blue"},{"name":"DB","valueFrom":{"secretKeyRef":{"name":"db","key":"password"}}}]`',
    );
    expect(
      shown('          args: ["--verbose"]\n', '          args: ["--password", "hunter2hunter", "x"]\n'),
    ).toContain('`["--verbose"]` → `["--password","‹redacted›","x"]`');
    expect(shown(env, "")).not.toContain("hunter2");
  });

  it("counts fields that are too many to show", () => {
    const data = (value: string): string =>
      one("ConfigMap", "v1", `data: { ${Array.from({ length: 20 }, (_, n) => `k${n}: ${value}`).join(", ")} }`);
    const [effect] = effects(data("a"), data("b")).effects;
    if (effect === undefined) throw new Error("nothing changes");
    expect(showEffect(effect).split("\n")).toHaveLength(14);
    expect(showEffect(effect)).toContain("*and 8 more fields*");
  });
});
