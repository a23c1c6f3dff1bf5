import type { Seen } from "../advice/converse.ts";
import { formatExchange, type Recording, replay } from "../advice/exchange.ts";
import { bounded } from "../advice/frame.ts";
import type { Redactor } from "../advice/redaction.ts";
import type { Config } from "../config/schema.ts";
import { StanchError } from "../errors.ts";
import type { Json } from "../model.ts";
import type { Checkout, CheckResult, Clock } from "../ports.ts";
import { type FixQuestion, pursue, type Sought } from "./seek.ts";
import { strictRedactor } from "./strict-redactor.ts";

const LOOK = 12_000;

/** An exchange about code as a file (`model.record`). Throws StanchError `model` when it is too large, or when redaction is not sure of it. */
export function formatFix(facts: {
  readonly at: string;
  /** `namespace/name` */
  readonly incident: string;
  readonly version: string;
  readonly question: FixQuestion;
  readonly sought: Sought;
  readonly settings: Config["model"];
  readonly redactor: Redactor;
}): string {
  const { sought, question, settings } = facts;
  const { trace } = sought;
  const redactor = strictRedactor(facts.redactor);
  const { files, lines, fileBytes, edit, lockfiles, turns, calls, checks } = settings.code;
  const clean = (text: string): string => bounded(redactor.clean(text), LOOK);
  return formatExchange({
    at: facts.at,
    incident: facts.incident,
    version: facts.version,
    model: settings.code.model === "" ? settings.diagnosis : settings.code.model,
    allowed: [],
    delimiter: question.delimiter,
    judged: sought.fixed ? `it edited ${sought.edits.map(({ file }) => file).join(", ")}` : sought.reason,
    consulted: sought,
    redactor,
    input: (name, input) => (name === "edit" ? edited(input, redactor) : cleaned(input, redactor)),
    code: {
      repository: question.repository,
      folder: question.folder,
      ...(trace.deployed === undefined ? {} : { deployed: trace.deployed }),
      checked: trace.checked,
      limits: { files, lines, fileBytes, edit: [...edit], lockfiles, turns, calls, checks },
      looks: trace.looks.map(({ kind, text, quotable }) => ({
        kind,
        text: clean(text),
        ...(quotable === undefined ? {} : { quotable: redactor.clean(quotable) }),
      })),
      files: trace.files.map((file) => ({ ...file })),
      checks: [...trace.checks],
    },
  });
}

/** What the model wrote stays as it is, so that it can be made again, unless it looks like a secret. */
function edited(input: Json, redactor: Redactor): Json {
  return walk(input, (text) => (redactor.leak(text) === null ? text : redactor.clean(text)));
}

function cleaned(input: Json, redactor: Redactor): Json {
  return walk(input, (text) => redactor.clean(text));
}

function walk(value: Json, change: (text: string) => string): Json {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => walk(item, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, change)]));
}

/**
 * A recorded exchange about code through the same loop and the same checks: nothing is asked, and the edits are made in the files as they were
 * shown. Throws StanchError `config` for a recording of something else.
 */
export async function replayFix(
  recording: Recording,
  doors: { readonly settings: Config["model"]; readonly redactor: Redactor; readonly clock: Clock },
): Promise<Sought> {
  const { code } = recording;
  if (code === undefined) throw new StanchError("config", "the recording is of no fix of a program's code");
  const { advisor, open } = replay(recording);
  const looks = code.looks.map(
    ({ kind, text, quotable }): Seen => ({ kind, text, ...(quotable === undefined ? {} : { quotable }) }),
  );
  const checks: CheckResult[] = [...code.checks];
  return pursue(
    {
      folder: code.folder,
      delimiter: recording.delimiter,
      open: async (book) => open(book),
      looked: () => looks.shift() ?? { kind: "none", text: "Nothing was recorded here.", quotable: "" },
    },
    {
      advisor,
      account: { reserve: async () => null, settle: async () => undefined },
      redactor: doors.redactor,
      clock: { now: doors.clock.now, sleep: async () => undefined },
      settings: { ...doors.settings, code: { ...doors.settings.code, ...code.limits } },
      price: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
      tick: async () => undefined,
      mostMs: 1000,
      checkout: recorded(code.files),
      ...(code.deployed === undefined ? {} : { deployed: code.deployed }),
      ...(code.checked
        ? { check: async () => checks.shift() ?? { ran: false as const, reason: "no more was recorded" } }
        : {}),
    },
  );
}

/** Recorded files as a checkout of which nothing else is known. */
function recorded(files: NonNullable<Recording["code"]>["files"]): Checkout {
  const none = (): Promise<never> => Promise.reject(new StanchError("git", "a recording has no repository"));
  return {
    directory: "",
    revision: "",
    branch: "",
    files: async () => files.map(({ path, mode, text }) => ({ path, mode, bytes: Buffer.byteLength(text) })),
    read: async (file) => files.find(({ path }) => path === file)?.text ?? null,
    history: async () => [],
    blame: async () => null,
    filesWith: async () => [],
    changedSince: async () => null,
    readAt: async () => null,
    treeAt: none,
    publish: none,
    close: async () => undefined,
  };
}
