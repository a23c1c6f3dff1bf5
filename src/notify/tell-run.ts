import { messageOf, StanchError } from "../errors.ts";
import { describeRef, keyOf } from "../kube/ref.ts";
import type { Notice, Outcome } from "../model.ts";
import type { RunReport } from "../run.ts";
import { type Book, type Condition, changeBook } from "./book.ts";
import { isAtLeast } from "./due.ts";
import { idOf, noticeOfMany } from "./notice.ts";
import { isQuiet } from "./quiet.ts";
import type { Listener, Telling } from "./tell.ts";

type End = { readonly report: RunReport } | { readonly error: unknown };

/** One fault may be a moment's; two runs in a row are none. */
const FAILING_RUNS = 2;
/** Findings remembered for one receiver. */
const MOST_FINDINGS = 300;

/** What is so of a run as a whole: many findings at once, runs that fail, and what observing found. Each once, for as long as it is so. */
export async function tellOfRun(end: End, telling: Telling): Promise<void> {
  const { run } = telling;
  if (run.dryRun) return rehearse(end, telling);
  if ("error" in end && end.error instanceof StanchError && end.error.code === "lease") return;
  const context = { cluster: run.cluster, clock: run.clock, namespace: run.config.namespace };
  const conditions = conditionsOf(end, telling);
  const { waits } = telling.courier;
  const now = run.clock.now();
  // Written down before it is told: it has one beginning and so one id, also after a crash.
  const isNew = (book: Book): boolean =>
    conditions.length > 0 ||
    book.conditions.length > 0 ||
    waits.size > 0 ||
    book.receivers.some((row) => row.notBefore !== undefined);
  let { book } = telling;
  if (isNew(book))
    book = await changeBook(
      (known) => ({
        ...known,
        receivers: known.receivers.map(({ name, since, notBefore }) => {
          const wait = waits.get(name);
          const until = wait === undefined ? notBefore : new Date(now.getTime() + wait).toISOString();
          return {
            name,
            since,
            ...(until === undefined || Date.parse(until) <= now.getTime() ? {} : { notBefore: until }),
          };
        }),
        conditions: conditions.map(({ kind }): Condition => {
          const before = known.conditions.find((row) => row.kind === kind);
          return {
            kind,
            since: before?.since ?? now.toISOString(),
            runs: (before?.runs ?? 0) + 1,
            told: before?.told ?? [],
          };
        }),
      }),
      context,
    );
  for (const condition of book.conditions) {
    const said = conditions.find(({ kind }) => kind === condition.kind);
    if (said === undefined || (condition.kind === "run-failing" && condition.runs < FAILING_RUNS)) continue;
    const notice = noticeOfMany({
      key: [condition.kind, condition.since],
      event: condition.kind,
      severity: "critical",
      at: condition.since,
      cluster: run.config.cluster,
      text: said.text,
      lines: said.lines,
    });
    const told = await deliver(notice, (listener) => !condition.told.includes(listener.entry.name), telling);
    if (told.length === 0) continue;
    const mark = (row: Condition): Condition =>
      row.kind === condition.kind ? { ...row, told: [...new Set([...row.told, ...told])] } : row;
    await changeBook((known) => ({ ...known, conditions: known.conditions.map(mark) }), context);
  }
  if (run.config.mode === "observe" && "report" in end) await tellFindings(end.report, telling, context);
}

interface Said {
  readonly kind: Condition["kind"];
  readonly text: string;
  readonly lines: readonly string[];
}

function conditionsOf(end: End, { run }: Pick<Telling, "run">): Said[] {
  const found: Said[] = [];
  const { storm } = run.config.guard;
  if (run.tally.ripe > storm)
    found.push({
      kind: "storm",
      text: `${run.tally.ripe} findings at once (guard.storm is ${storm}): this looks like a shared cause such as a node, a registry or a dependency. Nothing is changed live, and nothing is told of each, until there are fewer.`,
      lines: "report" in end ? end.report.outcomes.map(line) : [],
    });
  const faults = "report" in end ? end.report.outcomes.filter(({ kind }) => kind === "failed") : [];
  if ("error" in end)
    found.push({
      kind: "run-failing",
      text: `A run ended early: ${messageOf(end.error)}${end.error instanceof StanchError && end.error.hint !== undefined ? ` (${end.error.hint})` : ""}`,
      lines: [],
    });
  else if (faults.length > 0)
    found.push({
      kind: "run-failing",
      text: `${faults.length} finding${faults.length === 1 ? "" : "s"} could not be handled, in ${FAILING_RUNS} runs in a row.`,
      lines: faults.map((outcome) => `${line(outcome)}: ${outcome.message}`),
    });
  return found;
}

/** In mode `observe` nothing is stored of a finding but that it was told. Those that are gone are forgotten, unless not everything was seen. */
async function tellFindings(
  { outcomes, gaps }: RunReport,
  telling: Telling,
  context: Parameters<typeof changeBook>[1],
): Promise<void> {
  const { run, book } = telling;
  const ripe = outcomes.filter(({ kind }) => kind === "reported" || kind === "escalated");
  const keyed = ripe.map((outcome) => ({ outcome, key: findingKey(outcome) }));
  for (const listener of telling.listeners) {
    const { name } = listener.entry;
    const known = book.findings.find(({ receiver }) => receiver === name)?.keys ?? [];
    const fresh = keyed.filter(({ key }) => !known.includes(key));
    const standing = gaps.length > 0 ? known : known.filter((key) => keyed.some((row) => row.key === key));
    let told: readonly string[] = [];
    if (fresh.length > 0) {
      const notice = noticeOfMany({
        key: ["finding", ...fresh.map(({ key }) => key).toSorted()],
        event: "finding",
        severity: "warning",
        at: run.clock.now().toISOString(),
        cluster: run.config.cluster,
        text: `${fresh.length} new finding${fresh.length === 1 ? "" : "s"}. Stanch observes only: nothing is changed.`,
        lines: fresh.map(({ outcome }) => `${line(outcome)}: ${outcome.message}`),
      });
      const reached = await deliver(notice, (other) => other === listener, telling);
      if (reached.length > 0) told = fresh.map(({ key }) => key);
    }
    const keys = [...standing, ...told].slice(-MOST_FINDINGS);
    if (keys.length === known.length && keys.every((key, index) => key === known[index])) continue;
    await changeBook(
      (now) => ({
        ...now,
        findings: [...now.findings.filter(({ receiver }) => receiver !== name), { receiver: name, keys }],
      }),
      context,
    );
  }
}

/** Names of those who were told. Messages about everything go only to those who hear of every namespace. */
async function deliver(notice: Notice, isMeant: (listener: Listener) => boolean, telling: Telling): Promise<string[]> {
  const meant = telling.listeners.filter((listener) => isMeant(listener) && hears(listener, notice, telling));
  const jobs = meant.map(({ receiver }) => ({ receiver, notice, thread: undefined }));
  const answers = await telling.courier.deliver(jobs);
  return meant.flatMap(({ entry }, index) => (answers[index]?.outcome === "failed" ? [] : [entry.name]));
}

function hears({ entry }: Listener, { event, severity }: Notice, { run, courier }: Telling): boolean {
  return (
    courier.isOpen(entry.name) &&
    entry.namespaces.includes("*") &&
    entry.events.some((name) => name === event) &&
    isAtLeast(severity, entry.severity) &&
    (!isQuiet(entry.quiet, run.clock.now()) || isAtLeast(severity, entry.quiet?.below ?? "info"))
  );
}

function rehearse(end: End, telling: Telling): void {
  for (const { kind } of conditionsOf(end, telling))
    for (const { entry } of telling.listeners.filter((it) => it.entry.events.some((name) => name === kind)))
      telling.run.log.info("would tell, should it stay so", { receiver: entry.name, event: kind });
}

const line = ({ workload, symptom }: Outcome): string => `${describeRef(workload)} (${symptom})`;
const findingKey = ({ workload, symptom }: Outcome): string => idOf([keyOf(workload), symptom]).slice(4, 20);
