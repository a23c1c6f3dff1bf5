import { describeRef } from "../kube/ref.ts";
import { code, plain, quiet } from "../pull-request/quote.ts";
import { countOf, type Environment, type Level, type Problem, type Review } from "./model.ts";
import { showEffect } from "./show.ts";

const OBJECTS = 40;
const PROBLEMS = 60;
const OLD = 20;
const LINES = 40;

const MARK: Readonly<Record<Level, string>> = { failure: "❌", warning: "⚠️", notice: "ℹ️" };

/**
 * A review as Markdown, in sections of which each stands alone: whoever has less room takes the first of them. Everything from the
 * repository is quoted: no mention, link, HTML or workflow command of it works.
 */
export function reviewSections(review: Review): string[] {
  return [
    headline(review),
    ...list("Meets what the cluster carries", review.notes, ({ level, text }) => `- ${MARK[level]} ${plain(text)}`),
    ...proof(review),
    ...faults(review.environments),
    ...problems(review.environments),
    ...review.environments.filter(({ effects, follows }) => effects.length + follows.length > 0).map(environment),
    ...old(review.environments),
    ...list("Not looked at", review.gaps, (text) => `- ❌ ${plain(text)}`),
    ...list("Not rendered", review.unseen, (text) => `- ${plain(text)}`),
  ];
}

/** The end of every page. */
export function footer(review: Review, version: string): string {
  const roots = `${amount(review.untouched, "other environment")} untouched`;
  return `<sub>Stanch ${plain(version)} · ${code(review.base.slice(0, 10))} → ${code(review.head.slice(0, 10))} · ${roots}${review.tools.length === 0 ? "" : ` · ${plain(review.tools.join(", "))}`}</sub>`;
}

/** Is there anything that a reviewer would want to know? */
export function saysNothing(review: Review): boolean {
  return reviewSections(review).length === 1;
}

function headline(review: Review): string {
  const changing = review.environments.filter(({ effects }) => effects.length > 0);
  const objects = changing.reduce((sum, { effects }) => sum + effects.length, 0);
  const count = countOf(review);
  const what =
    changing.length === 0
      ? "Nothing that is rendered changes."
      : `Merging this changes ${amount(objects, "object")} in ${amount(changing.length, "environment")}.`;
  const wrong = count === 0 ? "No new problem was found." : `**${amount(count, "thing")} to look at before merging.**`;
  const gap =
    review.gaps.length > 0 || review.environments.some(({ fault }) => fault?.when === "both")
      ? " **Not everything could be looked at.**"
      : "";
  return `### Stanch: what merging this does\n\n${what} ${wrong}${gap}`;
}

function proof({ reproof }: Review): string[] {
  if (reproof === undefined) return [];
  const rows = reproof.checks.map(
    ({ id, result, text }) =>
      `| ${id} | ${result === "passed" ? "✅" : result === "failed" ? "❌" : "➖"} | ${plain(text, 600)} |`,
  );
  const end = reproof.holds
    ? "What was proved when this pull request was opened still holds at this head."
    : "**What was proved when this pull request was opened does not hold any more: later commits changed it.**";
  return [`#### Proof of ${code(reproof.incident)}\n\n| | | |\n|---|---|---|\n${rows.join("\n")}\n\n${end}`];
}

function faults(environments: readonly Environment[]): string[] {
  const found = environments.filter(({ fault }) => fault !== undefined);
  return list("Does not render", found, ({ name, fault }) => {
    const { when, text } = fault ?? { when: "both", text: "" };
    return `- ${when === "base" ? MARK.notice : MARK.failure} ${code(name)} (${WHEN[when]}): ${plain(text, 800)}`;
  });
}

const WHEN = {
  head: "with this pull request",
  base: "before this pull request, which repairs it: what it changes cannot be told, and every problem that is found counts as new",
  both: "and did not before this pull request either",
} as const;

function problems(environments: readonly Environment[]): string[] {
  const rows = environments.flatMap(({ name, problems: found }) => found.map((problem) => ({ name, problem })));
  const ranked = rows.toSorted((a, b) => LEVELS.indexOf(a.problem.level) - LEVELS.indexOf(b.problem.level));
  return list(
    "New problems",
    ranked,
    ({ name, problem }) => `${problemLine(problem)} ${environmentName(name)}`,
    PROBLEMS,
  );
}

const LEVELS: readonly Level[] = ["failure", "warning", "notice"];

function problemLine({ level, object, text, location, check }: Problem): string {
  const at = location === undefined ? "" : ` ${code(`${location.file}:${location.line}`)}`;
  return `- ${MARK[level]} ${code(describeRef(object))} ${plain(text)}${at} (${plain(check)})`;
}

const environmentName = (name: string): string => `in ${code(name)}`;

function environment({ name, remark, effects, follows }: Environment): string {
  const counts = (["created", "changed", "replaced", "deleted"] as const).flatMap((kind) => {
    const count = effects.filter((effect) => effect.kind === kind).length;
    return count === 0 ? [] : [`${count} ${kind}`];
  });
  const lines = effects.slice(0, OBJECTS).map(showEffect);
  if (effects.length > OBJECTS) lines.push(`- *and ${amount(effects.length - OBJECTS, "more object")}*`);
  const by = follows.slice(0, 10).map((text) => `- *by itself:* ${plain(text)}`);
  if (follows.length > 10) by.push(`- *and ${follows.length - 10} more that follow by themselves*`);
  const body = [...(remark === undefined ? [] : [plain(remark), ""]), ...lines, ...by].join("\n");
  // A summary is HTML, in which a code span is no code.
  return `<details${effects.length <= 5 ? " open" : ""}><summary>${inHtml(name)}: ${counts.join(", ") || "nothing but what follows by itself"}</summary>\n\n${body}\n\n</details>`;
}

/** Text in a line of HTML, where Markdown's escapes are letters like others. */
function inHtml(text: string): string {
  return quiet(text)
    .slice(0, 300)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("::", ":\u200b:");
}

function old(environments: readonly Environment[]): string[] {
  const rows = environments.flatMap(({ name, old: found }) => found.map((problem) => ({ name, problem })));
  const solved = environments.reduce((sum, environment) => sum + environment.solved, 0);
  const out: string[] =
    solved === 0 ? [] : [`✅ ${amount(solved, "problem")} that the base has ${solved === 1 ? "is" : "are"} solved.`];
  const worth = rows.filter(({ problem }) => problem.level !== "notice");
  if (worth.length === 0) return out;
  const lines = worth.slice(0, OLD).map(({ name, problem }) => `${problemLine(problem)} ${environmentName(name)}`);
  if (worth.length > OLD) lines.push(`- *and ${worth.length - OLD} more*`);
  const title = `${amount(worth.length, "problem")} that the base has as well`;
  return [...out, `<details><summary>${title}</summary>\n\n${lines.join("\n")}\n\n</details>`];
}

function list<T>(title: string, items: readonly T[], line: (item: T) => string, most = LINES): string[] {
  if (items.length === 0) return [];
  const lines = items.slice(0, most).map(line);
  if (items.length > most) lines.push(`- *and ${items.length - most} more*`);
  return [`#### ${title}\n\n${lines.join("\n")}`];
}

function amount(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
