import type { Pair, YAMLMap, YAMLSeq } from "yaml";
import { type Planned, planned, refuse } from "./yaml-edit.ts";
import type { Page } from "./yaml-insert.ts";
import { columnOf, endOf, endsInKeptBlock, isBlock, lineEnd, lineStart, pairEnd, startOf } from "./yaml-layout.ts";
import { hasMergeKey } from "./yaml-refusal.ts";

/** Removes a key that is not the only one of its map: its lines with their own comments, never the comments above. */
export function deletePair(map: YAMLMap, pair: Pair<unknown, unknown>, page: Page): Planned {
  if (hasMergeKey(map))
    return refuse("the map takes keys from another one (<<), so that removing a key could uncover one of those");
  const index = map.items.indexOf(pair as (typeof map.items)[number]);
  const spans = map.items.map((item) => ({ start: startOf(item.key), end: pairEnd(item) }));
  if (!isBlock(map)) return deleteFromFlow(spans, index, page);
  return deleteLines(spans, index, endsInKeptBlock(pair.value, page.text), page);
}

/** Removes an item that is not the only one of its list. */
export function deleteItem(list: YAMLSeq, index: number, page: Page): Planned {
  if (!isBlock(list)) {
    const spans = list.items.map((item) => ({ start: startOf(item), end: endOf(item) }));
    return deleteFromFlow(spans, index, page);
  }
  const column = columnOf(page.text, startOf(list));
  const spans = list.items.map((item) => ({ start: dashBefore(page.text, startOf(item), column), end: endOf(item) }));
  return deleteLines(spans, index, endsInKeptBlock(list.items[index], page.text), page);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function deleteLines(spans: readonly Span[], index: number, kept: boolean, page: Page): Planned {
  const { text } = page;
  const span = spans[index];
  if (span === undefined) return refuse("there is no such item");
  if (kept) return refuse("it ends in a block of text whose trailing lines count (|+)");
  const start = lineStart(text, span.start);
  const next = spans[index + 1];
  if (text.slice(start, span.start).trim() !== "") {
    if (next === undefined || text.slice(span.end, next.start).trim() !== "")
      return refuse("it shares its first line with something else");
    return planned({ start: span.start, end: next.start, text: "" });
  }
  const end = lineEnd(text, span.end);
  if (end < text.length) return planned({ start, end: end + 1, text: "" });
  // The last line of a file that does not end in a line feed: the line above becomes the last one.
  const before = Math.max(0, start - page.style.eol.length);
  return planned({ start: text.slice(before, start) === page.style.eol ? before : start, end, text: "" });
}

function deleteFromFlow(spans: readonly Span[], index: number, page: Page): Planned {
  const [span, previous, next] = [spans[index], spans[index - 1], spans[index + 1]];
  if (span === undefined) return refuse("there is no such item");
  const cut =
    previous === undefined
      ? { start: span.start, end: next?.start ?? span.end }
      : { start: previous.end, end: span.end };
  if (page.text.slice(cut.start, span.start).includes("#") || page.text.slice(span.end, cut.end).includes("#")) {
    return refuse("a comment stands beside it in a list or map in braces");
  }
  return planned({ ...cut, text: "" });
}

/** The dash of a list item; the dashes of a list are in one column. */
function dashBefore(text: string, item: number, column: number): number {
  for (let start = lineStart(text, item); ; start = lineStart(text, start - 1)) {
    if (text[start + column] === "-" && /^\s*(-\s+)*$/.test(text.slice(start, start + column))) return start + column;
    if (start <= 1) return item;
  }
}
