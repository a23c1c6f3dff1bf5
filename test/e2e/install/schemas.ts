import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { kubectl } from "../lab.ts";

interface Schema {
  [key: string]: unknown;
  type?: string;
  properties?: Record<string, Schema>;
}

/**
 * Writes what the cluster itself publishes of its kinds as schemas for kubeconform, which otherwise fetches them from the network. Strict:
 * a field that the cluster does not know is an error. Answers the `-schema-location`.
 */
export async function clusterSchemas(folder: string): Promise<string> {
  const document = JSON.parse(await kubectl(["get", "--raw", "/openapi/v2"])) as {
    definitions: Record<string, Schema>;
  };
  const definitions = Object.fromEntries(
    Object.entries(document.definitions).map(([name, schema]) => [name, strict(schema)]),
  );
  for (const [name, schema] of Object.entries(document.definitions)) {
    const kinds = (schema["x-kubernetes-group-version-kind"] ?? []) as {
      group: string;
      version: string;
      kind: string;
    }[];
    for (const { group, version, kind } of kinds) {
      const [first = ""] = group.split(".");
      const file = [kind, ...(first === "" ? [] : [first]), version].join("-").toLowerCase();
      // References stay inside one file: what a kind needs of the others stands beside it.
      const needed = Object.fromEntries([...reachable(name, definitions)].map((each) => [each, definitions[each]]));
      await writeFile(
        join(folder, `${file}.json`),
        JSON.stringify({ ...(definitions[name] as object), definitions: needed }),
      );
    }
  }
  return join(folder, "{{ .ResourceKind }}{{ .KindSuffix }}.json");
}

function reachable(name: string, definitions: Record<string, unknown>, found = new Set<string>()): Set<string> {
  for (const [, next = ""] of JSON.stringify(definitions[name] ?? {}).matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g))
    if (!found.has(next)) {
      found.add(next);
      reachable(next, definitions, found);
    }
  return found;
}

function strict(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strict);
  if (typeof value !== "object" || value === null) return value;
  const schema = value as Schema;
  // Quantities and ports may be numbers.
  if (
    schema.type === "string" &&
    (schema["format"] === "int-or-string" || /quantity/i.test(String(schema["description"])))
  )
    return { oneOf: [{ type: "string" }, { type: "number" }] };
  const out = Object.fromEntries(Object.entries(schema).map(([key, item]) => [key, strict(item)]));
  return schema.type === "object" &&
    typeof schema.properties === "object" &&
    schema["additionalProperties"] === undefined
    ? { ...out, additionalProperties: false }
    : out;
}
