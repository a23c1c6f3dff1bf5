import { type PullCause, pullCause } from "../kube/pull-failure.ts";
import type { EventState, Finding, Workload } from "../model.ts";
import type { Detector } from "./detector.ts";
import { containerFact, eventFact, plainText } from "./evidence.ts";
import { makeFinding } from "./finding.ts";
import { byContainer, eventsOn, type Hit, podCount, subjectPods } from "./subject.ts";

const REASONS = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "ImageInspectError",
  "RegistryUnavailable",
  "SignatureValidationFailed",
]);
/** Refused pulls after which a pull secret that is only late can be ruled out. */
const REFUSALS = 2;

interface PullHit extends Hit {
  readonly cause: PullCause | null;
  readonly message: string;
  readonly pulls: number;
  readonly events: readonly EventState[];
}

/** An image that cannot be pulled. What is missing is told from what is refused and from what may pass. */
export const imagePull: Detector = {
  id: "image-pull",
  summary: "A container's image cannot be pulled.",
  detect(snapshot, settings) {
    const now = Date.parse(snapshot.takenAt);
    return snapshot.workloads.flatMap((workload) => {
      const hits = subjectPods(workload).flatMap((pod) =>
        pod.containers
          .filter((container) => REASONS.has(container.waiting?.reason ?? ""))
          .map((container) => readHit({ pod, container }, eventsOn(workload, pod, now, settings.recent * 4))),
      );
      return [...byContainer(hits)].map(([name, group]) =>
        finding(workload, name, group, {
          threshold: settings.transientPulls,
          patience: settings.pending,
          takenAt: snapshot.takenAt,
        }),
      );
    });
  },
};

/** The cause stands in one message of several: the status when it says it, else the newest event that does. */
function readHit(hit: Hit, events: readonly EventState[]): PullHit {
  const { waiting, image } = hit.container;
  const about = events.filter((event) => event.message.includes(`"${image}"`));
  const pulls = about.filter((event) => event.reason === "Failed" && event.message.startsWith("Failed to pull image"));
  const count = pulls.reduce((sum, event) => sum + event.count, 0);
  const status = waiting?.message ?? "";
  for (const message of [status, ...about.map((event) => event.message)]) {
    const cause =
      waiting?.reason === "InvalidImageName" || waiting?.reason === "ErrImageNeverPull"
        ? "terminal"
        : pullCause(message);
    if (cause !== null) return { ...hit, cause, message, pulls: count, events: about };
  }
  return { ...hit, cause: null, message: status || `${waiting?.reason ?? "not pulled"}`, pulls: count, events: about };
}

function finding(
  workload: Workload,
  name: string,
  hits: readonly PullHit[],
  when: { threshold: number; patience: number; takenAt: string },
): Finding {
  // One pod that knows the cause speaks for those that only wait.
  const first =
    ["terminal", "authentication", "transient"].flatMap((cause) => hits.find((hit) => hit.cause === cause) ?? [])[0] ??
    hits[0];
  const cause = first?.cause ?? "transient";
  const image = first?.container.image ?? "";
  const pulls = Math.max(0, ...hits.map((hit) => hit.pulls));
  const message = plainText(first?.message ?? "");
  const why = {
    terminal: "does not exist or cannot be used",
    authentication: "may not be pulled",
    transient: "could not be pulled",
  }[cause];
  return makeFinding(
    {
      detector: imagePull.id,
      workload: workload.ref,
      container: name,
      symptom: { kind: "ImagePull", cause, image, message, init: first?.container.init ?? false },
      summary: `Image ${image} of container ${name} ${why}.`,
      facts: [
        { kind: "status", text: message },
        ...hits.slice(0, 2).flatMap((hit) => [
          ...hit.events
            .filter((event) => event.reason === "Failed")
            .slice(0, 2)
            .map(eventFact),
          containerFact(hit.pod, hit.container),
        ]),
        { kind: "spec", text: `Container ${name} asks for image ${image}.` },
      ],
      since: hits.flatMap((hit) => [hit.pod.createdAt, ...hit.events.map((event) => event.firstSeen)]),
      pods: podCount(hits),
      // Without events, which expire, time tells as much as a count.
      unripe: hits.some((hit) => Date.parse(when.takenAt) - Date.parse(hit.pod.createdAt) > when.patience)
        ? undefined
        : unripe(cause, pulls, when.threshold, first?.cause === null),
    },
    when.takenAt,
  );
}

function unripe(cause: PullCause, pulls: number, threshold: number, unknown: boolean): string | undefined {
  if (cause === "terminal") return undefined;
  if (cause === "authentication")
    return pulls >= REFUSALS
      ? undefined
      : `The registry refused the pull ${pulls} time${pulls === 1 ? "" : "s"}; a pull secret may be on its way.`;
  if (pulls >= threshold) return undefined;
  return unknown
    ? "No message tells yet why the image cannot be pulled."
    : `The pull failed ${pulls} of ${threshold} times for a reason that may pass.`;
}
