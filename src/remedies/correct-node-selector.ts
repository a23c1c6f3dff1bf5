import { z } from "zod";
import { textAt, textsAt } from "../kube/fields.ts";
import { podSpecOf, podSpecPath } from "../kube/template.ts";
import type { Change, FieldPath, Finding, KubeObject, NodeState } from "../model.ts";
import { fact } from "./evidence.ts";
import { immutableBecause } from "./immutable.ts";
import { defineRemedy, no, type PlanContext, refuse } from "./remedy.ts";
import { typoOf } from "./typo.ts";
import { PATCH_WORKLOADS } from "./workload-rights.ts";

/**
 * Labels that machines set: architecture, operating system, zone, region, host, role, instance type. Their values are facts
 * of the node, and a near one (`us-east-1b`, `arm64`) is another fact: a program of another architecture does not even start.
 */
const FACTS =
  /(?:^|\.)(?:kubernetes\.io|k8s\.io|karpenter\.sh|aws\.com|amazonaws\.com|eksctl\.io|azure\.com|google\.com|gke\.io)\/|(?:^|\/)(?:arch|os|zone|region|hostname|instance-type)$/;
const OS = "kubernetes.io/os";

/**
 * A node selector that no node has. It is pointed to the value that it is a typo of, or to the only value that the nodes have
 * for its key. Where a workload may run is for its owners to decide, so the risk is high: by default Git only, and always
 * for a value that is merely the only one.
 */
export const correctNodeSelector = defineRemedy({
  id: "correct-node-selector",
  summary:
    "Points a node selector that no node has to the value it is a typo of, or the only one that nodes have for its key.",
  risk: "high",
  reversibility: "inverse",
  params: z.strictObject({
    key: z.string().min(1).max(317).describe("The label of nodes."),
    value: z.string().max(63).describe("The value that nodes have."),
  }),
  needs: PATCH_WORKLOADS,
  async diagnose(finding, context) {
    const meant = meantBy(finding, context);
    if ("reason" in meant) return no(meant.reason);
    const { key, from, value, values, typo } = meant;
    return {
      applies: true,
      params: { key, value },
      reason: `No node has the label ${key}=${from}; ${typo ? "it is a typo of" : "the only value that nodes have for it is"} ${value}.`,
      evidence: [fact("spec", `Nodes have ${key}: ${values.slice(0, 10).join(", ")}`)],
    };
  },
  plan({ key, value }, finding, context) {
    const meant = meantBy(finding, context);
    if ("reason" in meant) return refuse(meant.reason);
    if (key !== meant.key || value !== meant.value)
      return refuse(`${key}=${value} is not what is meant by ${meant.key}=${meant.from}`);
    const changes: Change[] = [{ object: finding.workload, path: meant.path, from: meant.from, to: value }];
    const gitOnly =
      immutableBecause(changes, () => meant.live) ??
      (meant.typo
        ? undefined
        : `that nodes have no other value for ${key} does not say that ${value} is meant; whoever merges it does`);
    return {
      possible: true,
      changes,
      title: `point node selector ${key} ${meant.from} → ${value}`,
      ...(gitOnly === undefined ? {} : { gitOnly }),
    };
  },
});

interface Meant {
  readonly live: KubeObject;
  readonly path: FieldPath;
  readonly key: string;
  readonly from: string;
  readonly value: string;
  readonly values: readonly string[];
  readonly typo: boolean;
}

/** The value that is meant, as the nodes prove it now; or what a person must decide. */
function meantBy(finding: Finding, context: PlanContext): Meant | { readonly reason: string } {
  const live = context.live(finding.workload);
  const at = podSpecPath(finding.workload.kind);
  if (finding.symptom.kind !== "Unschedulable" || live === null || at === null)
    return { reason: "no pod waits for a node" };
  const { nodes } = context.snapshot;
  if (nodes.length === 0) return { reason: "nodes cannot be read; grant list on nodes" };
  const selector = textsAt(podSpecOf(live), "nodeSelector");
  const unmet = Object.entries(selector).filter(([key, value]) => !nodes.some((node) => labelOf(node, key) === value));
  const [first, second] = unmet;
  if (first === undefined) return { reason: "nodes have every label of its node selector: the fault lies elsewhere" };
  if (second !== undefined)
    return {
      reason: `no node has ${unmet.map(([key, value]) => `${key}=${value}`).join(" nor ")}. A person must say where it should run`,
    };
  const [key, from] = first;
  if (FACTS.test(key))
    return {
      reason: `no node has ${key}=${from}, which is a fact of a machine and no choice. A person must add such a node, or say where it should run`,
    };
  const values = [...new Set(nodes.flatMap((node) => labelOf(node, key) ?? []))].toSorted();
  if (values.length === 0)
    return { reason: `no node has a label ${key}. A person must label nodes, or say where it should run` };
  const near = typoOf(from, values);
  const value = near.match ?? (values.length === 1 ? values[0] : undefined);
  // A yes is no typo of a no.
  if (value === undefined || (near.match === null && /^(?:true|false|yes|no|on|off|enabled|disabled|)$/i.test(value)))
    return {
      reason: `no node has ${key}=${from}; there are ${values.slice(0, 5).join(", ")}. A person must say where it should run`,
    };
  const system = textAt(podSpecOf(live), "os", "name") ?? selector[OS] ?? "linux";
  if (
    !nodes.some(
      (node) => labelOf(node, key) === value && !node.unschedulable && (labelOf(node, OS) ?? system) === system,
    )
  )
    return {
      reason: `every node with ${key}=${value} is cordoned, or of another operating system. A person must say where it should run`,
    };
  const typo = near.match !== null;
  return { live, path: [...at, "nodeSelector", key], key, from, value, values, typo };
}

function labelOf(node: NodeState, key: string): string | undefined {
  return Object.hasOwn(node.labels, key) ? node.labels[key] : undefined;
}
