import { describeRef } from "../kube/ref.ts";
import type { CheckAnnotation } from "../ports.ts";
import { quiet } from "../pull-request/quote.ts";
import type { DriftClass, DriftField, DriftItem, RootReport, SourceLine } from "./model.ts";
import { cut } from "./sanitise.ts";

/** Lines that are marked in one report, and for one object. */
const MOST = { all: 300, item: 10 } as const;

const LEVELS: Readonly<Partial<Record<DriftClass, CheckAnnotation["level"]>>> = {
  drift: "warning",
  missing: "warning",
  extra: "warning",
  unknown: "warning",
  hotfix: "notice",
  conflict: "notice",
};

/** The lines of the source that say something else than the cluster, worst objects first, and how many were left off. */
export function annotationsOf(roots: readonly RootReport[]): {
  readonly annotations: CheckAnnotation[];
  readonly left: number;
} {
  const all = roots.flatMap((root) => root.items.flatMap(ofItem));
  const rank = (one: CheckAnnotation): number => (one.level === "notice" ? 1 : 0);
  const sorted = all.toSorted((a, b) => rank(a) - rank(b));
  return { annotations: sorted.slice(0, MOST.all), left: Math.max(0, sorted.length - MOST.all) };
}

function ofItem(item: DriftItem): CheckAnnotation[] {
  const level = LEVELS[item.class];
  if (level === undefined) return [];
  const title = line(`${item.class}: ${describeRef(item.object)}`, 255);
  const located = item.fields.filter((field) => isFile(field.location)).slice(0, MOST.item);
  if (located.length > 0)
    return located.map((field) => at(field.location as SourceLine, { level, title, message: said(field) }));
  return isFile(item.location) ? [at(item.location, { level, title, message: line(item.text, 1000) })] : [];
}

function at(place: SourceLine, what: Pick<CheckAnnotation, "level" | "title" | "message">): CheckAnnotation {
  return { path: place.file, startLine: place.line, endLine: place.line, ...what };
}

/** Inputs that are no files have a NUL in their name. */
function isFile(place: SourceLine | undefined): place is SourceLine {
  return place !== undefined && place.line >= 1 && !/^\/|\0|(^|\/)\.\.(\/|$)/.test(place.file) && place.file !== "";
}

function said({ text, git, live, by }: DriftField): string {
  const who =
    by.writer === "unknown"
      ? ""
      : `; last written by ${by.manager === undefined ? by.writer : `${by.writer} (${by.manager})`}`;
  return line(`${text}: Git says ${shown(git)}, the cluster has ${shown(live)}${who}`, 1000);
}

function shown(side: DriftField["git"]): string {
  if (side === undefined) return "nothing";
  if ("value" in side) return typeof side.value === "string" ? `"${side.value}"` : JSON.stringify(side.value);
  return "cut" in side ? side.cut : "another secret value";
}

/** GitHub shows an annotation as plain text; it names nobody and links nothing all the same. */
const line = (text: string, most: number): string => cut(quiet(text), most) || "(nothing to say)";
