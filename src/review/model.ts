/** What a review is made of. Plain data: the comment, the summary, the annotations and the outputs are written from it. */
import type { SourceLine } from "../drift/model.ts";
import type { Change, Check, FieldPath, ObjectRef } from "../model.ts";

/** `failure`: the API server would refuse it, or it certainly breaks. `warning`: it almost certainly breaks. `notice`: look at it. */
export type Level = "failure" | "warning" | "notice";

/** Something wrong with what one root renders. */
export interface Problem {
  readonly check: string;
  readonly object: ObjectRef;
  readonly path?: FieldPath;
  readonly level: Level;
  /** One sentence for people. */
  readonly text: string;
  /** The same for the same problem before and after: what was there before is not this pull request's. */
  readonly key: string;
  readonly location?: SourceLine;
}

/** What a merge and its deployment do to one object. */
export interface Effect {
  readonly object: ObjectRef;
  /** `replaced`: a field changes that cannot be changed in place, so that the object must be deleted and made anew. */
  readonly kind: "created" | "deleted" | "changed" | "replaced";
  /** Empty for objects that come or go as a whole. */
  readonly changes: readonly Change[];
  /** Which field makes it a replacement. */
  readonly because?: string;
  /** Its pods are started anew. */
  readonly rollout: boolean;
}

/** One deployment of one folder, before and after. */
export interface Environment {
  /** For people: `apps/prod`, `apps/prod (Application argocd/shop)`. */
  readonly name: string;
  /** Why what the merge does does not come by itself, or is not known to come. */
  readonly remark?: string;
  readonly effects: readonly Effect[];
  /** What follows by itself: renamed generators, checksum annotations. */
  readonly follows: readonly string[];
  /** In the head and not in the base. */
  readonly problems: readonly Problem[];
  /** In both: not this pull request's. */
  readonly old: readonly Problem[];
  /** In the base, and gone in the head. */
  readonly solved: number;
  /**
   * It could not be rendered, or not all of it be read: in the `head` alone, so that this pull request is to blame; in the `base` alone, so that
   * it repairs it, what changes cannot be told, and all problems of the head count as new; or in `both`.
   */
  readonly fault?: { readonly text: string; readonly when: "head" | "base" | "both"; readonly location?: SourceLine };
}

/** What the cluster carries and Git does not say yet, where this pull request meets it. */
export interface Note {
  readonly kind: "undoes" | "fixes" | "touches";
  readonly level: Level;
  readonly object: ObjectRef;
  readonly text: string;
}

/** The proof of one of Stanch's own pull requests, made again for its head. */
export interface Reproof {
  readonly incident: string;
  readonly checks: readonly Check[];
  readonly holds: boolean;
}

export interface Review {
  readonly repository: string;
  readonly number: number;
  /** What was compared. */
  readonly base: string;
  readonly head: string;
  readonly environments: readonly Environment[];
  readonly notes: readonly Note[];
  readonly reproof?: Reproof;
  /** What is never looked into, in sentences: no fault, and no reason to think that nothing is there. */
  readonly unseen: readonly string[];
  /** What could not be looked at, in sentences. */
  readonly gaps: readonly string[];
  /** Roots that were found and that this pull request does not touch. */
  readonly untouched: number;
  readonly tools: readonly string[];
}

/** `error` before `problems`: what could not be looked at must never look like nothing. */
export type ReviewResult = "error" | "problems" | "clean";

export function resultOf(review: Review): ReviewResult {
  const faults = review.environments.map(({ fault }) => fault?.when);
  if (review.gaps.length > 0 || faults.includes("both")) return "error";
  return countOf(review) > 0 ? "problems" : "clean";
}

/** New problems that are more than notices, hotfixes that are undone, and a proof that does not hold. */
export function countOf({ environments, notes, reproof }: Review): number {
  const faults = environments.filter(({ fault }) => fault?.when === "head").length;
  const problems = environments.flatMap((environment) => environment.problems);
  return (
    faults +
    problems.filter(({ level }) => level !== "notice").length +
    notes.filter(({ level }) => level !== "notice").length +
    (reproof?.holds === false ? 1 : 0)
  );
}
