import { managersOf } from "../kube/field-managers.ts";
import { formatPath } from "../kube/field-path.ts";
import { keyOf } from "../kube/ref.ts";
import type { ManagedFields, ObjectRef, Plan } from "../model.ts";
import type { GuardContext } from "./guard.ts";

/** The first field of a plan that a manager of some sort owns live; null: none does. */
export function foreignOwner(
  plan: Plan,
  context: GuardContext,
  isForeign: (entry: ManagedFields, object: ObjectRef) => boolean,
): { readonly field: string; readonly manager: string } | null {
  for (const { object, path } of plan.changes) {
    const live = context.live.get(keyOf(object));
    const owner =
      live === null || live === undefined
        ? undefined
        : managersOf(live, path).find((entry) => isForeign(entry, object));
    if (owner !== undefined) return { field: formatPath(path), manager: owner.manager ?? "an unnamed manager" };
  }
  return null;
}
