import { describeUnread } from "../gitops/unread.ts";
import type { KubeObject } from "../model.ts";
import type { Unread } from "../ports.ts";
import type { Environment } from "./model.ts";

/** What one side of a deployment comes to. */
export interface Outcome {
  readonly objects: readonly KubeObject[];
  readonly unread: readonly Unread[];
  /** It does not render at all, and why. */
  readonly fault?: string;
}

/** Files that are named in one sentence. */
const MOST = 5;

/**
 * Can both sides be told, and whose fault is it where not? Null: what could not be read is the same on both sides, so that all that differs is
 * seen. A file that the pull request changes and that neither side can read hides a change, like a root that renders on neither.
 */
export function faultOf(
  was: Outcome,
  is: Outcome,
  touched: (file: string) => boolean,
): NonNullable<Environment["fault"]> | null {
  if (is.fault !== undefined) return { text: is.fault, when: was.fault === undefined ? "head" : "both" };
  const [before, after] = [was, is].map(({ unread }) => new Set(unread.map(({ file }) => file)));
  const broken = is.unread.filter(({ file }) => before?.has(file) !== true || touched(file));
  if (broken.length > 0) {
    const old = was.fault !== undefined || broken.every(({ file }) => before?.has(file) === true);
    const place = broken.find(({ line }) => line !== undefined);
    return {
      text: told(broken),
      when: old ? "both" : "head",
      ...(place?.line === undefined ? {} : { location: { file: place.file, line: place.line } }),
    };
  }
  const mended = was.unread.filter(({ file }) => after?.has(file) !== true);
  if (was.fault !== undefined) return { text: was.fault, when: "base" };
  return mended.length === 0 ? null : { text: told(mended), when: "base" };
}

function told(unread: readonly Unread[]): string {
  const more = unread.length - MOST;
  const named = unread.slice(0, MOST).map(describeUnread).join("; ");
  return `not every file can be read: ${named}${more > 0 ? `; and ${more} more` : ""}`;
}
