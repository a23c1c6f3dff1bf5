import { mapAt } from "./fields.ts";

/**
 * Every field that an OpenAPI schema names, as a path (`status.code.repository`); a list's items and a map's values are stepped into. What a
 * custom resource's schema does not name, the API server drops when it is written.
 */
export function fieldsOfSchema(schema: unknown, path = ""): string[] {
  const inside = [mapAt(schema, "items"), mapAt(schema, "additionalProperties")];
  return [
    ...Object.entries(mapAt(schema, "properties") ?? {}).flatMap(([name, value]) => {
      const at = path === "" ? name : `${path}.${name}`;
      return [at, ...fieldsOfSchema(value, at)];
    }),
    ...inside.flatMap((value) => (value === undefined ? [] : fieldsOfSchema(value, path))),
  ];
}
