import { type Reference, referencesOf } from "../kube/references.ts";
import type { ConfigInventory, EventState, Finding, PodState, Workload } from "../model.ts";
import type { Detector } from "./detector.ts";
import { containerFact, eventFact, type Fact, plainText } from "./evidence.ts";
import { makeFinding } from "./finding.ts";
import { type MissingReference, missingReferences } from "./missing-reference.ts";
import { eventsOn, subjectPods } from "./subject.ts";

/** A mount that fails is tried again: an object that is made in the same moment as its pods is there by then. */
const MOUNT_GRACE = 30_000;

interface Missing {
  readonly pod: PodState;
  readonly container: string | undefined;
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
  readonly key: string | undefined;
  readonly message: string;
  readonly facts: readonly Fact[];
  readonly since: readonly string[];
  readonly unripe: string | undefined;
}

/** A ConfigMap or Secret, or a key of one, that a pod needs and that is not there, by the kubelet's own words. */
export const configMissing: Detector = {
  id: "config-missing",
  summary: "A ConfigMap or Secret, or a key of it, that a pod refers to does not exist.",
  detect(snapshot, settings) {
    const now = Date.parse(snapshot.takenAt);
    return snapshot.workloads.flatMap((workload) => {
      const inventory = snapshot.configs[workload.ref.namespace];
      const missing = subjectPods(workload)
        .flatMap((pod) => [
          ...fromStatus(workload, pod, eventsOn(workload, pod, now, settings.recent)),
          ...fromMounts(workload, pod, eventsOn(workload, pod, now, settings.recent), now),
        ])
        // What has come in the meantime heals by itself.
        .filter((item) => !isThere(item, inventory));
      const groups = new Map<string, Missing[]>();
      for (const item of missing) groups.set(item.container ?? "", [...(groups.get(item.container ?? "") ?? []), item]);
      return [...groups.values()].map((group) => finding(workload, group, snapshot.takenAt));
    });
  },
};

function fromStatus(workload: Workload, pod: PodState, events: readonly EventState[]): Missing[] {
  return pod.containers.flatMap((container) => {
    if (container.waiting?.reason !== "CreateContainerConfigError") return [];
    const { message } = container.waiting;
    return missingReferences(message).flatMap((seen): Missing[] => {
      const reference = referencesOf(workload.object).find((at) => at.container === container.name && fits(at, seen));
      const name = seen.name ?? reference?.name;
      if (name === undefined) return [];
      const told = events.filter((event) => event.message.includes(message));
      return [
        {
          pod,
          container: container.name,
          kind: seen.kind,
          name,
          key: seen.key,
          message,
          facts: [containerFact(pod, container), ...told.slice(0, 1).map(eventFact)],
          since: [pod.createdAt, ...told.map((event) => event.firstSeen)],
          unripe: undefined,
        },
      ];
    });
  });
}

function fromMounts(workload: Workload, pod: PodState, events: readonly EventState[], now: number): Missing[] {
  const creating =
    pod.phase === "Pending" &&
    pod.containers.some(
      (container) =>
        container.waiting?.reason === "ContainerCreating" || container.waiting?.reason === "PodInitializing",
    );
  if (!creating) return [];
  return events
    .filter((event) => event.reason === "FailedMount")
    .flatMap((event) =>
      missingReferences(event.message).flatMap((seen): Missing[] => {
        const references = referencesOf(workload.object).filter((at) => at.via === "volume" && fits(at, seen));
        // A projected volume may draw the key from several objects: the one that the template asks for it.
        const reference =
          references.find((at) => seen.volume === undefined || volumeOf(at) === seen.volume) ?? references[0];
        const name = seen.name ?? reference?.name;
        if (name === undefined) return [];
        const young = event.count < 2 && now - Date.parse(pod.createdAt) < MOUNT_GRACE;
        return [
          {
            pod,
            container: reference?.container,
            kind: seen.kind,
            name,
            key: seen.key,
            message: event.message,
            facts: [eventFact(event)],
            since: [event.firstSeen],
            unripe: young ? "The mount failed once; the kubelet tries again at once." : undefined,
          },
        ];
      }),
    );
}

function fits(reference: Reference, seen: MissingReference): boolean {
  return (
    reference.kind === seen.kind &&
    !reference.optional &&
    (seen.name === undefined || reference.name === seen.name) &&
    (seen.key === undefined || reference.key === seen.key)
  );
}

function volumeOf(reference: Reference): string | undefined {
  const at = reference.path.indexOf("volumes");
  const step = at < 0 ? undefined : reference.path[at + 1];
  return typeof step === "object" ? String(step.value) : undefined;
}

/** True only when the names that were read prove it. */
function isThere(item: Missing, inventory: ConfigInventory | undefined): boolean {
  const names = item.kind === "ConfigMap" ? inventory?.configMaps : inventory?.secrets;
  if (names === undefined || names === null || !Object.hasOwn(names, item.name)) return false;
  // The kubelet names a key only when the object itself is there.
  const keys = names[item.name];
  return item.key === undefined || keys?.includes(item.key) === true;
}

function finding(workload: Workload, group: readonly Missing[], takenAt: string): Finding {
  const first = group[0] as Missing;
  const { kind, name, key, message, container } = first;
  const others = new Set(
    group
      .filter((item) => item.name !== name || item.kind !== kind)
      .map((item) => `${item.kind} ${item.name}${item.key === undefined ? "" : ` (key ${item.key})`}`),
  );
  const what = key === undefined ? `${kind} ${name} does not exist` : `${kind} ${name} has no key ${key}`;
  return makeFinding(
    {
      detector: configMissing.id,
      workload: workload.ref,
      container,
      symptom: {
        kind: "ConfigMissing",
        refKind: kind,
        name,
        ...(key === undefined ? {} : { key }),
        message: plainText(message),
      },
      summary: `${what}${container === undefined ? "" : `, and container ${container} needs it`}.${others.size === 0 ? "" : ` Also missing: ${[...others].join(", ")}.`}`,
      facts: [{ kind: "status", text: `Pod ${first.pod.name}: ${message}` }, ...group.flatMap((item) => item.facts)],
      since: group.flatMap((item) => item.since),
      pods: new Set(group.map((item) => item.pod.name)).size,
      unripe: group.every((item) => item.unripe !== undefined) ? first.unripe : undefined,
    },
    takenAt,
  );
}
