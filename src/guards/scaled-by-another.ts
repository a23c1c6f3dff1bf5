import { managersOf } from "../kube/field-managers.ts";
import { formatPath } from "../kube/field-path.ts";
import { keyOf } from "../kube/ref.ts";
import type { Guard } from "./guard.ts";

export const scaledByAnother: Guard = {
  id: "scaled-by-another",
  summary: "A field that an autoscaler owns is its own business.",
  check(plan, context) {
    for (const change of plan.changes) {
      const live = context.live.get(keyOf(change.object));
      const owner =
        live === null || live === undefined
          ? undefined
          : managersOf(live, change.path).find((entry) =>
              /vpa|vertical-pod-autoscaler|keda|horizontal-pod-autoscaler/i.test(entry.manager ?? ""),
            );
      if (owner !== undefined)
        return {
          decision: "refuse",
          rule: "scaled-by-another",
          reason: `${formatPath(change.path)} is owned by ${owner.manager}, which would change it back`,
        };
    }
    return null;
  },
};
