import {
  accountOf,
  bindsTo,
  denialsIn,
  graveRight,
  isAccount,
  listsAskedBy,
  roleOf,
  rulesGrant,
} from "../kube/access.ts";
import { listAt } from "../kube/fields.ts";
import { refOf, sameRef } from "../kube/ref.ts";
import { sameValue } from "../kube/same-value.ts";
import type { Denial, Finding, Json, KubeObject } from "../model.ts";
import { type Policy, saidIn } from "./policy.ts";
import type { PlanContext } from "./remedy.ts";

/** What a client prints that does not pass on the API server's words. */
const REFUSED = /\b403\b|\bforbidden\b/i;

/**
 * A program is denied what its Role gave it, or its RoleBinding gave its account. The log names the right; that it is denied now
 * and was not before, the Role and the binding themselves must show.
 */
export const access: Policy = {
  kinds: ["Role", "RoleBinding"],
  concerns: (finding) => REFUSED.test(saidIn(finding)),
  suspects(finding, context) {
    const { namespace } = finding.workload;
    const [roles, bindings] = [context.others("Role", namespace), context.others("RoleBinding", namespace)];
    const denials = deniedTo(finding, context);
    const [first] = denials;
    if (roles === null || bindings === null || first === undefined) return [];
    const own = bindings.filter((binding) => bindsTo(binding, first.account));
    const held = roles.filter((role) => own.some((binding) => roleOf(binding) === role.metadata.name));
    const open = denials.filter((denial) => !held.some((role) => rulesGrant(role, denial)));
    if (open.length === 0) return [];
    const giving = roles.filter((role) => open.some((denial) => rulesGrant(role, denial)));
    const others = bindings.filter(
      (binding) => !own.includes(binding) && giving.some((role) => role.metadata.name === roleOf(binding)),
    );
    return [...held, ...others];
  },
  admits(object, finding, context) {
    return deniedTo(finding, context).filter((denial) =>
      object.kind === "Role" ? rulesGrant(object, denial) : bindsTo(object, denial.account),
    ).length;
  },
  objection(now, then, finding, context) {
    return graveChange(now, then, deniedTo(finding, context)[0]?.account, context);
  },
  decides: "what a program may do is decided by whoever reviews it",
};

/** Rights that a commit took without a program saying so: what Git itself tells of them, the Role and the binding must show. */
export const rights: Policy = {
  kinds: ["Role", "RoleBinding"],
  concerns: ({ symptom, workload }) => symptom.kind === "CutOff" && access.kinds.some((kind) => kind === workload.kind),
  suspects(finding, context) {
    const kind = access.kinds.find((one) => one === finding.workload.kind);
    const objects = kind === undefined ? null : context.others(kind, finding.workload.namespace);
    return (objects ?? []).filter(
      (object) => sameRef(refOf(object), finding.workload) && lostTo(finding, context).length > 0,
    );
  },
  admits: (object, finding, context) =>
    lostTo(finding, context).filter((right) =>
      object.kind === "Role" ? rulesGrant(object, right) : bindsTo(object, right.account),
    ).length,
  objection: (now, then, finding, context) => graveChange(now, then, lostTo(finding, context)[0]?.account, context),
  decides: access.decides,
};

function lostTo(finding: Finding, { snapshot }: PlanContext): readonly Denial[] {
  return snapshot.cutOffs.find(({ ref }) => sameRef(ref, finding.workload))?.rights ?? [];
}

/** Why a Role must not get its rules back by rule, or a binding its subjects: what nobody gets so, or others than the account. */
function graveChange(
  now: KubeObject,
  then: KubeObject,
  account: Denial["account"] | undefined,
  context: PlanContext,
): string | null {
  if (now.kind === "Role") {
    const grave = graveRight(withoutKnown(then, now));
    return grave === null ? null : `it would give ${grave}. A person must decide whether the program may`;
  }
  const known = listAt(now, "subjects");
  const added = listAt(then, "subjects").filter(
    (subject) => !known.some((other) => sameValue(other as Json, subject as Json)),
  );
  if (account === undefined || added.some((subject) => !isAccount(subject, account, now)))
    return "it would give the role to others, too. A person must decide to whom";
  const role = context
    .others("Role", now.metadata.namespace ?? "")
    ?.find((other) => other.metadata.name === roleOf(now));
  const grave = role === undefined ? "an unknown role" : graveRight(role);
  return grave === null ? null : `its role gives ${grave}. A person must decide whether the program may`;
}

/** Rights that the finding's own workload is denied in its own namespace. */
function deniedTo(finding: Finding, context: PlanContext): Denial[] {
  const workload = context.live(finding.workload);
  if (workload === null) return [];
  const account = accountOf(workload);
  const said = saidIn(finding);
  const told = denialsIn(said);
  const denials = told.length > 0 || !REFUSED.test(said) ? told : listsAskedBy(workload, finding.container);
  return denials.filter(
    (denial) =>
      denial.namespace === finding.workload.namespace &&
      denial.account.name === account.name &&
      denial.account.namespace === account.namespace,
  );
}

/** A role with those of its rules that another one does not have just so. */
function withoutKnown(role: KubeObject, known: KubeObject): KubeObject {
  const old = listAt(known, "rules");
  return {
    ...role,
    rules: listAt(role, "rules").filter((rule) => !old.some((other) => sameValue(other as Json, rule as Json))),
  };
}
