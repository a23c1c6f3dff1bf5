import { OUTCOMES, PHASES, STEPS, SYMPTOMS } from "../src/metrics/labels.ts";
import { METRICS, type MetricDefinition } from "../src/metrics/table.ts";

const BEGIN = "<!-- written from src/metrics/table.ts by `npm run generate` -->";
const END = "<!-- end -->";

/** Lists that are told once, below the table. */
const LISTS = { symptoms: SYMPTOMS, phases: PHASES, outcomes: OUTCOMES, steps: STEPS } as const;

/** docs/metrics.md with its table written anew. Throws when the marks of the table are gone. */
export function withMetrics(text: string): string {
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error("docs/metrics.md has lost the marks of its table");
  const rows = Object.entries(METRICS).map(
    ([name, definition]: [string, MetricDefinition]) =>
      `| \`${name}\` | ${definition.type} | ${labelsOf(definition)} | ${definition.help.replaceAll("|", "\\|")} |`,
  );
  const lists = Object.entries(LISTS).map(([what, values]) => `- **${what}**: ${values.join(", ")}`);
  const table = ["| metric | type | labels | meaning |", "|---|---|---|---|", ...rows, "", ...lists].join("\n");
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}

function labelsOf({ labels = {} }: MetricDefinition): string {
  return Object.entries(labels)
    .map(([label, values]) => {
      if (values === "id") return `\`${label}\` (docs/catalogue.md)`;
      if (values === "text") return `\`${label}\``;
      const list = Object.entries(LISTS).find(([, known]) => known === values)?.[0];
      return `\`${label}\`: ${list ?? values.join(", ")}`;
    })
    .join("; ");
}
