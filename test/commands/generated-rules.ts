import { manifestsFor } from "../../src/commands/rbac.ts";
import type { Config } from "../../src/config/schema.ts";
import type { PermittedRule } from "../../src/demo/cluster/server/authorization.ts";

/** The rules of the roles that `stanch rbac` prints, as a cluster holds an account to them. */
export function generatedRules(config: Config): PermittedRule[] {
  const parts = config.mode === "remediate" ? (["reader", "writer"] as const) : (["reader"] as const);
  return parts
    .flatMap((part) => manifestsFor(config, { account: "stanch", part }))
    .flatMap(({ metadata: { namespace }, ...object }) =>
      ((object["rules"] ?? []) as PermittedRule[]).map((rule) => ({
        ...rule,
        ...(namespace === undefined ? {} : { namespace }),
      })),
    );
}
