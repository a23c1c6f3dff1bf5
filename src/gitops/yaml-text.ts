import type { Json } from "../model.ts";
import { isScalarValue, type ScalarPlace, type ScalarValue, writeScalar } from "./yaml-scalar.ts";

/** How a file is written, so that new lines look like its own. */
export interface YamlStyle {
  /** Columns that a nested map is indented by. */
  readonly step: number;
  /** Columns that a list is indented by below its key: 0 or `step`. */
  readonly listStep: number;
  /** The quotes for text that needs some. */
  readonly quote: "single" | "double";
  /** Spaces inside of `{ }`. */
  readonly padding: string;
  readonly json: boolean;
  readonly eol: string;
}

/** `key: value` as block lines without outer indentation. */
export function pairLines(key: string, value: Json, style: YamlStyle): string[] {
  const name = writeKey(key, style, false);
  const inline = inlineText(value, style);
  if (inline !== undefined) return [`${name}: ${inline}`];
  if (typeof value === "string") return literalLines(`${name}: `, value, style.step);
  const indent = " ".repeat(Array.isArray(value) ? style.listStep : style.step);
  return [`${name}:`, ...valueLines(value, style).map((line) => indented(indent, line))];
}

/** `- value` as block lines without outer indentation. */
export function itemLines(value: Json, style: YamlStyle): string[] {
  const inline = inlineText(value, style);
  if (inline !== undefined) return [`- ${inline}`];
  if (typeof value === "string") return literalLines("- ", value, 2);
  return valueLines(value, style).map((line, index) => (index === 0 ? `- ${line}` : indented("  ", line)));
}

/** A non-empty collection as block lines without outer indentation. */
export function valueLines(value: Json, style: YamlStyle): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => itemLines(item, style));
  if (isScalarValue(value)) return [scalarText(value, style, false)];
  return Object.entries(value).flatMap(([key, child]) => pairLines(key, child, style));
}

/** A value in flow form, on one line. */
export function flowText(value: Json, style: YamlStyle): string {
  if (isScalarValue(value)) return scalarText(value, style, true);
  if (Array.isArray(value)) return `[${value.map((item) => flowText(item, style)).join(", ")}]`;
  const pairs = Object.entries(value).map(([key, child]) => `${writeKey(key, style, true)}: ${flowText(child, style)}`);
  return pairs.length === 0 ? "{}" : `{${style.padding}${pairs.join(", ")}${style.padding}}`;
}

/** A value as indented JSON; every line but the first begins with `indent`. */
export function jsonText(value: Json, step: number, indent: string, eol: string): string {
  return JSON.stringify(value, null, step).split("\n").join(`${eol}${indent}`);
}

/** A key as text, quoted where it must be. */
export function writeKey(key: string, style: YamlStyle, flow: boolean): string {
  return writeScalar(key, placeOf(style, flow));
}

export function scalarText(value: ScalarValue, style: YamlStyle, flow: boolean): string {
  return writeScalar(value, placeOf(style, flow));
}

/** What fits behind a colon or a dash; undefined when the value needs lines of its own. */
function inlineText(value: Json, style: YamlStyle): string | undefined {
  if (typeof value === "string" && isLiteral(value)) return undefined;
  if (isScalarValue(value)) return scalarText(value, style, false);
  if (Object.keys(value).length > 0) return undefined;
  return Array.isArray(value) ? "[]" : "{}";
}

/** Text of several lines that a literal block can hold without any doubt about its indentation or its end. */
function isLiteral(text: string): boolean {
  const body = text.endsWith("\n") ? text.slice(0, -1) : text;
  return body.includes("\n") && !/^[\s]|\n$|[^\P{C}\n\t]|[\u2028\u2029]/u.test(body) && !/[ \t](\n|$)/.test(body);
}

function literalLines(before: string, text: string, step: number): string[] {
  const clipped = text.endsWith("\n");
  const lines = (clipped ? text.slice(0, -1) : text).split("\n");
  return [`${before}${clipped ? "|" : "|-"}`, ...lines.map((line) => indented(" ".repeat(step), line))];
}

function indented(indent: string, line: string): string {
  return line === "" ? "" : indent + line;
}

function placeOf(style: YamlStyle, flow: boolean): ScalarPlace {
  return { quote: "plain", flow, json: style.json && flow, fallback: style.quote };
}
