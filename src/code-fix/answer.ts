import { z } from "zod";

const Answer = z.strictObject({
  cause: z
    .string()
    .describe("What is wrong in the code and why it fails, in one or two sentences, from what was shown."),
  fix: z.union([
    z.strictObject({
      kind: z.literal("edited"),
      summary: z.string().describe("What your edits do and why that is enough, in at most three sentences."),
    }),
    z.strictObject({
      kind: z.literal("none"),
      needs: z.string().describe("What a person must look at or decide, in one sentence."),
    }),
  ]),
  citations: z
    .array(
      z.strictObject({
        id: z.string().describe("Id of something that was shown."),
        quote: z.string().describe("Words of it, exactly as they stand there, without line numbers."),
      }),
    )
    .describe("What the cause rests on: of the evidence and of the code as it was before your edits."),
});
export type Answer = z.output<typeof Answer>;

/** The answer's form, for the API. */
export const FORM = z.toJSONSchema(Answer) as Record<string, unknown>;

/** A text as an answer; a sentence where it is none. */
export function parseAnswer(text: string): Answer | { readonly problem: string } {
  if (text.length > 20_000) return { problem: "the answer is too long" };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { problem: "the answer is no JSON" };
  }
  const parsed = Answer.safeParse(json);
  return parsed.success ? parsed.data : { problem: "the answer has another form than was asked for" };
}
