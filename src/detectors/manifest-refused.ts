import { redactShapes } from "../redact.ts";
import type { Detector } from "./detector.ts";
import { plainText } from "./evidence.ts";
import { makeFinding } from "./finding.ts";

/** A manifest that a recent commit changed and that the API server refuses: Git says what cannot be deployed. */
export const manifestRefused: Detector = {
  id: "manifest-refused",
  summary: "The API server refuses a manifest that a recent commit changed: Git cannot be deployed.",
  detect: (snapshot) =>
    snapshot.refused.map(({ ref, message: said, commit }) => {
      const message = redactShapes(said);
      return makeFinding(
        {
          detector: manifestRefused.id,
          workload: ref,
          symptom: { kind: "ManifestRefused", message: plainText(message) },
          summary: `Git's ${ref.kind} ${ref.name} cannot be deployed: ${plainText(message)}`,
          facts: [{ kind: "status", text: `Server-side dry run of what Git says: ${message}`, at: commit.at }],
          since: [commit.at],
          pods: 0,
        },
        snapshot.takenAt,
      );
    }),
};
