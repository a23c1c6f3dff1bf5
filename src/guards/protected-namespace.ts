import { inScope } from "../config/scope.ts";
import type { Guard } from "./guard.ts";

export const protectedNamespace: Guard = {
  id: "protected-namespace",
  summary: "Kubernetes' own namespaces and Stanch's own are never touched, nor one that is out of scope.",
  check(plan, context) {
    const outside = plan.changes
      .map((change) => change.object.namespace)
      .concat(plan.finding.workload.namespace)
      .find((namespace) => namespace === "" || !inScope(namespace, context.settings));
    return outside === undefined
      ? null
      : {
          decision: "refuse",
          rule: "protected-namespace",
          reason:
            outside === ""
              ? "cluster-scoped objects are never changed"
              : `namespace ${outside} is protected or out of scope`,
        };
  },
};
