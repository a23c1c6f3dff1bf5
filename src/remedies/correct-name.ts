import { z } from "zod";
import type { Change, Finding } from "../model.ts";
import { fact } from "./evidence.ts";
import { immutableBecause } from "./immutable.ts";
import { type Misnamed, misnamedKinds, misnamedOf } from "./misnamed.ts";
import { defineRemedy, no, type PlanContext, refuse } from "./remedy.ts";
import { typoOf } from "./typo.ts";
import { PATCH_SCALERS, PATCH_WORKLOADS } from "./workload-rights.ts";

/**
 * A ServiceAccount, PriorityClass, claim, pull secret or scale target that does not exist, by the cluster's own words, and whose
 * name is a typo of exactly one that does (typo.ts says what passes for one). References to configuration are `repoint-reference`'s.
 */
export const correctName = defineRemedy({
  id: "correct-name",
  summary:
    "Points a mistyped ServiceAccount, PriorityClass, claim, pull secret or scale target to the one existing name that it is a typo of.",
  risk: "medium",
  reversibility: "inverse",
  params: z.strictObject({
    from: z.string().min(1).max(253).describe("The name that does not exist."),
    to: z.string().min(1).max(253).describe("The name that is meant."),
  }),
  needs: [...PATCH_WORKLOADS, PATCH_SCALERS],
  reads: [
    { group: "", resource: "serviceaccounts", verb: "list" },
    { group: "scheduling.k8s.io", resource: "priorityclasses", verb: "list" },
  ],
  looks: misnamedKinds,
  async diagnose(finding, context) {
    const meant = meantBy(finding, context);
    if ("reason" in meant) return no(meant.reason);
    const { what, wrong, known, to } = meant;
    return {
      applies: true,
      params: { from: wrong, to },
      reason: `There is no ${what} "${wrong}"; "${to}" is the only one that it is a typo of.`,
      evidence: [fact("spec", `${what}s: ${known.slice(0, 20).join(", ")}`)],
    };
  },
  plan({ from, to }, finding, context) {
    // Another name would hand over somebody else's rights, credentials or data: only what the cluster proves now is taken.
    const meant = meantBy(finding, context);
    if ("reason" in meant) return refuse(meant.reason);
    if (from !== meant.wrong || to !== meant.to) return refuse(`${to} is not what is meant by ${from}`);
    const changes = meant.places.map((path): Change => ({ object: finding.workload, path, from, to }));
    const gitOnly = immutableBecause(changes, () => context.live(finding.workload));
    return {
      possible: true,
      changes,
      title: `point ${meant.what} ${from} → ${to}`,
      ...(gitOnly === undefined ? {} : { gitOnly }),
    };
  },
});

function meantBy(
  finding: Finding,
  context: PlanContext,
): (Misnamed & { readonly to: string }) | { readonly reason: string } {
  const misnamed = misnamedOf(finding, context);
  if ("reason" in misnamed) return misnamed;
  const { what, wrong, known } = misnamed;
  const near = typoOf(wrong, known);
  if (near.match !== null) return { ...misnamed, to: near.match };
  return {
    reason:
      near.near.length > 0
        ? `several ${what}s are near "${wrong}": ${near.near.join(", ")}. A person must say which is meant`
        : `there is no ${what} "${wrong}", and none that is free to be used has a name near it. A person must create it, or correct the reference`,
  };
}
