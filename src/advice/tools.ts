import { z } from "zod";
import type { AdvisorTool } from "../ports.ts";

/**
 * What a model may ask to see. Each answers about the incident's own objects and its own repository only: parameters choose among them and
 * cannot name anything else.
 */
export const INPUTS = {
  object: z.strictObject({
    kind: z.string().max(63).describe("Kind of the failing object, or of a ConfigMap or claim that it uses."),
    name: z.string().max(253),
  }),
  events: z.strictObject({}),
  logs: z.strictObject({
    container: z.string().max(63),
    previous: z.boolean().describe("The run before the present one: what a crashed container said last."),
  }),
  rollout_history: z.strictObject({}),
  rendered_source: z.strictObject({ kind: z.string().max(63), name: z.string().max(253) }),
  file: z.strictObject({
    path: z.string().max(400).describe("Path in the repository that the object is deployed from."),
  }),
  commit_history: z.strictObject({}),
} as const;
export type ToolName = keyof typeof INPUTS;

const DESCRIPTIONS: Record<ToolName, string> = {
  object: "The live object as YAML (values that may be secret are hidden).",
  events: "Warning events of the failing object and its pods.",
  logs: "Last lines of a container's log.",
  rollout_history: "Revisions of the failing workload: name, age, ready pods, and what they have otherwise than now.",
  rendered_source: "The object as Git renders it now.",
  file: "A text file of the repository that the object is deployed from.",
  commit_history:
    "Recent commits that changed the object or the ConfigMaps that it uses, with an id for each change; also what the cluster has otherwise than Git.",
};

/** In a fixed order: they are part of what is cached. */
export const TOOLS: readonly AdvisorTool[] = (Object.keys(INPUTS) as ToolName[]).map((name) => ({
  name,
  description: DESCRIPTIONS[name],
  input: z.toJSONSchema(INPUTS[name]) as Record<string, unknown>,
}));

/** A call with its parameters checked; a sentence for the model where they are wrong. */
export function readCall(
  name: string,
  input: unknown,
): { name: ToolName; input: Record<string, unknown> } | { problem: string } {
  if (!Object.hasOwn(INPUTS, name)) return { problem: "there is no such tool" };
  const parsed = INPUTS[name as ToolName].safeParse(input);
  return parsed.success
    ? { name: name as ToolName, input: parsed.data }
    : { problem: "its parameters are not what the tool takes" };
}
