import type { PortState } from "../model.ts";
import type { Detector } from "./detector.ts";
import { makeFinding } from "./finding.ts";

/** A Service whose pods are ready, and which sends to a port on which none of them listens. */
export const wrongPort: Detector = {
  id: "wrong-port",
  summary: "A Service, changed within a day, sends to a port on which its ready pods do not listen.",
  detect(snapshot) {
    const groups = Map.groupBy(snapshot.ports, ({ ref }) => `${ref.namespace}/${ref.name}`);
    return [...groups.values()].map((ports) => {
      const { ref, message, since, declared } = ports[0] as PortState;
      const targets = ports.map((port) => port.target);
      return makeFinding(
        {
          detector: wrongPort.id,
          workload: ref,
          symptom: { kind: "WrongPort", message, targets },
          summary: `Service ${ref.name} sends to ${targets.length === 1 ? "port" : "ports"} ${targets.join(", ")} of its pods, where nothing listens.`,
          facts: [
            ...ports.map((port) => ({ kind: "status" as const, text: port.message })),
            {
              kind: "spec",
              text: `Its pods declare ${declared.length === 0 ? "no port" : `the ports ${declared.join(", ")}`}.`,
            },
          ],
          since: [since],
          pods: 0,
        },
        snapshot.takenAt,
      );
    });
  },
};
