import type { Json } from "../model.ts";
import { parseValues } from "./yaml-parse.ts";

const MAX_CHARACTERS = 32 * 1024 * 1024;
const cache = new Map<string, Parsed>();
let size = 0;

type Parsed = { readonly ok: true; readonly values: readonly Json[] } | { readonly ok: false; readonly error: string };

/**
 * The documents of a text as Kubernetes reads them. The same text is parsed once: a probe changes one document of
 * hundreds. The values are shared and must not be changed.
 */
export function parseOnce(text: string): Parsed {
  const known = cache.get(text);
  if (known !== undefined) {
    cache.delete(text);
    cache.set(text, known);
    return known;
  }
  const made = parse(text);
  cache.set(text, made);
  size += text.length;
  for (const old of cache.keys()) {
    if (size <= MAX_CHARACTERS) break;
    cache.delete(old);
    size -= old.length;
  }
  return made;
}

function parse(text: string): Parsed {
  try {
    return { ok: true, values: parseValues(text) };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}
