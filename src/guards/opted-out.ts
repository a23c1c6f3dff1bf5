import { IGNORE } from "../config/scope.ts";
import type { Guard } from "./guard.ts";
import { targets } from "./targets.ts";

export const optedOut: Guard = {
  id: "opted-out",
  summary: 'An object or namespace annotated `stanch.dev/ignore: "true"` is left alone.',
  check(plan, context) {
    for (const [key, object] of targets(plan, context)) {
      if (object?.metadata.annotations?.[IGNORE] === "true")
        return { decision: "refuse", rule: "opted-out", reason: `${key} is annotated ${IGNORE}` };
      if (context.namespaces.get(object?.metadata.namespace ?? "")?.[IGNORE] === "true")
        return {
          decision: "refuse",
          rule: "opted-out",
          reason: `namespace ${object?.metadata.namespace} is annotated ${IGNORE}`,
        };
    }
    return null;
  },
};
