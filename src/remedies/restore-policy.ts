import { formatPath } from "../kube/field-path.ts";
import { applyChanges, conflicts } from "../kube/json-patch.ts";
import { describeRef, keyOf, refOf } from "../kube/ref.ts";
import type { Change, Finding, KubeObject } from "../model.ts";
import { describeChanges } from "./evidence.ts";
import { fromHistory } from "./git-history.ts";
import type { Policy } from "./policy.ts";
import { access, rights } from "./policy-access.ts";
import { isPolicyField } from "./policy-fields.ts";
import { limitRange } from "./policy-limit-range.ts";
import { network } from "./policy-network.ts";
import { quota } from "./policy-quota.ts";
import { defineRemedy, no, type PlanContext, refuse } from "./remedy.ts";
import { changesOf, RestoredFields } from "./restored-fields.ts";
import { notFromGit } from "./restored-origin.ts";

const POLICIES: readonly Policy[] = [access, rights, quota, limitRange, network];

/**
 * A Role, RoleBinding, quota, LimitRange or NetworkPolicy that refuses the workload what it allowed before a recent commit, by the cluster's
 * or the program's own words: in the fields that refuse it, it says again what it said. In Git only and always: that a program fails
 * does not say that the commit was wrong, so that a person decides by merging.
 */
export const restorePolicy = defineRemedy({
  id: "restore-policy",
  summary:
    "Proposes to put back, in Git only, what a recent commit took from a Role, RoleBinding, quota, LimitRange or NetworkPolicy, where that refuses the workload by name.",
  risk: "high",
  reversibility: "inverse",
  params: RestoredFields,
  needs: [],
  reads: [
    { group: "rbac.authorization.k8s.io", resource: "roles", verb: "list" },
    { group: "rbac.authorization.k8s.io", resource: "rolebindings", verb: "list" },
    { group: "rbac.authorization.k8s.io", resource: "roles", verb: "get" },
    { group: "rbac.authorization.k8s.io", resource: "rolebindings", verb: "get" },
    { group: "networking.k8s.io", resource: "networkpolicies", verb: "list" },
    { group: "networking.k8s.io", resource: "networkpolicies", verb: "get" },
    { group: "", resource: "resourcequotas", verb: "get" },
    { group: "", resource: "limitranges", verb: "get" },
  ],
  concerns: (finding) => concerned(finding).length > 0,
  looks: (finding) => concerned(finding).flatMap(({ kinds }) => kinds),
  async diagnose(finding, context) {
    let reason = "nothing refuses it by name what a recent commit took away";
    for (const policy of concerned(finding))
      for (const object of policy.suspects(finding, context)) {
        const found = await fromHistory(refOf(object), finding, context, (changes) =>
          fewest(changes, object, policy, finding, context),
        );
        if (found === null) continue;
        if (!found.applies) return found;
        const then = applyChanges(object, changesOf(found.params.fields));
        const objection = policy.objection(object, then, finding, context);
        if (objection === null) return found;
        reason = `${found.reason} But ${objection}`;
      }
    return no(reason);
  },
  plan({ fields, commit }, finding, context) {
    const changes = changesOf(fields);
    if (commit === undefined) return refuse("no commit is named");
    const [first] = changes;
    if (first === undefined || changes.some((change) => keyOf(change.object) !== keyOf(first.object)))
      return refuse("it is not about one object");
    for (const policy of concerned(finding)) {
      const object = policy.suspects(finding, context).find((item) => keyOf(refOf(item)) === keyOf(first.object));
      if (object === undefined) continue;
      const stray = changes.find(({ object: { kind }, path }) => !isPolicyField(kind, path));
      if (stray !== undefined) return refuse(`${formatPath(stray.path)} is no field that this remedy may restore`);
      const gone = conflicts(changes, object);
      if (gone.length > 0) return refuse(`${describeRef(first.object)} has changed: ${gone.join("; ")}`);
      const then = applyChanges(object, changes);
      if (policy.admits(then, finding, context) <= policy.admits(object, finding, context))
        return refuse(`${describeRef(first.object)} would refuse the same`);
      const objection = policy.objection(object, then, finding, context);
      if (objection !== null) return refuse(objection);
      return {
        possible: true,
        changes,
        title: `restore ${describeChanges(changes)}`,
        gitOnly: `${policy.decides}, and is changed in Git only`,
      };
    }
    return refuse(`${describeRef(first.object)} refuses nothing that the workload needs`);
  },
  origin: async ({ commit }, finding, context, changes) =>
    commit === undefined ? "no commit is named" : notFromGit(commit, changes, finding, context),
});

function concerned(finding: Finding): readonly Policy[] {
  return POLICIES.filter((policy) => policy.concerns(finding));
}

/** As few of a commit's changes as take away as many refusals as all of them do; none where they take away none. */
function fewest(
  changes: readonly Change[],
  object: KubeObject,
  policy: Policy,
  finding: Finding,
  context: PlanContext,
): Change[] {
  const fields = changes.filter(({ object: { kind }, path }) => isPolicyField(kind, path));
  const gain = (some: readonly Change[]): number =>
    policy.admits(applyChanges(object, some), finding, context) - policy.admits(object, finding, context);
  const most = fields.length === 0 ? 0 : gain(fields);
  if (most <= 0) return [];
  const kept = [...fields];
  for (const change of fields) {
    const without = kept.filter((other) => other !== change);
    if (without.length > 0 && gain(without) >= most) kept.splice(0, kept.length, ...without);
  }
  return kept;
}
