import { StanchError } from "../errors.ts";
import type { Input, Json, Source } from "../model.ts";
import { parseOnce } from "./parse-cache.ts";

/** An input of a source by its name. Throws StanchError `internal` when the source does not have it. */
export function inputOf(source: Source, name: string): Input {
  const input = source.inputs?.[name];
  if (input === undefined) throw new StanchError("internal", `${source.id} has no input ${name.replace("\u0000", "")}`);
  return input;
}

/** An input read as YAML, with its name for people. Null for an empty one. Throws StanchError `render`. */
export function inputValue(source: Source, name: string): { readonly value: Json; readonly label: string } {
  const { text, label } = inputOf(source, name);
  const parsed = parseOnce(text);
  if (!parsed.ok) throw new StanchError("render", `${label} is not valid YAML: ${parsed.error}`);
  return { value: parsed.values.find((value) => value !== null) ?? null, label };
}
