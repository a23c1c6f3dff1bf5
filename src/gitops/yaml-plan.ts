import { isMap, isScalar, isSeq, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import { withValue } from "../kube/field-path.ts";
import type { FieldPath, Json, PathStep } from "../model.ts";
import { deleteItem, deletePair } from "./yaml-delete.ts";
import { type Planned, refuse, type YamlEdit } from "./yaml-edit.ts";
import { insertItem, insertPair, type Page, replaceItem, replaceValue } from "./yaml-insert.ts";
import { endOf, hasProperties, isBlock, isEmptyScalar, startOf } from "./yaml-layout.ts";
import { keyText, type YamlDocument } from "./yaml-parse.ts";
import { hasMergeKey, nodeRefusal, subtreeRefusal, templatingRefusal } from "./yaml-refusal.ts";
import { replaceScalar } from "./yaml-replace.ts";
import { isScalarValue } from "./yaml-scalar.ts";

/** Where a node hangs: behind a key, in a list, or at the root of the document. */
type Holder =
  | { readonly in: "map"; readonly map: YAMLMap; readonly pair: Pair<unknown, unknown> }
  | { readonly in: "list"; readonly list: YAMLSeq; readonly index: number };

/** Turns one edit of one document into splices of the text, without touching anything. */
export function planEdit(document: YamlDocument, edit: YamlEdit, page: Page): Planned {
  let node: unknown = document.contents;
  let holder: Holder | undefined;
  let above: Holder | undefined;
  for (const [depth, step] of edit.path.entries()) {
    const rest = edit.path.slice(depth + 1);
    const refusal = nodeRefusal(document, node);
    if (refusal !== undefined) return refuse(refusal);
    const next = enter(node, step);
    if (next === undefined) {
      if (edit.op === "delete") return refuse("there is nothing to delete");
      return add({ node, holder, step }, wrapped(rest, edit), page);
    }
    above = holder;
    holder = next;
    node = next.in === "map" ? next.pair.value : next.list.items[next.index];
  }
  if (holder === undefined) return refuse("a whole document is not replaced");
  const refusal = nodeRefusal(document, node);
  if (refusal !== undefined) return refuse(refusal);
  if (edit.op === "insert") return insertAt(holder, node, edit, page);
  const lost = isScalar(node) ? undefined : subtreeRefusal(document, node);
  if (lost !== undefined) return refuse(lost);
  return edit.op === "delete" ? remove(holder, above, page) : replace(holder, node, edit.value, page);
}

function enter(node: unknown, step: PathStep): Holder | undefined {
  if (typeof step === "string") {
    const pair = isMap(node) ? node.items.find((item) => keyText(item) === step) : undefined;
    return pair === undefined ? undefined : { in: "map", map: node as YAMLMap, pair };
  }
  if (!isSeq(node)) return undefined;
  const index =
    typeof step === "number"
      ? step
      : node.items.findIndex((item) => isMap(item) && valueOfKey(item, step.by) === step.value);
  return index < 0 || index >= node.items.length ? undefined : { in: "list", list: node, index };
}

function add(at: { node: unknown; holder: Holder | undefined; step: PathStep }, value: Json, page: Page): Planned {
  const { node, holder, step } = at;
  const template = templatingRefusal(JSON.stringify(value));
  if (template !== undefined) return refuse(template);
  if (isMap(node) && typeof step === "string") {
    if (hasMergeKey(node)) return insertPair(node, step, value, page);
    if (node.items.length > 0 || holder === undefined || !canGrow(holder, page))
      return insertPair(node, step, value, page);
    return replace(holder, node, { [step]: value }, page);
  }
  const whole = typeof step === "object" && isPlainMap(value) ? { [step.by]: step.value, ...value } : value;
  if (isSeq(node) && typeof step !== "string") {
    if (node.items.length > 0 || holder === undefined || !canGrow(holder, page))
      return insertItem(node, node.items.length, whole, page);
    return replace(holder, node, [whole], page);
  }
  if (holder !== undefined && isScalar(node) && node.value === null) {
    return replace(holder, node, typeof step === "string" ? { [step]: value } : [whole], page);
  }
  return refuse("the file has something of another shape on the way to this field");
}

/** An empty `{}` or `[]` behind a key of a block may become lines of its own. */
function canGrow(holder: Holder, page: Page): boolean {
  return holder.in === "map" && isBlock(holder.map) && !page.style.json;
}

function isEmptyFlow(node: unknown): boolean {
  return (isMap(node) || isSeq(node)) && !isBlock(node) && node.items.length === 0;
}

function insertAt(holder: Holder, node: unknown, edit: YamlEdit & { op: "insert" }, page: Page): Planned {
  if (!isSeq(node)) return refuse("the file has no list at this place");
  if (node.items.length === 0 && canGrow(holder, page)) return replace(holder, node, [edit.value], page);
  return insertItem(node, edit.index, edit.value, page);
}

function replace(holder: Holder, node: unknown, value: Json, page: Page): Planned {
  const flow = holder.in === "map" ? !isBlock(holder.map) : !isBlock(holder.list);
  if (isScalar(node) && !isEmptyScalar(node) && isScalarValue(value)) return replaceScalar(node, value, flow, page);
  if (isEmptyFlow(node) && page.text.slice(startOf(node), endOf(node)).includes("#"))
    return refuse("a comment stands between the braces");
  const templates = templatingRefusal(`${page.text.slice(startOf(node), endOf(node))} ${JSON.stringify(value)}`);
  if (templates !== undefined) return refuse(templates);
  if (holder.in === "list") return replaceItem(holder.list, holder.index, value, page);
  if (hasProperties(holder.pair)) return refuse("an anchor or a tag stands before the value");
  return replaceValue(holder.pair, value, flow, page);
}

function remove(holder: Holder, above: Holder | undefined, page: Page): Planned {
  const collection = holder.in === "map" ? holder.map : holder.list;
  if (collection.items.length > 1)
    return holder.in === "map"
      ? deletePair(holder.map, holder.pair, page)
      : deleteItem(holder.list, holder.index, page);
  if (above === undefined) return refuse("nothing would be left of the document");
  if (hasMergeKey(collection)) return refuse("the map takes keys from another one (<<)");
  return replace(above, collection, holder.in === "map" ? {} : [], page);
}

function wrapped(rest: FieldPath, edit: YamlEdit): Json {
  const value = edit.op === "set" ? edit.value : edit.op === "insert" ? [edit.value] : null;
  return withValue<Json | undefined>(undefined, rest, value) ?? value;
}

function valueOfKey(map: YAMLMap, key: string): unknown {
  const pair = map.items.find((item) => keyText(item) === key);
  return isScalar(pair?.value) ? pair.value.value : undefined;
}

function isPlainMap(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
