import { formatDuration } from "../config/duration.ts";
import { timeOf } from "../kube/fields.ts";
import type { Detector } from "./detector.ts";
import { programText } from "./evidence.ts";
import { makeFinding } from "./finding.ts";

/**
 * A program that runs and is ready, and whose log says again and again that something is wrong which a recent commit changed. A
 * program that starts complains of much: it counts when it still does so after `detect.pending`.
 */
export const complains: Detector = {
  id: "complains",
  summary: "A program that runs complains in its log of what a recent commit changed.",
  detect(snapshot, settings) {
    const now = Date.parse(snapshot.takenAt);
    return snapshot.complaints.map(({ ref, container, lines, since }) => {
      const message = programText(lines.at(-1) ?? "");
      const ran = now - (timeOf(since) ?? now);
      return makeFinding(
        {
          detector: complains.id,
          workload: ref,
          container,
          symptom: { kind: "Complains", message },
          summary: `Container ${container} runs, and complains: ${message}`,
          facts: lines.slice(-3).map((text) => ({ kind: "log" as const, text: programText(text) })),
          since: [since],
          pods: 1,
          unripe:
            ran >= settings.pending
              ? undefined
              : `It runs since ${formatDuration(ran)}; what it says counts after ${formatDuration(settings.pending)}.`,
        },
        snapshot.takenAt,
      );
    });
  },
};
