import { describe, expect, it } from "vitest";
import { Config } from "../../src/config/schema.ts";
import { scalingInactive, syncFailed } from "../../src/detectors/failing.ts";
import { failureOf, scaleTarget } from "../../src/kube/failing.ts";
import { healthOf } from "../../src/kube/health.ts";
import { refOf } from "../../src/kube/ref.ts";
import type { FailingState, KubeObject, Snapshot } from "../../src/model.ts";
import { detect } from "../../src/steps/detect.ts";
import { ago, snapshot } from "./snapshot-builder.ts";

const settings = Config.parse({}).detect;
const API: Readonly<Record<string, string>> = {
  HorizontalPodAutoscaler: "autoscaling/v2",
  Application: "argoproj.io/v1alpha1",
  HelmRelease: "helm.toolkit.fluxcd.io/v2",
  Kustomization: "kustomize.toolkit.fluxcd.io/v1",
  GitRepository: "source.toolkit.fluxcd.io/v1",
  OCIRepository: "source.toolkit.fluxcd.io/v1",
  HelmRepository: "source.toolkit.fluxcd.io/v1",
};

function object(kind: string, conditions: readonly object[], spec: object = {}): KubeObject {
  return {
    apiVersion: API[kind] ?? "v1",
    kind,
    metadata: { name: "web", namespace: "shop", creationTimestamp: ago("1h") },
    spec,
    status: { conditions },
  };
}

/** As observe sees them: only what says that it fails. */
function seen(...objects: readonly KubeObject[]): Snapshot {
  const failing = objects.flatMap((it): FailingState[] => {
    const failure = failureOf(it);
    return failure === null ? [] : [{ ref: refOf(it), object: it, ...failure }];
  });
  return snapshot([], { failing });
}

const inactive = {
  type: "ScalingActive",
  status: "False",
  reason: "FailedGetResourceMetric",
  message: "missing request for cpu in container api of Pod api-1",
  lastTransitionTime: ago("10m"),
};
const hpa = (...conditions: object[]): KubeObject =>
  object("HorizontalPodAutoscaler", conditions, {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "api" },
  });
const broken = {
  type: "Ready",
  status: "False",
  reason: "BuildFailed",
  message: "path not found",
  lastTransitionTime: ago("10m"),
};

describe("an autoscaler", () => {
  it("that has nothing to measure against is a finding", () => {
    expect(detect(seen(hpa(inactive)), settings)).toMatchObject([
      {
        detector: "scaling-inactive",
        workload: { kind: "HorizontalPodAutoscaler", namespace: "shop", name: "web" },
        symptom: { kind: "ScalingInactive", message: "missing request for cpu in container api of Pod api-1" },
        since: ago("10m"),
      },
    ]);
    expect(scaleTarget(hpa())).toEqual({ apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "api" });
  });

  it("that was made a moment ago is waited for", () => {
    const [finding] = scalingInactive.detect(seen(hpa({ ...inactive, lastTransitionTime: ago("1m") })), settings);
    expect(finding?.unripe).toBe("It says so since 60s; it counts after 5m.");
  });

  it.each([
    ["scales", { type: "ScalingActive", status: "True", reason: "ValidMetricFound" }],
    ["rests because its target was scaled to zero", { ...inactive, reason: "ScalingDisabled" }],
    ["waits before it scales down", { type: "AbleToScale", status: "False", reason: "BackoffDownscale" }],
  ])("that %s is well", (_, condition) => {
    expect(detect(seen(hpa(condition)), settings)).toEqual([]);
    expect(healthOf(hpa(condition)).status).not.toBe("Failed");
  });

  it("without a target of that name is a finding, and not healthy", () => {
    const lost = hpa({
      type: "AbleToScale",
      status: "False",
      reason: "FailedGetScale",
      message: 'deployments.apps "apii" not found',
    });
    expect(detect(seen(lost), settings)).toMatchObject([{ symptom: { message: 'deployments.apps "apii" not found' } }]);
    expect(healthOf(lost)).toMatchObject({ status: "Failed", message: 'deployments.apps "apii" not found' });
  });
});

describe("a GitOps object", () => {
  it.each([
    ["Application", { type: "ComparisonError", message: "app path does not exist", lastTransitionTime: ago("10m") }],
    ["HelmRelease", broken],
    ["Kustomization", broken],
    ["Kustomization", { ...broken, reason: "DependencyNotReady", message: "dependency 'shop/db' not found" }],
    ["GitRepository", { ...broken, reason: "GitOperationFailed" }],
    ["OCIRepository", { ...broken, reason: "OCIArtifactPullFailed" }],
    ["HelmRepository", { ...broken, reason: "Failed" }],
  ])("%s that cannot deploy is a finding, and not healthy", (kind, condition) => {
    const it = object(kind, [condition]);
    expect(detect(seen(it), settings)).toMatchObject([
      { detector: "sync-failed", workload: { kind }, symptom: { kind: "SyncFailed", message: condition.message } },
    ]);
    expect(healthOf(it).status).toBe("Failed");
  });

  it.each([
    ["Application", [{ type: "SharedResourceWarning", message: "shared" }], {}],
    ["HelmRelease", [{ ...broken, reason: "DependencyNotReady" }], {}],
    ["Kustomization", [{ ...broken, reason: "Progressing" }], {}],
    ["Kustomization", [broken], { suspend: true }],
    ["HelmRelease", [{ type: "Ready", status: "True", reason: "UpgradeSucceeded" }], {}],
  ])("%s that warns, waits, is suspended or is ready is left alone (%j)", (kind, conditions, spec) => {
    expect(syncFailed.detect(seen(object(kind, conditions, spec)), settings)).toEqual([]);
  });

  const named = (it: KubeObject, name: string): KubeObject => ({ ...it, metadata: { ...it.metadata, name } });
  it.each([
    ["Kustomization", "GitRepository", { sourceRef: { kind: "GitRepository", name: "shop" } }],
    ["Kustomization", "OCIRepository", { sourceRef: { kind: "OCIRepository", name: "shop", namespace: "shop" } }],
    ["HelmRelease", "HelmRepository", { chart: { spec: { sourceRef: { kind: "HelmRepository", name: "shop" } } } }],
    ["HelmRelease", "OCIRepository", { chartRef: { kind: "OCIRepository", name: "shop" } }],
  ])("%s whose %s fails is no fault of its own", (kind, of, spec) => {
    const dependent = object(kind, [broken], spec);
    const source = object(of, [broken]);
    expect(detect(seen(dependent, named(source, "shop")), settings).map(({ workload }) => workload.kind)).toEqual([of]);
    // Of another name it is none of its business.
    expect(detect(seen(dependent, named(source, "other")), settings)).toHaveLength(2);
  });
});
