import type { SoughtFix } from "../../src/code-fix/model.ts";
import type { FixDoors, FixQuestion } from "../../src/code-fix/seek.ts";

export const FILE = "cmd/main.go";
export const BEFORE = `package main

import "os"

func main() {
	run(os.Args[1])
}
`;
export const AFTER = BEFORE.replace("\trun(os.Args[1])\n", "\tif len(os.Args) > 1 {\n\t\trun(os.Args[1])\n\t}\n");

/** What a model "said" in a test: every test's own, by the delimiter that its door draws. */
export type Answer = (question: FixQuestion, doors: FixDoors) => Promise<SoughtFix> | SoughtFix;

export const FIX: Answer = async (_, { checkout, account }) => {
  await spend(account);
  const before = (await checkout.read(FILE)) ?? "";
  return {
    fixed: true,
    edits: [{ file: FILE, before, after: AFTER }],
    cause: "The program reads its first argument without looking whether there is one.",
    summary: "Run without an argument does nothing instead of ending",
    citations: [{ id: "e1", quote: "index out of range [1] with length 1" }],
    checks: [{ id: "quotes", passed: true, text: "1 of 1 quotes was shown" }],
    cautions: ["a branch is added that no test covers"],
  };
};

export const NONE: Answer = async (_, { account }) => {
  await spend(account);
  return { fixed: false, reason: "the fault lies in another service", paid: true };
};

export async function spend(account: FixDoors["account"], dollars = 0.25): Promise<void> {
  const objection = await account.reserve({ tokens: 1000, dollars });
  if (objection === null)
    await account.settle({ requests: 1, inputTokens: 900, outputTokens: 100, cacheReadTokens: 0, dollars });
}

export const answers = new Map<string, { answer: Answer; asked: number }>();
/** The loop of the tests of the flow: it stands in for `seekFix`, which has tests of its own. */
export async function scripted(question: FixQuestion, doors: FixDoors): Promise<SoughtFix> {
  const mine = answers.get(question.delimiter);
  if (mine === undefined) throw new Error("nobody says what is answered");
  mine.asked += 1;
  await doors.tick();
  return mine.answer(question, doors);
}
