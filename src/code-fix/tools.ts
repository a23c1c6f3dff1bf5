import { z } from "zod";
import type { AdvisorTool } from "../ports.ts";

const Path = z.string().max(400).describe("Path from the top of the repository.");

/** What a model may ask for. Each is about the one repository; nothing of it reaches anything else. */
export const INPUTS = {
  list: z.strictObject({
    folder: z.string().max(400).describe("Folder from the top of the repository; empty for the top itself."),
  }),
  search: z.strictObject({
    text: z.string().max(200).describe("Text to look for, to the letter; one line, no pattern."),
    ignore_case: z.boolean(),
    files: z.string().max(200).describe("Only in files that match this glob (`*.go`, `src/**/*.ts`); empty for all."),
  }),
  read: z.strictObject({
    path: Path,
    first: z.number().int().min(1).max(1_000_000).describe("First line, from 1."),
    last: z.number().int().min(1).max(1_000_000).describe("Last line; at most 400 lines are shown at a time."),
  }),
  history: z.strictObject({
    path: z.string().max(400).describe("File or folder; empty for the program's folder."),
  }),
  since_deployed: z.strictObject({
    path: z.string().max(400).describe("File whose changes are shown; empty for the names of all files that changed."),
  }),
  edit: z.strictObject({
    path: Path,
    old: z
      .string()
      .max(8000)
      .describe(
        "Text of the file that is replaced, exactly as it stands there, without line numbers: it must occur once.",
      ),
    new: z.string().max(8000).describe("Text in its place; empty takes it out."),
  }),
  undo_edit: z.strictObject({ path: Path }),
  check: z.strictObject({}),
} as const;
export type ToolName = keyof typeof INPUTS;
export type Input<N extends ToolName> = z.output<(typeof INPUTS)[N]>;

const DESCRIPTIONS: Record<ToolName, string> = {
  list: "Files and folders below a folder, with sizes in bytes.",
  search: "Lines of the repository's text files that hold a text, as `path:line: text`. Your edits are not searched.",
  read: "Lines of a text file with their numbers, with your edits in them.",
  history: "Recent commits that touched a file or folder: id, date, subject.",
  since_deployed: "What changed in the repository since the commit that the failing image was built from.",
  edit: "Replaces one piece of text in an existing file. What is not allowed is refused with the reason.",
  undo_edit: "Takes all your edits of a file back.",
  check: "Runs the repository's check command on a copy with your edits, without network.",
};

/** The tools of one exchange, in a fixed order: they are part of what is cached. */
export function toolsFor(has: { readonly check: boolean; readonly deployed: boolean }): readonly AdvisorTool[] {
  return (Object.keys(INPUTS) as ToolName[])
    .filter((name) => (name !== "check" || has.check) && (name !== "since_deployed" || has.deployed))
    .map((name) => ({
      name,
      description: DESCRIPTIONS[name],
      input: z.toJSONSchema(INPUTS[name]) as Record<string, unknown>,
    }));
}

export type Call = { [N in ToolName]: { readonly name: N; readonly input: Input<N> } }[ToolName];

/** A call with its parameters checked; a sentence for the model where they are wrong. */
export function readCall(name: string, input: unknown, tools: readonly AdvisorTool[]): Call | { problem: string } {
  if (!tools.some((tool) => tool.name === name)) return { problem: "there is no such tool" };
  const parsed = INPUTS[name as ToolName].safeParse(input);
  return parsed.success
    ? ({ name, input: parsed.data } as Call)
    : { problem: "its parameters are not what the tool takes" };
}
