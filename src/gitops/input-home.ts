import { describeRef, keyOf } from "../kube/ref.ts";
import type { Change, FileEdit, KubeObject, Located, Location, ObjectRef, Source } from "../model.ts";
import type { Checkout } from "../ports.ts";
import { changesOf, isInput } from "./input.ts";

/** Where an object, or a file of another repository, stands in Git. */
export interface Home {
  readonly source: Source;
  readonly checkout: Checkout;
  /** Other sources that are deployed from the same repository and branch. */
  readonly roots: readonly Source[];
  /** The object as it is in the cluster. */
  readonly live?: KubeObject;
  /** The object is made by another one, which is where it is edited: a change of it as one of that. Null: no rule knows how. */
  readonly maker?: {
    readonly ref: ObjectRef;
    change(change: Change): { readonly change: Change; readonly shared: boolean } | null;
  };
  /** What else changes with the object and cannot be rendered here. */
  readonly siblings?: readonly string[];
}

type Sentence = { readonly found: false; readonly reason: string; readonly hint: string };

/** Finds the homes of what sources are rendered from. */
export interface Homes {
  /** `from`: the source that has an input in the object. */
  object(ref: ObjectRef, from: Source): Promise<({ readonly found: true } & Home) | Sentence>;
  file(repository: string, branch: string): Promise<Pick<Home, "checkout" | "roots">>;
}

/** One render on the way from the object that fails to the file that is edited: what must change in it, and by which edits. */
export interface Link {
  readonly source: Source;
  readonly checkout: Checkout;
  readonly roots: readonly Source[];
  readonly changes: readonly Change[];
  /** Of files of its repository and of its inputs. */
  readonly edits: readonly FileEdit[];
  /** What else changes with it and cannot be rendered here, by name. */
  readonly siblings?: readonly string[];
}

/** What was found in one source: its edits may be of files and of inputs. */
export type FoundHere = Extract<Located, { found: true }>;

/** What was found, down to files of one repository. */
export type FoundInGit = FoundHere & { readonly checkout: Checkout; readonly links: readonly Link[] };

export type NotFound = Sentence & {
  /** Git says all of it already: there is nothing to propose. */
  readonly already?: true;
};

export interface HomeRequest {
  readonly here: Link;
  readonly homes: Homes | undefined;
  /** Objects on the way so far, by `keyOf`. */
  readonly way: readonly string[];
  /** Locates changes of one or more objects of a home, with one step more on the way. */
  locate(home: Home, changes: readonly Change[], way: readonly string[]): Promise<FoundInGit | NotFound>;
}

/** Application, app of apps, and what deploys that: no way in earnest is longer. */
const LONGEST_WAY = 5;

interface Part {
  readonly source: Source;
  readonly checkout: Checkout;
  readonly edits: readonly FileEdit[];
  readonly locations: readonly Location[];
  readonly links: readonly Link[];
}

/**
 * Follows edits of inputs to where they stand in Git: a field of an Application or HelmRelease is a change of that object, and is
 * located like any other; a values file of another repository is edited there. All of it must be in one repository and branch,
 * because one pull request must make the whole change.
 */
export async function followInputs(found: FoundHere, request: HomeRequest): Promise<FoundInGit | NotFound> {
  const { here } = request;
  const inputs = found.edits.filter(({ file }) => isInput(file));
  if (inputs.length === 0) return { ...found, checkout: here.checkout, links: [here] };
  const files = found.edits.filter(({ file }) => !isInput(file));
  const parts: Part[] = [];
  if (files.length > 0)
    parts.push({
      source: here.source,
      checkout: here.checkout,
      edits: files,
      locations: found.locations.filter(({ file }) => !isInput(file)),
      links: [],
    });
  const byHome = await objectParts(inputs, request);
  if ("reason" in byHome) return byHome;
  parts.push(...byHome.parts, ...(await fileParts(inputs, found, request)));
  const [first] = parts;
  if (first === undefined) return no(`Nothing in Git sets it.`, "Make the change by hand.");
  const other = parts.find(
    ({ source }) => source.repository !== first.source.repository || source.branch !== first.source.branch,
  );
  if (other !== undefined)
    return no(
      `The change needs edits of two places that no single pull request can make: ${placeOf(first.source)} and ${placeOf(other.source)}.`,
      "Make the change by hand.",
    );
  const edits = parts.flatMap((part) => part.edits);
  if (new Set(edits.map(({ file }) => file)).size < edits.length)
    return no("Two parts of the change are in the same file.", "Make the change by hand.");
  return {
    found: true,
    source: first.source,
    checkout: first.checkout,
    revision: first.checkout.revision,
    locations: parts.flatMap((part) => part.locations),
    edits,
    renders: found.renders,
    links: [here, ...parts.flatMap((part) => part.links)],
  };
}

/** Inputs that are fields of objects; those that one source declares are located together. */
async function objectParts(
  inputs: readonly FileEdit[],
  { here, homes, way, locate }: HomeRequest,
): Promise<{ readonly parts: Part[] } | NotFound> {
  const groups = new Map<string, { home: Home; changes: Change[]; keys: string[]; siblings: string[] }>();
  for (const { file, after } of inputs) {
    const input = here.source.inputs?.[file];
    if (input === undefined || !("object" in input.home)) continue;
    const { object } = input.home;
    const key = keyOf(object);
    if (way.includes(key) || way.length >= LONGEST_WAY)
      return no(`${input.label} sets it, and ${describeRef(object)} deploys itself.`, "Make the change by hand.");
    const home = homes === undefined ? notKnown(object) : await homes.object(object, here.source);
    if (!home.found) return no(`${input.label} sets it, and ${home.reason}.`, home.hint);
    const { maker } = home;
    const group = groups.get(home.source.id) ?? { home, changes: [], keys: [], siblings: [] };
    for (const change of changesOf(input, after)) {
      const made = maker === undefined ? { change, shared: true } : maker.change(change);
      if (made === null && maker !== undefined)
        return no(
          `${input.label} sets it, which ${describeRef(maker.ref)} fills in by a generator that Stanch does not evaluate.`,
          "Change what the generator reads.",
        );
      if (made === null) continue;
      group.changes.push(made.change);
      if (made.shared) group.siblings.push(...(home.siblings ?? []));
    }
    group.keys.push(key, ...(maker === undefined ? [] : [keyOf(maker.ref)]));
    groups.set(home.source.id, group);
  }
  const parts: Part[] = [];
  let already = 0;
  for (const { home, changes, keys, siblings } of groups.values()) {
    const inner = await locate(home, changes, [...way, ...keys]);
    if (!inner.found && inner.already === true) already += 1;
    else if (!inner.found) return inner;
    else {
      const { source, checkout, edits, locations, links } = inner;
      const [first, ...rest] = links;
      const named = first === undefined || siblings.length === 0 ? links : [{ ...first, siblings }, ...rest];
      parts.push({ source, checkout, edits, locations, links: named });
    }
  }
  if (already > 0 && already === groups.size && groups.size > 0)
    return { ...no("Git says so already, and it is not deployed.", "Deploy it; Git needs no change."), already: true };
  if (already > 0) return no("Git says a part of it already, and it is not deployed.", "Deploy it, then look again.");
  return { parts };
}

/** Inputs that are files of other repositories. */
async function fileParts(inputs: readonly FileEdit[], found: FoundHere, { here, homes }: HomeRequest): Promise<Part[]> {
  const parts: Part[] = [];
  for (const edit of inputs) {
    const home = here.source.inputs?.[edit.file]?.home;
    if (home === undefined || "object" in home || homes === undefined) continue;
    const { repository, branch, file } = home;
    const { checkout } = await homes.file(repository, branch);
    const { inputs: _inputs, helm: _helm, overlay: _overlay, ...rest } = here.source;
    parts.push({
      source: { ...rest, id: `${repository}:${file}@${branch}`, repository, branch, path: ".", tool: "plain" },
      checkout,
      edits: [{ ...edit, file }],
      locations: found.locations.filter((at) => at.file === edit.file).map((at) => ({ ...at, file })),
      links: [],
    });
  }
  return parts;
}

function notKnown(ref: ObjectRef): Sentence {
  return { found: false, reason: `no source of ${describeRef(ref)} is known`, hint: "put it under Git" };
}

function placeOf({ repository, branch }: Source): string {
  return `${repository}@${branch}`;
}

function no(reason: string, hint: string): NotFound {
  return { found: false, reason, hint };
}
