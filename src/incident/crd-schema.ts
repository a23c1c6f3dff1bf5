/** Words in which the CustomResourceDefinitions are written. */
type Schema = { readonly [key: string]: unknown };
export const text = (description?: string): Schema => ({
  type: "string",
  ...(description === undefined ? {} : { description }),
});
export const time: Schema = { type: "string", format: "date-time" };
const any: Schema = { "x-kubernetes-preserve-unknown-fields": true };
export const list = (items: Schema): Schema => ({ type: "array", items });
export const object = (properties: Record<string, Schema>, required: readonly string[] = []): Schema => ({
  type: "object",
  properties,
  ...(required.length > 0 ? { required } : {}),
});
/** Facts whose shape belongs to the program and not to the API. */
export const open: Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

export const ref = object({ apiVersion: text(), kind: text(), namespace: text(), name: text() }, [
  "apiVersion",
  "kind",
  "namespace",
  "name",
]);
export const change = object({ object: ref, path: list(any), from: any, to: any }, ["object", "path"]);
export const action = object({
  kind: text(),
  pods: list(text()),
  container: text(),
  command: list(text()),
  timeout: { type: "integer" },
});
export const contains: Schema = {
  ...object({ template: text(), pods: list(text()) }),
  description: "It heals nothing, and the cause stays while the pod template is this one.",
};
export const commit = object({ sha: text(), author: text(), email: text(), at: text(), subject: text() });

export const count: Schema = { type: "integer" };
/** What models cost. */
export const spend: Record<string, Schema> = {
  requests: count,
  inputTokens: count,
  outputTokens: count,
  cacheReadTokens: count,
  dollars: { type: "number" },
};
