import type { KubeObject } from "../../../model.ts";
import type { Tree } from "../shapes.ts";
import { isTree, same } from "../shapes.ts";
import type { Cause } from "./api-error.ts";
import { ApiError } from "./api-error.ts";
import type { Schema } from "./kinds.ts";
import type { Place } from "./list-keys.ts";
import { into, intoItem, isAtomicMap, keyValue, listRule, sameItem, top } from "./list-keys.ts";
import type { Manager } from "./managed-fields.ts";
import { appliedPaths, fieldsOf, otherOwners, pathSteps, readablePath } from "./managed-fields.ts";

/**
 * Server-side apply: merges `config` into the live object, removes what this manager applied before and no longer says
 * (unless somebody else owns it too), and refuses to take fields that others set to something else, unless forced.
 */
export function serverSideApply(
  live: KubeObject,
  config: KubeObject,
  options: { manager: Manager; force: boolean; schema: Schema | undefined },
): KubeObject {
  const { manager, force, schema } = options;
  const wanted = fieldsOf(config, schema);
  const now = fieldsOf(live, schema);
  if (!force) refuseConflicts(live, manager, wanted, now);
  const merged = merge(live, config, top(schema)) as KubeObject;
  // A map whose owned members went to others is remembered as a leaf; saying any of them again says the map.
  const said = new Set([...wanted.keys()].flatMap((path) => containersOf(pathSteps(path))));
  for (const path of appliedPaths(live, manager)) {
    if (wanted.has(path) || path.endsWith(".") || otherOwners(live, manager, path).length > 0) continue;
    if (said.has(pathSteps(path).join(" "))) continue;
    removeAt(merged, pathSteps(path));
  }
  return merged;
}

function containersOf(steps: readonly string[]): string[] {
  return steps.map((_, index) => steps.slice(0, index).join(" "));
}

function refuseConflicts(
  live: KubeObject,
  manager: Manager,
  wanted: Map<string, string>,
  now: Map<string, string>,
): void {
  const causes: Cause[] = [];
  for (const [path, value] of wanted) {
    if (path.endsWith(".") || !now.has(path) || sameText(now.get(path), value)) continue;
    for (const owner of otherOwners(live, manager, path)) {
      const message = `conflict with "${owner}" using ${manager.apiVersion}`;
      causes.push({ reason: "FieldManagerConflict", message, field: readablePath(path) });
    }
  }
  if (causes.length === 0) return;
  const lines = causes.map((cause) => `${cause.message}: ${cause.field}`);
  const text = lines.length === 1 ? `1 conflict: ${lines[0]}` : `${lines.length} conflicts: ${lines.join("\n- ")}`;
  throw new ApiError(409, "Conflict", `Apply failed with ${text}`, { causes });
}

function sameText(a: string | undefined, b: string): boolean {
  return a === b || (a !== undefined && a !== "" && b !== "" && same(JSON.parse(a), JSON.parse(b)));
}

function merge(live: unknown, config: unknown, place: Place): unknown {
  if (isTree(config) && isTree(live) && !isAtomicMap(place)) {
    const result: Tree = { ...live };
    for (const [key, value] of Object.entries(config)) result[key] = merge(live[key], value, into(place, key));
    return result;
  }
  if (!Array.isArray(config) || !Array.isArray(live)) return structuredClone(config);
  const rule = listRule(place, [...live, ...config]);
  if (rule === "atomic") return structuredClone(config);
  if (rule === "set") return [...live, ...config.filter((item) => !live.includes(item))];
  const rest = config.filter((item) => !live.some((other) => sameItem(other, item, rule.keys)));
  const kept = live.map((item) => {
    const said = config.find((other) => sameItem(other, item, rule.keys));
    return said === undefined ? item : merge(item, said, intoItem(place));
  });
  return [...kept, ...structuredClone(rest)];
}

/** Removes one owned leaf from `root`, which is ours to change; containers that became empty list items go with it. */
function removeAt(root: KubeObject, steps: readonly string[]): void {
  let at: unknown = root;
  let parent: { tree: Tree; key: string } | undefined;
  for (const [index, step] of steps.entries()) {
    const last = index === steps.length - 1;
    if (step.startsWith("f:") && isTree(at)) {
      const key = step.slice(2);
      if (last) delete at[key];
      else {
        at[key] = structuredClone(at[key]);
        parent = { tree: at, key };
        at = at[key];
      }
    } else if (step.startsWith("k:") && Array.isArray(at)) {
      const keys: Tree = JSON.parse(step.slice(2));
      const found = at.findIndex((item) => Object.entries(keys).every(([key, value]) => keyValue(item, key) === value));
      if (found < 0) return;
      const rest = steps[index + 1];
      // Removing the key of an item removes the item.
      if (
        rest !== undefined &&
        index === steps.length - 2 &&
        Object.hasOwn(keys, rest.slice(2)) &&
        parent !== undefined
      ) {
        parent.tree[parent.key] = at.filter((_, position) => position !== found);
        return;
      }
      at = at[found];
    } else return;
  }
}
