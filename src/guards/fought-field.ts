import { foreignOwner } from "./foreign-owner.ts";
import type { Guard } from "./guard.ts";

export const foughtField: Guard = {
  id: "fought-field",
  summary: "A field that another controller applies is changed in Git only.",
  check(plan, context) {
    const owner = foreignOwner(
      plan,
      context,
      (entry) => entry.operation === "Apply" && !/^(kubectl|stanch|before-first-apply)/.test(entry.manager ?? ""),
    );
    return owner === null
      ? null
      : {
          decision: "git-only",
          rule: "fought-field",
          reason: `${owner.field} is applied by ${owner.manager}, which would change it back`,
        };
  },
};
