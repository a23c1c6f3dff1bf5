import { METRICS, type MetricDefinition, type MetricName } from "./table.ts";

/** One number of one metric. */
export interface Sample {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Amounts by series, such as `stanch_runs_total{result="done"}`: what a run counted, and what all runs counted. */
export type Counts = Readonly<Record<string, number>>;

/** More series than the table can make of known labels are a fault, and bound what the `Run` object holds. */
const MOST = 600;
/** Series of one counter that are told before there is anything to count. */
const FEW = 20;
const ID = /^[a-z][a-z0-9-]{0,39}$/;

export function definitionOf(name: MetricName): MetricDefinition {
  return METRICS[name];
}

/** A metric's labels in the table's order, each a value that the table knows. */
export function boundedLabels(name: MetricName, labels: Readonly<Record<string, string>>): Record<string, string> {
  const known = definitionOf(name).labels ?? {};
  return Object.fromEntries(
    Object.entries(known).map(([label, values]) => {
      const value = labels[label] ?? "";
      const fits = values === "text" ? true : values === "id" ? ID.test(value) : values.includes(value);
      return [label, fits ? value.slice(0, 253) : "other"];
    }),
  );
}

/** A series as it is written in queries. */
export function seriesOf(name: MetricName, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(boundedLabels(name, labels)).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(",")}}`;
}

/** The samples of stored amounts. What is no series of a known counter, or no amount, is left out: an older or newer version wrote it. */
export function samplesOf(counts: Counts): Sample[] {
  return Object.entries(counts).flatMap(([series, value]) => {
    const [, name = "", list = ""] = /^([a-z_]+)(?:\{([^{}]*)\})?$/.exec(series) ?? [];
    if (!Object.hasOwn(METRICS, name) || definitionOf(name as MetricName).type !== "counter") return [];
    if (typeof value !== "number" || !Number.isFinite(value) || value < 0) return [];
    const labels = Object.fromEntries(
      [...list.matchAll(/([a-z_]+)="([^"\\]*)"/g)].map(([, label = "", text = ""]) => [label, text]),
    );
    const sample = { name: name as MetricName, labels: boundedLabels(name as MetricName, labels), value };
    return seriesOf(sample.name, labels) === series ? [sample] : [];
  });
}

/**
 * Every counter whose labels are few, at 0. A series that begins at 6 has grown by nothing, so that an alert on its growth would never see the
 * first burst. Phases by symptom would be hundreds, and ids of catalogues are not known here.
 */
const ZEROS: Counts = Object.fromEntries(
  (Object.keys(METRICS) as MetricName[]).flatMap((name) => {
    const { type, labels = {} } = definitionOf(name);
    const all = Object.entries(labels).reduce<Record<string, string>[]>(
      (rows, [label, values]) =>
        typeof values === "string" ? [] : rows.flatMap((row) => values.map((value) => ({ ...row, [label]: value }))),
      [{}],
    );
    return type === "counter" && all.length <= FEW ? all.map((row) => [seriesOf(name, row), 0] as const) : [];
  }),
);

/** Totals with what one run counted. Those of known labels are there from the first run on, also in totals that an older version kept. */
export function totalsWith(before: Counts | null, more: Counts): Counts {
  return addCounts(addCounts(before ?? {}, more), ZEROS);
}

/** The sum of two sets of amounts; no more series than there may be. */
export function addCounts(before: Counts, more: Counts): Counts {
  const out: Record<string, number> = {};
  for (const { name, labels, value } of samplesOf(before).slice(0, MOST)) out[seriesOf(name, labels)] = value;
  for (const [series, value] of Object.entries(more)) {
    if (!(series in out) && Object.keys(out).length >= MOST) continue;
    // Digits beyond it are noise of binary fractions.
    out[series] = Math.round(((out[series] ?? 0) + value) * 1e6) / 1e6;
  }
  return out;
}
