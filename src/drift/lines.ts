import { getAt } from "../kube/field-path.ts";
import { keyOf } from "../kube/ref.ts";
import type { Change } from "../model.ts";
import type { Found } from "./examine.ts";
import type { DriftField, DriftItem, SourceLine } from "./model.ts";
import type { DriftRequest } from "./request.ts";
import type { Root } from "./root.ts";

/** Fields whose line is looked for in one survey: each costs renders. */
const MOST_LINES = 50;

/** Puts the line in the source to the fields that drift, as far as it is found. */
export async function placeLines(
  found: ReadonlyMap<Root, Found>,
  roots: readonly Root[],
  { locate, log }: DriftRequest,
): Promise<void> {
  if (locate === undefined) return;
  let left = MOST_LINES;
  for (const root of roots) {
    const mine = found.get(root);
    if (mine === undefined) continue;
    const placed: DriftItem[] = [];
    for (const item of mine.items) {
      if (!["drift", "hotfix", "conflict"].includes(item.class) || left <= 0 || root.source.tool === undefined) {
        placed.push(item);
        continue;
      }
      const verdict = mine.verdicts.get(item);
      const object = root.declared.get(keyOf(item.object))?.head;
      const fields: DriftField[] = [];
      for (const [index, field] of item.fields.entries()) {
        const difference = verdict?.differences[index];
        if (difference === undefined || object === undefined || left-- <= 0 || item.object.kind === "Secret") {
          fields.push(field);
          continue;
        }
        log.progress(`finding ${field.text} in Git`);
        const from = getAt(object, field.path);
        const change: Change = {
          object: item.object,
          path: field.path,
          ...(from === undefined ? {} : { from }),
          ...(difference.live === undefined ? {} : { to: difference.live }),
        };
        const location: SourceLine | null = await locate(root.bench, change).catch(() => null);
        fields.push(location === null ? field : { ...field, location });
      }
      placed.push({ ...item, fields });
    }
    mine.items = placed;
  }
}
