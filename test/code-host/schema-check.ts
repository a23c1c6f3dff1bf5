/** As much of JSON Schema as GitHub's OpenAPI 3.0 description uses of it in answers. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

export interface Description {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Answer>> }>>>
  >;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: Readonly<Record<string, Answer>>;
  };
}

interface Answer {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

/** The schema of an answer: `GET /repos/{owner}/{repo}` with status 200. Undefined where the description has no body. */
export function schemaOf(api: Description, method: string, path: string, status: number): Schema | undefined {
  const operation = api.paths[path]?.[method.toLowerCase()];
  if (operation === undefined) throw new Error(`GitHub does not describe ${method} ${path}`);
  let answer = operation.responses[String(status)];
  if (answer === undefined) throw new Error(`GitHub does not describe ${status} of ${method} ${path}`);
  if (answer.$ref !== undefined) answer = api.components.responses[answer.$ref.split("/").at(-1) ?? ""];
  return answer?.content?.["application/json"]?.schema ?? answer?.content?.["application/scim+json"]?.schema;
}

const FORMATS: Readonly<Record<string, RegExp>> = {
  "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  uri: /^[a-z][a-z0-9+.-]*:/i,
};

/** What is wrong with a value, each with its place; nothing when it is as described. */
export function faultsOf(value: unknown, schema: Schema, api: Description, at = "$"): string[] {
  if (schema.$ref !== undefined) {
    const named = api.components.schemas[schema.$ref.split("/").at(-1) ?? ""];
    return named === undefined ? [`${at}: no schema ${schema.$ref}`] : faultsOf(value, named, api, at);
  }
  if (value === null && schema.nullable === true) return [];
  const faults: string[] = [];
  for (const part of schema.allOf ?? []) faults.push(...faultsOf(value, part, api, at));
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices !== undefined) {
    const tries = choices.map((choice) => faultsOf(value, choice, api, at));
    if (tries.every((found) => found.length > 0))
      faults.push(...(tries.toSorted((a, b) => a.length - b.length)[0] ?? []));
  }
  if (schema.type !== undefined && !isOf(schema.type, value)) return [`${at}: ${show(value)} is no ${schema.type}`];
  if (schema.enum?.includes(value) === false) faults.push(`${at}: ${show(value)} is none of ${schema.enum.join(", ")}`);
  if (typeof value === "string" && FORMATS[schema.format ?? ""]?.test(value) === false)
    faults.push(`${at}: ${show(value)} is no ${schema.format}`);
  if (Array.isArray(value) && schema.items !== undefined)
    for (const [index, item] of value.entries()) faults.push(...faultsOf(item, schema.items, api, `${at}[${index}]`));
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const fields = value as Record<string, unknown>;
    for (const key of schema.required ?? []) if (!(key in fields)) faults.push(`${at}.${key} is missing`);
    for (const [key, field] of Object.entries(schema.properties ?? {}))
      if (key in fields) faults.push(...faultsOf(fields[key], field, api, `${at}.${key}`));
  }
  return faults;
}

function isOf(type: string, value: unknown): boolean {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? "undefined").slice(0, 60);
}
