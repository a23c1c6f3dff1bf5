import { count, list, object, open, spend, text, time } from "./crd-schema.ts";

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
