import { readFile } from "node:fs/promises";
import { stringify } from "yaml";
import { Config } from "../src/config/schema.ts";
import { fieldAt } from "../src/kube/fields.ts";
import { CLUSTER_SCOPED, resourceName } from "../src/kube/rbac.ts";
import { type Condition, GRANTS } from "../src/remedies/grants.ts";

const VALUES_SCHEMA = "deploy/chart/values.schema.json";

/** Files of the chart that are written from code: the rights, the custom resources, and what `config` may say. */
export async function chartFiles(crds: string, configSchema: object): Promise<Record<string, string>> {
  const schema = JSON.parse(await readFile(new URL(`../${VALUES_SCHEMA}`, import.meta.url), "utf8")) as {
    properties: Record<string, unknown>;
  };
  const { $schema: _, ...config } = configSchema as { $schema?: string };
  return {
    "deploy/chart/files/crd.yaml": crds,
    "deploy/chart/files/rights.yaml": rights(),
    [VALUES_SCHEMA]: `${JSON.stringify({ ...schema, properties: { ...schema.properties, config } }, null, 2)}\n`,
  };
}

/** Every right with the settings that ask for it, and what those are where `stanch.yaml` says nothing. */
function rights(): string {
  const grants = GRANTS.filter(({ accesses }) => accesses.length > 0).map(({ part, when, own, accesses }) => ({
    part,
    ...(when.length === 0 ? {} : { when: when.map(withDefault) }),
    ...(own === true ? { own } : {}),
    rights: accesses.map((access) => ({
      group: access.group,
      resource: resourceName(access),
      ...(access.name === undefined ? {} : { name: access.name }),
      verb: access.verb,
    })),
  }));
  const text = stringify(
    { clusterScoped: CLUSTER_SCOPED, grants },
    { lineWidth: 0, aliasDuplicateObjects: false, collectionStyle: "any" },
  );
  return `# Written from src/remedies/grants.ts by \`npm run generate\`.\n${text}`;
}

function withDefault(condition: Condition): Condition & { default: unknown } {
  const fallback = fieldAt(Config.parse({}), ...condition.setting.split("."));
  if (fallback === undefined) throw new Error(`there is no setting ${condition.setting}`);
  return { ...condition, default: fallback };
}
