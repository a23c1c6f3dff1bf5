import type { KubeObject } from "../../../model.ts";
import type { Tree } from "../shapes.ts";
import { isTree } from "../shapes.ts";
import type { Cause } from "./api-error.ts";
import type { Schema } from "./kinds.ts";
import { required, unsupported } from "./pod-validation.ts";

/** A copy with unknown fields removed (structural pruning) and defaults set. Metadata is left alone. */
export function pruneAndDefault(object: KubeObject, schema: Schema): KubeObject {
  const { apiVersion, kind, metadata, ...rest } = object;
  const kept = prune(rest, { ...schema, type: "object" }) as Tree;
  return { apiVersion, kind, metadata, ...kept };
}

function prune(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item) => prune(item, items));
  }
  if (!isTree(value)) return value;
  const out: Tree = {};
  for (const [key, item] of Object.entries(value)) {
    const known =
      schema.properties?.[key] ??
      (typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined);
    if (item === null && known?.nullable !== true && known?.default !== undefined) continue;
    if (known !== undefined) out[key] = prune(item, known);
    else if (schema["x-kubernetes-preserve-unknown-fields"] === true || schema.additionalProperties === true)
      out[key] = item;
  }
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (out[key] === undefined && property.default !== undefined) out[key] = structuredClone(property.default);
  }
  return out;
}

/** What the schema has against an object: types, enum, required, bounds and patterns, in the server's words. */
export function validateSchema(object: KubeObject, schema: Schema): Cause[] {
  const { apiVersion: _a, kind: _k, metadata: _m, ...rest } = object;
  const causes: Cause[] = [];
  check(
    rest,
    {
      ...schema,
      type: "object",
      required: (schema.required ?? []).filter((name) => !["apiVersion", "kind", "metadata"].includes(name)),
    },
    "",
    causes,
  );
  return causes;
}

function check(value: unknown, schema: Schema, at: string, causes: Cause[]): void {
  if (value === null && schema.nullable === true) return;
  const add = (detail: string, shown: unknown): void => {
    causes.push({
      reason: "FieldValueInvalid",
      message: `Invalid value: ${JSON.stringify(shown)}: ${at} in body ${detail}`,
      field: at,
    });
  };
  const type = typeOf(value);
  if (schema["x-kubernetes-int-or-string"] === true) {
    if (type !== "integer" && type !== "string") add("must be of type integer or string", value);
    return;
  }
  if (schema.type !== undefined && schema.type !== type && !(schema.type === "number" && type === "integer")) {
    const message = `Invalid value: "${type}": ${at} in body must be of type ${schema.type}: "${type}"`;
    causes.push({ reason: "FieldValueTypeInvalid", message, field: at });
    return;
  }
  if (schema.enum !== undefined && !schema.enum.includes(value))
    causes.push(unsupported(at, value, schema.enum.map(String)));
  if (typeof value === "number") {
    if (schema.minimum !== undefined && value < schema.minimum)
      add(`should be greater than or equal to ${schema.minimum}`, value);
    if (schema.maximum !== undefined && value > schema.maximum)
      add(`should be less than or equal to ${schema.maximum}`, value);
  }
  if (typeof value === "string") {
    if (schema.minLength !== undefined && value.length < schema.minLength)
      add(`should be at least ${schema.minLength} chars long`, value);
    if (schema.maxLength !== undefined && value.length > schema.maxLength) {
      causes.push({
        reason: "FieldValueInvalid",
        message: `Too long: may not be more than ${schema.maxLength} bytes`,
        field: at,
      });
    }
    if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
      add(`should match '${schema.pattern}'`, value);
  }
  if (Array.isArray(value)) {
    if (schema.maxItems !== undefined && value.length > schema.maxItems) {
      causes.push({
        reason: "FieldValueInvalid",
        message: `Too many: ${value.length}: must have at most ${schema.maxItems} items`,
        field: at,
      });
    }
    for (const [index, item] of value.entries()) check(item, schema.items ?? {}, `${at}[${index}]`, causes);
  }
  if (isTree(value)) {
    const more = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
    for (const [key, item] of Object.entries(value))
      check(item, schema.properties?.[key] ?? more ?? {}, at === "" ? key : `${at}.${key}`, causes);
    for (const name of schema.required ?? [])
      if (value[name] === undefined) causes.push(required(at === "" ? name : `${at}.${name}`));
  }
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}
