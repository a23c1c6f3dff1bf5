import { createTwoFilesPatch } from "diff";
import { stringify } from "yaml";
import { describeRef, keyOf } from "../kube/ref.ts";
import type { Change, FieldPath, Json, ObjectRef } from "../model.ts";

type Tree = { [key: string]: Json };

/** Names under which people keep what nobody may read: `DB_PASSWORD`, `apiToken`; not `secretName`, which only refers to it. */
const SECRET = /(pass(word|phrase|wd)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|dsn)$/i;
export const HIDDEN = "‹not shown›";

interface Hiding {
  /** What stands for a value. */
  readonly mark: string;
  /** The values for which it stands. */
  readonly hidden: Set<string>;
}

/**
 * Changes without the values that are secrets by the name of their field, or of the list item that they belong to, or because the object is a
 * Secret; and those values, so that sentences about the change can be cleaned of them as well.
 */
export function hideSecrets(changes: readonly Change[]): { readonly changes: Change[]; readonly hidden: string[] } {
  const hidden = new Set<string>();
  const clean = changes.map((change) => {
    // Two marks, so that the diff still shows that there is a change.
    const [from, to] = [
      change.from === undefined ? undefined : shown(change, change.from, { mark: "‹old, not shown›", hidden }),
      change.to === undefined ? undefined : shown(change, change.to, { mark: "‹new, not shown›", hidden }),
    ];
    const { object, path } = change;
    return { object, path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  });
  return { changes: clean, hidden: [...hidden].filter((text) => text.length > 2) };
}

/** Changes as the manifests would say them: for each object the fields before and after, as a diff of two strategic-merge patches. */
export function formatPatch(changes: readonly Change[]): string {
  const objects = new Map<string, Change[]>();
  for (const change of changes) {
    const key = keyOf(change.object);
    objects.set(key, [...(objects.get(key) ?? []), change]);
  }
  return [...objects.values()].map(ofObject).join("\n");
}

function ofObject(changes: readonly Change[]): string {
  const [first] = changes;
  if (first === undefined) return "";
  const name = describeRef(first.object);
  const [before, after] = [sideOf(changes, "from"), sideOf(changes, "to")];
  // All of it is shown, however long: the caller bounds it.
  return createTwoFilesPatch(name, name, before, after, "live", "wanted", { context: 1000 })
    .split("\n")
    .filter((line) => !/^(Index: |={4}|\\ No newline|@@)/.test(line))
    .join("\n")
    .trimEnd();
}

function sideOf(changes: readonly Change[], side: "from" | "to"): string {
  const { object } = changes[0] as Change;
  const tree = headOf(object);
  const whole = changes.find((change) => change.path.length === 0);
  if (whole !== undefined) return whole[side] === undefined ? "" : print(whole[side]);
  for (const change of changes) {
    const value = change[side];
    if (value !== undefined) put(tree, change.path, structuredClone(value));
  }
  return print(tree);
}

function headOf({ apiVersion, kind, namespace, name }: ObjectRef): Tree {
  return { apiVersion, kind, metadata: { name, ...(namespace === "" ? {} : { namespace }) } };
}

const print = (json: Json): string => stringify(json, { lineWidth: 0, aliasDuplicateObjects: false });

function shown({ object, path }: Change, value: Json, hiding: Hiding): Json {
  const [last, owner] = [path.at(-1), path.at(-2)];
  const isValue = last === "value" && typeof owner === "object" && SECRET.test(String(owner.value));
  const isNamed = typeof last === "string" && SECRET.test(last);
  const isData = object.kind === "Secret" && (path[0] === "data" || path[0] === "stringData");
  return isValue || isNamed || isData ? hide(value, hiding) : withoutSecrets(value, object.kind === "Secret", hiding);
}

function withoutSecrets(json: Json, isSecret: boolean, hiding: Hiding): Json {
  if (Array.isArray(json)) return json.map((item) => withoutSecrets(item, isSecret, hiding));
  if (typeof json !== "object" || json === null) return json;
  const named = typeof json["name"] === "string" && SECRET.test(json["name"]);
  const entries = Object.entries(json).map(([key, value]): [string, Json] => {
    const isData = isSecret && (key === "data" || key === "stringData");
    const isText = typeof value === "string" && (SECRET.test(key) || (named && key === "value"));
    return [key, isData || isText ? hide(value, hiding) : withoutSecrets(value, isSecret, hiding)];
  });
  return Object.fromEntries(entries);
}

function hide(json: Json, { mark, hidden }: Hiding): Json {
  if (typeof json === "string" || typeof json === "number") hidden.add(String(json));
  else if (typeof json === "object" && json !== null)
    for (const part of Object.values(json)) hide(part, { mark, hidden });
  return mark;
}

/** Sets a field of a patch; what is missing on the way is made, list items with the name that they are known by. */
function put(tree: Tree, path: FieldPath, value: Json): void {
  let at: Json = tree;
  for (const [index, step] of path.entries()) {
    const isLast = index === path.length - 1;
    const next = path[index + 1];
    const fresh: Json = isLast ? value : typeof next === "string" ? {} : [];
    at = typeof step === "string" ? intoMap(at, step, fresh, isLast) : intoList(at, step, fresh, isLast);
  }
}

function intoMap(at: Json, key: string, fresh: Json, isLast: boolean): Json {
  if (typeof at !== "object" || at === null || Array.isArray(at)) return fresh;
  const known = Object.hasOwn(at, key) ? at[key] : undefined;
  if (known !== undefined && !isLast) return known;
  Object.defineProperty(at, key, { value: fresh, enumerable: true, writable: true, configurable: true });
  return fresh;
}

function intoList(at: Json, step: Exclude<FieldPath[number], string>, fresh: Json, isLast: boolean): Json {
  if (!Array.isArray(at)) return fresh;
  const named = typeof step === "number" ? {} : { [step.by]: step.value };
  const isIt = (item: Json): boolean =>
    typeof step === "object" &&
    typeof item === "object" &&
    item !== null &&
    !Array.isArray(item) &&
    item[step.by] === step.value;
  const known = isLast ? undefined : at.find(isIt);
  if (known !== undefined) return known;
  const isMap = typeof fresh === "object" && fresh !== null && !Array.isArray(fresh);
  const item: Json = isMap ? { ...named, ...fresh } : fresh;
  at.push(item);
  return item;
}
