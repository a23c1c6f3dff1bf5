import type { Json } from "../model.ts";

/**
 * A value as YAML, in which texts that hold a `$` are written as go-yaml writes them: what is replaced in them later (Flux substitutes in
 * the text, not in the values) then means what it means in Flux. `"8080"` for `"${port}"` becomes a number there, and so it must here.
 */
export function goYaml(value: Json): string {
  return lines(value, "");
}

function lines(value: Json, indent: string): string {
  if (Array.isArray(value)) return value.map((item) => `${indent}-${after(item, indent)}`).join("");
  if (isMap(value))
    return Object.entries(value)
      .map(([key, item]) => `${indent}${scalar(key, indent, true)}:${after(item, indent)}`)
      .join("");
  return `${indent}${scalar(value, indent, false)}\n`;
}

function after(value: Json, indent: string): string {
  const children = Array.isArray(value) ? value.length : isMap(value) ? Object.keys(value).length : -1;
  if (children > 0) return `\n${lines(value, `${indent}  `)}`;
  if (children === 0) return Array.isArray(value) ? " []\n" : " {}\n";
  return ` ${scalar(value, `${indent}  `, false)}\n`;
}

function scalar(value: Json, indent: string, key: boolean): string {
  if (typeof value !== "string" || !value.includes("$")) return JSON.stringify(value);
  const { plain, single, block } = stylesOf(value);
  if (value.includes("\n")) return block && !key ? literal(value, indent) : JSON.stringify(value);
  if (plain) return value;
  return single ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value);
}

/** Which styles go-yaml's emitter would allow for a text (`yaml_emitter_analyze_scalar`). */
function stylesOf(value: string): { plain: boolean; single: boolean; block: boolean } {
  const special = /[^\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u.test(value);
  const spaceBreak = / [\n\u0085\u2028\u2029]/.test(value);
  const breakSpace = /[\n\u0085\u2028\u2029] /.test(value);
  const indicators =
    /^(?:---|\.\.\.)/.test(value) ||
    /^[#,[\]{}&*!|>'"%@`]/.test(value) ||
    /^[-?](?:[\s]|$)/.test(value) ||
    /:(?:\s|$)/.test(value) ||
    /\s#/.test(value);
  const edges = /^[ \n\u0085\u2028\u2029]|[ \n\u0085\u2028\u2029]$/.test(value);
  return {
    plain: !(special || spaceBreak || breakSpace || indicators || edges || /[\n\u0085\u2028\u2029]/.test(value)),
    single: !(special || spaceBreak || breakSpace),
    block: !(special || spaceBreak || value.endsWith(" ")),
  };
}

function literal(value: string, indent: string): string {
  const hint = /^[ \n]/.test(value) ? "2" : "";
  const chomp = !value.endsWith("\n") ? "-" : /^\n$|\n\n$/.test(value) ? "+" : "";
  const body = (value.endsWith("\n") ? value.slice(0, -1) : value).split("\n");
  return `|${hint}${chomp}\n${body.map((line) => (line === "" ? "" : `${indent}${line}`)).join("\n")}`;
}

function isMap(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
