import { scaleTarget } from "../kube/failing.ts";
import { textAt } from "../kube/fields.ts";
import { sameRef } from "../kube/ref.ts";
import { referencesOf, referencesTo } from "../kube/references.ts";
import { podSpecOf, podSpecPath } from "../kube/template.ts";
import type { FieldPath, Finding, KubeObject } from "../model.ts";
import type { OtherKind, PlanContext } from "./remedy.ts";

/** A name that stands in the failing object and that nothing in the cluster has. */
export interface Misnamed {
  /** For people: `ServiceAccount`, `pull secret`. */
  readonly what: string;
  readonly wrong: string;
  /** Names of what may be meant. */
  readonly known: readonly string[];
  /** Where the wrong name stands in the object of the finding. */
  readonly places: readonly FieldPath[];
}

type Answer = Misnamed | { readonly reason: string };

const CONSUMERS = ["Deployment", "StatefulSet", "DaemonSet"] as const;

/** Kinds to look through for what the finding's words call not found. */
export function misnamedKinds({ symptom }: Finding): readonly OtherKind[] {
  switch (symptom.kind) {
    case "PodsRefused":
      return ["ServiceAccount", "PriorityClass"];
    case "Unschedulable":
      return ["PersistentVolumeClaim", ...CONSUMERS];
    case "ScalingInactive":
      return ["HorizontalPodAutoscaler", "Deployment", "StatefulSet"];
    default:
      return [];
  }
}

/**
 * The one name that the cluster's own words call not found, which the failing object holds, and which is not there now; or why there
 * is none. Of claims and scaled workloads only those are known that nobody else uses: two writers of one volume, or two autoscalers
 * of one workload, are worse than the typo.
 */
export function misnamedOf(finding: Finding, context: PlanContext): Answer {
  const live = context.live(finding.workload);
  if (live === null) return { reason: "no reference of it is missing" };
  const { symptom } = finding;
  switch (symptom.kind) {
    case "PodsRefused":
      return refused(symptom.message, live, context);
    case "Unschedulable":
      return claim(symptom.message, live, finding, context);
    case "ScalingInactive":
      return target(symptom.message, live, finding, context);
    case "ImagePull":
      return symptom.cause === "authentication" ? pullSecret(live, finding, context) : { reason: "no pull is refused" };
    default:
      return { reason: "no reference of it is missing" };
  }
}

function refused(message: string, live: KubeObject, context: PlanContext): Answer {
  const account = /serviceaccount "([^"\s]+)" not found/.exec(message)?.[1];
  if (account !== undefined) {
    const places = referencesTo(live, "ServiceAccount", account).map(({ path }) => path);
    return among("ServiceAccount", account, places, names("ServiceAccount", live, context));
  }
  const priority = /no PriorityClass with name (\S+) was found/.exec(message)?.[1];
  const path = podSpecPath(live.kind);
  if (priority === undefined || path === null || textAt(podSpecOf(live), "priorityClassName") !== priority)
    return { reason: "its pods are not refused for a name that is missing" };
  return among("PriorityClass", priority, [[...path, "priorityClassName"]], names("PriorityClass", live, context));
}

function claim(message: string, live: KubeObject, finding: Finding, context: PlanContext): Answer {
  const wrong = /persistentvolumeclaim "([^"\s]+)" not found/.exec(message)?.[1];
  if (wrong === undefined) return { reason: "no claim of it is missing" };
  const places = referencesTo(live, "PersistentVolumeClaim", wrong).map(({ path }) => path);
  const lists = CONSUMERS.map((kind) => context.others(kind, finding.workload.namespace));
  if (lists.some((list) => list === null)) return { reason: "who else uses a claim cannot be read" };
  const taken = new Set(
    lists
      .flatMap((list) => list ?? [])
      .filter((other) => other.kind !== live.kind || other.metadata.name !== live.metadata.name)
      .concat(live)
      .flatMap((other) => referencesOf(other))
      .flatMap((reference) => (reference.kind === "PersistentVolumeClaim" ? reference.name : [])),
  );
  const known = names("PersistentVolumeClaim", live, context);
  if (known?.includes(wrong) === true) return { reason: `claim ${wrong} is there by now` };
  return among("PersistentVolumeClaim", wrong, places, known?.filter((name) => !taken.has(name)) ?? null);
}

function target(message: string, live: KubeObject, finding: Finding, context: PlanContext): Answer {
  const ref = scaleTarget(live);
  const kind = ref?.kind === "Deployment" || ref?.kind === "StatefulSet" ? ref.kind : undefined;
  if (ref === null || kind === undefined || !/not found/.test(message)) return { reason: "its target is not missing" };
  const scalers = context.others("HorizontalPodAutoscaler", finding.workload.namespace);
  if (scalers === null) return { reason: "who else scales a workload cannot be read" };
  const known = names(kind, live, context);
  const free = known?.filter(
    (name) => !scalers.some((scaler) => sameRef(scaleTarget(scaler) ?? finding.workload, { ...ref, name })),
  );
  if (known?.includes(ref.name) === true) return { reason: `${kind} ${ref.name} is there by now` };
  return among(kind, ref.name, [["spec", "scaleTargetRef", "name"]], free ?? null);
}

function pullSecret(live: KubeObject, finding: Finding, context: PlanContext): Answer {
  const secrets = context.snapshot.configs[finding.workload.namespace]?.secrets;
  if (secrets === undefined || secrets === null)
    return { reason: "names of Secrets may not be read here (observe.secrets, or a missing right)" };
  const missing = referencesOf(live).filter(({ via, name }) => via === "pull-secret" && !Object.hasOwn(secrets, name));
  const [first, second] = missing;
  if (first === undefined) return { reason: "every pull secret that it names is there" };
  if (second !== undefined) return { reason: "several pull secrets that it names are missing" };
  return among("pull secret", first.name, [first.path], Object.keys(secrets));
}

function names(kind: OtherKind, live: KubeObject, context: PlanContext): readonly string[] | null {
  const namespace = kind === "PriorityClass" ? "" : (live.metadata.namespace ?? "");
  return context.others(kind, namespace)?.map((object) => object.metadata.name) ?? null;
}

function among(what: string, wrong: string, places: readonly FieldPath[], known: readonly string[] | null): Answer {
  if (known === null) return { reason: `names of ${what}s cannot be read here` };
  if (places.length === 0) return { reason: `it does not name ${what} ${wrong}` };
  return known.includes(wrong) ? { reason: `${what} ${wrong} is there by now` } : { what, wrong, known, places };
}
