import { type Ownership, ownersOf } from "../kube/field-managers.ts";
import type { FieldPath, Json, KubeObject } from "../model.ts";
import { type Hands, handsOn } from "./hands.ts";
import { isMap, isOmitted, sameLeaf } from "./leaf.ts";
import { matchItems, stepsOf } from "./list-items.ts";
import type { Attribution } from "./model.ts";
import { isDefault, isOthersByRight } from "./others.ts";
import { attribution, type Deploys, lastForeign } from "./writer.ts";

/** One field in which live is not what Git declares, smallest first: a leaf, or a list item as a whole. */
export interface Difference {
  readonly path: FieldPath;
  /** Absent: Git does not set it. */
  readonly git?: Json;
  /** Absent: it is not there. */
  readonly live?: Json;
  readonly by: Attribution;
  /** Only the deployer's own name stands at the field: a webhook changed what it wrote, or it wrote what cannot be rendered here. */
  readonly own?: true;
}

export interface Comparison {
  readonly differences: readonly Difference[];
  /** What is there beside Git and belongs to controllers and webhooks by right. */
  readonly folded: number;
}

export interface CompareContext {
  readonly deploys: Deploys;
  /**
   * Server mode: what the API server would make of the declared object, by dry run. Only what Git declares is looked at in it; its values
   * stand in the place of Git's.
   */
  readonly predicted?: KubeObject;
}

/** What the API server writes, and what no manifest is asked about. */
const NOT_COMPARED = new Set(["apiVersion", "kind", "metadata", "status"]);
/** Of metadata, what a manifest may declare. */
const METADATA = ["labels", "annotations", "finalizers"] as const;

/**
 * A declared and a live object, field by field, as a projected three-way comparison: every declared leaf must be there and mean the
 * same; a live leaf that Git does not declare counts only when the deployer applied it (by last-applied or by its own apply), or when a
 * person or Stanch wrote it. The rest are defaults, and what controllers and webhooks add. Both must be prepared (`prepare`).
 */
export function compareObjects(declared: KubeObject, live: KubeObject, context: CompareContext): Comparison {
  const state: State = { live, context, hands: handsOn(live, context.deploys), differences: [], folded: 0 };
  const said = context.predicted === undefined ? declared : projected(declared, context.predicted, live);
  for (const key of new Set([...Object.keys(said), ...Object.keys(live)]))
    if (!NOT_COMPARED.has(key)) walk([key], said[key] as Json | undefined, live[key] as Json | undefined, state);
  for (const key of METADATA)
    walk(["metadata", key], said.metadata[key] as Json | undefined, live.metadata[key] as Json | undefined, state);
  return { differences: state.differences, folded: state.folded };
}

interface State {
  readonly live: KubeObject;
  readonly context: CompareContext;
  readonly hands: Hands;
  readonly differences: Difference[];
  folded: number;
}

function walk(path: FieldPath, git: Json | undefined, live: Json | undefined, state: State): void {
  if (git === undefined || git === null) {
    if (live !== undefined && live !== null) added(path, live, state);
    return;
  }
  if (live === undefined || live === null) {
    gone(path, git, state);
    return;
  }
  if (isMap(git) && isMap(live)) {
    for (const key of new Set([...Object.keys(git), ...Object.keys(live)]))
      walk([...path, key], git[key], live[key], state);
    return;
  }
  if (Array.isArray(git) && Array.isArray(live)) lists(path, git, live, state);
  else if (!sameLeaf(path, git, live)) changed(path, git, live, state);
}

function lists(path: FieldPath, git: readonly Json[], live: readonly Json[], state: State): void {
  const matched = matchItems(path, git, live, state.live);
  if (matched.by === "whole") {
    if (!matched.same) changed(path, [...git], [...live], state);
    return;
  }
  for (const { step, git: item, live: other } of matched.pairs) {
    if (item !== undefined && other === undefined) goneItem([...path, step], item, state);
    else walk([...path, step], item, other, state);
  }
}

/** Declared and not there. Of a map every leaf is told; a list item goes as a whole. */
function gone(path: FieldPath, git: Json, state: State): void {
  if (isOmitted(path, git)) return;
  if (isMap(git) && Object.keys(git).length > 0 && typeof path.at(-1) === "string") {
    for (const [key, value] of Object.entries(git)) if (value !== null) gone([...path, key], value, state);
    return;
  }
  goneItem(path, git, state);
}

function goneItem(path: FieldPath, git: Json, state: State): void {
  // Whoever takes a field away takes it from its owners, too. Where the deployer still owns it, it was dropped on the way in.
  const owners = ownersOf(state.live, path).filter(({ how }) => how === "exact");
  if (owners.some(({ entry }) => state.hands.writer(entry) === "deployer")) {
    state.folded++;
    return;
  }
  // Nothing says who took it.
  state.differences.push({ path, git, by: { writer: "unknown" } });
}

function changed(path: FieldPath, git: Json, live: Json, state: State): void {
  if (isOthersByRight(state.live, path, git)) {
    state.folded++;
    return;
  }
  const { deploys } = state.context;
  const owners = ownersOfValue(path, state.live);
  const [mine] = owners;
  if (mine === undefined) {
    state.differences.push({ path, git, live, by: { writer: "unknown" } });
    return;
  }
  const mutated = state.hands.mutated(path, git, owners);
  const by = mutated ? null : lastForeign(owners, state.hands.writer);
  if (by !== null) {
    state.differences.push({ path, git, live, by });
    return;
  }
  const own = deploys !== "configuration" || mutated;
  state.differences.push({
    path,
    git,
    live,
    by: mutated ? { writer: "webhook" } : attribution("deployer", mine.entry),
    ...(own ? { own } : {}),
  });
}

/** What was applied as a Secret's `stringData` is owned under that name, and stands in `data`. */
function ownersOfValue(path: FieldPath, live: KubeObject): Ownership[] {
  const owners = ownersOf(live, path);
  const [first, ...rest] = path;
  return owners.length > 0 || live.kind !== "Secret" || first !== "data"
    ? owners
    : ownersOf(live, ["stringData", ...rest]);
}

/** There and not declared: only what somebody meant is told. */
function added(path: FieldPath, live: Json, state: State): void {
  const found: Difference[] = [];
  const seen = { others: 0 };
  collect(path, live, state, found, seen);
  state.folded += seen.others;
  // A new map brings defaults along that its writer owns as well.
  const chosen = isMap(live) ? found.filter(({ path: at, live: value }) => !isDefault(at, value as Json)) : found;
  state.differences.push(...(chosen.length > 0 ? chosen : found));
}

function collect(path: FieldPath, live: Json, state: State, found: Difference[], seen: { others: number }): void {
  if (isOthersByRight(state.live, path, undefined)) return;
  if (isMap(live) && Object.keys(live).length > 0) {
    if (typeof path.at(-1) === "object" || typeof path.at(-1) === "number") {
      const by = itemWriter(path, live, state);
      if (by !== null) return void found.push({ path, live, by });
    }
    const before = found.length;
    for (const [key, value] of Object.entries(live)) collect([...path, key], value, state, found, seen);
    if (found.length === before && typeof path.at(-1) === "object") seen.others++;
    return;
  }
  if (Array.isArray(live) && live.some(isMap)) {
    const items = stepsOf(path, live, state.live);
    if (items !== null) {
      for (const { step, live: item } of items)
        if (item !== undefined) collect([...path, step], item, state, found, seen);
      return;
    }
  }
  const by = wroteIt(path, live, state);
  if (by !== null) found.push({ path, live, by });
  else if (ownersOf(state.live, path).some(({ entry }) => state.hands.writer(entry) !== "deployer")) seen.others++;
}

/** Who put a list item there, where that is the deployer's, Stanch's or a person's doing. */
function itemWriter(path: FieldPath, item: Json, state: State): Attribution | null {
  const step = path.at(-1);
  if (typeof step !== "object" || !isMap(item)) return null;
  return wroteIt([...path, step.by], item[step.by] ?? null, state) ?? wroteIt(path, item, state);
}

/** Who meant a field that Git does not declare; null: nobody that counts. */
function wroteIt(path: FieldPath, live: Json, { live: object, hands }: State): Attribution | null {
  const owners = ownersOf(object, path);
  const appliedIt = hands.applied(path) !== undefined;
  for (const owner of owners.toSorted((a, b) => (b.entry.time ?? "").localeCompare(a.entry.time ?? ""))) {
    const writer = hands.writer(owner.entry);
    if (writer === "person" || writer === "stanch") {
      const above = owner.how === "above" && isDefault(path, live);
      if ((hands.meant(owner) && !above) || appliedIt) return attribution(writer, owner.entry);
    }
    if (writer === "deployer") {
      // An update owns the defaults of what it made; an apply owns what it said, which is Git's with the zero values of Go's types (Flux).
      const said = owner.entry.operation === "Apply" && owner.how === "exact";
      if ((said || appliedIt) && !isEmpty(live) && !isDefault(path, live)) return attribution(writer, owner.entry);
    }
  }
  return null;
}

function isEmpty(value: Json): boolean {
  return value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

/** The declared object with the values that the API server would give its fields. */
function projected(declared: KubeObject, predicted: KubeObject, object: KubeObject): KubeObject {
  const out: Record<string, unknown> = { ...declared };
  for (const key of Object.keys(declared))
    if (!NOT_COMPARED.has(key))
      out[key] = project([key], declared[key] as Json, predicted[key] as Json | undefined, object);
  const metadata: KubeObject["metadata"] = { ...declared.metadata };
  for (const key of METADATA)
    if (declared.metadata[key] !== undefined)
      metadata[key] = project(
        ["metadata", key],
        declared.metadata[key] as Json,
        predicted.metadata[key] as Json | undefined,
        object,
      ) as never;
  return { ...out, metadata } as KubeObject;
}

function project(path: FieldPath, git: Json, predicted: Json | undefined, object: KubeObject): Json {
  // Dropped on the way in.
  if (predicted === undefined || predicted === null) return null;
  if (isMap(git) && isMap(predicted)) {
    const rows = Object.keys(git).map((key) => [
      key,
      project([...path, key], git[key] ?? null, predicted[key], object),
    ]);
    return Object.fromEntries(rows) as Json;
  }
  if (!Array.isArray(git) || !Array.isArray(predicted)) return predicted;
  const matched = matchItems(path, git, predicted, object);
  if (matched.by === "whole") return predicted;
  return matched.pairs.flatMap(({ step, git: item, live }) =>
    item === undefined ? [] : [project([...path, step], item, live, object)],
  );
}
