import { describe, expect, it } from "vitest";
import { configMissing } from "../../src/detectors/config-missing.ts";
import { missingReferences } from "../../src/detectors/missing-reference.ts";
import type { ConfigInventory } from "../../src/model.ts";
import {
  ago,
  container,
  event,
  pod,
  rollingOut,
  settings,
  snapshot,
  type WorkloadSpec,
  workload,
} from "./snapshot-builder.ts";

describe("missingReferences", () => {
  it.each([
    ['configmap "settings" not found', [{ kind: "ConfigMap", name: "settings" }]],
    ['secret "login" not found', [{ kind: "Secret", name: "login" }]],
    ["couldn't find key zz in ConfigMap shop/settings", [{ kind: "ConfigMap", name: "settings", key: "zz" }]],
    ["couldn't find key new.feature in Secret shop/login", [{ kind: "Secret", name: "login", key: "new.feature" }]],
    [
      'MountVolume.SetUp failed for volume "v" : configmap "nope" not found',
      [{ kind: "ConfigMap", name: "nope", volume: "v" }],
    ],
    [
      'MountVolume.SetUp failed for volume "v" : configmap references non-existent config key: zz',
      [{ kind: "ConfigMap", key: "zz", volume: "v" }],
    ],
    [
      'MountVolume.SetUp failed for volume "v" : [references non-existent secret key: zz, configmap "nope3" not found]',
      [
        { kind: "ConfigMap", name: "nope3", volume: "v" },
        { kind: "Secret", key: "zz", volume: "v" },
      ],
    ],
    [
      'MountVolume.SetUp failed for volume "kube-api-access-x" : failed to fetch token: serviceaccounts "robot" not found',
      [],
    ],
    ['MountVolume.SetUp failed for volume "v" : object "shop"/"settings" not registered', []],
    ["container has runAsNonRoot and image will run as root", []],
    ['storageclass.storage.k8s.io "nope" not found', []],
  ])("%s", (message, expected) => expect(missingReferences(message)).toEqual(expected));
});

const ENV = { env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "settings", key: "zz" } } }] };

function status(message: string, over: WorkloadSpec & { readonly inventory?: ConfigInventory } = {}) {
  const { inventory, ...rest } = over;
  const waiting = pod({
    phase: "Pending",
    createdAt: ago("5s"),
    containers: [container({ waiting: { reason: "CreateContainerConfigError", message } })],
  });
  return configMissing.detect(
    snapshot(
      [workload({ container: ENV, pods: [waiting], ...rest })],
      inventory === undefined ? {} : { configs: { shop: inventory } },
    ),
    settings,
  );
}

function mount(message: string, over: WorkloadSpec & { readonly count?: number; readonly age?: string } = {}) {
  const { count = 3, age = "2m", ...rest } = over;
  const creating = pod({
    phase: "Pending",
    createdAt: ago(age),
    containers: [container({ waiting: { reason: "ContainerCreating", message: "" } })],
  });
  return configMissing.detect(
    snapshot([
      workload({
        podSpec: VOLUMES,
        container: { volumeMounts: [{ name: "v", mountPath: "/v" }] },
        pods: [creating],
        events: [event("FailedMount", message, { count })],
        ...rest,
      }),
    ]),
    settings,
  );
}

const VOLUMES = {
  volumes: [
    { name: "other", configMap: { name: "decoy", items: [{ key: "zz", path: "zz" }] } },
    { name: "v", configMap: { name: "settings", items: [{ key: "zz", path: "zz" }] } },
  ],
};

describe("config-missing", () => {
  it.each([
    ['configmap "settings" not found', { refKind: "ConfigMap", name: "settings" }],
    ['secret "login" not found', { refKind: "Secret", name: "login" }],
    ["couldn't find key zz in ConfigMap shop/settings", { refKind: "ConfigMap", name: "settings", key: "zz" }],
    ["couldn't find key zz in Secret shop/login", { refKind: "Secret", name: "login", key: "zz" }],
  ])("reads %s, ripe at once on a young rollout", (message, symptom) => {
    const [finding, ...rest] = status(message, { status: rollingOut });
    expect(rest).toEqual([]);
    expect(finding?.symptom).toEqual({ kind: "ConfigMissing", message, ...symptom });
    expect(finding).toMatchObject({ container: "app", pods: 1 });
    expect(finding?.unripe).toBeUndefined();
  });

  it("does not report what has come in the meantime", () => {
    const message = "couldn't find key zz in ConfigMap shop/settings";
    expect(status(message, { inventory: { configMaps: { settings: ["zz"] }, secrets: null } })).toEqual([]);
    expect(status(message, { inventory: { configMaps: { settings: ["yy"] }, secrets: null } })).toHaveLength(1);
    expect(
      status('configmap "settings" not found', { inventory: { configMaps: { settings: [] }, secrets: null } }),
    ).toEqual([]);
    expect(status('secret "login" not found', { inventory: { configMaps: {}, secrets: { login: null } } })).toEqual([]);
    expect(
      status("couldn't find key zz in Secret shop/login", { inventory: { configMaps: {}, secrets: { login: null } } }),
    ).toHaveLength(1);
    expect(status('secret "login" not found', { inventory: { configMaps: {}, secrets: null } })).toHaveLength(1);
  });

  it("reads a mount that fails, and finds the object of a key through the volume", () => {
    expect(mount('MountVolume.SetUp failed for volume "v" : configmap "settings" not found')[0]).toMatchObject({
      container: "app",
      symptom: { refKind: "ConfigMap", name: "settings" },
    });
    const [finding] = mount(
      'MountVolume.SetUp failed for volume "v" : configmap references non-existent config key: zz',
    );
    expect(finding).toMatchObject({ container: "app", symptom: { refKind: "ConfigMap", name: "settings", key: "zz" } });
    expect(finding?.unripe).toBeUndefined();
  });

  it("waits for the second try of a mount", () => {
    const message = 'MountVolume.SetUp failed for volume "v" : configmap "settings" not found';
    expect(mount(message, { count: 1, age: "2s" })[0]?.unripe).toContain("tries again");
    expect(mount(message, { count: 1, age: "40s" })[0]?.unripe).toBeUndefined();
  });

  it("names everything that is missing in one finding", () => {
    const podSpec = {
      volumes: [
        {
          name: "v",
          projected: {
            sources: [
              { secret: { name: "login", items: [{ key: "zz", path: "zz" }] } },
              { configMap: { name: "nope" } },
            ],
          },
        },
      ],
    };
    const found = mount(
      'MountVolume.SetUp failed for volume "v" : [references non-existent secret key: zz, configmap "nope" not found]',
      { podSpec },
    );
    expect(found).toHaveLength(1);
    expect(found[0]?.summary).toContain("ConfigMap nope");
    expect(found[0]?.summary).toContain("Secret login (key zz)");
  });

  it.each([
    "container has runAsNonRoot and image will run as root",
    "failed to sync configmap cache: timed out waiting for the condition",
  ])("says nothing of %s", (message) => expect(status(message)).toEqual([]));

  it("says nothing of a mount that succeeded in the end, or fails for another reason", () => {
    expect(
      mount('MountVolume.SetUp failed for volume "v" : configmap "settings" not found', { pods: [pod()] }),
    ).toEqual([]);
    expect(mount('MountVolume.SetUp failed for volume "v" : rpc error: code = Internal')).toEqual([]);
  });
});
