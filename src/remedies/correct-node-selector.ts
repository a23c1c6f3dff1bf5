import { z } from "zod";
import { textsAt } from "../kube/fields.ts";
import { podSpecOf, podSpecPath } from "../kube/template.ts";
import type { Change, NodeState } from "../model.ts";
import { fact } from "./evidence.ts";
import { immutableBecause } from "./immutable.ts";
import { defineRemedy, no, refuse } from "./remedy.ts";
import { typoOf } from "./typo.ts";
import { PATCH_WORKLOADS } from "./workload-rights.ts";

/**
 * A node selector that no node has. It is pointed to the value that it is a typo of, or to the only value that the nodes have
 * for its key. Where a workload may run is for its owners to decide, so the risk is high: by default Git only.
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
    const object = context.live(finding.workload);
    if (finding.symptom.kind !== "Unschedulable" || object === null) return no("no pod waits for a node");
    const { nodes } = context.snapshot;
    if (nodes.length === 0) return no("nodes cannot be read; grant list on nodes");
    const selector = textsAt(podSpecOf(object), "nodeSelector");
    const unmet = Object.entries(selector).filter(([key, value]) => !nodes.some((node) => node.labels[key] === value));
    const [first, second] = unmet;
    if (first === undefined) return no("nodes have every label of its node selector: the fault lies elsewhere");
    if (second !== undefined)
      return no(
        `no node has ${unmet.map(([key, value]) => `${key}=${value}`).join(" nor ")}. A person must say where it should run`,
      );
    const [key, value] = first;
    const values = valuesOf(key, nodes);
    if (values.length === 0)
      return no(`no node has a label ${key}. A person must label nodes, or say where it should run`);
    const near = typoOf(value, values);
    const picked = near.match ?? (values.length === 1 ? values[0] : undefined);
    if (picked === undefined)
      return no(
        `no node has ${key}=${value}; there are ${values.slice(0, 5).join(", ")}. A person must say where it should run`,
      );
    return {
      applies: true,
      params: { key, value: picked },
      reason: `No node has the label ${key}=${value}; ${near.match === null ? "the only value that nodes have for it is" : "it is a typo of"} ${picked}.`,
      evidence: [fact("spec", `Nodes have ${key}: ${values.slice(0, 10).join(", ")}`)],
    };
  },
  plan({ key, value }, finding, context) {
    const live = context.live(finding.workload);
    const at = podSpecPath(finding.workload.kind);
    if (live === null || at === null) return refuse("there is no such workload");
    const from = textsAt(podSpecOf(live), "nodeSelector")[key];
    if (from === undefined) return refuse(`its node selector does not ask for ${key}`);
    if (from === value) return refuse("the node selector says so already");
    if (!context.snapshot.nodes.some((node) => node.labels[key] === value))
      return refuse(`no node has ${key}=${value}`);
    const changes: Change[] = [{ object: finding.workload, path: [...at, "nodeSelector", key], from, to: value }];
    const gitOnly = immutableBecause(changes, () => live);
    return {
      possible: true,
      changes,
      title: `point node selector ${key} ${from} → ${value}`,
      ...(gitOnly === undefined ? {} : { gitOnly }),
    };
  },
});

function valuesOf(key: string, nodes: readonly NodeState[]): string[] {
  return [...new Set(nodes.flatMap((node) => node.labels[key] ?? []))].toSorted();
}
