import { stringify } from "yaml";
import { composeBase } from "../compose.ts";
import type { Config } from "../config/schema.ts";
import { namedNamespaces } from "../config/scope.ts";
import { StanchError } from "../errors.ts";
import { bindingsFor, rolesFor } from "../kube/rbac.ts";
import type { KubeObject } from "../model.ts";
import { readRights, writeRights } from "../remedies/rights.ts";
import type { Flags } from "./flags.ts";

type Part = "reader" | "writer";

/** `stanch rbac`: the service accounts and exactly the rights that the configuration needs. Makes no call. */
export async function main(flags: Flags): Promise<number> {
  const { config, output } = await composeBase(flags);
  const account = flags.account ?? "stanch";
  if (!/^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$/.test(account))
    throw new StanchError("config", `--account ${account} is no name of a service account`, {
      hint: "use lower-case letters, digits and dashes, at most 53; `-reader` and `-writer` are added to it",
    });
  const objects = partsOf(flags.part, config).flatMap((part) => manifestsFor(config, { account, part }));
  process.stdout.write(
    output === "json"
      ? `${JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }, null, 2)}\n`
      : objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join("---\n"),
  );
  return 0;
}

function partsOf(part: string | undefined, { mode }: Config): Part[] {
  if (part === undefined) return mode === "remediate" ? ["reader", "writer"] : ["reader"];
  if (part !== "reader" && part !== "writer")
    throw new StanchError("config", `--part ${part} is not known`, { hint: "use reader or writer" });
  if (part === "writer" && mode !== "remediate")
    throw new StanchError("config", `in mode ${mode} nothing is changed live, so that there is no right to write`, {
      hint: "set `mode: remediate`, or leave the writer out",
    });
  return [part];
}

/**
 * One part: `ACCOUNT-reader` observes, proposes and keeps the books; `ACCOUNT-writer` may do that too, and change things live. The
 * writer is a part of its own: without it nothing can be changed live, whatever the configuration says, and to remove it takes nothing
 * from the reader, whose roles it borrows.
 */
export function manifestsFor(config: Config, { account, part }: { account: string; part: Part }): KubeObject[] {
  const { namespace } = config;
  const common = { account: `${account}-${part}`, namespace, namespaces: namedNamespaces(config) };
  const reads = { ...common, role: `${account}-reader`, accesses: readRights(config) };
  return [
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: common.account, namespace, labels: { "app.kubernetes.io/name": "stanch" } },
    },
    ...(part === "reader"
      ? rolesFor(reads)
      : [
          ...bindingsFor(reads, `${account}-writer-reads`),
          ...rolesFor({ ...common, role: `${account}-writer`, accesses: writeRights(config) }),
        ]),
  ];
}
