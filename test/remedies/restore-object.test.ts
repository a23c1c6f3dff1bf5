import { describe, expect, it } from "vitest";
import { keyOf } from "../../src/kube/ref.ts";
import type { KubeObject, Symptom } from "../../src/model.ts";
import { ago, workload } from "../detectors/snapshot-builder.ts";
import { helps, refuses, tried, type World } from "./remedy-context.ts";

const SETTINGS = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "settings" };
const before: KubeObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings", namespace: "shop" },
  data: { level: "info" },
};
const commit = { sha: "c0ffee1234567", author: "Sam", email: "sam@example.com", at: ago("1h"), subject: "Tidy up" };
const missing: Symptom = {
  kind: "ConfigMissing",
  refKind: "ConfigMap",
  name: "settings",
  message: 'configmap "settings" not found',
};

/** What names the ConfigMap, a claim and an account. */
const needs = workload({
  container: { envFrom: [{ configMapRef: { name: "settings" } }] },
  podSpec: {
    serviceAccountName: "cart",
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
  },
});

function world(over: Partial<World> = {}): World {
  return { workload: needs, symptom: missing, removed: { [keyOf(SETTINGS)]: { commit, before } }, ...over };
}

describe("restore-object", () => {
  it("puts a ConfigMap back that a commit removed, in Git only", async () => {
    expect(await helps("restore-object", world())).toMatchObject({
      title: "put back ConfigMap shop/settings, which c0ffee1 removed",
      changes: [{ object: SETTINGS, path: [], to: before }],
      gitOnly: "ConfigMap shop/settings is made by what deploys Git",
      reason: 'ConfigMap shop/settings is not in the cluster; commit c0ffee1 ("Tidy up") took it out of Git.',
    });
  });

  it("and a claim that a pod waits for", async () => {
    const ref = { ...SETTINGS, kind: "PersistentVolumeClaim", name: "data" };
    const claim = { ...before, kind: "PersistentVolumeClaim", metadata: { name: "data", namespace: "shop" } };
    const symptom: Symptom = { kind: "Unschedulable", message: 'persistentvolumeclaim "data" not found.' };
    expect(
      await helps(
        "restore-object",
        world({ symptom, container: null, removed: { [keyOf(ref)]: { commit, before: claim } } }),
      ),
    ).toMatchObject({ changes: [{ object: ref, path: [], to: claim }] });
  });

  it("and an account, by the name that the template has, not by what an event says", async () => {
    const named = (name: string): World => {
      const account = { ...before, kind: "ServiceAccount", metadata: { name, namespace: "shop" } };
      const symptom: Symptom = { kind: "PodsRefused", message: `serviceaccount "${name}" not found` };
      const ref = { ...SETTINGS, kind: "ServiceAccount", name };
      return world({ symptom, container: null, removed: { [keyOf(ref)]: { commit, before: account } } });
    };
    expect((await helps("restore-object", named("cart"))).title).toMatch(/ServiceAccount shop\/cart/);
    expect(await refuses("restore-object", named("admin"))).toMatch(/no object is missing/);
  });

  it.each([
    ["it is there by now", { live: [before] }, /no object is missing/],
    ["Git's workload does without it", { declared: [workload().object] }, /does not need .*any more: deploy it/],
    ["a Secret is never put back", { symptom: { ...missing, refKind: "Secret" as const } }, /no object is missing/],
    ["a key is no object", { symptom: { ...missing, key: "level" } }, /no object is missing/],
    [
      "Git never had it",
      { removed: {} },
      /never had ConfigMap shop\/settings. A person must create it, or correct the reference/,
    ],
    [
      "the commit is too old",
      { removed: { [keyOf(SETTINGS)]: { commit: { ...commit, at: ago("400h") }, before } } },
      /never had/,
    ],
    [
      "it is too large for an incident",
      { removed: { [keyOf(SETTINGS)]: { commit, before: { ...before, data: { all: "x".repeat(70_000) } } } } },
      /too large to be put back by rule/,
    ],
  ])("%s", async (_, over, sentence) => {
    expect(await refuses("restore-object", world(over))).toMatch(sentence);
  });

  it.each([
    ["another name", { ...before, metadata: { name: "other", namespace: "shop" } }],
    ["another namespace", { ...before, metadata: { name: "settings", namespace: "bank" } }],
    ["another kind", { ...before, kind: "Secret" }],
    ["a role", { ...before, apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role" }],
    ["no object", {}],
  ])("parameters that name %s change nothing", async (_, object) => {
    expect(await tried("restore-object", { commit: commit.sha, object: object as never }, world())).toBe(
      "it is not the object that is missing",
    );
  });
});
