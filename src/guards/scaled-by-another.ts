import { foreignOwner } from "./foreign-owner.ts";
import type { Guard } from "./guard.ts";

const SCALER = /vpa|vertical-pod-autoscaler|keda|horizontal-pod-autoscaler/i;

export const scaledByAnother: Guard = {
  id: "scaled-by-another",
  summary: "A field that an autoscaler owns is its own business.",
  check(plan, context) {
    const owner = foreignOwner(plan, context, (entry) => SCALER.test(entry.manager ?? ""));
    return owner === null
      ? null
      : {
          decision: "refuse",
          rule: "scaled-by-another",
          reason: `${owner.field} is owned by ${owner.manager}, which would change it back`,
        };
  },
};
