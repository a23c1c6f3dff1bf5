import { isAlias, isCollection, isMap, isScalar, isSeq, type Node, type Pair, Scalar, visit } from "yaml";
import type { YamlDocument } from "./yaml-parse.ts";
import type { YamlStyle } from "./yaml-text.ts";

/** Offsets are UTF-16 indices into the decoded text, as the `yaml` package counts them; never bytes. */
export function lineStart(text: string, offset: number): number {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  return start === 0 && text.charCodeAt(0) === 0xfeff ? 1 : start;
}

/** The offset of the line feed that ends the line, or the end of the text. */
export function lineEnd(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end < 0 ? text.length : end;
}

/** 0-based column. */
export function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}

/** 1-based line. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

export function isBlock(node: unknown): boolean {
  return isCollection(node) && node.flow !== true;
}

export function isEmptyScalar(node: unknown): boolean {
  return isScalar(node) && node.range !== undefined && node.range !== null && node.range[0] === node.range[1];
}

export function startOf(node: unknown): number {
  return (node as Node | undefined)?.range?.[0] ?? 0;
}

/** Where the text of a node ends: before trailing comments, white space and blank lines. */
export function endOf(node: unknown): number {
  if (isMap(node) && isBlock(node)) {
    const last = node.items.at(-1);
    return last === undefined ? rangeEnd(node) : pairEnd(last);
  }
  if (isSeq(node) && isBlock(node)) {
    const last = node.items.at(-1);
    return last === undefined ? rangeEnd(node) : endOf(last);
  }
  return rangeEnd(node);
}

/** Where the text of a `key: value` ends. */
export function pairEnd(pair: Pair<unknown, unknown>): number {
  if (pair.value === null || pair.value === undefined || isEmptyScalar(pair.value)) return afterColon(pair);
  return endOf(pair.value);
}

/** Behind the colon, and behind an anchor or tag that stands there; the end of the key when it has no colon. */
export function afterColon(pair: Pair<unknown, unknown>): number {
  const tokens = (pair.srcToken?.sep ?? []).filter((token) => ["map-value-ind", "anchor", "tag"].includes(token.type));
  const last = tokens.at(-1);
  return last === undefined ? rangeEnd(pair.key) : last.offset + last.source.length;
}

/** Whether an anchor or a tag stands between a key's colon and its value. */
export function hasProperties(pair: Pair<unknown, unknown>): boolean {
  return (pair.srcToken?.sep ?? []).some((token) => token.type === "anchor" || token.type === "tag");
}

/** A block scalar whose trailing blank lines are part of it: nothing can be put behind it without changing it. */
export function endsInKeptBlock(node: unknown, text: string): boolean {
  if (isMap(node)) return endsInKeptBlock(node.items.at(-1)?.value, text);
  if (isSeq(node)) return endsInKeptBlock(node.items.at(-1), text);
  if (!isScalar(node) || (node.type !== Scalar.BLOCK_LITERAL && node.type !== Scalar.BLOCK_FOLDED)) return false;
  const header = text.slice(startOf(node), lineEnd(text, startOf(node)));
  return header.replace(/\s#.*$/, "").includes("+");
}

/** How a document is written; where it gives no hint, what most manifests look like. */
export function styleOf(document: YamlDocument, text: string, file: string): YamlStyle {
  const seen = { step: 0, listStep: -1, single: 0, double: 0, padding: "" };
  visit(document, {
    Map(_key, node) {
      const first = node.items[0];
      if (node.flow === true && text[startOf(node) + 1] === " " && first !== undefined) seen.padding = " ";
      return undefined;
    },
    Pair(_key, pair) {
      if (!isScalar(pair.key) || !isBlock(pair.value)) return undefined;
      const column = columnOf(text, startOf(pair.key));
      const child = columnOf(text, startOf(pair.value));
      if (isSeq(pair.value) && seen.listStep < 0 && child >= column) seen.listStep = child - column;
      else if (isMap(pair.value) && seen.step === 0 && child > column) seen.step = child - column;
      return undefined;
    },
    Scalar(_key, node) {
      if (node.type === Scalar.QUOTE_SINGLE) seen.single++;
      else if (node.type === Scalar.QUOTE_DOUBLE) seen.double++;
      return undefined;
    },
  });
  return {
    step: seen.step === 0 ? 2 : seen.step,
    listStep: seen.listStep < 0 ? 2 : seen.listStep,
    quote: seen.single > seen.double ? "single" : "double",
    padding: seen.padding,
    json: file.endsWith(".json"),
    eol: eolOf(text),
  };
}

/** The line ending of most lines. */
export function eolOf(text: string): "\n" | "\r\n" {
  const all = text.split("\n").length - 1;
  const crlf = text.split("\r\n").length - 1;
  return crlf * 2 > all ? "\r\n" : "\n";
}

function rangeEnd(node: unknown): number {
  if (isScalar(node) && node.srcToken?.type === "block-scalar") {
    // The range of a block ends behind its last line feed; the text of its last line ends before.
    return (
      (node.range?.[1] ?? 0) -
      (/(\r?\n[ \t]*)+$/.exec(node.srcToken.source.slice(0, blockLength(node)))?.[0].length ?? 0)
    );
  }
  if (isAlias(node) || isScalar(node) || isCollection(node)) return node.range?.[1] ?? 0;
  return 0;
}

function blockLength(node: Scalar): number {
  const token = node.srcToken;
  if (token?.type !== "block-scalar") return 0;
  const header = token.props.reduce(
    (sum, prop) => sum + ("source" in prop && typeof prop.source === "string" ? prop.source.length : 0),
    0,
  );
  return (node.range?.[1] ?? 0) - (node.range?.[0] ?? 0) - header;
}
