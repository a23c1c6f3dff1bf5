import type { Tree } from "../shapes.ts";
import { isTree, same } from "../shapes.ts";
import type { Place } from "./list-keys.ts";
import { into, intoItem, keyValue, listRule, sameItem } from "./list-keys.ts";

/**
 * Applies a strategic merge patch (sig-api-machinery's strategic-merge-patch.md): lists with merge keys are merged item
 * by item; `null` removes; `$patch: replace|delete`, `$deleteFromPrimitiveList` and `$retainKeys` are obeyed,
 * `$setElementOrder` sorts.
 */
export function applyStrategicMerge(target: unknown, patch: unknown, place: Place): unknown {
  if (!isTree(patch)) return structuredClone(patch);
  if (patch.$patch === "replace") return without(patch, "$patch");
  const result: Tree = isTree(target) ? { ...target } : {};
  if (Array.isArray(patch.$retainKeys)) {
    for (const key of Object.keys(result)) if (!patch.$retainKeys.includes(key)) delete result[key];
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$deleteFromPrimitiveList/")) {
      const name = key.slice(key.indexOf("/") + 1);
      const gone = Array.isArray(value) ? value : [];
      if (Array.isArray(result[name])) result[name] = result[name].filter((item) => !gone.includes(item));
    } else if (key.startsWith("$")) continue;
    else if (value === null) delete result[key];
    else if (Array.isArray(value))
      result[key] = mergeList(result[key], value, into(place, key), patch[`$setElementOrder/${key}`]);
    else if (isTree(value) && value.$patch === "delete") delete result[key];
    else result[key] = applyStrategicMerge(result[key], value, into(place, key));
  }
  return result;
}

function mergeList(target: unknown, patch: readonly unknown[], place: Place, order: unknown): unknown[] {
  const current: unknown[] = Array.isArray(target) ? target : [];
  const rule = listRule(
    place,
    [...current, ...patch].filter((item) => !isTree(item) || item.$patch === undefined),
  );
  if (rule === "atomic") return structuredClone([...patch]);
  if (rule === "set") return [...current, ...patch.filter((item) => !current.includes(item))];
  if (patch.some((item) => isTree(item) && item.$patch === "replace")) {
    return structuredClone(patch.filter((item) => !isTree(item) || item.$patch === undefined));
  }
  // The strategic merge key is the first: a port is found by its number alone.
  const keys = rule.keys.slice(0, 1);
  const result = [...current];
  const added: unknown[] = [];
  for (const item of patch) {
    const index = result.findIndex((other) => sameItem(other, item, keys));
    if (isTree(item) && item.$patch === "delete") {
      if (index >= 0) result.splice(index, 1);
    } else if (index < 0) added.push(applyStrategicMerge({}, item, intoItem(place)));
    else result[index] = applyStrategicMerge(result[index], item, intoItem(place));
  }
  result.push(...added);
  if (!Array.isArray(order)) return result;
  const rank = (item: unknown): number => {
    const index = order.findIndex((other) => keys.every((key) => keyValue(other, key) === keyValue(item, key)));
    return index < 0 ? order.length : index;
  };
  return result.sort((a, b) => rank(a) - rank(b));
}

/**
 * What `kubectl apply` makes of the live object: what `modified` says is set, what `original` said and `modified` no
 * longer says is removed, everything else stays.
 */
export function threeWayMerge(original: unknown, modified: unknown, live: unknown, place: Place): unknown {
  if (Array.isArray(modified)) return threeWayList(original, modified, live, place);
  if (!isTree(modified)) return structuredClone(modified);
  const result: Tree = isTree(live) ? { ...live } : {};
  if (isTree(original)) {
    for (const key of Object.keys(original))
      if (modified[key] === undefined || modified[key] === null) delete result[key];
  }
  for (const [key, value] of Object.entries(modified)) {
    if (value === null) delete result[key];
    else
      result[key] = threeWayMerge(isTree(original) ? original[key] : undefined, value, result[key], into(place, key));
  }
  return result;
}

function threeWayList(original: unknown, modified: readonly unknown[], live: unknown, place: Place): unknown[] {
  const before: unknown[] = Array.isArray(original) ? original : [];
  const current: unknown[] = Array.isArray(live) ? live : [];
  const rule = listRule(place, [...current, ...modified]);
  if (rule === "atomic") return same(modified, live) ? current : structuredClone([...modified]);
  if (rule === "set") {
    const kept = current.filter((item) => modified.includes(item) || !before.includes(item));
    return [...kept, ...modified.filter((item) => !kept.includes(item))];
  }
  const keys = rule.keys.slice(0, 1);
  const find = (list: readonly unknown[], item: unknown): unknown => list.find((other) => sameItem(other, item, keys));
  const foreign = current.filter((item) => find(modified, item) === undefined && find(before, item) === undefined);
  const wanted = modified.map((item) => threeWayMerge(find(before, item), item, find(current, item), intoItem(place)));
  return [...wanted, ...foreign];
}

function without(tree: Tree, key: string): Tree {
  const { [key]: _, ...rest } = tree;
  return structuredClone(rest);
}
