import { readFile } from "node:fs/promises";
import { stringify } from "yaml";
import { z } from "zod";
import { Config } from "../src/config/schema.ts";
import { detectors } from "../src/detectors/index.ts";
import { guards } from "../src/guards/index.ts";
import { incidentCrd, runCrd } from "../src/incident/crd.ts";
import { WebhookPayload } from "../src/notify/payload.ts";
import { remedies } from "../src/remedies/index.ts";
import { chartFiles } from "./chart.ts";
import { withMetrics } from "./metrics-reference.ts";

/** File → text of everything that is written from code. */
export async function generated(): Promise<Record<string, string>> {
  const schema = z.toJSONSchema(Config, { io: "input" }) as Schema;
  const crds = `# Written from src/incident/crd.ts by \`npm run generate\`.\n${[incidentCrd, runCrd].map((crd) => stringify(crd, { lineWidth: 0, aliasDuplicateObjects: false })).join("---\n")}`;
  return {
    ...(await chartFiles(crds, schema)),
    "deploy/crd.yaml": crds,
    "deploy/config.schema.json": `${JSON.stringify({ $id: "https://stanch.dev/config.schema.json", title: "stanch.yaml", ...schema }, null, 2)}\n`,
    "deploy/webhook.schema.json": `${JSON.stringify({ $id: "https://stanch.dev/webhook.v1.schema.json", title: "What a webhook of notify.receivers receives", ...z.toJSONSchema(WebhookPayload, { io: "input" }) }, null, 2)}\n`,
    "docs/configuration.md": configurationReference(schema),
    "docs/catalogue.md": catalogue(),
    "docs/metrics.md": withMetrics(await readFile(new URL("../docs/metrics.md", import.meta.url), "utf8")),
  };
}

interface Schema {
  readonly type?: string;
  readonly properties?: Record<string, Schema>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
}

function configurationReference(schema: Schema): string {
  const rows = rowsOf(schema, "");
  const cell = (text: string): string => text.replaceAll("|", "\\|");
  return [
    "# Configuration",
    "",
    "Everything that `stanch.yaml` may say. Every setting has a production default; an empty file is a valid one. Unknown keys are",
    "refused. `deploy/config.schema.json` is the JSON Schema (put `# yaml-language-server: $schema=…` on top for completion).",
    "Written from `src/config/schema.ts` by `npm run generate`.",
    "",
    "| setting | type | default | meaning |",
    "|---|---|---|---|",
    ...rows.map(
      (row) =>
        `| \`${row.path}\` | ${cell(row.type)} | ${row.fallback === undefined ? "" : `\`${cell(JSON.stringify(row.fallback))}\``} | ${cell(row.text)} |`,
    ),
    "",
  ].join("\n");
}

function rowsOf(schema: Schema, prefix: string): { path: string; type: string; fallback: unknown; text: string }[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    const nested =
      value.properties !== undefined
        ? rowsOf(value, path)
        : value.items?.properties !== undefined
          ? rowsOf(value.items, `${path}[]`)
          : [];
    const type =
      value.enum !== undefined
        ? value.enum.map((entry) => `\`${String(entry)}\``).join(", ")
        : value.type === "array"
          ? `list of ${value.items?.enum?.map((entry) => `\`${String(entry)}\``).join(", ") ?? value.items?.type ?? "values"}`
          : (value.type ?? "");
    const own = {
      path,
      type,
      fallback: value.properties === undefined ? value.default : undefined,
      text: value.description ?? "",
    };
    return [own, ...nested];
  });
}

function catalogue(): string {
  return [
    "# Catalogue",
    "",
    "What Stanch can see, do and refuse. Written from the code by `npm run generate`.",
    "",
    "## Detectors",
    "",
    "| id | what it finds |",
    "|---|---|",
    ...detectors.map((detector) => `| \`${detector.id}\` | ${detector.summary} |`),
    "",
    "## Remedies",
    "",
    "| id | what it does | risk | undone by | afterwards |",
    "|---|---|---|---|---|",
    ...remedies.map(
      (remedy) =>
        `| \`${remedy.id}\` | ${remedy.summary} | ${remedy.risk} | ${remedy.reversibility === "inverse" ? "the inverse patch" : "nothing to undo"} | ${remedy.contains === true ? "contained: the cause stays the program's" : "healed: Git says it, too"} |`,
    ),
    "",
    "## Guards, in order; the first that objects decides",
    "",
    "| id | what it stops |",
    "|---|---|",
    ...guards.map((entry) => `| \`${entry.id}\` | ${entry.summary} |`),
    "",
  ].join("\n");
}
