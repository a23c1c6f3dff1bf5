import { z } from "zod";
import type { RemedyId } from "../config/schema.ts";
import type { Change, Choice, Commit, Json } from "../model.ts";
import type { Book } from "./book.ts";

const Changes = z
  .array(z.string())
  .describe("Ids of changes (c1, c2, …) as commit_history showed them; all of one commit.");
const Probe = z.strictObject({
  probe: z.enum(["startupProbe", "livenessProbe", "readinessProbe"]),
  port: z.union([z.number(), z.string()]).optional(),
  scheme: z.enum(["HTTP", "HTTPS"]).optional(),
});

/** How each remedy is chosen. Values of Git are named by id and never written by the model. */
const CHOICES = {
  rollback: z.strictObject({ remedy: z.literal("rollback"), revision: z.string().describe("Name of the revision.") }),
  "restore-from-git": z.strictObject({ remedy: z.literal("restore-from-git"), changes: Changes }),
  "revert-commit": z.strictObject({ remedy: z.literal("revert-commit"), changes: Changes }),
  "restore-manifest": z.strictObject({ remedy: z.literal("restore-manifest"), changes: Changes }),
  "restore-object": z.strictObject({
    remedy: z.literal("restore-object"),
    change: z.string().describe("Id of the change that took the object away."),
  }),
  "correct-image": z.strictObject({
    remedy: z.literal("correct-image"),
    container: z.string(),
    image: z.string().describe("The whole reference: the same repository, an existing tag."),
  }),
  "repoint-reference": z.strictObject({
    remedy: z.literal("repoint-reference"),
    name: z.string().optional().describe("The ConfigMap or Secret that is meant."),
    key: z.string().optional().describe("The key that is meant."),
  }),
  "correct-probe": z.strictObject({
    remedy: z.literal("correct-probe"),
    container: z.string(),
    probes: z.array(Probe),
  }),
} as const;

const NONE = z.strictObject({
  remedy: z.literal("none"),
  needs: z.string().describe("What a person must look at or decide, in one sentence."),
});

/** The answer, for those remedies that may be chosen: the set is fixed before anything is asked. */
export function answerSchema(allowed: readonly RemedyId[]) {
  const choices = allowed.flatMap((id) => (Object.hasOwn(CHOICES, id) ? [CHOICES[id as keyof typeof CHOICES]] : []));
  return z.strictObject({
    cause: z.string().describe("What is wrong and why, in one or two sentences, from what was shown."),
    choice: z.union([NONE, ...choices]),
    citations: z
      .array(
        z.strictObject({
          id: z.string().describe("Id of something that was shown."),
          quote: z.string().describe("Words of it, exactly as they stand there."),
        }),
      )
      .describe("What the cause and the choice rest on."),
  });
}
export type Answer = z.output<ReturnType<typeof answerSchema>>;

/** The answer as JSON Schema, for the API. */
export function answerJsonSchema(allowed: readonly RemedyId[]): Record<string, unknown> {
  return z.toJSONSchema(answerSchema(allowed)) as Record<string, unknown>;
}

/** A text as an answer; a sentence where it is none. */
export function parseAnswer(text: string, allowed: readonly RemedyId[]): Answer | { readonly problem: string } {
  if (text.length > 20_000) return { problem: "the answer is too long" };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { problem: "the answer is no JSON" };
  }
  const parsed = answerSchema(allowed).safeParse(json);
  if (parsed.success) return parsed.data;
  const remedy = (json as { choice?: { remedy?: unknown } } | null)?.choice?.remedy;
  if (typeof remedy === "string" && remedy !== "none" && !(allowed as readonly string[]).includes(remedy))
    return { problem: "it chose a remedy that it may not choose" };
  return { problem: "the answer has another form than was asked for" };
}

/**
 * What was chosen, as a choice of the catalogue. What stands in Git is looked up by the ids that were shown; `live` is the value that the
 * cluster has. A sentence where an id means nothing.
 */
export function choiceOf(
  answer: Answer,
  book: Book,
  live: (change: Change) => Json | undefined,
): { readonly choice: Choice; readonly culprit?: Commit } | { readonly problem: string } | null {
  const { choice } = answer;
  if (choice.remedy === "none") return null;
  switch (choice.remedy) {
    case "restore-from-git":
    case "revert-commit":
    case "restore-manifest":
      return restored(
        choice.remedy,
        choice.changes,
        book,
        choice.remedy === "restore-manifest" ? () => undefined : live,
      );
    case "restore-object": {
      const known = book.changes.get(choice.change);
      if (known?.commit === undefined || known.change.path.length > 0 || known.change.to === undefined)
        return { problem: "it names a change that was not shown" };
      const params = { commit: known.commit.sha, object: known.change.to };
      return { choice: { remedy: choice.remedy, params }, culprit: known.commit };
    }
    default: {
      const { remedy, ...params } = choice;
      return { choice: { remedy, params: JSON.parse(JSON.stringify(params)) as Record<string, Json> } };
    }
  }
}

function restored(
  remedy: RemedyId,
  ids: readonly string[],
  book: Book,
  live: (change: Change) => Json | undefined,
): { readonly choice: Choice; readonly culprit?: Commit } | { readonly problem: string } {
  const found = [...new Set(ids)].map((id) => book.changes.get(id));
  const [first] = found;
  if (first === undefined || found.some((item) => item === undefined))
    return { problem: "it names a change that was not shown" };
  const all = found.flatMap((item) => (item === undefined ? [] : [item]));
  if (all.some((item) => item.commit?.sha !== first.commit?.sha))
    return { problem: "it takes changes of several commits" };
  const fields = all.map(({ change }) => {
    const { object, path, to } = change;
    const from = remedy === "restore-manifest" ? change.from : live(change);
    return {
      object: { ...object },
      path: path.map((step) => (typeof step === "object" ? { ...step } : step)),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    };
  }) as unknown as Json;
  const { commit } = first;
  return {
    choice: { remedy, params: { ...(commit === undefined ? {} : { commit: commit.sha }), fields } },
    ...(commit === undefined ? {} : { culprit: commit }),
  };
}
