import { readFile } from "node:fs/promises";
import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { messageOf, StanchError } from "../errors.ts";
import { nearest } from "./nearest.ts";
import { Config } from "./schema.ts";

/**
 * Reads and checks `stanch.yaml`. Without a file all defaults hold. Throws StanchError `config` that names every bad
 * place with its line, and for an unknown key the nearest known one.
 */
export async function loadConfig(file: string | undefined): Promise<Config> {
  if (file === undefined) return Config.parse({});
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new StanchError("config", `the configuration ${file} cannot be read: ${messageOf(error)}`, {
      hint: "check --config, or leave it out to use the defaults",
      cause: error,
    });
  }
  return parseConfig(text, file);
}

/** The same for text; `file` only names the place in errors. */
export function parseConfig(text: string, file = "stanch.yaml"): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const broken = document.errors[0];
  if (broken !== undefined)
    throw new StanchError("config", `${file}: ${broken.message.split("\n")[0]}`, { hint: "correct the YAML" });
  const result = Config.safeParse(document.toJS() ?? {});
  if (result.success) return result.data;
  const at = (path: readonly PropertyKey[]): string => {
    for (let length = path.length; length > 0; length -= 1) {
      const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
      if (node?.range) return `:${lines.linePos(node.range[0]).line}`;
    }
    return "";
  };
  const said = result.error.issues.flatMap((issue) =>
    sentences(issue).map((sentence) => `${file}${at(issue.path)}: ${sentence}`),
  );
  throw new StanchError("config", said.join("\n"), {
    hint: "every setting is described in the configuration reference (docs/configuration.md)",
  });
}

function sentences(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.map(String).join(".");
  if (issue.code !== "unrecognized_keys") return [`${path === "" ? "the configuration" : path}: ${issue.message}`];
  const known = keysAt(issue.path);
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    const full = [...issue.path.map(String), key].join(".");
    return `unknown key "${full}"${near === null ? `; known here: ${known.join(", ")}` : `; did you mean "${near}"?`}`;
  });
}

/** Keys that the schema knows at a path. */
function keysAt(path: readonly PropertyKey[]): string[] {
  let at: unknown = Config;
  for (const step of path) at = typeof step === "number" ? unwrap(at, "element") : shapeOf(at)[String(step)];
  return Object.keys(shapeOf(at));
}

function shapeOf(schema: unknown): Record<string, unknown> {
  const found = unwrap(schema, "shape");
  return typeof found === "object" && found !== null ? (found as Record<string, unknown>) : {};
}

/** The wanted part of a schema, through defaults, optionals and pipes. */
function unwrap(schema: unknown, part: "shape" | "element"): unknown {
  let at = schema as { shape?: unknown; element?: unknown; def?: { innerType?: unknown; in?: unknown } } | undefined;
  for (let depth = 0; at !== undefined && depth < 8; depth += 1) {
    if (at[part] !== undefined) return at[part];
    at = (at.def?.innerType ?? at.def?.in) as typeof at;
  }
  return undefined;
}
