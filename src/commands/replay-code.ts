import { createTwoFilesPatch } from "diff";
import type { Recording } from "../advice/exchange.ts";
import { costOf, priceOf } from "../advice/prices.ts";
import { makeRedactor } from "../advice/redaction.ts";
import { replayFix } from "../code-fix/recording.ts";
import type { Base } from "../compose.ts";

/** A recorded exchange about a program's code, gone through again offline: what was looked at, what was edited, and what the checks say. */
export async function replayCode(
  recording: Recording,
  { config, clock }: Base,
): Promise<{ readonly lines: readonly string[]; readonly fixed: boolean }> {
  const said = await replayFix(recording, { settings: config.model, redactor: makeRedactor([]), clock });
  const price = priceOf(recording.model, config.model.prices);
  const replies = recording.replies.flatMap((one) => ("reply" in one ? [one.reply] : []));
  const dollars = price === null ? null : replies.reduce((sum, { usage }) => sum + costOf(usage, price), 0);
  const lines = [
    `Recorded ${recording.at} of ${recording.incident}, by Stanch ${recording.stanch} with ${recording.model}, in ${recording.code?.repository}:`,
    ...replies.flatMap(({ calls }) => calls.map(({ name, input }) => `  ${name} ${shortened(JSON.stringify(input))}`)),
    `  Then: ${recording.outcome}`,
    `  ${recording.replies.length} requests, the largest of ${recording.characters} characters${dollars === null ? "" : `, $${dollars.toFixed(4)}`}.`,
    "Gone through again, without a call:",
  ];
  if (!said.fixed) return { lines: [...lines, `  There is no fix: ${said.reason}.`], fixed: false };
  return {
    lines: [
      ...lines,
      `  ${said.cause}`,
      `  ${said.summary}`,
      ...said.checks.map((check) => `    ${check.passed ? "passed" : "failed"}  ${check.id}: ${check.text}`),
      ...said.cautions.map((caution) => `    look at  ${caution}`),
      ...said.edits.flatMap(({ file, before, after }) =>
        createTwoFilesPatch(`a/${file}`, `b/${file}`, before, after, "", "", { context: 3 })
          .trimEnd()
          .split("\n")
          .slice(1),
      ),
    ],
    fixed: true,
  };
}

const shortened = (text: string): string => (text.length > 160 ? `${text.slice(0, 159)}…` : text);
