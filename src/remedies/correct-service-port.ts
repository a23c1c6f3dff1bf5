import { z } from "zod";
import { listAt, numberAt } from "../kube/fields.ts";
import type { Change, PortState } from "../model.ts";
import { fact } from "./evidence.ts";
import { defineRemedy, no, type PlanContext, refuse } from "./remedy.ts";
import { PATCH_SERVICES } from "./workload-rights.ts";

/**
 * A Service sends to a port on which nothing listens, while all its pods together declare exactly one: it is pointed there.
 * With more than one declared port nothing says which is meant.
 */
export const correctServicePort = defineRemedy({
  id: "correct-service-port",
  summary: "Points a Service's target port, on which nothing listens, to the one port that its pods declare.",
  risk: "medium",
  reversibility: "inverse",
  params: z.strictObject({ port: z.number().int().min(1).max(65_535).describe("The port that the pods declare.") }),
  needs: [PATCH_SERVICES],
  // Whether anything listens is asked while the cluster is read.
  reads: [{ group: "", resource: "pods", subresource: "proxy", verb: "get" }],
  async diagnose(finding, context) {
    const { symptom } = finding;
    const states = statesOf(finding.workload.name, finding.workload.namespace, context);
    const [state, second] = states;
    if (symptom.kind !== "WrongPort" || state === undefined) return no("no port of a Service leads nowhere");
    if (second !== undefined)
      return no(
        `several of its ports lead nowhere: ${states.map((item) => item.target).join(", ")}. A person must say where they lead`,
      );
    const [only, other] = state.declared;
    if (only === undefined) return no("its pods declare no port; a person must say on which one the program listens");
    if (other !== undefined)
      return no(`its pods declare the ports ${state.declared.join(", ")}; a person must say which is meant`);
    return {
      applies: true,
      params: { port: only },
      reason: `${state.message} Its pods declare exactly one port, ${only}.`,
      evidence: [fact("spec", `Declared: ${only}. ${state.message}`)],
    };
  },
  plan({ port }, finding, context) {
    const states = statesOf(finding.workload.name, finding.workload.namespace, context);
    const live = context.live(finding.workload);
    const [state, second] = states;
    if (live === null || state === undefined || second !== undefined) return refuse("there is no such port");
    if (state.declared.length !== 1 || state.declared[0] !== port)
      return refuse(`port ${port} is not the one that the pods declare`);
    // A port that another one leads to already is not what this one is for.
    if (listAt(live, "spec", "ports").some((item) => targetOf(item) === port))
      return refuse(`another port of the Service leads to ${port} already; a person must say where this one leads`);
    const index = listAt(live, "spec", "ports").findIndex((item) => targetOf(item) === state.target);
    const item = listAt(live, "spec", "ports")[index];
    const own = numberAt(item, "port");
    if (item === undefined || own === undefined) return refuse("the Service has changed");
    const written = (item as { targetPort?: string | number }).targetPort;
    const change: Change = {
      object: finding.workload,
      path: ["spec", "ports", { by: "port", value: own }, "targetPort"],
      ...(written === undefined ? {} : { from: written }),
      to: port,
    };
    return { possible: true, changes: [change], title: `point target port ${state.target} → ${port}` };
  },
});

function statesOf(name: string, namespace: string, { snapshot }: PlanContext): PortState[] {
  return snapshot.ports.filter(({ ref }) => ref.name === name && ref.namespace === namespace);
}

function targetOf(item: unknown): string | number | undefined {
  return (item as { targetPort?: string | number }).targetPort ?? numberAt(item, "port");
}
