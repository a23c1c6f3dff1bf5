import type { Change, Json } from "../model.ts";
import { HIDDEN, hideSecrets } from "../pull-request/patch.ts";
import { redact, redactShapes } from "../redact.ts";
import { ORDER, withHotfixes } from "./item.ts";
import type { DriftField, DriftItem, DriftReport, RootReport, Shown } from "./model.ts";
import { type Counts, countsOf } from "./standing.ts";

/** A root whose list of objects may be shortened: what was left off is still counted. */
export interface CountedRoot extends RootReport {
  readonly counts: Counts;
}

/** A report as it may leave the cluster. */
export interface CountedReport extends DriftReport {
  readonly roots: readonly CountedRoot[];
}

/** `items`: of one repository; more of them fit in no report, and cleaning each of a hundred thousand would take minutes. */
const MOST = { items: 2000, value: 300, text: 400, path: 300, name: 300, gaps: 50, fields: 50 } as const;
const SECRET_VALUE: Shown = { cut: "‹a Secret's value›" };
const NOT_SHOWN: Shown = { cut: HIDDEN };

/**
 * A report as it may leave the cluster: nothing of Secrets, not even hashes (their key changes, and the report would never say the same
 * twice); no value that is a secret by its name or its shape; every text bounded. `values`: whether other values may be shown at all.
 * Objects stand in one order, worst first, so that the same drift always reads the same.
 */
export function sanitised(report: DriftReport, { values }: { readonly values: boolean }): CountedReport {
  const most = Math.max(1, Math.floor(MOST.items / Math.max(1, report.roots.length)));
  return {
    version: 1,
    cluster: cut(report.cluster, 63),
    takenAt: report.takenAt,
    stanch: cut(report.stanch, 60),
    mode: report.mode,
    roots: report.roots.map((root) => ofRoot(root, values, most)).toSorted((a, b) => compare(a.id, b.id)),
    gaps: boundedGaps(report.gaps),
    hidden: report.hidden.slice(0, 50).map(({ rule, count }) => ({ rule: sentence(rule), count })),
  };
}

function ofRoot(root: RootReport, values: boolean, most: number): CountedRoot {
  return {
    ...root,
    id: cut(root.id, MOST.name),
    path: cut(root.path, MOST.name),
    tool: cut(root.tool, 60),
    ...(root.error === undefined ? {} : { error: sentence(root.error) }),
    counts: countsOf([root]),
    items: withHotfixes(root.items.toSorted(worseFirst), most).map((item) => ofItem(item, values)),
  };
}

const worseFirst = (a: DriftItem, b: DriftItem): number =>
  ORDER.indexOf(a.class) - ORDER.indexOf(b.class) || compare(nameOf(a), nameOf(b));

const nameOf = ({ object }: DriftItem): string =>
  [object.namespace, object.kind, object.name, object.apiVersion].join("\0");

function ofItem(item: DriftItem, values: boolean): DriftItem {
  const hidden = new Set<string>();
  const fields = item.fields.slice(0, MOST.fields).map((field) => ofField(item, field, values, hidden));
  const quoted = values ? item.text : withoutValues(item);
  const clean = [...hidden].reduce((text, secret) => text.replaceAll(secret, HIDDEN), quoted);
  return {
    ...item,
    object: { ...item.object, name: cut(item.object.name, MOST.name) },
    text: sentence(clean),
    fields,
    more: item.more + Math.max(0, item.fields.length - MOST.fields),
  };
}

/** A sentence of the engine's may quote a value. */
function withoutValues({ text, fields }: DriftItem): string {
  const quoted = fields.flatMap(({ git, live }) => [git, live]).flatMap(textsIn);
  return quoted.reduce((left, value) => left.replaceAll(value, HIDDEN), text);
}

function textsIn(shown: Shown | undefined): string[] {
  if (shown === undefined || !("value" in shown)) return [];
  const { value } = shown;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 2 ? [text] : [];
}

function ofField({ object }: DriftItem, field: DriftField, values: boolean, hidden: Set<string>): DriftField {
  const [git, live] = [jsonOf(field.git), jsonOf(field.live)];
  const change: Change = {
    object,
    path: field.path,
    ...(git === undefined ? {} : { from: git }),
    ...(live === undefined ? {} : { to: live }),
  };
  const safe = hideSecrets([change]);
  for (const secret of safe.hidden) hidden.add(secret);
  const shown = (side: Shown | undefined, clean: Json | undefined): Shown | undefined => {
    if (side === undefined) return undefined;
    if (!values) return NOT_SHOWN;
    if (object.kind === "Secret" || "hash" in side) return SECRET_VALUE;
    return "cut" in side ? { cut: cut(redact(side.cut), MOST.value) } : bounded(clean ?? null);
  };
  const [cleanGit, cleanLive] = [shown(field.git, safe.changes[0]?.from), shown(field.live, safe.changes[0]?.to)];
  const { git: _git, live: _live, ...rest } = field;
  return {
    ...rest,
    text: cut(redactShapes(field.text), MOST.path),
    ...(cleanGit === undefined ? {} : { git: cleanGit }),
    ...(cleanLive === undefined ? {} : { live: cleanLive }),
  };
}

const jsonOf = (shown: Shown | undefined): Json | undefined =>
  shown !== undefined && "value" in shown ? shown.value : undefined;

function bounded(value: Json): Shown {
  const clean = redacted(value);
  const text = typeof clean === "string" ? clean : JSON.stringify(clean);
  return [...text].length <= MOST.value ? { value: clean } : { cut: cut(text, MOST.value) };
}

function redacted(value: Json): Json {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, redacted(one)]));
}

function boundedGaps(gaps: readonly string[]): string[] {
  const shown = gaps.slice(0, MOST.gaps).map(sentence);
  return gaps.length <= MOST.gaps ? shown : [...shown, `and ${gaps.length - MOST.gaps} more`];
}

const sentence = (text: string): string => cut(redact(text), MOST.text);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const letters = [...text];
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join("")}…`;
}
