import { stringify } from "yaml";
import { composeBase } from "../compose.ts";
import type { Config } from "../config/schema.ts";
import { namedNamespaces } from "../config/scope.ts";
import { rolesFor } from "../kube/rbac.ts";
import type { KubeObject } from "../model.ts";
import { holdRights, readRights, rightsFor } from "../remedies/rights.ts";
import type { Flags } from "./flags.ts";

const ACCOUNT = "stanch";

/** `stanch rbac`: the service account and exactly the rights that the configuration needs. Makes no call. */
export async function main(flags: Flags): Promise<number> {
  const { config, output } = await composeBase(flags);
  const objects = manifestsFor(config);
  process.stdout.write(
    output === "json"
      ? `${JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }, null, 2)}\n`
      : objects.map((object) => stringify(object)).join("---\n"),
  );
  return 0;
}

/** The write half is a part of its own, and only there in mode `remediate`: without it nothing can be changed live. */
export function manifestsFor(config: Config): KubeObject[] {
  const { namespace } = config;
  const common = { account: ACCOUNT, namespace, namespaces: namedNamespaces(config) };
  return [
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: ACCOUNT, namespace, labels: { "app.kubernetes.io/name": "stanch" } },
    },
    ...rolesFor({ ...common, role: "reader", accesses: readRights(config) }),
    ...(config.mode === "remediate"
      ? rolesFor({
          ...common,
          role: "writer",
          accesses: [...rightsFor(config.remedies.enabled), ...holdRights(config)],
        })
      : []),
  ];
}
