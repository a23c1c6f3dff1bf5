import { managersOf } from "../kube/field-managers.ts";
import { formatPath } from "../kube/field-path.ts";
import { keyOf } from "../kube/ref.ts";
import type { Guard } from "./guard.ts";

export const foughtField: Guard = {
  id: "fought-field",
  summary: "A field that another controller applies is changed in Git only.",
  check(plan, context) {
    for (const change of plan.changes) {
      const live = context.live.get(keyOf(change.object));
      const owner =
        live === null || live === undefined
          ? undefined
          : managersOf(live, change.path).find(
              (entry) =>
                entry.operation === "Apply" && !/^(kubectl|stanch|before-first-apply)/.test(entry.manager ?? ""),
            );
      if (owner !== undefined)
        return {
          decision: "git-only",
          rule: "fought-field",
          reason: `${formatPath(change.path)} is applied by ${owner.manager}, which would change it back`,
        };
    }
    return null;
  },
};
