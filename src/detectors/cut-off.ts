import type { Detector } from "./detector.ts";
import { makeFinding } from "./finding.ts";

/** An object in which a recent commit took away what a declared client still asks for, or turned the client away from it. */
export const cutOff: Detector = {
  id: "cut-off",
  summary:
    "A recent commit took a Service, its port, its pods (scaled to zero beside other work), a way through a NetworkPolicy or a right from who still needs it, or pointed a client to an address or name servers where nothing answers.",
  detect: (snapshot) =>
    snapshot.cutOffs.map(({ ref, message, commit, fields }) =>
      makeFinding(
        {
          detector: cutOff.id,
          workload: ref,
          symptom: { kind: "CutOff", message, ...(fields === undefined ? {} : { fields }) },
          summary: message,
          facts: [{ kind: "spec", text: message, at: commit.at }],
          since: [commit.at],
          pods: 0,
        },
        snapshot.takenAt,
      ),
    ),
};
