import type { ReceiverEntry } from "../config/notify-section.ts";
import { inScope, namedNamespaces } from "../config/scope.ts";
import { messageOf, StanchError } from "../errors.ts";
import type { Incident } from "../incident/incident.ts";
import type { Notice } from "../model.ts";
import type { Receiver } from "../ports.ts";
import type { Run, RunReport } from "../run.ts";
import { type Book, changeBook, readBook } from "./book.ts";
import { type Courier, createCourier } from "./courier.ts";
import { type Due, due } from "./due.ts";
import type { Entry } from "./ledger.ts";
import { createMemory, type Memory, nameOf } from "./memory.ts";
import { CALLS, createMention } from "./mention.ts";
import { type Milestone, milestoneSettings, milestonesOf } from "./milestones.ts";
import { cardOf, lineOf, noticeOf, noticeOfMany, stateOf } from "./notice.ts";
import { tellOfRun } from "./tell-run.ts";

/** Tells receivers what happened. Nothing here stops or fails a run. */
export interface Teller {
  /** One incident (`namespace/name`), right after it was treated: a live change at night is not told ten minutes later. */
  about(incident: string | undefined): Promise<void>;
  /** Every incident that has something to tell, or had and could not be told. `last`: what is beyond the bound on messages is summed up. */
  all(options?: { readonly last: boolean }): Promise<void>;
  /** What is so of the run as a whole. */
  over(end: { readonly report: RunReport } | { readonly error: unknown }): Promise<void>;
}

/** A receiver with what the configuration says of it. */
export interface Listener {
  readonly entry: ReceiverEntry;
  readonly receiver: Receiver;
}

/** What telling works with in one run. */
export interface Telling {
  readonly run: Omit<Run, "renew">;
  readonly listeners: readonly Listener[];
  readonly courier: Courier;
  readonly book: Book;
  readonly memory: Memory;
  /** Messages sent so far, by receiver. */
  readonly counts: Map<string, number>;
}

/** Messages of one incident in one run: more than its life has. */
const MOST_ROUNDS = 12;

/** Receivers remembered that are not configured now. */
const MOST_OTHERS = 10;

const SILENT: Teller = { about: async () => undefined, all: async () => undefined, over: async () => undefined };

/** `may`: this run may write, and so may remember what was told. */
export function createTeller(run: Omit<Run, "renew">, may: boolean): Teller {
  const { config, log } = run;
  const observing = config.mode === "observe" && config.notify.observe && !run.dryRun;
  const listeners = listenersOf(run);
  if (listeners.length === 0 || (!may && !run.dryRun && !observing)) return SILENT;
  let telling: Telling | undefined;
  let hopeless = false;
  const safely = async (does: (telling: Telling) => Promise<void>): Promise<void> => {
    if (hopeless) return;
    try {
      telling ??= await open(run, listeners);
      await does(telling);
    } catch (error) {
      // What the whole needs, and what a person must correct first, is said once.
      hopeless =
        telling === undefined ||
        !(error instanceof StanchError) ||
        error.code === "config" ||
        error.code === "forbidden";
      const hint = error instanceof StanchError && error.hint !== undefined ? { hint: error.hint } : {};
      log.warn("notifications failed", { error: messageOf(error), ...hint });
    }
  };
  return {
    about: (name) =>
      safely(async (at) => {
        const [namespace = "", plain = ""] = (name ?? "").split("/");
        const incident = may && plain !== "" ? await run.store.get(namespace, plain) : null;
        if (incident !== null) await tell(incident, at);
      }),
    all: (options) =>
      safely(async (at) => {
        if (!observing) await tellAll(at, options?.last === true);
      }),
    over: (end) => safely((at) => tellOfRun(end, at)),
  };
}

function listenersOf(run: Omit<Run, "renew">): Listener[] {
  return run.config.notify.receivers.flatMap((entry): Listener[] => {
    if (entry.type === "github") {
      const events = entry.events.filter((event) => CALLS.some((name) => name === event));
      return [{ entry: { ...entry, events }, receiver: createMention(entry, run) }];
    }
    const receiver = run.receivers?.find(({ name }) => name === entry.name);
    return receiver === undefined ? [] : [{ entry, receiver }];
  });
}

/** The book, in which new receivers are written down first: what happened before them is no news. */
async function open(run: Omit<Run, "renew">, listeners: readonly Listener[]): Promise<Telling> {
  const { cluster, clock, config, log, dryRun } = run;
  const courier = createCourier({ timeout: config.notify.timeout, clock, log });
  const since = new Date(run.startedAt).toISOString();
  const names = listeners.map(({ entry }) => entry.name);
  const withNew = (book: Book): Book => ({
    ...book,
    receivers: [
      ...names.map((name) => book.receivers.find((known) => known.name === name) ?? { name, since }),
      // A run with another configuration must not make them new ones.
      ...book.receivers.filter((known) => !names.includes(known.name)).slice(0, MOST_OTHERS),
    ],
  });
  const context = { cluster, clock, namespace: config.namespace };
  const found = await readBook(context);
  const known = names.every((name) => found.receivers.some((row) => row.name === name));
  const book = known || dryRun ? withNew(found) : await changeBook(withNew, context);
  for (const { name, notBefore } of book.receivers)
    if (notBefore !== undefined && Date.parse(notBefore) > clock.now().getTime()) {
      courier.close(name);
      log.info("receiver asked to be left alone", { receiver: name, until: notBefore });
    }
  return { run, listeners, courier, book, memory: createMemory(run, names), counts: new Map() };
}

async function tellAll(telling: Telling, last: boolean): Promise<void> {
  const { run } = telling;
  const stored = (await run.store.list(namedNamespaces(run.config))).filter((incident) =>
    inScope(incident.spec.workload.namespace, run.config),
  );
  // What needs a person goes first: there is a bound on messages.
  const urgent = (incident: Incident): number => (incident.status?.phase === "Escalated" ? 0 : 1);
  const latest: Incident[] = [];
  for (const incident of stored.toSorted((a, b) => urgent(a) - urgent(b))) {
    if (run.dryRun) rehearse(incident, telling);
    else latest.push(await tellOne(incident, telling));
  }
  if (last) for (const listener of telling.listeners) await sumUp(latest, listener, telling);
}

/** A fault of one incident, such as its deletion in between, keeps nobody from being told of the others. */
async function tellOne(incident: Incident, telling: Telling): Promise<Incident> {
  try {
    return await tell(incident, telling);
  } catch (error) {
    if (error instanceof StanchError && error.code === "config") throw error;
    telling.run.log.warn("notification failed", { incident: nameOf(incident), error: messageOf(error) });
    return incident;
  }
}

/** Tells one incident to everybody who is to know, step by step; each step is written down before the next. */
async function tell(incident: Incident, telling: Telling): Promise<Incident> {
  const { run, listeners, courier, memory } = telling;
  let current = incident;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const milestones = milestonesFor(current, run);
    const jobs = listeners.flatMap((listener) => {
      if (!courier.isOpen(listener.entry.name) || isFull(listener, telling)) return [];
      const [next] = dueFor(current, milestones, listener, telling);
      return next === undefined ? [] : [{ ...listener, next }];
    });
    if (jobs.length === 0) return refresh(current, milestones, telling);
    current = await memory.claim(
      current,
      jobs.map(({ entry }) => entry.name),
      milestones,
    );
    const threads = new Map(memory.of(current).map(({ receiver, thread }) => [receiver, thread]));
    const answers = await courier.deliver(
      jobs.map(({ receiver, next }) => ({
        receiver,
        notice: noticeOf(current, next, settingsOf(run)),
        thread: threads.get(receiver.name),
      })),
    );
    const entries = jobs.flatMap(({ entry: { name }, next }, index): Entry[] => {
      const answer = answers[index];
      if (answer === undefined || answer.outcome === "failed") return [];
      const told = entryOf(
        name,
        next.covers.map(({ key }) => key),
        run,
      );
      const facts = { receiver: name, event: next.main.event, incident: nameOf(current) };
      if (answer.outcome === "skipped") {
        run.log.debug("nobody to tell", { ...facts, reason: answer.reason });
        return [told];
      }
      run.log.debug("told", facts);
      telling.counts.set(name, (telling.counts.get(name) ?? 0) + 1);
      const begun = answer.thread !== undefined && threads.get(name)?.ts !== answer.thread.ts;
      const shown = begun && next.main === milestones.at(-1) ? stateOf(current, milestones) : undefined;
      return [{ ...told, thread: answer.thread, shown }];
    });
    if (entries.length === 0) return current;
    current = await memory.keep(current, entries, milestones);
  }
  return current;
}

/** Threads whose first message says what is not so any more. */
async function refresh(incident: Incident, milestones: readonly Milestone[], telling: Telling): Promise<Incident> {
  const { run, listeners, courier, memory } = telling;
  const state = stateOf(incident, milestones);
  const notice = cardOf(incident, milestones, settingsOf(run));
  if (notice === null) return incident;
  const jobs = listeners.flatMap(({ receiver }) => {
    const row = memory.of(incident).find(({ receiver: name }) => name === receiver.name);
    const isThere = receiver.show !== undefined && row?.thread !== undefined && row.shown !== state;
    return isThere && courier.isOpen(receiver.name) ? [{ receiver, notice, thread: row.thread, show: true }] : [];
  });
  if (jobs.length === 0) return incident;
  const answers = await courier.deliver(jobs);
  const entries = jobs.flatMap(({ receiver }, index): Entry[] =>
    answers[index]?.outcome === "failed" ? [] : [{ receiver: receiver.name, keys: [], shown: state }],
  );
  return entries.length === 0 ? incident : memory.keep(incident, entries, milestones);
}

/** One message for all that is beyond the bound on messages. */
async function sumUp(latest: Incident[], listener: Listener, telling: Telling): Promise<void> {
  const { run, courier, memory } = telling;
  const { name } = listener.entry;
  if (!isFull(listener, telling) || !courier.isOpen(name)) return;
  const rest = latest.flatMap((incident, index) => {
    const milestones = milestonesFor(incident, run);
    const all = dueFor(incident, milestones, listener, telling);
    const last = all.at(-1);
    return last === undefined ? [] : [{ index, incident, milestones, all, last }];
  });
  if (rest.length === 0) return;
  const [answer] = await courier.deliver([
    { receiver: listener.receiver, notice: summaryOf(rest, run), thread: undefined },
  ]);
  if (answer === undefined || answer.outcome === "failed") return;
  for (const { index, incident, milestones, all } of rest) {
    const keys = all.flatMap(({ covers }) => covers.map(({ key }) => key));
    latest[index] = await memory.keep(incident, [entryOf(name, keys, run)], milestones);
  }
}

function summaryOf(rest: readonly { incident: Incident; last: Due }[], run: Telling["run"]): Notice {
  const severities = rest.map(({ last }) => last.main.severity);
  const ids = rest.map(({ incident, last }) => noticeOf(incident, last, settingsOf(run)).id);
  return noticeOfMany({
    key: ["summary", ...ids.toSorted()],
    event: "summary",
    severity: severities.includes("critical") ? "critical" : severities.includes("warning") ? "warning" : "info",
    at: run.clock.now().toISOString(),
    cluster: run.config.cluster,
    text: `${rest.length} more incident${rest.length === 1 ? "" : "s"}, beyond the ${run.config.notify.perRun} messages of one run (notify.perRun).`,
    lines: rest.map(({ incident, last }) => lineOf(incident, last)),
  });
}

const isFull = ({ entry }: Listener, { run, counts }: Telling): boolean =>
  (counts.get(entry.name) ?? 0) >= run.config.notify.perRun;

function dueFor(
  incident: Incident,
  milestones: readonly Milestone[],
  { entry }: Listener,
  { run, book, memory }: Telling,
): Due[] {
  const since = book.receivers.find(({ name }) => name === entry.name)?.since;
  return due(
    {
      milestones,
      namespace: incident.spec.workload.namespace,
      told: memory.of(incident).find(({ receiver }) => receiver === entry.name),
      since: since === undefined ? run.startedAt : Date.parse(since),
      // Only who is told of the storm is spared the rest.
      storm:
        run.tally.ripe > run.config.guard.storm && entry.events.includes("storm") && entry.namespaces.includes("*"),
    },
    entry,
    run.clock.now(),
  );
}

function rehearse(incident: Incident, telling: Telling): void {
  const { run } = telling;
  for (const listener of telling.listeners)
    for (const { main } of dueFor(incident, milestonesFor(incident, run), listener, telling)) {
      const { event, severity } = main;
      run.log.info("would tell", { receiver: listener.entry.name, event, severity, incident: nameOf(incident) });
    }
}

const milestonesFor = (incident: Incident, { config, clock }: Telling["run"]): Milestone[] =>
  milestonesOf(incident, milestoneSettings(config), clock.now());

const settingsOf = ({ config }: Telling["run"]) => ({ cluster: config.cluster, evidence: config.notify.evidence });

const entryOf = (receiver: string, keys: readonly string[], { clock }: Telling["run"]): Entry => ({
  receiver,
  keys,
  at: clock.now().toISOString(),
});
