import { formatDuration } from "../config/duration.ts";
import { timeOf } from "../kube/fields.ts";
import { containersOf } from "../kube/template.ts";
import type { Finding, Workload } from "../model.ts";
import type { Detector } from "./detector.ts";
import { containerFact } from "./evidence.ts";
import { makeFinding } from "./finding.ts";
import { byContainer, type Hit, podCount, subjectPods } from "./subject.ts";

/**
 * An init container that runs longer than `detect.pending` while its pod waits. It may be at work (a migration), so that the time alone
 * says nothing: remedies ask for its own word that it waits for what is not there.
 */
export const initWaiting: Detector = {
  id: "init-waiting",
  summary: "An init container does not end, and its pod waits for it.",
  detect(snapshot, settings) {
    const now = Date.parse(snapshot.takenAt);
    return snapshot.workloads.flatMap((workload) => {
      // Work that is done once may take its time before it begins.
      if (workload.object.kind === "Job" || workload.object.kind === "CronJob") return [];
      const sidecars = new Set(containersOf(workload.object).flatMap(({ name, sidecar }) => (sidecar ? [name] : [])));
      const hits = subjectPods(workload).flatMap((pod): Hit[] =>
        pod.phase !== "Pending"
          ? []
          : pod.containers
              .filter(({ init, running, name }) => init && running !== undefined && !sidecars.has(name))
              .map((container) => ({ pod, container })),
      );
      return [...byContainer(hits)].map(([name, group]) =>
        finding(workload, name, group, { now, patience: settings.pending, takenAt: snapshot.takenAt }),
      );
    });
  },
};

function finding(
  workload: Workload,
  name: string,
  hits: readonly Hit[],
  look: { now: number; patience: number; takenAt: string },
): Finding {
  const starts = hits.map(({ container }) => timeOf(container.running?.startedAt) ?? look.now);
  const waited = look.now - Math.min(...starts);
  const message = `Init container ${name} runs and does not end.`;
  return makeFinding(
    {
      detector: initWaiting.id,
      workload: workload.ref,
      container: name,
      symptom: { kind: "InitWaiting", message },
      summary: `Init container ${name} does not end, and ${podCount(hits) === 1 ? "its pod waits" : `${podCount(hits)} pods wait`} for it.`,
      facts: hits.slice(0, 2).map(({ pod, container }) => containerFact(pod, container)),
      since: hits.map(({ container }) => container.running?.startedAt),
      pods: podCount(hits),
      unripe:
        waited >= look.patience
          ? undefined
          : `It runs since ${formatDuration(waited)}; it counts after ${formatDuration(look.patience)}.`,
    },
    look.takenAt,
  );
}
