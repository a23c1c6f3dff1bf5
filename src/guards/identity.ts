import { describeRef } from "../kube/ref.ts";
import { placeOf } from "../remedies/place.ts";
import type { Guard } from "./guard.ts";

const IDENTITY = new Set(["serviceAccountName", "automountServiceAccountToken"]);

export const identity: Guard = {
  id: "identity",
  summary:
    "As whom a workload runs decides what it may do: its ServiceAccount is changed in Git only, where somebody reviews it.",
  check(plan) {
    const found = plan.changes.find(({ object, path }) => IDENTITY.has(placeOf(object.kind, path)?.field ?? ""));
    return found === undefined
      ? null
      : {
          decision: "git-only",
          rule: "identity",
          reason: `as whom ${describeRef(found.object)} runs decides what it may do, and is changed in Git only`,
        };
  },
};
