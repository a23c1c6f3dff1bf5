import type { KubeObject, NodeState } from "../model.ts";
import { listAt, mapAt, textAt, textsAt } from "./fields.ts";
import { addQuantities, compareQuantities, formatQuantity, parseQuantity, type Quantity } from "./quantity.ts";
import { containersOf, podSpecOf } from "./template.ts";

/**
 * Why no node could ever take a pod of this object, as far as requests, nodeSelector and taints tell (the scheduler's
 * NodeResourcesFit, NodeAffinity for nodeSelector, TaintToleration); null: at least one could if it were empty. What else
 * runs there is not counted: it comes and goes.
 */
export function unschedulableReason(object: KubeObject, nodes: readonly NodeState[]): string | null {
  const spec = podSpecOf(object);
  if (spec === null || nodes.length === 0) return null;
  const requests = requestsOf(object);
  const selector = textsAt(spec, "nodeSelector");
  const reasons = new Set<string>();
  for (const node of nodes) {
    const reason = objectionOf(node, requests, selector, listAt(spec, "tolerations"));
    if (reason === null) return null;
    reasons.add(reason);
  }
  return [...reasons].slice(0, 3).join("; ");
}

function objectionOf(
  node: NodeState,
  requests: ReadonlyMap<string, Quantity>,
  selector: Readonly<Record<string, string>>,
  tolerations: readonly unknown[],
): string | null {
  if (node.unschedulable) return "a node is cordoned";
  const label = Object.entries(selector).find(([key, value]) => node.labels[key] !== value);
  if (label !== undefined) return `no node has the label ${label[0]}=${label[1]}`;
  const taint = node.taints.find(
    (candidate) =>
      candidate.effect !== "PreferNoSchedule" && !tolerations.some((toleration) => tolerates(toleration, candidate)),
  );
  if (taint !== undefined) return `the taint ${taint.key} is not tolerated`;
  for (const [name, wanted] of requests) {
    const has = parseQuantity(node.allocatable[name] ?? "0");
    if (has !== null && compareQuantities(wanted, has) > 0)
      return `${formatQuantity(wanted)} of ${name} is more than any node has`;
  }
  return null;
}

function tolerates(toleration: unknown, taint: NodeState["taints"][number]): boolean {
  const [key, effect] = [textAt(toleration, "key"), textAt(toleration, "effect")];
  if (effect !== undefined && effect !== "" && effect !== taint.effect) return false;
  if (textAt(toleration, "operator") === "Exists") return key === undefined || key === "" || key === taint.key;
  return key === taint.key && (textAt(toleration, "value") ?? "") === (taint.value ?? "");
}

/** What a pod asks for: the sum of its containers. A limit without a request asks for the limit. */
function requestsOf(object: KubeObject): Map<string, Quantity> {
  const out = new Map<string, Quantity>();
  for (const container of containersOf(object).filter((candidate) => !candidate.init)) {
    const resources = mapAt(container.spec, "resources");
    for (const [name, value] of Object.entries({ ...mapAt(resources, "limits"), ...mapAt(resources, "requests") })) {
      const amount = parseQuantity(value);
      const before = out.get(name);
      if (amount !== null) out.set(name, before === undefined ? amount : addQuantities(before, amount));
    }
  }
  return out;
}
