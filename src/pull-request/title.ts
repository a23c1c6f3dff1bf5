import type { ObjectRef } from "../model.ts";
import { redactShapes } from "../redact.ts";
import { quiet } from "./quote.ts";

/** `fix(shop/cart): raise memory limit 64Mi → 128Mi`, at most 72 characters. */
export function formatTitle(object: ObjectRef, what: string): string {
  const head = `fix(${object.namespace === "" ? object.name : `${object.namespace}/${object.name}`}): `;
  return shorten(`${head}${what}`);
}

/** A title of at most 72 characters, which pings nobody and tells no credential. */
export function shorten(text: string): string {
  const flat = quiet(redactShapes(text));
  const letters = [...flat];
  return letters.length <= 72 ? flat : `${letters.slice(0, 71).join("").trimEnd()}…`;
}
