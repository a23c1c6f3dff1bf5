import type { KubeObject, ObjectRef, Source, SourceOwner } from "../model.ts";

/**
 * A source that is not opened yet: the branch may be the repository's default one, the files tell the tool. `auto` with no
 * `helm` is never Helm: Flux builds a folder with a chart in it like any other.
 */
export interface Origin extends Omit<Source, "id" | "branch" | "tool"> {
  readonly branch?: string;
  readonly tool: Source["tool"] | "auto";
  /** Inputs that are files of other repositories, by `inputName`: read when the source is opened. */
  readonly files?: Readonly<Record<string, OriginFile>>;
  /** Entries of `helm.values` that may be missing, and those that are patterns over its own files: see `valuesFiles`. */
  readonly optional?: readonly string[];
  readonly patterns?: readonly string[];
  /** Files of the repository that, where they exist, are merged over what the owner says of the source (`.argocd-source.yaml`), in order. */
  readonly overrides?: readonly string[];
}

export interface OriginFile {
  readonly repository: string;
  readonly branch?: string;
  readonly file: string;
  /** It may be missing (`ignoreMissingValueFiles`). */
  readonly optional?: boolean;
}

/** Why a source cannot be known, and what a person can do about it. */
export interface Unknown {
  readonly reason: string;
  readonly hint: string;
  /** Where it comes from all the same, as far as that is known: the place to report to. */
  readonly repository?: string;
}

/**
 * What an engine's object deploys: its origins in order (where two declare one object, the last wins), or why that cannot be known.
 * `unknown`: further sources of it that cannot be known; an object that no origin declares may come from there.
 */
export type Origins =
  | { readonly found: true; readonly origins: readonly Origin[]; readonly unknown?: readonly Unknown[] }
  | ({ readonly found: false; readonly owner: SourceOwner } & Unknown);

/** An engine's object with what it deploys. */
export interface Deployer {
  readonly ref: ObjectRef;
  readonly object: KubeObject;
  readonly origins: Origins;
}

/** What the cluster says of its own deployers, read once a run. */
export interface Deployers {
  readonly all: readonly Deployer[];
  /** The deployer that an object says it comes from, when that one says so too. Null: none. */
  of(object: KubeObject): Deployer | null;
  /** What could not be read, in sentences. */
  readonly gaps: readonly string[];
}

/** Reads what origins need besides the deployer itself. Null: not there; undefined: it could not be read. Secrets are never read. */
export type ReadObject = (ref: ObjectRef) => Promise<KubeObject | null | undefined>;

/** What every origin is made with: `host[:port]` of our code host, under all its names. */
export interface OriginContext {
  readonly hosts: readonly string[];
}

export function isUnknown<T extends object>(answer: T | Unknown): answer is Unknown {
  return "reason" in answer && "hint" in answer;
}

/** An expected "no" in the form that all of them have. */
export function no(reason: string, hint: string): Unknown {
  return { reason, hint };
}

/** Text that somebody else wrote, in one line and bounded. An address may hold credentials and is not shown at all. */
export function shown(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  const plain = text.replaceAll(/[\u0000-\u001f\u007f\s]+/g, " ").trim();
  if (plain.includes("://")) return "an address";
  return plain.length > 120 ? `${plain.slice(0, 119)}…` : plain || "?";
}
