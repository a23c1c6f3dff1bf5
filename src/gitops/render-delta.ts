import { formatPath, getAt, withValue } from "../kube/field-path.ts";
import { describeRef, refOf } from "../kube/ref.ts";
import type { Change, Json, KubeObject, Source } from "../model.ts";
import { sameField } from "./field-equality.ts";
import { diffObjects } from "./object-diff.ts";
import { baseName, findRendered, hasHashedName, stableKey } from "./rendered.ts";

/** What differs between two renders, against what was wanted. */
export interface Judgement {
  /** Wanted changes that the later render shows. */
  readonly made: readonly Change[];
  readonly missing: readonly Change[];
  /** Everything else that differs, in words. */
  readonly side: readonly string[];
  /** What follows from a wanted change by itself: renamed generators, references to them, checksum annotations. */
  readonly allowed: readonly string[];
  /** What goes back to what it was before the commit that is taken back, because one value of Git says both. */
  readonly returned: readonly string[];
}

/** What a source rendered before the commit that brought the fault in. */
export interface Earlier {
  readonly commit: string;
  readonly objects: readonly KubeObject[];
}

/** Compares two renders of one source. */
export function judge(
  before: readonly KubeObject[],
  after: readonly KubeObject[],
  wanted: readonly Change[],
  source: Source,
  earlier?: Earlier,
): Judgement {
  const made: Change[] = [];
  const missing: Change[] = [];
  const expected = new Map(before.map((object) => [stableKey(object), object]));
  for (const change of wanted) {
    const now = findRendered(after, change.object, source);
    const past = findRendered(before, change.object, source);
    const arrived = now !== undefined && sameField(change.path, getAt(now, change.path), change.to);
    (arrived ? made : missing).push(change);
    // An object that appears as a whole.
    if (arrived && past === undefined && change.path.length === 0) expected.set(stableKey(now), now);
    if (!arrived || past === undefined) continue;
    const key = stableKey(past);
    expected.set(key, withValue(expected.get(key) ?? past, change.path, change.to as Json | undefined));
  }
  const { changes, allowed } = renderDelta([...expected.values()], after);
  const returned = changes.filter((change) => goesBack(change, earlier, wanted));
  const side = [
    ...changes.filter((change) => !returned.includes(change)).map(describeChange),
    ...wanted.flatMap((change) => lostNames(change, after)).map((name) => `${name}, which a generator makes no more`),
  ];
  return { made, missing, side, allowed, returned: returned.map(describeChange) };
}

/**
 * Names of generated ConfigMaps and Secrets that a change asks for and that are not rendered, while their generator makes another: the
 * name says what the object holds. Written out beside the generator it would name an object that nobody deploys.
 */
function lostNames({ to }: Change, after: readonly KubeObject[]): string[] {
  const made = after.filter(({ kind }) => hasHashedName(kind)).map(({ metadata }) => metadata.name);
  return [...new Set(textsIn(to))].filter(
    (text) => baseName(text) !== text && !made.includes(text) && made.some((name) => baseName(name) === baseName(text)),
  );
}

function textsIn(value: Json | undefined): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** What gives rights, holds secrets or guards others, and fields that are never changed by rule: also not along with something. */
const APART =
  /Secret|Role|Policy|Webhook|^(?:CustomResourceDefinition|Namespace|ServiceAccount|LimitRange|ResourceQuota|PodDisruptionBudget)$/;
const NEVER =
  /"(?:securityContext|privileged|allowPrivilegeEscalation|host(?:Network|PID|IPC|Path)|serviceAccountName|automountServiceAccountToken|finalizers|replicas)"/;

/** Is the field, by this change, what it was before the commit? Objects as a whole neither come nor go that way. */
function goesBack(change: Change, earlier: Earlier | undefined, wanted: readonly Change[]): boolean {
  const apart = APART.test(change.object.kind) && !wanted.some((one) => isCopy(change, one));
  if (apart || NEVER.test(JSON.stringify([change.path, change.from, change.to]))) return false;
  const was = earlier?.objects.find((object) => stableKey(object) === stableKeyOf(change.object));
  return was !== undefined && change.path.length > 0 && sameField(change.path, getAt(was, change.path), change.to);
}

/** A text that a chart keeps in a Secret, too, and that is no secret: it holds the very value that is changed, which Git says outright. */
function isCopy({ object, path, from, to }: Change, wanted: Change): boolean {
  return (
    object.kind === "Secret" &&
    path[0] === "stringData" &&
    [from, to, wanted.from, wanted.to].every((text) => typeof text === "string" && text.length > 3) &&
    String(from).includes(String(wanted.from)) &&
    String(from).replaceAll(String(wanted.from), () => String(wanted.to)) === to
  );
}

function stableKeyOf({ apiVersion, kind, namespace, name }: Change["object"]): string {
  return stableKey({ apiVersion, kind, metadata: { name, ...(namespace === "" ? {} : { namespace }) } });
}

export interface RenderDelta {
  readonly changes: readonly Change[];
  readonly allowed: readonly string[];
}

/** Every field that differs between two renders; content hashes and what refers to them are kept apart. */
export function renderDelta(before: readonly KubeObject[], after: readonly KubeObject[]): RenderDelta {
  const [left, right] = [byKey(before), byKey(after)];
  const renames = new Map<string, string>();
  const allowed: string[] = [];
  const changes: Change[] = [];
  for (const [key, object] of left) {
    const other = right.get(key);
    if (other === undefined || other.metadata.name === object.metadata.name) continue;
    renames.set(object.metadata.name, other.metadata.name);
    allowed.push(`${object.kind} ${object.metadata.name} is renamed to ${other.metadata.name}`);
  }
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [a, b] = [left.get(key), right.get(key)];
    for (const change of diffObjects(a, b)) {
      if (isRename(change, renames)) continue;
      if (isChecksum(change)) allowed.push(`${describeRef(change.object)} gets another ${String(change.path.at(-1))}`);
      else changes.push(change);
    }
  }
  return { changes, allowed };
}

/** Objects in which two renders differ, in words, each once. */
export function changedObjects(before: readonly KubeObject[], after: readonly KubeObject[]): string[] {
  return [...new Set(renderDelta(before, after).changes.map((change) => describeRef(change.object)))];
}

function describeChange(change: Change): string {
  if (change.path.length > 0) return `${describeRef(change.object)} ${formatPath(change.path)}`;
  return `${describeRef(change.object)} ${change.to === undefined ? "goes" : "appears"}`;
}

function isRename(change: Change, renames: ReadonlyMap<string, string>): boolean {
  return typeof change.from === "string" && typeof change.to === "string" && renames.get(change.from) === change.to;
}

function isChecksum(change: Change): boolean {
  const [holder, key] = change.path.slice(-2);
  return holder === "annotations" && typeof key === "string" && key.startsWith("checksum/");
}

function byKey(objects: readonly KubeObject[]): Map<string, KubeObject> {
  const out = new Map<string, KubeObject>();
  for (const object of objects) {
    const key = stableKey(object);
    // Two generators can share a base name: then the whole name tells them apart.
    out.set(out.has(key) ? `${key}#${refOf(object).name}` : key, object);
  }
  return out;
}
