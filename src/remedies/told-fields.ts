import { complaintsOf } from "../kube/complaint.ts";
import { formatPath } from "../kube/field-path.ts";
import { sameRef } from "../kube/ref.ts";
import { unresolvedIn } from "../kube/unresolved.ts";
import type { Change, FieldPath, Finding, Json, SymptomKind } from "../model.ts";
import { placeOf } from "./place.ts";
import { unresolvedHosts } from "./unresolved-hosts.ts";

/** What the API server's and the scheduler's own words are about, as fields of containers and pod specs. */
const TOLD: Partial<Record<SymptomKind, readonly (readonly [RegExp, readonly string[]])[]>> = {
  PodsRefused: [
    [/exceeded quota|failed quota|(?:maximum|minimum) \S+ usage per|limit to request ratio/, ["resources"]],
    [
      /violates PodSecurity/,
      ["securityContext", "hostNetwork", "hostPID", "hostIPC", "volumes", "ports", "volumeMounts"],
    ],
    [/serviceaccount "[^"]*" not found/, ["serviceAccountName"]],
    [/no PriorityClass with name/, ["priorityClassName"]],
    [/RuntimeClass/, ["runtimeClassName"]],
  ],
  RolloutStuck: [
    [/MountVolume|mount(?:ing)? (?:failed|volumes?)|hostPath type check|AttachVolume/, ["volumes", "volumeMounts"]],
  ],
  Unschedulable: [
    [
      /Insufficient |Too many pods/,
      ["resources", "nodeSelector", "affinity", "tolerations", "topologySpreadConstraints"],
    ],
    [/node affinity|node selector|didn't match PersistentVolume/, ["nodeSelector", "affinity", "volumes"]],
    [/taint/, ["tolerations", "nodeSelector", "affinity"]],
    [/free ports/, ["ports", "hostNetwork", "nodeSelector", "affinity"]],
    [/asks for scheduler/, ["schedulerName"]],
    [/topology spread/, ["topologySpreadConstraints"]],
    [/anti-affinity|affinity rules/, ["affinity"]],
    [/persistentvolumeclaim|volume/i, ["volumes", "nodeSelector", "affinity"]],
  ],
};

/**
 * Does what the symptom says speak of the change? True where its words are not known: narrowing needs a reason. A commit that broke
 * one thing often changed another beside it, which is then no business of the fix.
 */
export function isTold(change: Change, finding: Finding): boolean {
  if (finding.symptom.kind === "Complains") return isComplainedOf(change, finding);
  if (finding.symptom.kind === "CutOff") return isLost(change, finding);
  return isNamed(change, finding) && !isOffTopic(change, finding);
}

/** What is cut off lies in fields that are told one by one, or in none of these. */
function isLost({ object, path }: Change, { symptom, workload }: Finding): boolean {
  if (symptom.kind !== "CutOff" || !sameRef(object, workload)) return false;
  return symptom.fields?.includes(formatPath(path)) === true;
}

/** Of what only a log tells, nothing is believed that it does not name. */
function isComplainedOf(change: Change, { evidence }: Finding): boolean {
  const lines = evidence.filter(({ kind }) => kind === "log").map(({ text }) => text);
  if (DNS.includes(placeOf(change.object.kind, change.path)?.field ?? "")) return unresolvedIn(lines).length > 0;
  return complaintsOf(change, lines).length > 0;
}

const DNS = ["dnsPolicy", "dnsConfig", "hostAliases", "hostNetwork"];

function isNamed({ object, path }: Change, { symptom }: Finding): boolean {
  const place = placeOf(object.kind, path);
  const message = "message" in symptom ? (symptom.message ?? "") : "";
  const told = (TOLD[symptom.kind] ?? []).filter(([words]) => words.test(message));
  // A container that came along asks for resources, ports and all the rest.
  return (
    told.length === 0 || place === null || place.field === "" || told.some(([, fields]) => fields.includes(place.field))
  );
}

const ENDS: ReadonlySet<SymptomKind> = new Set(["CrashLoop", "NotReady", "LivenessKill"]);
/** Fields from which no host's name comes. */
const NAMELESS = new Set(["resources", "securityContext", "livenessProbe", "readinessProbe", "startupProbe", "ports"]);
const TEXTS = new Set(["env", "args", "command"]);

/**
 * The program says which host it cannot resolve, and the change is a text that has nothing of it: another host, or none. What the log
 * mentions, and what was taken away, is believed to matter all the same.
 */
function isOffTopic({ object, path, from, to }: Change, finding: Finding): boolean {
  const waits = finding.symptom.kind === "InitWaiting";
  if (!waits && !ENDS.has(finding.symptom.kind)) return false;
  const hosts = unresolvedHosts(finding);
  // What only takes its time may be at work: without its own word nothing is at fault.
  if (hosts.length === 0) return waits;
  const place = placeOf(object.kind, path);
  if (place !== null && NAMELESS.has(place.field)) return true;
  if (!(object.kind === "ConfigMap" || (place !== null && TEXTS.has(place.field)))) return false;
  const text = textOf(from);
  if (text === null) return waits;
  if (waits) return to === undefined || !hosts.some((host) => text.includes(labelOf(host)));
  // What is switched on may ask for hosts of its own.
  if (TOGGLE.test(text)) return false;
  const said = saidBy(finding);
  return !(
    hosts.some(
      (host) =>
        text.includes(labelOf(host)) || (text.length >= 3 && host.includes(text)) || host.split(/[._-]/).includes(text),
    ) ||
    (text.length >= 3 && said.includes(text)) ||
    namesOf(path).some((name) => said.includes(name))
  );
}

const TOGGLE = /^(?:true|false|yes|no|on|off|enabled?|disabled?|[01])$/;

function labelOf(host: string): string {
  return host.split(".")[0] ?? host;
}

/** A literal; null for one that stands elsewhere (a reference) or was not set. */
function textOf(value: Json | undefined): string | null {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return String(value).toLowerCase();
  if (value === undefined || value === null) return null;
  const text = JSON.stringify(value);
  return text.includes('"valueFrom"') ? null : text.toLowerCase();
}

function saidBy({ evidence, symptom }: Finding): string {
  const message = "message" in symptom ? (symptom.message ?? "") : "";
  return [message, ...evidence.filter(({ kind }) => kind === "log").map(({ text }) => text)].join("\n").toLowerCase();
}

/** The variable's name, or the key of a ConfigMap. */
function namesOf(path: FieldPath): string[] {
  const at = path.indexOf("env");
  const step = at < 0 ? undefined : path[at + 1];
  if (typeof step === "object") return [String(step.value).toLowerCase()];
  return path[0] === "data" && typeof path[1] === "string" ? [path[1].toLowerCase()] : [];
}
