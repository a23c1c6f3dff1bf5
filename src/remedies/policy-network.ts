import { letsThrough } from "../kube/network-policy.ts";
import { refOf, sameRef } from "../kube/ref.ts";
import type { Finding, Flow } from "../model.ts";
import type { Policy } from "./policy.ts";
import type { PlanContext } from "./remedy.ts";

/**
 * A NetworkPolicy that lets a declared client through no more. What the client asks for stands in its own manifest, and the policies of
 * the namespace say whether it gets there.
 */
export const network: Policy = {
  kinds: ["NetworkPolicy"],
  concerns: ({ symptom, workload }) => symptom.kind === "CutOff" && workload.kind === "NetworkPolicy",
  suspects(finding, context) {
    const policies = context.others("NetworkPolicy", finding.workload.namespace) ?? [];
    return policies.filter(
      (policy) => sameRef(refOf(policy), finding.workload) && flowsOf(finding, context).length > 0,
    );
  },
  admits(object, finding, context) {
    const policies = context.others("NetworkPolicy", finding.workload.namespace) ?? [];
    const then = policies.map((policy) => (sameRef(refOf(policy), refOf(object)) ? object : policy));
    return flowsOf(finding, context).filter((flow) => letsThrough(then, flow) === true).length;
  },
  objection(now, then, finding, context) {
    const wider = ["ingress", "egress"].some((list) => opensAll(then, list) && !opensAll(now, list));
    return wider && flowsOf(finding, context).length > 0
      ? "it would open the pods to everybody. A person must decide whether they may be"
      : null;
  },
  decides: "who may ask whom is decided by whoever reviews it",
};

function flowsOf(finding: Finding, { snapshot }: PlanContext): readonly Flow[] {
  return snapshot.cutOffs.find(({ ref }) => sameRef(ref, finding.workload))?.flows ?? [];
}

/** A rule without peers, or with an address block of everything. */
function opensAll(policy: { readonly [field: string]: unknown }, list: string): boolean {
  const rules = (policy["spec"] as Record<string, unknown> | undefined)?.[list];
  if (!Array.isArray(rules)) return false;
  return rules.some((rule: unknown) => {
    const peers = (rule as Record<string, unknown> | null)?.[list === "ingress" ? "from" : "to"];
    return !Array.isArray(peers) || peers.length === 0 || JSON.stringify(peers).includes('"0.0.0.0/0"');
  });
}
