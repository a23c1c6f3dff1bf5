import type { Book } from "../advice/book.ts";
import { checkCitations } from "../advice/citations.ts";
import { proseProblem } from "../advice/prose-check.ts";
import type { Redactor } from "../advice/redaction.ts";
import type { Checkout } from "../ports.ts";
import type { Answer } from "./answer.ts";
import { type Checks, passed } from "./checks.ts";
import type { Draft } from "./draft.ts";
import { cautionsOf, editsProblem } from "./edit-limits.ts";
import type { SoughtFix } from "./model.ts";
import { type LimitSettings, pathProblem } from "./path-limits.ts";

/** What a cause must rest on, among others. */
const EVIDENCE = ["log", "event", "code"];

/** What an answer is worth: what it cites was shown, and what was edited is within all limits, whatever was said before. */
export async function judge(
  answer: Answer,
  about: {
    readonly book: Book;
    readonly draft: Draft;
    readonly checks: Checks;
    readonly checkout: Checkout;
    readonly limits: LimitSettings;
    readonly redactor: Redactor;
    readonly until: number;
  },
): Promise<{ readonly answer: SoughtFix } | { readonly problem: string }> {
  const { book, draft, checks, checkout, limits, redactor, until } = about;
  const edits = draft.edits();
  const facts = [...[...book.shown.values()].map(({ text }) => text), ...edits.map(({ after }) => after)].join("\n");
  const words = (text: string): string | undefined => {
    const clean = redactor.clean(text).replaceAll(/\s+/g, " ").trim();
    return proseProblem(clean, facts) === null ? clean : undefined;
  };
  if (answer.fix.kind === "none") {
    const needs = words(answer.fix.needs)?.replace(/\.$/, "");
    const reason = `the model found no fix that it would make${needs === undefined ? "" : `: ${needs}`}`;
    return { answer: { fixed: false, reason, paid: true } };
  }
  if (edits.length === 0) return { problem: "it says that it edited the code, and nothing is edited" };
  const cited = checkCitations(answer.citations, book);
  if ("problem" in cited) return cited;
  if (!EVIDENCE.some((kind) => cited.kinds.has(kind)))
    return { problem: "it quotes neither the evidence nor the code" };
  const passes =
    edits.map(({ file }) => pathProblem(file, limits)).find((said) => said !== null) ??
    editsProblem(edits, limits, redactor);
  if (passes !== null && passes !== undefined) return { problem: `its edits are not within the limits: ${passes}` };
  for (const { file, before } of edits)
    if ((await checkout.read(file)) !== before) return { problem: "its edits are of another text than the file's" };
  const checked = (await checks.run(edits, until)) ?? checks.of(edits);
  const citations = cited.true.map(({ id, quote }) => ({ id, quote: redactor.clean(quote).slice(0, 300) }));
  return {
    answer: {
      fixed: true,
      edits,
      cause: words(answer.cause) ?? "The model's own words on the cause are left out: they hold what was not shown.",
      summary: words(answer.fix.summary) ?? `It changes ${edits.map(({ file }) => file).join(", ")}.`,
      citations,
      checks: [
        ...cited.checks,
        { id: "limits", passed: true, text: "its edits are within all limits" },
        ...(checked?.ran === true
          ? [
              {
                id: "check" as const,
                passed: passed(checked),
                text: `the check command ${passed(checked) ? "passed" : "failed"} on exactly these edits`,
              },
            ]
          : []),
      ],
      cautions: cautionsOf(edits),
      ...(checked === undefined ? {} : { checked }),
    },
  };
}
