import type { Config } from "../config/schema.ts";
import type { Origin } from "../gitops/origin.ts";
import type { Incident } from "../incident/incident.ts";
import type { Change } from "../model.ts";
import type { Clock, Cluster, Log, Renderer } from "../ports.ts";
import type { Bench, Workbench } from "../workbench.ts";
import type { SourceLine } from "./model.ts";
import type { Seal } from "./secret.ts";

export type DriftMode = "auto" | "server" | "client";

/** What a comparison of the cluster with Git works with. */
export interface DriftRequest {
  readonly config: Config;
  readonly cluster: Pick<Cluster, "list" | "get" | "resource" | "dryRunApply" | "review">;
  readonly workbench: Pick<Workbench, "bench" | "origins" | "deployers">;
  readonly renderer: Pick<Renderer, "render">;
  /** Open incidents; absent: none are looked for. */
  readonly incidents?: () => Promise<readonly Incident[]>;
  /** Where a field of a bench's source stands in its files; absent: it is not looked for. */
  readonly locate?: (bench: Bench, change: Change) => Promise<SourceLine | null>;
  readonly clock: Clock;
  readonly log: Log;
  /** Version of Stanch, for the report. */
  readonly version: string;
  readonly mode: DriftMode;
  /** Milliseconds until the second look at what seems to drift. */
  readonly wait: number;
  /** Only roots whose id, path or owner's name this is; empty: all. */
  readonly roots?: readonly string[];
  /** Of this run alone; absent: a random key. */
  readonly seal?: Seal;
}

/** `--root`: a path, `owner/name:path`, the owner's name, or what its kind and name are called. */
export function means(name: string, { repository, path, owner }: Origin): boolean {
  return [path, `${repository}:${path}`, repository, owner.name, owner.ref?.name].includes(name);
}
