import { renderDelta } from "../gitops/render-delta.ts";
import { hasHashedName } from "../gitops/rendered.ts";
import { formatPath } from "../kube/field-path.ts";
import { flagAt } from "../kube/fields.ts";
import { groupOf, keyOf } from "../kube/ref.ts";
import { templatePath } from "../kube/template.ts";
import type { Change, FieldPath, KubeObject } from "../model.ts";
import type { Effect } from "./model.ts";

/**
 * What deploying the second render over the first does, object by object: worst first. What a renderer changes by itself (names of
 * generated objects, checksums) is kept apart.
 */
export function effectsOf(
  before: readonly KubeObject[],
  after: readonly KubeObject[],
): { readonly effects: readonly Effect[]; readonly follows: readonly string[] } {
  const { changes, allowed } = renderDelta(before, after);
  const groups = Map.groupBy(changes, ({ object }) => keyOf(object));
  const effects = [...groups.values()].map((group) => effectOf(group, before));
  return { effects: effects.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind)), follows: allowed };
}

const ORDER: readonly Effect["kind"][] = ["deleted", "replaced", "changed", "created"];

function effectOf(changes: readonly Change[], before: readonly KubeObject[]): Effect {
  const [first] = changes as readonly [Change];
  const { object } = first;
  const whole = changes.find(({ path }) => path.length === 0);
  if (whole !== undefined) {
    const kind = whole.to === undefined ? "deleted" : "created";
    return { object, kind, changes: [], rollout: false };
  }
  const was = before.find(
    ({ kind, metadata }) =>
      kind === object.kind && metadata.name === object.name && (metadata.namespace ?? "") === object.namespace,
  );
  const fixed = changes.find((change) => isFixed(change, was));
  const rollout = changes.some(({ path }) => isTemplate(object.kind, path));
  return fixed === undefined
    ? { object, kind: "changed", changes, rollout }
    : { object, kind: "replaced", changes, because: formatPath(fixed.path), rollout: true };
}

/** Fields of a StatefulSet that may change; all others of its spec may not (apps/validation, ValidateStatefulSetUpdate). */
const STATEFUL_SET = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
];
/** Of a Job: everything that makes its pods is fixed (batch/validation, ValidateJobUpdate). */
const JOB = ["selector", "template", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy"];
const STORAGE_CLASS = ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"];

/** Is it a field that the API server does not let anybody change in an object that exists? */
export function isFixed({ object: { kind, apiVersion }, path }: Change, was: KubeObject | undefined): boolean {
  const [top, second] = path;
  const group = groupOf(apiVersion);
  if (hasHashedName(kind) && group === "") {
    if (flagAt(was, "immutable") && ["data", "binaryData", "stringData", "immutable"].includes(String(top)))
      return true;
    return kind === "Secret" && top === "type";
  }
  if (kind === "StorageClass") return STORAGE_CLASS.includes(String(top));
  if (group === "rbac.authorization.k8s.io" && kind.endsWith("Binding")) return top === "roleRef";
  if (top !== "spec") return false;
  switch (`${group}/${kind}`) {
    case "apps/Deployment":
    case "apps/DaemonSet":
    case "apps/ReplicaSet":
      return second === "selector";
    case "apps/StatefulSet":
      return !STATEFUL_SET.includes(String(second));
    case "batch/Job":
      return JOB.includes(String(second));
    case "/PersistentVolumeClaim":
      return second !== "resources" && second !== "volumeAttributesClassName";
    case "/Pod":
      return !isPodField(path);
    case "/Service":
      return second === "clusterIP";
    default:
      return false;
  }
}

/** What may change in a pod that runs: images, deadlines, more tolerations. */
function isPodField(path: FieldPath): boolean {
  if (path[1] === "activeDeadlineSeconds" || path[1] === "tolerations") return true;
  return (path[1] === "containers" || path[1] === "initContainers") && path[3] === "image";
}

/** Does a change of this field start pods anew? */
function isTemplate(kind: string, path: FieldPath): boolean {
  if (!["Deployment", "StatefulSet", "DaemonSet"].includes(kind)) return false;
  const template = templatePath(kind);
  return template?.every((step, index) => path[index] === step) === true;
}
