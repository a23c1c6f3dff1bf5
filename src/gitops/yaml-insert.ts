import { isMap, isSeq, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import type { Json } from "../model.ts";
import { type Planned, planned, refuse } from "./yaml-edit.ts";
import {
  afterColon,
  columnOf,
  endOf,
  endsInKeptBlock,
  isBlock,
  lineEnd,
  lineStart,
  pairEnd,
  startOf,
} from "./yaml-layout.ts";
import { hasMergeKey } from "./yaml-refusal.ts";
import { flowText, itemLines, jsonText, pairLines, writeKey, type YamlStyle } from "./yaml-text.ts";

/** The text that is edited and how it is written. */
export interface Page {
  readonly text: string;
  readonly style: YamlStyle;
}

/** Adds a key at the end of a map that does not have it. */
export function insertPair(map: YAMLMap, key: string, value: Json, page: Page): Planned {
  if (hasMergeKey(map))
    return refuse("the map takes keys from another one (<<), so that a new key could hide one of those");
  if (!isBlock(map))
    return insertFlow(map, `${writeKey(key, flowStyle(map, page), true)}: `, value, map.items.length, page);
  const last = map.items.at(-1);
  if (last === undefined) return refuse("the map has no layout to follow");
  if (endsInKeptBlock(map, page.text))
    return refuse("it would stand behind a block of text whose trailing lines count (|+)");
  const column = columnOf(page.text, startOf(map.items[0]?.key));
  return linesAfter(pairEnd(last), pairLines(key, value, page.style), column, page);
}

/** Adds an item to a list, before the item that now has this index. */
export function insertItem(list: YAMLSeq, index: number, value: Json, page: Page): Planned {
  if (!isBlock(list)) return insertFlow(list, "", value, index, page);
  const column = columnOf(page.text, startOf(list));
  const lines = itemLines(value, page.style);
  if (index > 0) {
    const before = list.items[Math.min(index, list.items.length) - 1];
    if (endsInKeptBlock(before, page.text))
      return refuse("it would stand behind a block of text whose trailing lines count (|+)");
    return linesAfter(endOf(before) || lineEnd(page.text, startOf(list)), lines, column, page);
  }
  const start = lineStart(page.text, startOf(list));
  if (page.text.slice(start, startOf(list)).trim() !== "") return refuse("the list begins in the middle of a line");
  const indent = " ".repeat(column);
  return planned({
    start,
    end: start,
    text: lines.map((line) => `${line === "" ? "" : indent + line}${page.style.eol}`).join(""),
  });
}

/** Gives a key another value of another shape: the text behind its colon is replaced. */
export function replaceValue(pair: Pair<unknown, unknown>, value: Json, inFlow: boolean, page: Page): Planned {
  const colon = afterColon(pair);
  const end = pairEnd(pair);
  if (inFlow || (page.style.json && typeof value === "object")) {
    return planned({ start: colon, end, text: ` ${flowText(value, page.style)}` });
  }
  const column = columnOf(page.text, startOf(pair.key));
  const [first = "", ...rest] = pairLines("k", value, page.style);
  const head = first.slice("k:".length);
  if (rest.length === 0) return planned({ start: colon, end, text: head });
  if (/^ \|/.test(head))
    return planned({ start: colon, end, text: [head, ...indentLines(rest, column)].join(page.style.eol) });
  if (isBlock(pair.value))
    return planned({ start: colon, end, text: ["", ...indentLines(rest, column)].join(page.style.eol) });
  const below = linesAfter(end, rest, column, page);
  return below.ok ? planned({ start: colon, end, text: "" }, ...below.splices) : below;
}

/** Gives a list item another value of another shape. */
export function replaceItem(list: YAMLSeq, index: number, value: Json, page: Page): Planned {
  const item = list.items[index];
  const [start, end] = [startOf(item), endOf(item)];
  if (!isBlock(list)) return planned({ start, end, text: flowText(value, page.style) });
  const lines = itemLines(value, page.style).map((line) => line.slice(2));
  return planned({
    start,
    end,
    text: [lines[0] ?? "", ...indentLines(lines.slice(1), columnOf(page.text, startOf(list)) + 2)].join(page.style.eol),
  });
}

/** Lines that go below the line on which something ends, above the comments and blank lines that follow it. */
function linesAfter(end: number, lines: readonly string[], column: number, page: Page): Planned {
  const { text, style } = page;
  const at = lineEnd(text, end);
  const body = indentLines(lines, column).join(style.eol);
  if (at === text.length) return planned({ start: at, end: at, text: style.eol + body });
  return planned({ start: at + 1, end: at + 1, text: body + style.eol });
}

function insertFlow(node: YAMLMap | YAMLSeq, prefix: string, value: Json, index: number, page: Page): Planned {
  const { text } = page;
  const style = flowStyle(node, page);
  const [start, end] = [startOf(node), endOf(node)];
  const items = node.items as unknown[];
  if (items.length === 0) return insertIntoEmpty(node, prefix, value, page);
  const several = text.slice(start, end).includes("\n");
  const previous = items[index - 1];
  if (previous === undefined) {
    const first = itemStart(items[0]);
    const gap = several ? `${style.eol}${text.slice(lineStart(text, first), first)}` : " ";
    if (gap.trim() !== "") return refuse("the list begins in the middle of a line");
    return planned({ start: first, end: first, text: `${prefix}${flowValue(value, style, gap)},${gap}` });
  }
  const at = itemEnd(previous);
  const begin = itemStart(previous);
  if (!several) return planned({ start: at, end: at, text: `, ${prefix}${flowText(value, style)}` });
  const rest = text.slice(at, itemStart(items[index]) || end);
  if (rest.includes("#"))
    return refuse("a comment stands in the way in a list or map in braces that spans several lines");
  const lead = text.slice(lineStart(text, begin), begin);
  const gap = lead.trim() === "" ? `${style.eol}${lead}` : " ";
  return planned({ start: at, end: at, text: `,${gap}${prefix}${flowValue(value, style, gap)}` });
}

function flowValue(value: Json, style: YamlStyle, gap: string): string {
  if (!style.json || gap === " ") return flowText(value, style);
  return jsonText(value, style.step, gap.slice(style.eol.length), style.eol);
}

function insertIntoEmpty(node: YAMLMap | YAMLSeq, prefix: string, value: Json, page: Page): Planned {
  const style = flowStyle(node, page);
  const open = startOf(node);
  const inner = { start: open + 1, end: endOf(node) - 1 };
  if (page.text.slice(inner.start, inner.end).includes("#")) return refuse("a comment stands between the braces");
  const padding = isMap(node) ? style.padding : "";
  return planned({ ...inner, text: `${padding}${prefix}${flowText(value, style)}${padding}` });
}

/** A map with quoted keys goes on with quoted keys, as JSON does. */
function flowStyle(node: YAMLMap | YAMLSeq, page: Page): YamlStyle {
  const first = isMap(node) ? node.items[0]?.key : undefined;
  const quoted = first !== undefined && page.text[startOf(first)] === '"';
  return { ...page.style, json: page.style.json || quoted };
}

function itemStart(item: unknown): number {
  return isPairLike(item) ? startOf(item.key) : startOf(item);
}

function itemEnd(item: unknown): number {
  return isPairLike(item) ? pairEnd(item) : endOf(item);
}

function isPairLike(item: unknown): item is Pair<unknown, unknown> {
  return typeof item === "object" && item !== null && "key" in item && !isMap(item) && !isSeq(item);
}

function indentLines(lines: readonly string[], column: number): string[] {
  const indent = " ".repeat(column);
  return lines.map((line) => (line === "" ? "" : indent + line));
}
