import { z } from "zod";
import { getAt } from "../kube/field-path.ts";
import { bytesOf, compareQuantities, formatBytes, parseQuantity, raiseQuantity } from "../kube/quantity.ts";
import { containerOf } from "../kube/template.ts";
import type { Change, Finding, KubeObject } from "../model.ts";
import { fact } from "./evidence.ts";
import { immutableBecause } from "./immutable.ts";
import { defineRemedy, no, type PlanContext, refuse } from "./remedy.ts";
import { PATCH_WORKLOADS } from "./workload-rights.ts";

/**
 * A bounded multiple of what stands there: the one value that Stanch computes. Its bounds are the ceiling, the namespace's
 * LimitRange and quota, and the largest node. A container that was raised before and is killed again is taken for a leak.
 */
export const raiseMemoryLimit = defineRemedy({
  id: "raise-memory-limit",
  summary:
    "Raises the memory limit of a container that is killed at it, by a step, within ceiling, LimitRange, quota and node size.",
  risk: "medium",
  reversibility: "inverse",
  params: z.strictObject({
    container: z.string().min(1).max(63).describe("The container."),
    memory: z.string().min(1).max(32).describe("The new limit, a quantity."),
  }),
  needs: PATCH_WORKLOADS,
  async diagnose(finding, context) {
    const { symptom, container } = finding;
    if (symptom.kind !== "OOMKilled" || container === undefined)
      return no("only a container that is killed for its memory gets more of it");
    if (symptom.limit === undefined)
      return no(
        "the container has no memory limit: the node ran out of memory. Set requests and limits for what runs there",
      );
    const { memory } = context.settings.remedies;
    const raises = await context.raises(finding);
    if (raises >= memory.raises)
      return no(
        `the limit was raised ${raises} times already and the container is killed again: this looks like a leak. A person must look at the program's memory`,
      );
    const ceiling = bytesOf(memory.ceiling);
    if (ceiling === null) return no(`the ceiling ${memory.ceiling} in the configuration is no quantity`);
    const wanted = raiseQuantity(symptom.limit, memory.step);
    const wantedBytes = wanted === null ? null : bytesOf(wanted);
    const now = bytesOf(symptom.limit);
    if (wanted === null || wantedBytes === null || now === null) return no(`the limit ${symptom.limit} is no quantity`);
    const capped = wantedBytes > ceiling ? formatBytes(ceiling, symptom.limit) : wanted;
    if (bytesOf(capped) === null || (bytesOf(capped) ?? 0) <= now)
      return no(
        `the limit ${symptom.limit} has reached the ceiling ${memory.ceiling}. A person must decide whether it may have more`,
      );
    const objection = unfit(capped, finding, context);
    if (objection !== null) return no(objection);
    return {
      applies: true,
      params: { container, memory: capped },
      reason: `Container ${container} is killed at its limit of ${symptom.limit}; ${capped} is ${capped === wanted ? `${memory.step} times that` : "the ceiling"}, and fits the namespace and a node.`,
      evidence: [
        fact(
          "spec",
          `Limit ${symptom.limit}, request ${symptom.request ?? "not set"}; ceiling ${memory.ceiling}, ${raises} raises before.`,
        ),
      ],
    };
  },
  plan({ container, memory }, finding, context) {
    const live = context.live(finding.workload);
    const found = live === null ? null : containerOf(live, container);
    if (live === null || found === null) return refuse(`there is no container ${container}`);
    if (finding.symptom.kind !== "OOMKilled" || container !== finding.container)
      return refuse(`container ${container} is not one that is killed for its memory`);
    const path = [...found.path, "resources"];
    const limit = getAt(live, [...path, "limits", "memory"]);
    const request = getAt(live, [...path, "requests", "memory"]);
    const [now, next] = [parseQuantity(limit), parseQuantity(memory)];
    if (typeof limit !== "string" || now === null) return refuse(`container ${container} has no memory limit`);
    if (next === null || compareQuantities(next, now) <= 0) return refuse(`${memory} is no raise of ${limit}`);
    if ((bytesOf(memory) ?? Number.POSITIVE_INFINITY) > 4 * (bytesOf(limit) ?? 0))
      return refuse(`${memory} is more than four times ${limit}`);
    const { step } = context.settings.remedies.memory;
    if ((bytesOf(memory) ?? 0) > (bytesOf(raiseQuantity(limit, step)) ?? 0))
      return refuse(`${memory} is more than ${step} times ${limit} (remedies.memory.step)`);
    const objection = unfit(memory, finding, context);
    if (objection !== null) return refuse(objection);
    const object = finding.workload;
    const changes: Change[] = [{ object, path: [...path, "limits", "memory"], from: limit, to: memory }];
    const lifted = requestFor(memory, limit, request, context);
    if (lifted !== null)
      changes.push({
        object,
        path: [...path, "requests", "memory"],
        ...(request === undefined ? {} : { from: request }),
        to: lifted,
      });
    const gitOnly = immutableBecause(changes, () => live as KubeObject);
    return {
      possible: true,
      changes,
      title: `raise memory limit of ${container} ${limit} → ${memory}`,
      ...(gitOnly === undefined ? {} : { gitOnly }),
    };
  },
  async origin(_params, finding, context) {
    const raises = await context.raises(finding);
    return raises < context.settings.remedies.memory.raises
      ? null
      : `the limit was raised ${raises} times already: this looks like a leak. A person must look at the program's memory`;
  },
});

/** A request that equals the limit moves with it, so that the QoS class stays; a ratio that the LimitRange sets is kept. */
function requestFor(memory: string, limit: string, request: unknown, context: PlanContext): string | null {
  const [now, asked, next] = [parseQuantity(limit), parseQuantity(request), bytesOf(memory)];
  if (asked === null || now === null || next === null) return null;
  if (compareQuantities(asked, now) === 0) return memory;
  const ratio = context.workload?.limits?.maxRatio;
  const least = ratio === undefined ? 0 : Math.ceil(next / ratio);
  return least > (bytesOf(request) ?? 0) ? formatBytes(least, String(request)) : null;
}

/** Why a limit does not fit where the workload runs; null: it does. */
function unfit(memory: string, finding: Finding, context: PlanContext): string | null {
  const bytes = bytesOf(memory);
  const ceiling = bytesOf(context.settings.remedies.memory.ceiling);
  if (bytes === null || ceiling === null || bytes > ceiling)
    return `${memory} is beyond the ceiling ${context.settings.remedies.memory.ceiling}`;
  const { limits, largestNodeBytes, object } = context.workload ?? {};
  const { symptom } = finding;
  if (limits === undefined)
    return "the namespace's limits and quotas could not be read; grant list on limitranges and resourcequotas";
  if (limits.maxMemoryBytes !== undefined && bytes > limits.maxMemoryBytes)
    return `${memory} is more than the LimitRange allows a container (${formatBytes(limits.maxMemoryBytes)}). A person must raise it there`;
  if (largestNodeBytes !== undefined && bytes > largestNodeBytes)
    return `${memory} is more than any node has (${formatBytes(largestNodeBytes)})`;
  const before = symptom.kind === "OOMKilled" ? bytesOf(symptom.limit) : null;
  const replicas = (object?.["spec"] as { replicas?: number } | undefined)?.replicas ?? 1;
  const more = (bytes - (before ?? 0)) * Math.max(1, replicas);
  if (limits.quotaLimitsLeftBytes !== undefined && more > limits.quotaLimitsLeftBytes)
    return `the namespace's quota has ${formatBytes(limits.quotaLimitsLeftBytes)} of memory limits left, and ${formatBytes(more)} more are needed. A person must raise the quota`;
  return null;
}
