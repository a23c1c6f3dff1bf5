import type { KubeObject, ObjectRef } from "../model.ts";
import { type Condition, conditionOf, conditionsOf } from "./conditions.ts";
import { flagAt, listAt, mapAt, textAt } from "./fields.ts";

/** What an object that manages others says of its own failing. */
export interface Failure {
  readonly message: string;
  /** Since when, as far as it says so. */
  readonly since?: string;
}

/** What Flux fetches from. A HelmChart is made by it from a HelmRelease, and a Bucket's contents are nobody's history. */
const FLUX_SOURCES = ["GitRepository", "OCIRepository", "HelmRepository"];

const GITOPS = new Set(["Application", "HelmRelease", "Kustomization", ...FLUX_SOURCES]);

/** Kinds that tell of their own failing in their conditions, and how. */
const FAILURES: Readonly<Record<string, (object: KubeObject) => Failure | null>> = {
  HorizontalPodAutoscaler: scaling,
  Application: application,
  HelmRelease: flux,
  Kustomization: flux,
  ...Object.fromEntries(FLUX_SOURCES.map((kind) => [kind, flux])),
};

/** Why an autoscaler or a GitOps object cannot do its work, in its own words; null: it can, or does not say. */
export function failureOf(object: KubeObject): Failure | null {
  return FAILURES[object.kind]?.(object) ?? null;
}

/** Does a GitOps engine act on this object? What it says is deployed, so it is changed in Git only. */
export function isGitOpsObject(kind: string): boolean {
  return GITOPS.has(kind);
}

/** What a Flux object is made from, by `Kind/namespace/name`; null: it is made from nothing that is named. */
export function fluxSourceOf(object: KubeObject): string | null {
  const named =
    object.kind === "Kustomization"
      ? mapAt(object, "spec", "sourceRef")
      : object.kind === "HelmRelease"
        ? (mapAt(object, "spec", "chartRef") ?? mapAt(object, "spec", "chart", "spec", "sourceRef"))
        : undefined;
  const [kind, name] = [textAt(named, "kind"), textAt(named, "name")];
  if (kind === undefined || name === undefined) return null;
  return `${kind}/${textAt(named, "namespace") ?? object.metadata.namespace ?? ""}/${name}`;
}

/** Whoever may make an autoscaler writes its target: no other kinds are read for it, and Secrets least of all. */
const SCALED = new Set(["Deployment", "StatefulSet", "ReplicaSet"]);

/** What a HorizontalPodAutoscaler scales; null when it does not say, and for kinds of others. */
export function scaleTarget(object: KubeObject): ObjectRef | null {
  const target = mapAt(object, "spec", "scaleTargetRef");
  const [kind, name] = [textAt(target, "kind"), textAt(target, "name")];
  if (object.kind !== "HorizontalPodAutoscaler" || kind === undefined || name === undefined || !SCALED.has(kind))
    return null;
  return {
    apiVersion: "apps/v1",
    kind,
    namespace: object.metadata.namespace ?? "",
    name,
  };
}

/** https://pkg.go.dev/k8s.io/api/autoscaling/v2#HorizontalPodAutoscalerConditionType */
function scaling(object: KubeObject): Failure | null {
  const able = conditionOf(object, "AbleToScale");
  if (able?.status === "False" && able.reason !== "BackoffDownscale" && able.reason !== "BackoffBoth")
    return failure(able);
  const active = conditionOf(object, "ScalingActive");
  // Scaled to zero by a person: the autoscaler rests on purpose.
  return active?.status === "False" && active.reason !== "ScalingDisabled" ? failure(active) : null;
}

/** Argo CD's conditions have no status: one that is there holds. */
function application(object: KubeObject): Failure | null {
  const found = listAt(object, "status", "conditions").find((item) => /Error$/.test(textAt(item, "type") ?? ""));
  const since = textAt(found, "lastTransitionTime");
  return found === undefined
    ? null
    : { message: textAt(found, "message") ?? "it reports an error", ...(since === undefined ? {} : { since }) };
}

/** https://fluxcd.io/flux/components/kustomize/kustomizations/#conditions; the same words for HelmReleases and for sources. */
function flux(object: KubeObject): Failure | null {
  if (flagAt(object, "spec", "suspend")) return null;
  const conditions = conditionsOf(object);
  const ready = conditions.find((condition) => condition.type === "Ready");
  if (ready?.status !== "False") return null;
  // A dependency that is not there is waited for without end.
  const lost = ready.reason === "DependencyNotReady" && /\bdependency\b.*\bnot found\b/.test(ready.message ?? "");
  const waits = /^(Progressing|ProgressingWithRetry|DependencyNotReady|Suspended)$/.test(ready.reason ?? "");
  return waits && !lost ? null : failure(ready);
}

function failure({ message, reason, since }: Condition): Failure {
  return { message: message ?? reason ?? "it does not say why", ...(since === undefined ? {} : { since }) };
}
