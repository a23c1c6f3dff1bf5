import { getAt } from "../kube/field-path.ts";
import { bytesOf } from "../kube/quantity.ts";
import { referencesTo } from "../kube/references.ts";
import type { Change, FieldPath, Finding, Json, KubeObject, Symptom, SymptomKind } from "../model.ts";
import { isForService } from "./behind-service.ts";
import { isDeployed, mayStopSync } from "./deployed-fields.ts";
import { placeOf } from "./place.ts";
import { isScaleBack } from "./scale-back.ts";
import { isTold } from "./told-fields.ts";

/** Fields that may bring a symptom about, most telling first: a later tier counts only where an earlier one is silent. */
interface Tier {
  /** Fields of the container that shows the symptom. */
  readonly container?: readonly string[];
  /** Fields of any container. */
  readonly any?: readonly string[];
  /** Fields of the pod spec. */
  readonly pod?: readonly string[];
  /** Data of ConfigMaps that the template refers to. */
  readonly configData?: boolean;
}

const PROBES = ["livenessProbe", "readinessProbe", "startupProbe", "ports"];
/** What a process is started with. */
const START = [
  "command",
  "args",
  "env",
  "envFrom",
  "workingDir",
  "image",
  "volumeMounts",
  "volumeDevices",
  "lifecycle",
];
/** Whom a program is, and what it is told of itself and of others. */
const ACCOUNT = ["serviceAccountName", "automountServiceAccountToken", "enableServiceLinks"];
const DNS = ["dnsPolicy", "dnsConfig", "hostAliases", "hostNetwork"];
const PLACEMENT =
  "nodeSelector affinity tolerations topologySpreadConstraints schedulerName nodeName priorityClassName runtimeClassName volumes hostNetwork".split(
    " ",
  );
const ADMISSION =
  "securityContext serviceAccountName automountServiceAccountToken volumes hostNetwork hostPID hostIPC priorityClassName runtimeClassName".split(
    " ",
  );

const SERVING: readonly Tier[] = [
  { container: PROBES },
  { container: [...START, ""], pod: ["volumes", ...DNS], configData: true },
  { container: ["resources", "securityContext"], pod: ["securityContext", ...ACCOUNT, "initContainers"] },
];

const TIERS: Readonly<Record<SymptomKind, readonly Tier[]>> = {
  ImagePull: [
    { container: ["image", "imagePullPolicy"] },
    { pod: ["imagePullSecrets", "serviceAccountName"], container: [""] },
  ],
  OOMKilled: [
    { container: ["resources"] },
    { container: ["args", "command", "env", "envFrom"], configData: true },
    { container: ["image"] },
  ],
  CrashLoop: [
    { container: [...START, ""], any: [""], pod: ["volumes", ...ACCOUNT, ...DNS], configData: true },
    { container: ["securityContext", "resources"], pod: ["securityContext"] },
  ],
  InitWaiting: [{ container: ["command", "args", "env"], configData: true }],
  LivenessKill: SERVING,
  NotReady: SERVING,
  RolloutStuck: [
    {
      any: [...START, ...PROBES, "resources", "securityContext", ""],
      pod: [...PLACEMENT, ...ADMISSION, ...DNS, "imagePullSecrets"],
      configData: true,
    },
  ],
  PodsRefused: [{ any: ["securityContext", "resources", "ports", "volumeMounts", ""], pod: ADMISSION }],
  Unschedulable: [{ any: ["resources", "ports"], pod: PLACEMENT }],
  ConfigMissing: [{ any: ["env", "envFrom", "volumeMounts"], pod: ["volumes"], configData: true }],
  // These are about fields of other objects.
  ClaimPending: [],
  NoEndpoints: [],
  WrongPort: [],
  BrokenRoute: [],
  ManifestRefused: [],
  // Only the very fields that the symptom names (told-fields.ts).
  CutOff: [{ any: ["env", "args", "command"], pod: DNS, configData: true }],
  Complains: [{ container: ["env", "args", "command"], pod: DNS, configData: true }],
  SyncFailed: [],
  // A share of a request can only be measured where there is one.
  ScalingInactive: [{ any: ["resources"] }],
};

/**
 * Those of the changes that may take a symptom away, and no others: the failing container's own fields where they suffice,
 * never labels, replicas or another object's business. `workload` is the live object of the finding.
 */
export function relevantChanges(changes: readonly Change[], finding: Finding, workload: KubeObject | null): Change[] {
  const { symptom, container } = finding;
  if (symptom.kind === "ConfigMissing")
    return changes.filter((change) => isMissingReference(change, symptom, workload));
  const others = changes.filter(
    (change) =>
      (isOwnField(change.object.kind, change.path, symptom.kind) && !isOtherDeadline(change, finding)) ||
      isForService(change, finding, workload) ||
      isScaleBack(change, finding),
  );
  if (symptom.kind === "SyncFailed") return others.filter((change) => mayStopSync(change, symptom.message));
  const told = changes.filter((change) => isTold(change, finding));
  for (const tier of TIERS[symptom.kind]) {
    const found = told.filter((change) => inTier(change.object.kind, change.path, tier, container));
    const helpful = symptom.kind === "OOMKilled" ? memoryRaises(found) : found;
    if (helpful.length > 0) return [...helpful, ...others];
  }
  return others;
}

/** A Job's deadline matters only where the Job says that it was missed. */
function isOtherDeadline({ object, path }: Change, { evidence }: Finding): boolean {
  const missed = evidence.some(({ kind, text }) => kind === "status" && /^Job failed: DeadlineExceeded/.test(text));
  return object.kind === "Job" && path.at(-1) === "activeDeadlineSeconds" && !missed;
}

/** May a field of such an object be restored for such a symptom (null: for any)? The allow-list of plans and guards. */
export function isRestorable(kind: string, path: FieldPath, symptom: SymptomKind | null): boolean {
  const symptoms = symptom === null ? (Object.keys(TIERS) as SymptomKind[]) : [symptom];
  return symptoms.some(
    (name) => isOwnField(kind, path, name) || TIERS[name].some((tier) => inTier(kind, path, tier, undefined)),
  );
}

/** In a pod template or in a ConfigMap. `container` undefined: any. */
function inTier(kind: string, path: FieldPath, tier: Tier, container: string | undefined): boolean {
  if (kind === "ConfigMap") return tier.configData === true && isData(path);
  const place = placeOf(kind, path);
  if (place === null) return false;
  if (place.container === undefined) return tier.pod?.includes(place.field) === true;
  const own = container === undefined || place.container === container;
  if (tier.any?.includes(place.field) === true) return place.field !== "" || place.init === true || own;
  return own && tier.container?.includes(place.field) === true;
}

const SCALES = ["scaleTargetRef", "metrics", "minReplicas", "maxReplicas"];
const CLAIM_FIELDS = ["storageClassName", "resources", "accessModes", "volumeName", "volumeMode", "selector"];

/** Fields of objects that are no workloads, and claim templates. */
function isOwnField(kind: string, path: FieldPath, symptom: SymptomKind): boolean {
  const [top, field] = path;
  if (top !== "spec" || typeof field !== "string") return false;
  if (kind === "Job" && symptom === "CrashLoop") return field === "activeDeadlineSeconds" && path.length === 2;
  if (symptom === "SyncFailed") return isDeployed(kind, field);
  if (symptom === "ScalingInactive") return kind === "HorizontalPodAutoscaler" && SCALES.includes(field);
  if (kind === "Ingress") return symptom === "BrokenRoute" && isRoute(path);
  if (kind === "Service")
    return (
      (symptom === "NoEndpoints" || symptom === "WrongPort" || symptom === "CutOff") &&
      (field === "selector" || field === "ports")
    );
  if (symptom !== "ClaimPending" && symptom !== "Unschedulable") return false;
  if (kind === "PersistentVolumeClaim") return CLAIM_FIELDS.includes(field);
  return kind === "StatefulSet" && field === "volumeClaimTemplates";
}

/** Where an Ingress sends to, and its class; never which hosts and paths it takes. */
function isRoute(path: FieldPath): boolean {
  return (
    path[1] === "ingressClassName" || path[1] === "defaultBackend" || (path[1] === "rules" && path.includes("backend"))
  );
}

function isData(path: FieldPath): boolean {
  return path.length === 2 && (path[0] === "data" || path[0] === "binaryData") && typeof path[1] === "string";
}

/** Is the change about the very reference that does not resolve? */
function isMissingReference({ object, path }: Change, symptom: Symptom, workload: KubeObject | null): boolean {
  if (symptom.kind !== "ConfigMissing") return false;
  const { refKind, name, key } = symptom;
  if (object.kind === "ConfigMap")
    return refKind === "ConfigMap" && isData(path) && (key === undefined || path[1] === key);
  if (
    workload === null ||
    object.kind !== workload.kind ||
    object.name !== workload.metadata.name ||
    placeOf(object.kind, path) === null
  )
    return false;
  const places = referencesTo(workload, refKind, name, key).flatMap((at) => [
    at.path,
    ...(at.keyPath === undefined ? [] : [at.keyPath]),
  ]);
  return places.some((at) => startsWith(at, path) || startsWith(path, at));
}

/** Against a kill for memory: resources count only where the limit rises or goes, and then only what is about memory. */
function memoryRaises(changes: readonly Change[]): Change[] {
  const isResources = (change: Change): boolean => placeOf(change.object.kind, change.path)?.field === "resources";
  const memory = changes.filter((change) => !isResources(change) || touchesMemory(change));
  return memory.every(isResources) && !memory.some(raisesLimit) ? [] : memory;
}

function touchesMemory({ path, from, to }: Change): boolean {
  if (path.includes("memory")) return true;
  return [from, to].some((value) => JSON.stringify(value ?? null).includes('"memory"'));
}

function raisesLimit({ path, from, to }: Change): boolean {
  const at = path.indexOf("resources");
  const below = path.slice(at + 1);
  const before = bytesOf(getAt(wrapped(from, below), ["limits", "memory"]));
  const after = bytesOf(getAt(wrapped(to, below), ["limits", "memory"]));
  return before !== null && (after === null || after > before);
}

/** A value as it stands below `resources`. */
function wrapped(value: Json | undefined, below: FieldPath): Json | undefined {
  return below.toReversed().reduce<Json | undefined>((inner, step) => ({ [String(step)]: inner ?? null }), value);
}

function startsWith(path: FieldPath, start: FieldPath): boolean {
  return (
    start.length <= path.length && start.every((step, index) => JSON.stringify(step) === JSON.stringify(path[index]))
  );
}
