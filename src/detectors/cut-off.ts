import type { Detector } from "./detector.ts";
import { makeFinding } from "./finding.ts";

/** A Service, NetworkPolicy or workload in which a recent commit took away what a declared client still asks for. */
export const cutOff: Detector = {
  id: "cut-off",
  summary:
    "A recent commit took a Service, its port, its pods (scaled to zero beside other work) or a way through a NetworkPolicy from a client that still asks for it.",
  detect: (snapshot) =>
    snapshot.cutOffs.map(({ ref, message, commit }) =>
      makeFinding(
        {
          detector: cutOff.id,
          workload: ref,
          symptom: { kind: "CutOff", message },
          summary: message,
          facts: [{ kind: "spec", text: message, at: commit.at }],
          since: [commit.at],
          pods: 0,
        },
        snapshot.takenAt,
      ),
    ),
};
