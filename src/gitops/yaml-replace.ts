import { Scalar } from "yaml";
import type { Json } from "../model.ts";
import { type Planned, planned, refuse } from "./yaml-edit.ts";
import type { Page } from "./yaml-insert.ts";
import { lineEnd, startOf } from "./yaml-layout.ts";
import { templatingRefusal } from "./yaml-refusal.ts";
import { type Quote, type ScalarValue, writeScalar } from "./yaml-scalar.ts";

/** Replaces the text of a scalar and keeps its quotes, its anchor and everything around it. */
export function replaceScalar(node: Scalar, value: ScalarValue, flow: boolean, page: Page): Planned {
  const { text } = page;
  const start = startOf(node);
  const end = node.range?.[1] ?? start;
  const old = text.slice(start, end);
  if (node.type === Scalar.BLOCK_LITERAL) return replaceLiteral(node, value, page);
  if (node.type === Scalar.BLOCK_FOLDED)
    return refuse("the value is a folded block (>), whose line breaks mean nothing and would move");
  if (old.includes("\n")) return refuse("the value is written over several lines");
  const template = templatingRefusal(old) ?? (typeof value === "string" ? templatingRefusal(value) : undefined);
  if (template !== undefined) return refuse(template);
  const json = page.style.json || (flow && node.type === Scalar.QUOTE_DOUBLE);
  const written = writeScalar(value, { quote: quoteOf(node), flow, json, fallback: page.style.quote });
  const space = start === end && /[^\s[{,]/.test(text[start - 1] ?? " ") ? " " : "";
  return planned({ start, end, text: space + written });
}

function quoteOf(node: Scalar): Quote {
  if (node.type === Scalar.QUOTE_SINGLE) return "single";
  return node.type === Scalar.QUOTE_DOUBLE ? "double" : "plain";
}

/** Replaces only the lines of a literal block that differ; the lines around them keep every byte. */
function replaceLiteral(node: Scalar, value: Json, page: Page): Planned {
  const { text } = page;
  if (typeof value !== "string" || typeof node.value !== "string") return refuse("the value is a block of text");
  const header = text
    .slice(startOf(node), lineEnd(text, startOf(node)))
    .replace(/\s#.*$/, "")
    .trim();
  if (/[\d+]/.test(header))
    return refuse(`the value is a block of text with an explicit indentation or end (${header})`);
  if (value.endsWith("\n") === header.includes("-") || /\n\n$/.test(value))
    return refuse("the block of text would end in another way");
  const start = lineEnd(text, startOf(node)) + 1;
  const end = node.range?.[1] ?? start;
  const oldLines = bodyLines(node.value);
  const newLines = bodyLines(value);
  const rawLines = text.slice(start, end).split("\n");
  const indent = /^ +/.exec(rawLines.find((line) => line.trim() !== "") ?? "")?.[0];
  if (indent === undefined || newLines.some((line) => line.includes("\r"))) return refuse("the block of text is empty");
  let head = 0;
  while (head < Math.min(oldLines.length, newLines.length) && oldLines[head] === newLines[head]) head++;
  let tail = 0;
  while (tail < Math.min(oldLines.length, newLines.length) - head && oldLines.at(-1 - tail) === newLines.at(-1 - tail))
    tail++;
  const changed = newLines.slice(head, newLines.length - tail);
  const template = templatingRefusal([...changed, ...oldLines.slice(head, oldLines.length - tail)].join("\n"));
  if (template !== undefined) return refuse(template);
  const offset = (lines: number): number =>
    start + rawLines.slice(0, lines).reduce((sum, line) => sum + line.length + 1, 0);
  const insert = changed.map((line) => `${line === "" ? "" : indent + line}${page.style.eol}`).join("");
  const stop = Math.min(offset(oldLines.length - tail), text.length);
  if (stop === text.length && !text.endsWith("\n")) {
    return planned({ start: offset(head), end: stop, text: insert.slice(0, -page.style.eol.length) });
  }
  return planned({ start: offset(head), end: stop, text: insert });
}

function bodyLines(value: string): string[] {
  return (value.endsWith("\n") ? value.slice(0, -1) : value).split("\n");
}
