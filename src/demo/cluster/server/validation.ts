import type { KubeObject } from "../../../model.ts";
import type { PodOwner, PodSpec, Tree } from "../shapes.ts";
import { isTree, same } from "../shapes.ts";
import type { Cause } from "./api-error.ts";
import { validateSchema } from "./custom-schema.ts";
import type { Kind } from "./kinds.ts";
import { required, unsupported, validatePodSpec, validatePodUpdate, wrong } from "./pod-validation.ts";
import { matchesSelector } from "./selectors.ts";

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const STATEFUL_SET_UPDATE =
  "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
const STATEFUL_SET_FREE = new Set(
  "replicas ordinals template updateStrategy revisionHistoryLimit persistentVolumeClaimRetentionPolicy minReadySeconds".split(
    " ",
  ),
);

/** Everything that is wrong with an object that is about to be stored; `before` is absent for a new one. */
export function validate(kind: Kind, object: KubeObject, before: KubeObject | undefined, resize = false): Cause[] {
  const causes: Cause[] = [];
  const { name } = object.metadata;
  if (name === undefined || name === "") causes.push(required("metadata.name", "name or generateName is required"));
  else if (!SUBDOMAIN.test(name) && !kind.group.startsWith("rbac"))
    causes.push(wrong("metadata.name", name, SUBDOMAIN_TEXT));
  if (kind.schema !== undefined) return [...causes, ...validateSchema(object, kind.schema)];
  const spec = isTree(object.spec) ? object.spec : {};
  const old = isTree(before?.spec) ? before.spec : undefined;
  switch (kind.kind) {
    case "Pod":
      causes.push(...validatePodSpec(spec as unknown as PodSpec, "spec"));
      if (old !== undefined)
        causes.push(...validatePodUpdate(old as unknown as PodSpec, spec as unknown as PodSpec, resize));
      break;
    case "Deployment":
    case "ReplicaSet":
    case "StatefulSet":
    case "DaemonSet":
      causes.push(...validatePodOwner(object as PodOwner, before as PodOwner | undefined));
      break;
    case "Job":
      causes.push(...validateJob(spec, old, ""));
      break;
    case "CronJob":
      if (typeof spec.schedule !== "string" || spec.schedule === "") causes.push(required("spec.schedule"));
      causes.push(
        ...validateJob(
          isTree(spec.jobTemplate) && isTree(spec.jobTemplate.spec) ? spec.jobTemplate.spec : {},
          undefined,
          "spec.jobTemplate.",
        ),
      );
      break;
    case "Service":
      if (
        spec.clusterIP !== "None" &&
        spec.type !== "ExternalName" &&
        !(Array.isArray(spec.ports) && spec.ports.length > 0)
      )
        causes.push(required("spec.ports"));
      break;
    case "HorizontalPodAutoscaler":
      if (Number(spec.maxReplicas) < Number(spec.minReplicas))
        causes.push(wrong("spec.maxReplicas", spec.maxReplicas, "must be greater than or equal to `minReplicas`"));
      break;
    case "PersistentVolumeClaim":
      if (
        old !== undefined &&
        !same({ ...spec, resources: 0, volumeName: 0 }, { ...old, resources: 0, volumeName: 0 })
      ) {
        causes.push({
          reason: "FieldValueForbidden",
          field: "spec",
          message:
            "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
        });
      }
      break;
    case "ConfigMap":
    case "Secret":
      causes.push(...validateImmutable(object, before));
      break;
  }
  return causes;
}

function validatePodOwner(object: PodOwner, before: PodOwner | undefined): Cause[] {
  const { spec } = object;
  const causes: Cause[] = [];
  if ((spec.replicas ?? 0) < 0)
    causes.push(wrong("spec.replicas", spec.replicas, "must be greater than or equal to 0"));
  const labels = spec.template?.metadata?.labels ?? {};
  if (spec.selector === undefined) causes.push(required("spec.selector"));
  else if (!matchesSelector(spec.selector, labels))
    causes.push(wrong("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"));
  causes.push(...validatePodSpec(spec.template?.spec, "spec.template.spec"));
  const policy = spec.template?.spec?.restartPolicy;
  if (policy !== undefined && policy !== "Always")
    causes.push(unsupported("spec.template.spec.restartPolicy", policy, ["Always"]));
  if (before === undefined) return causes;
  if (object.kind === "StatefulSet") {
    const fixed = (of: PodOwner): unknown =>
      Object.fromEntries(Object.entries(of.spec).filter(([key]) => !STATEFUL_SET_FREE.has(key)));
    if (!same(fixed(object), fixed(before)))
      causes.push({ reason: "FieldValueForbidden", message: STATEFUL_SET_UPDATE, field: "spec" });
  } else if (!same(spec.selector, before.spec.selector))
    causes.push(wrong("spec.selector", spec.selector, "field is immutable"));
  return causes;
}

function validateJob(spec: Tree, before: Tree | undefined, prefix: string): Cause[] {
  const template = isTree(spec.template) ? spec.template : {};
  const podSpec = template.spec as PodSpec | undefined;
  const at = `${prefix}spec.template.spec`;
  const causes = validatePodSpec(podSpec, at);
  const policy = podSpec?.restartPolicy;
  if (policy === undefined || policy === "Always")
    causes.push(unsupported(`${at}.restartPolicy`, policy ?? "", ["OnFailure", "Never"]));
  if (before !== undefined && !same(template, before.template))
    causes.push(wrong("spec.template", spec.template, "field is immutable"));
  return causes;
}

function validateImmutable(object: KubeObject, before: KubeObject | undefined): Cause[] {
  if (before?.immutable !== true || same(object.data, before.data)) return [];
  return [
    { reason: "FieldValueForbidden", field: "data", message: "Forbidden: field is immutable when `immutable` is set" },
  ];
}
