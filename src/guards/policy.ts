import { describeRef } from "../kube/ref.ts";
import { POLICY_FIELDS } from "../remedies/policy-fields.ts";
import type { Guard } from "./guard.ts";

export const policy: Guard = {
  id: "policy",
  summary:
    "Roles, bindings, quotas, limits and network policies say what workloads may do: they are changed in Git only, where somebody reviews it.",
  check(plan) {
    const found = plan.changes.find(({ object }) => Object.hasOwn(POLICY_FIELDS, object.kind));
    return found === undefined
      ? null
      : {
          decision: "git-only",
          rule: "policy",
          reason: `${describeRef(found.object)} says what workloads may do, and is changed in Git only`,
        };
  },
};
