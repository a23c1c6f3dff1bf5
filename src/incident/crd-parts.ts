/** The parts that schemas of custom resources are made of. */

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
export const action = object({ kind: text(), pods: list(text()) });
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

/** What was read of a talk. */
export const chat = object({
  since: time,
  handled: list({ type: "integer", format: "int64" }),
  refusals: count,
  pending: object({
    comment: { type: "integer", format: "int64" },
    by: text(),
    verb: text(),
    at: time,
    until: time,
  }),
});
export const pullRequest = object({
  repository: text(),
  number: count,
  url: text(),
  branch: text(),
  base: text(),
  head: text(),
  draft: { type: "boolean" },
});
export const citations = list(object({ id: text(), quote: text() }));
export const checks = list(object({ id: text(), passed: { type: "boolean" }, text: text() }));

/** A model's fix of the program's own code. */
export const codeFix = object({
  evidence: text("Of what it was asked about: the same is never asked twice."),
  fault: text(),
  at: time,
  model: text(),
  repository: text(),
  image: text(),
  asked: count,
  outcome: text("fix, or none"),
  said: text(),
  fix: object({
    base: text(),
    files: list(object({ file: text(), before: text(), after: text() })),
    patch: text("Until its pull request is open."),
    cause: text("What a model says is wrong; not proved."),
    summary: text(),
    citations,
    checks,
    cautions: list(text()),
    checked: open,
  }),
  pullRequest,
  proposedAt: time,
  mergedAt: time,
  closedAt: time,
  goneAt: time,
  chat,
  ...spend,
});
