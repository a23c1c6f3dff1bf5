import { MANAGERS } from "../gitops/claim.ts";
import type { HoldChoice } from "../gitops/holds.ts";
import { keyOf } from "../kube/ref.ts";
import { foreignOwner } from "./foreign-owner.ts";
import type { Guard } from "./guard.ts";

/** Whose writes a hold keeps back, by the kind of its owner. */
const HELD: Readonly<Record<string, RegExp>> = {
  Application: MANAGERS.argocd,
  Kustomization: MANAGERS.kustomization,
  HelmRelease: MANAGERS.helmrelease,
};

export const foughtField: Guard = {
  id: "fought-field",
  summary: "A field that another controller applies is changed in Git only, unless that controller is held.",
  check(plan, context) {
    const owner = foreignOwner(
      plan,
      context,
      (entry, object) =>
        entry.operation === "Apply" &&
        !/^(kubectl|stanch|before-first-apply)/.test(entry.manager ?? "") &&
        !isHeld(entry.manager ?? "", context.holds.get(keyOf(object))),
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

function isHeld(manager: string, choice: HoldChoice | undefined): boolean {
  if (choice?.possible !== true) return false;
  const engine = choice.hold.owner === undefined ? MANAGERS.helm : HELD[choice.hold.owner.kind];
  return engine?.test(manager) === true;
}
