import { StanchError } from "../errors.ts";
import type { Json } from "../model.ts";

export type JsonMap = { readonly [key: string]: Json };

/** Reads an owner's overlay key by key, and names the field that is not what it must be. */
export interface OverlayReader {
  at(key: string, step?: string | number): string;
  text(key: string): string | undefined;
  flag(key: string): boolean;
  list(key: string): readonly Json[];
  strings(key: string): string[];
  texts(key: string): Record<string, string> | undefined;
}

/** `label` names the overlay for people. */
export function readOverlay(part: JsonMap, label: string): OverlayReader {
  const at = (key: string, step?: string | number): string =>
    `${label}.${key}${step === undefined ? "" : typeof step === "number" ? `[${step}]` : `.${step}`}`;
  const list = (key: string): readonly Json[] => {
    const value = part[key] ?? [];
    if (!Array.isArray(value)) throw wrong(at(key), "must be a list");
    return value;
  };
  return {
    at,
    list,
    text(key) {
      const value = part[key];
      if (value !== undefined && typeof value !== "string") throw wrong(at(key), "must be a text");
      return value;
    },
    flag(key) {
      const value = part[key] ?? false;
      if (typeof value !== "boolean") throw wrong(at(key), "must be true or false");
      return value;
    },
    strings: (key) =>
      list(key).map((item, index) => {
        if (typeof item !== "string") throw wrong(at(key, index), "must be a text");
        return item;
      }),
    texts(key) {
      const value = part[key];
      if (value === undefined) return undefined;
      if (!isMap(value)) throw wrong(at(key), "must be a map of texts");
      return Object.fromEntries(
        Object.entries(value).map(([name, text]) => {
          if (typeof text !== "string") throw wrong(at(key, name), "must be a text");
          return [name, text];
        }),
      );
    },
  };
}

/** The fault of one field of the owner's. */
export function wrong(place: string, what: string): StanchError {
  return new StanchError("render", `${place} ${what}`, { hint: `correct ${place}` });
}

/** A list of a kustomization, to be changed. */
export function listOf(value: JsonMap, key: string): Json[] {
  const list = value[key] ?? [];
  if (!Array.isArray(list)) throw new StanchError("render", `\`${key}\` of the kustomization must be a list`);
  return [...list];
}

const SELECTOR = ["group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"];

/** The keys of a patch that the engine hands on, with those of its target. */
export function picked(row: Json, keys: readonly string[], place: string): Json {
  if (!isMap(row)) throw wrong(place, "must be a map");
  for (const key of ["path", "patch"])
    if (keys.includes(key) && row[key] !== undefined && typeof row[key] !== "string")
      throw wrong(`${place}.${key}`, "must be a text");
  const { target } = row;
  if (target !== undefined && target !== null && !isMap(target)) throw wrong(`${place}.target`, "must be a map");
  const out = Object.fromEntries(Object.entries(row).filter(([key, value]) => keys.includes(key) && value !== null));
  if (isMap(target))
    out["target"] = Object.fromEntries(Object.entries(target).filter(([key]) => SELECTOR.includes(key)));
  return out;
}

export function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
