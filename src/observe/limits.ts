import { messageOf } from "../errors.ts";
import { parseQuantity } from "../kube/quantity.ts";
import { RESOURCES } from "../kube/resources.ts";
import type { NamespaceLimits, NodeState } from "../model.ts";
import type { Reading } from "./reading.ts";

type Amounts = Record<string, string> | undefined;

/** The tightest memory bounds of a namespace; undefined when they could not be read, and then nothing may be raised. */
export async function observeLimits(reading: Reading, namespace: string): Promise<NamespaceLimits | undefined> {
  let max: number | undefined;
  let ratio: number | undefined;
  let limitsLeft: number | undefined;
  let requestsLeft: number | undefined;
  const lower = (a: number | undefined, b: number | undefined): number | undefined =>
    a === undefined ? b : b === undefined ? a : Math.min(a, b);
  try {
    for await (const page of reading.cluster.list(RESOURCES.LimitRange, { namespace })) {
      for (const range of page) {
        const limits =
          (range["spec"] as { limits?: { type?: string; max?: Amounts; maxLimitRequestRatio?: Amounts }[] } | undefined)
            ?.limits ?? [];
        for (const limit of limits.filter((entry) => entry.type === "Container")) {
          max = lower(max, bytes(limit.max?.["memory"]));
          ratio = lower(ratio, bytes(limit.maxLimitRequestRatio?.["memory"]));
        }
      }
    }
    for await (const page of reading.cluster.list(RESOURCES.ResourceQuota, { namespace })) {
      for (const quota of page) {
        const { hard, used } = (quota["status"] ?? {}) as { hard?: Amounts; used?: Amounts };
        const left = (name: string): number | undefined => {
          const limit = bytes(hard?.[name]);
          return limit === undefined ? undefined : Math.max(0, limit - (bytes(used?.[name]) ?? 0));
        };
        limitsLeft = lower(limitsLeft, left("limits.memory"));
        requestsLeft = lower(requestsLeft, lower(left("requests.memory"), left("memory")));
      }
    }
  } catch (error) {
    reading.gaps.push(`limits and quotas of ${namespace} cannot be read: ${messageOf(error)}`);
    return undefined;
  }
  return {
    ...(max === undefined ? {} : { maxMemoryBytes: max }),
    ...(ratio === undefined ? {} : { maxRatio: ratio }),
    ...(limitsLeft === undefined ? {} : { quotaLimitsLeftBytes: limitsLeft }),
    ...(requestsLeft === undefined ? {} : { quotaRequestsLeftBytes: requestsLeft }),
  };
}

/** Every node, projected; empty when they could not be read. */
export async function observeNodes(reading: Reading): Promise<NodeState[]> {
  const nodes: NodeState[] = [];
  try {
    for await (const page of reading.cluster.list(RESOURCES.Node, { limit: reading.config.observe.pageSize })) {
      for (const node of page) {
        const spec = (node["spec"] ?? {}) as { unschedulable?: boolean; taints?: NodeState["taints"] };
        const status = (node["status"] ?? {}) as { allocatable?: Record<string, string> };
        nodes.push({
          name: node.metadata.name,
          labels: node.metadata.labels ?? {},
          allocatable: status.allocatable ?? {},
          taints: spec.taints ?? [],
          unschedulable: spec.unschedulable === true,
        });
      }
    }
  } catch (error) {
    reading.gaps.push(`nodes cannot be read: ${messageOf(error)}`);
  }
  return nodes;
}

/** Allocatable memory of the largest schedulable node, in bytes. */
export function largestMemory(nodes: readonly NodeState[]): number | undefined {
  const sizes = nodes.filter((node) => !node.unschedulable).flatMap((node) => bytes(node.allocatable["memory"]) ?? []);
  return sizes.length === 0 ? undefined : Math.max(...sizes);
}

function bytes(quantity: string | undefined): number | undefined {
  if (quantity === undefined) return undefined;
  const parsed = parseQuantity(String(quantity));
  return parsed === null ? undefined : Number(parsed);
}
