import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../errors.ts";
import type { FileEdit, Json, Location } from "../model.ts";
import { applyUndos, undosOf } from "./revert.ts";
import { parseValues, parseValues12 } from "./yaml-parse.ts";

/** More stretches than this are not looked at one by one: no planned edit has as many. */
const MAX_STRETCHES = 100;

/**
 * What is wrong with an edit as a text, as a sentence; a render cannot tell, because what renders alike may be a file that was
 * written anew. `now` is the file as it is. Lines that are put back from history may hold comments; other lines must say something.
 */
export function editProblem(edit: FileEdit, now: string | null, locations: readonly Location[]): string | undefined {
  const { file, before, after } = edit;
  if ((now ?? "") !== before) return `${file} is not what the edit was made for.`;
  if (before === after) return `The edit of ${file} changes nothing.`;
  if (!/(\.ya?ml|\.json|^Kustomization|\/Kustomization)$/.test(file)) return undefined;
  const places = locations.filter((location) => location.file === file);
  // A template is text that becomes YAML: only its lines can be looked at, and what they become is what rendering tells.
  if (places.length > 0 && places.every(({ via }) => via === "helm template")) return moreLines(edit, places.length);
  let old: readonly Json[];
  let next: readonly Json[];
  try {
    [old, next] = [before, after].map(read) as [Json[], Json[]];
  } catch (error) {
    return `${file} is not valid YAML: ${messageOf(error)}.`;
  }
  if (places.length === 0 || places.some((location) => location.via.startsWith("revert of"))) return undefined;
  if (old.length !== next.length) return `${file} has ${next.length} documents in the place of ${old.length}.`;
  const changed = old.filter((value, index) => !isDeepStrictEqual(value, next[index])).length;
  if (changed > places.length)
    return `${changed} documents of ${file} change, and ${places.length === 1 ? "one place was" : `${places.length} places were`} planned.`;
  return idleLines(edit, next);
}

function moreLines({ file, before, after }: FileEdit, planned: number): string | undefined {
  const [old, next] = [before.split("\n"), after.split("\n")];
  const changed = old.filter((line, index) => line !== next[index]).length;
  return old.length === next.length && changed <= planned
    ? undefined
    : `More lines of ${file} change than were planned.`;
}

function read(text: string): Json[] {
  parseValues12(text);
  return parseValues(text);
}

/** A stretch of lines that differs and says the same as before: formatting, comments or line endings. */
function idleLines({ file, before, after }: FileEdit, next: readonly Json[]): string | undefined {
  const stretches = undosOf(file, before, after);
  if (stretches.length > MAX_STRETCHES) return `${file} changes in ${stretches.length} places.`;
  for (const stretch of stretches) {
    const without = applyUndos(after, [stretch]);
    if (without !== null && saysThis(without.text, next))
      return `Line ${stretch.at + 1} of ${file} changes and says nothing new.`;
  }
  return undefined;
}

function saysThis(text: string, values: readonly Json[]): boolean {
  try {
    return isDeepStrictEqual(parseValues(text), values);
  } catch {
    // It takes this stretch for the file to be readable.
    return false;
  }
}
