import { describeRef } from "../kube/ref.ts";
import type { Level, Review } from "./model.ts";

/** One line of a file that a step marks. GitHub shows ten of each level and step, and drops the rest without a word. */
export interface Annotation {
  readonly level: Level;
  readonly title: string;
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
}

export const MOST_ANNOTATIONS = 10;

/** New problems as annotations, worst first; those that have a line before those that have none. */
export function annotationsOf(review: Review): Annotation[] {
  const found = review.environments.flatMap(({ name, problems, fault }): Annotation[] => [
    ...problems.map(({ level, object, text, location, check }) => ({
      level,
      title: `Stanch: ${check}`,
      message: `${describeRef(object)} ${text} (${name})`,
      ...location,
    })),
    ...(fault === undefined || fault.when === "base"
      ? []
      : [
          {
            level: "failure" as const,
            title: "Stanch: does not render",
            message: `${name}: ${fault.text}`,
            ...fault.location,
          },
        ]),
  ]);
  const notes = review.notes.map(({ level, text }) => ({ level, title: "Stanch: hotfix", message: text }));
  const proof = (review.reproof?.checks ?? [])
    .filter(({ result }) => result !== "passed")
    .map(({ id, text }) => ({ level: "failure" as const, title: `Stanch: proof ${id}`, message: text }));
  const gaps = review.gaps.map((message) => ({ level: "failure" as const, title: "Stanch: not looked at", message }));
  return [...proof, ...gaps, ...notes, ...found];
}

/** As many of each level as are shown. `left`: how many are not. */
export function shownAnnotations(all: readonly Annotation[]): {
  readonly shown: readonly Annotation[];
  readonly left: number;
} {
  const shown = (["failure", "warning", "notice"] as const).flatMap((level) => {
    const rows = all.filter((annotation) => annotation.level === level);
    const placed = rows.toSorted((a, b) => Number(b.file !== undefined) - Number(a.file !== undefined));
    return placed.slice(0, MOST_ANNOTATIONS);
  });
  return { shown, left: all.length - shown.length };
}
