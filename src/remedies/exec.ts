import { z } from "zod";
import type { ExecEntry } from "../config/exec-entry.ts";
import { matchesGlob } from "../config/scope.ts";
import { containerOf, templateDigest } from "../kube/template.ts";
import type { Finding, PodState, Workload } from "../model.ts";
import { spentOn } from "./containing.ts";
import { fact } from "./evidence.ts";
import { defineRemedy, no, type PlanContext, refuse } from "./remedy.ts";
import { EXEC_PODS } from "./workload-rights.ts";

/**
 * The command that an operator wrote down for a failure of theirs, such as to restore a file that a health check needs. That somebody wrote it for
 * these workloads and this symptom is the proof; it comes last. The words of the command come from the configuration alone, it is run
 * once in a pod, and never by the word of a model.
 */
export const exec = defineRemedy({
  id: "exec",
  summary: "Runs a command of `remedies.exec` in the failing pods that it is meant for; without an entry, nothing.",
  risk: "medium",
  reversibility: "none-needed",
  contains: true,
  params: z.strictObject({
    entry: z.string().min(1).max(40),
    pods: z.array(z.string().min(1).max(253)).min(1).max(3),
  }),
  needs: [],
  needsWhen: [{ when: { setting: "remedies.exec", some: true }, accesses: EXEC_PODS }],
  concerns: (_, settings) => settings.remedies.exec.length > 0,
  async diagnose(finding, context) {
    const { exec: entries } = context.settings.remedies;
    if (entries.length === 0) return no("no command is written down (remedies.exec)");
    const reasons: string[] = [];
    for (const entry of entries) {
      const found = podsFor(entry, finding, context);
      if ("reason" in found) {
        reasons.push(`${entry.name}: ${found.reason}`);
        continue;
      }
      const pods = found.pods.slice(0, MOST).map(({ name }) => name);
      return {
        applies: true,
        params: { entry: entry.name, pods },
        reason: `remedies.exec says of ${entry.name}: ${entry.why}`,
        evidence: [
          fact("spec", `The command ${entry.name} is meant for container ${found.container} in this symptom.`),
        ],
      };
    }
    return no(reasons.join("; "));
  },
  plan({ entry: name, pods }, finding, context) {
    const entry = context.settings.remedies.exec.find((candidate) => candidate.name === name);
    if (entry === undefined) return refuse("remedies.exec has no such entry");
    const found = podsFor(entry, finding, context);
    if ("reason" in found) return refuse(found.reason);
    const meant = found.pods.filter((pod) => pods.includes(pod.name));
    const stranger = pods.find((pod) => !meant.some(({ name: known }) => known === pod));
    if (stranger !== undefined || new Set(pods).size !== pods.length)
      return refuse(`pod ${stranger ?? pods[0]} is not one of the failing pods that it may be run in`);
    return {
      possible: true,
      changes: [],
      action: {
        kind: "exec",
        pods: [...pods],
        container: found.container,
        command: entry.command,
        timeout: entry.timeout,
      },
      contains: { template: templateDigest(found.workload.object), pods: meant.map(({ uid }) => uid) },
      title: `run ${entry.name} in ${pods.join(", ")}`,
    };
  },
});

/** Pods at a time. */
const MOST = 3;

/** The failing pods in which an entry's command may be run; or why it may not. */
function podsFor(
  entry: ExecEntry,
  finding: Finding,
  context: PlanContext,
):
  | { readonly workload: Workload; readonly container: string; readonly pods: readonly PodState[] }
  | { readonly reason: string } {
  const { workload, contained } = context;
  const { kind, namespace, name } = finding.workload;
  const anyOf = (list: readonly string[], text: string): boolean => list.some((glob) => matchesGlob(glob, text));
  if (!(entry.symptoms as readonly string[]).includes(finding.symptom.kind))
    return { reason: "not meant for this symptom" };
  if (!anyOf(entry.namespaces, namespace)) return { reason: `not meant for namespace ${namespace}` };
  if (!anyOf(entry.workloads, `${kind}/${name}`)) return { reason: "not meant for this workload" };
  const container = entry.container === "" ? finding.container : entry.container;
  const spec = workload === undefined || container === undefined ? null : containerOf(workload.object, container);
  if (workload === undefined || container === undefined || spec === null)
    return { reason: `it has no container ${container ?? "that fails"}` };
  if (!anyOf(entry.images, String(spec.spec["image"] ?? "")))
    return { reason: `not meant for the image of container ${container}` };
  const spent = spentOn("exec", context);
  if (spent !== null) return { reason: `${spent}; it does not last` };
  const current = workload.revisions.find((revision) => revision.current)?.name;
  const failing = workload.pods.filter(
    (pod) =>
      !pod.ready &&
      !pod.deleting &&
      (pod.revision === undefined || pod.revision === current) &&
      pod.containers.some((state) => state.name === container && state.running !== undefined),
  );
  if (failing.length === 0) return { reason: `no failing pod has a container ${container} that runs now` };
  // Also where nobody knows what came of it.
  const done = new Set(contained.filter((row) => row.remedy === "exec").flatMap((row) => row.pods));
  const pods = failing.filter((pod) => !done.has(pod.uid));
  return pods.length === 0 ? { reason: "it was run in every failing pod before" } : { workload, container, pods };
}
