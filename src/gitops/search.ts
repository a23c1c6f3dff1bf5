import { messageOf, StanchError } from "../errors.ts";
import type { Change, FileEdit, KubeObject, Location, Source } from "../model.ts";
import type { Aim, Candidate } from "./candidate.ts";
import { placeName } from "./input.ts";
import type { Probe } from "./probe.ts";
import { type Earlier, judge } from "./render-delta.ts";
import { findRendered } from "./rendered.ts";
import type { Tree } from "./tree.ts";

/** Candidates that are rendered at most, for all changes together. */
const MAX_PROBES = 60;

/** Edits of one or more files that are tried together. */
export interface Attempt {
  readonly via: string;
  readonly files: readonly { readonly file: string; readonly after: string; readonly line: number }[];
}

/** An attempt that makes wanted changes and nothing else in the source. */
export interface Hit {
  readonly attempt: Attempt;
  readonly made: readonly Change[];
  readonly objects: readonly KubeObject[];
  /** It changes other render roots too, or more in this one than was wanted. */
  readonly shared: boolean;
  /** Lines that each file gains. */
  readonly growth: ReadonlyMap<string, number>;
}

/** The state of a search: what is accepted so far, what is still wanted, and what was learnt on the way. */
export interface Search {
  readonly tree: Tree;
  readonly source: Source;
  remaining(): readonly Change[];
  locations(): readonly Location[];
  edits(): Promise<FileEdit[]>;
  aimAt(change: Change): Aim | null;
  /** Renders an attempt; null when it does not make the change, or more than it. Remembers why. */
  consider(attempt: Attempt): Promise<Hit | null>;
  accept(hit: Hit): void;
  refuse(reason: string): void;
  /** Why nothing was found, from what was learnt. */
  reasons(): { readonly refusals: readonly string[]; readonly side: readonly string[]; readonly exhausted: boolean };
}

export interface SearchRequest {
  readonly probe: Probe;
  readonly source: Source;
  readonly baseline: readonly KubeObject[];
  readonly wanted: readonly Change[];
  /** What may go back along with the wanted changes. */
  readonly earlier?: Earlier | undefined;
  /** Why a file must not be edited. */
  protection(file: string): string | undefined;
}

export function startSearch({ probe, source, baseline, wanted, earlier, protection }: SearchRequest): Search {
  const accepted = new Map<string, string>();
  const shifts = new Map<string, { line: number; by: number }[]>();
  const locations: Location[] = [];
  const refusals = new Set<string>();
  const side = new Set<string>();
  const tried = new Set<string>();
  const tree = overlay(probe.tree, accepted);
  let remaining = [...wanted];
  let current = baseline;
  let probes = 0;

  /** What cannot be read is no place for an edit, and no reason to look no further. */
  async function read(file: string): Promise<string | null> {
    try {
      return await tree.read(file);
    } catch (error) {
      if (!(error instanceof StanchError)) throw error;
      refusals.add(`${messageOf(error)}.`);
      return null;
    }
  }

  const editsWith = async (attempt?: Attempt): Promise<FileEdit[]> => {
    const texts = new Map(accepted);
    for (const { file, after } of attempt?.files ?? []) texts.set(file, after);
    const edits: FileEdit[] = [];
    for (const [file, after] of texts) edits.push({ file, before: (await probe.tree.read(file)) ?? "", after });
    return edits.filter((edit) => edit.before !== edit.after);
  };

  return {
    tree,
    source,
    remaining: () => remaining,
    locations: () => locations,
    edits: () => editsWith(),
    aimAt(change) {
      const target = findRendered(current, change.object, source);
      return target === undefined ? null : { change, target, source, read };
    },
    async consider(attempt) {
      const key = attempt.files.map(({ file, after }) => `${file}\u0000${after}`).join("\u0001");
      if (tried.has(key)) return null;
      tried.add(key);
      const closed = attempt.files.map(({ file }) => protection(file)).find((reason) => reason !== undefined);
      if (closed !== undefined) refusals.add(closed);
      if (closed !== undefined || probes >= MAX_PROBES) return null;
      probes++;
      const edits = await editsWith(attempt);
      const objects = await probe.render(edits).catch(notRendered);
      if (objects === null) return null;
      const verdict = judge(current, objects, remaining, source, earlier);
      if (verdict.made.length === 0) return null;
      if (verdict.side.length > 0) {
        side.add(
          `${attempt.files.map(({ file, line }) => `${placeName(file, source)}:${line}`).join(", ")} would also change ${verdict.side.slice(0, 3).join(", ")}`,
        );
        return null;
      }
      const { others } = await probe.blast(edits, { first: true });
      const shared = others.length > 0 || verdict.returned.length > 0;
      return { attempt, made: verdict.made, objects, shared, growth: await growthOf(attempt, tree) };
    },
    accept({ attempt, made, objects, growth }) {
      const [first] = attempt.files;
      for (const change of made) {
        if (first !== undefined)
          locations.push({
            change,
            file: first.file,
            line: originalLine(shifts.get(first.file) ?? [], first.line),
            via: attempt.via,
          });
      }
      for (const { file, after, line } of attempt.files) {
        shifts.set(file, [...(shifts.get(file) ?? []), { line, by: growth.get(file) ?? 0 }]);
        accepted.set(file, after);
      }
      remaining = remaining.filter((change) => !made.includes(change));
      current = objects;
    },
    refuse: (reason) => void refusals.add(named(reason, source)),
    reasons: () => ({ refusals: [...refusals], side: [...side], exhausted: probes >= MAX_PROBES }),
  };
}

/** A sentence with inputs called by what they are. */
function named(text: string, { inputs = {} }: Source): string {
  return Object.entries(inputs).reduce((said, [name, { label }]) => said.replaceAll(name, label), text);
}

/** What does not render is no answer. Losing the lease is one: somebody else writes now. */
function notRendered(error: unknown): null {
  if (error instanceof StanchError && error.code === "lease") throw error;
  return null;
}

/** A candidate as an attempt; null when the edit itself was refused, which the search remembers. */
export function attemptOf(candidate: Candidate, search: Search): Attempt | null {
  if (!candidate.result.ok) {
    search.refuse(candidate.result.reason);
    return null;
  }
  return {
    via: candidate.via,
    files: [{ file: candidate.file, after: candidate.result.text, line: candidate.result.line }],
  };
}

/** The tree as it is with the accepted edits. */
function overlay(tree: Tree, texts: ReadonlyMap<string, string>): Tree {
  return {
    directory: tree.directory,
    read: async (path) => texts.get(path) ?? tree.read(path),
    kind: async (path) => (texts.has(path) ? "file" : tree.kind(path)),
  };
}

/** A line of a text that was edited before, in the text before all edits. */
function originalLine(shifts: readonly { line: number; by: number }[], line: number): number {
  let at = line;
  for (const shift of [...shifts].reverse()) if (shift.line < at) at -= shift.by;
  return Math.max(1, at);
}

async function growthOf(attempt: Attempt, tree: Tree): Promise<ReadonlyMap<string, number>> {
  const lines = (text: string): number => text.split("\n").length;
  const rows = attempt.files.map(
    async ({ file, after }) => [file, lines(after) - lines((await tree.read(file)) ?? "")] as const,
  );
  return new Map(await Promise.all(rows));
}
