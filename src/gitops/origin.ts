import type { KubeObject, ObjectRef, Source, SourceOwner } from "../model.ts";

/** A source that is not opened yet: the branch may be the repository's default one, the files tell the tool. */
export interface Origin extends Omit<Source, "id" | "branch" | "tool"> {
  readonly branch?: string;
  readonly tool: Source["tool"] | "auto";
  /** Inputs that are files of other repositories, by `inputName`: read when the source is opened. */
  readonly files?: Readonly<Record<string, OriginFile>>;
}

export interface OriginFile {
  readonly repository: string;
  readonly branch?: string;
  readonly file: string;
  /** It may be missing (`ignoreMissingValueFiles`). */
  readonly optional?: boolean;
}

/** What an engine's object deploys: its origins in order (where two declare one object, the last wins), or why that cannot be known. */
export type Origins =
  | { readonly found: true; readonly origins: readonly Origin[] }
  | { readonly found: false; readonly owner: SourceOwner; readonly reason: string; readonly hint: string };

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

/** Reads what origins need besides the deployer itself. Null: not there, or not to be read. Secrets are never read. */
export type ReadObject = (ref: ObjectRef) => Promise<KubeObject | null>;
