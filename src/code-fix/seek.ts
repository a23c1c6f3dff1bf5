import { type Book, newBook } from "../advice/book.ts";
import { converse, type Exchange, isLost, type Seen, type TalkDoors } from "../advice/converse.ts";
import { messageOf } from "../errors.ts";
import type { Diagnosis, FileEdit } from "../model.ts";
import type { Checkout, CheckResult } from "../ports.ts";
import { FORM, parseAnswer } from "./answer.ts";
import { createChecks, toldCheck } from "./checks.ts";
import { type Code, codeOf } from "./code.ts";
import { createDraft, type Draft } from "./draft.ts";
import { judge } from "./judge.ts";
import { history, type LookContext, list, read, search, sinceDeployed } from "./looks.ts";
import type { SoughtFix } from "./model.ts";
import type { LimitSettings } from "./path-limits.ts";
import { ground, INSTRUCTIONS, opening } from "./prompt.ts";
import { strictRedactor } from "./strict-redactor.ts";
import { type Call, readCall, toolsFor } from "./tools.ts";

/** What is known of a program's fault, and where its code is. */
export interface FixQuestion {
  /** The finding with its evidence, the rules' reasons and the cause. */
  readonly diagnosis: Diagnosis;
  /** As the workload names it. */
  readonly image?: string;
  /** Of `apps`: `owner/name`. */
  readonly repository: string;
  /** Of `apps`: the folder that the program lives in. */
  readonly folder: string;
  /** Drawn anew for each exchange. */
  readonly delimiter: string;
}

export interface FixDoors extends TalkDoors {
  readonly checkout: Checkout;
  /**
   * Runs the check command of `apps` on a private copy with these edits (none: as it is), for at most so many milliseconds. It keeps the lease
   * itself. Absent: there is no such command.
   */
  readonly check?: (edits: readonly FileEdit[], mostMs: number) => Promise<CheckResult>;
  /** Commit id that the image was built from, where that is known. */
  readonly deployed?: string;
}

/** What a recording needs beside the exchange, so that the same loop can run again without the repository. */
export interface Trace {
  /** What was looked at, in order, as it was shown. */
  readonly looks: readonly Seen[];
  /** Files in which an edit was tried, as they were shown. */
  readonly files: readonly { readonly path: string; readonly mode: string; readonly text: string }[];
  readonly checks: readonly CheckResult[];
  /** Was there a check command? */
  readonly checked: boolean;
  readonly deployed?: string;
}

/** A fix with all that was shown and said on the way. */
export type Sought = SoughtFix & { readonly book: Book; readonly exchange: Exchange; readonly trace: Trace };

/** What is asked, when it does not follow from a diagnosis: in a replay. */
export interface FixTask {
  readonly folder: string;
  readonly delimiter: string;
  /** The first message; enters into the book what it shows. */
  open(book: Book, context: LookContext): Promise<string>;
  /** What was looked at before, in the place of looking. */
  readonly looked?: () => Seen;
}

/**
 * Looks for a fix of a program's fault in its own repository: a bounded loop over a checkout. Whatever happens to the network, the money or the
 * answer ends in a sentence. Throws for a lost lease, and StanchError `git` where the checkout itself cannot be read.
 */
export async function seekFix(question: FixQuestion, doors: FixDoors): Promise<Sought> {
  const { delimiter, folder } = question;
  return pursue(
    {
      delimiter,
      folder,
      async open(book, context) {
        const listing = await list({ folder: context.folder }, context);
        return opening(
          {
            ...question,
            folder: context.folder,
            revision: doors.checkout.revision,
            listing: listing.text,
            ...(doors.deployed === undefined ? {} : { deployed: doors.deployed }),
          },
          book,
          context.redactor,
        );
      },
    },
    doors,
  );
}

const SHOWN = 120_000;

/** The loop itself. */
export async function pursue(task: FixTask, doors: FixDoors): Promise<Sought> {
  const { settings, checkout, clock, deployed } = doors;
  const { code: own } = settings;
  const redactor = strictRedactor(doors.redactor);
  const limits: LimitSettings = { ...own, folder: folderOf(task.folder) };
  const code = codeOf(checkout, redactor, own.fileBytes);
  const draft = createDraft(code, limits, redactor);
  const checks = createChecks({ ...doors, redactor, most: own.checks });
  const tools = toolsFor({ check: checks.left() > 0, deployed: deployed !== undefined });
  const book = newBook();
  const looks: Seen[] = [];
  const context: LookContext = {
    checkout,
    code,
    draft,
    redactor,
    clock,
    folder: limits.folder,
    fileBytes: own.fileBytes,
    ...(deployed === undefined ? {} : { deployed }),
  };
  const { exchange, said } = await converse<SoughtFix>(
    {
      model: own.model === "" ? settings.diagnosis : own.model,
      maxTokens: own.maxTokens,
      system: [INSTRUCTIONS, ground(task.delimiter, limits, checks.left())],
      configured: [limits.folder, ...limits.edit],
      tools,
      form: FORM,
      delimiter: task.delimiter,
      book,
      first: await task.open(book, context),
      turns: own.turns,
      calls: own.calls,
      shown: SHOWN,
      patience: own.patience,
      section: "model.code",
      // They go back to where they came from; names in code look like keys to the second opinion.
      checksReplies: false,
      async look(name, input, until) {
        const call = readCall(name, input, tools);
        if ("problem" in call) return { kind: "none", text: call.problem, failed: true };
        if (call.name === "edit") return draft.edit(call.input);
        if (call.name === "undo_edit") return draft.undo(call.input.path);
        if (call.name === "check") {
          const result = await checks.run(draft.edits(), until);
          return result === null
            ? { kind: "none", text: "The check command may not be run any more.", quotable: "" }
            : { kind: "check", text: toldCheck(result) };
        }
        const seen = task.looked?.() ?? (await lookAt(call, context));
        looks.push(seen);
        return seen;
      },
      async read(text, until) {
        const answer = parseAnswer(text);
        if ("problem" in answer) return answer;
        return judge(answer, { book, draft, checks, checkout, limits, redactor, until });
      },
    },
    { ...doors, redactor },
  );
  const trace: Trace = {
    looks,
    files: await touchedFiles(draft, code),
    checks: checks.results,
    checked: doors.check !== undefined,
    ...(deployed === undefined ? {} : { deployed }),
  };
  if ("problem" in said) return { fixed: false, reason: said.problem, paid: said.paid, book, exchange, trace };
  return { ...said.answer, book, exchange, trace };
}

async function lookAt(call: Call, context: LookContext): Promise<Seen> {
  return looked(call, context).catch((error: unknown): Seen => {
    if (isLost(error)) throw error;
    return { kind: "none", text: `It cannot be read: ${messageOf(error)}`, quotable: "" };
  });
}

function looked(call: Call, context: LookContext): Promise<Seen> {
  switch (call.name) {
    case "list":
      return list(call.input, context);
    case "search":
      return search(call.input, context);
    case "read":
      return read(call.input, context);
    case "history":
      return history(call.input, context);
    default:
      return sinceDeployed(call.input as never, context);
  }
}

/** As it stands in paths: without dots and slashes around it. */
function folderOf(path: string): string {
  return (
    path
      .split("/")
      .filter((part) => part !== "" && part !== ".")
      .join("/") || "."
  );
}

/** Files that were edited or nearly, with every line as it was shown. */
async function touchedFiles(draft: Draft, code: Code): Promise<Trace["files"]> {
  const out: { path: string; mode: string; text: string }[] = [];
  for (const path of draft.touched()) {
    const file = await code.open(path);
    if ("problem" in file) continue;
    const mark = file.text.startsWith("\uFEFF") ? "\uFEFF" : "";
    out.push({
      path,
      mode: file.facts.mode,
      text: mark + file.lines.map((line) => line.shown + line.ending).join(""),
    });
  }
  return out;
}
