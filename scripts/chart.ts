import { readFile } from "node:fs/promises";
import { Document, visit } from "yaml";
import { Config } from "../src/config/schema.ts";
import { fieldAt } from "../src/kube/fields.ts";
import { CLUSTER_SCOPED, resourceName } from "../src/kube/rbac.ts";
import { GRANTS } from "../src/remedies/grants.ts";

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
  const grants = GRANTS.filter(({ accesses }) => accesses.length > 0).map(
    ({ part, when, own, deployers, accesses, listed }) => ({
      part,
      ...(own === true ? { own } : {}),
      ...(deployers === true ? { deployers } : {}),
      when,
      ...(listed === undefined ? {} : { listed }),
      rights: [
        ...Map.groupBy(accesses, (access) => `${access.group}|${resourceName(access)}|${access.name}`).values(),
      ].map((group) => ({
        group: group[0]?.group,
        resource: group[0] && resourceName(group[0]),
        ...(group[0]?.name === undefined ? {} : { name: group[0].name }),
        verbs: group.map(({ verb }) => verb),
      })),
    }),
  );
  const document = new Document(
    { clusterScoped: CLUSTER_SCOPED, defaults: defaults(), grants },
    { aliasDuplicateObjects: false },
  );
  // One line for each right and condition.
  visit(document, {
    Map(_, node) {
      if (!["grants", "rights", "mode"].some((key) => node.has(key))) node.flow = true;
    },
  });
  return `# Written from src/remedies/grants.ts by \`npm run generate\`.\n${document.toString({ lineWidth: 0 })}`;
}

/** What a setting is where `stanch.yaml` does not say it. */
function defaults(): Record<string, unknown> {
  const config = Config.parse({});
  const settings = GRANTS.flatMap(({ when, listed }) => [
    ...when.map(({ setting }) => setting),
    ...(listed === undefined ? [] : [listed.setting]),
  ]);
  return Object.fromEntries(
    [...new Set(settings)].map((setting) => {
      const fallback = fieldAt(config, ...setting.split("."));
      if (fallback === undefined) throw new Error(`there is no setting ${setting}`);
      return [setting, fallback];
    }),
  );
}
