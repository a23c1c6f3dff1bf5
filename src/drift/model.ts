/**
 * What drift is made of: the words of `stanch drift`, of the published report and of the Action. Plain data that survives
 * `JSON.stringify` and back. Values of Secrets are never in it: they stand as keyed hashes (`Shown`).
 */
import type { FieldPath, Json, ObjectRef } from "../model.ts";

/**
 * - `in-sync`: live is what Git says at the head of the branch.
 * - `pending`: live is what Git said at the deployed revision; the head says something else, and the deployer has not taken it yet.
 * - `drift`: live is not what Git said when it was deployed.
 * - `hotfix`: drift that an open incident of Stanch explains; its pull request makes Git say the same.
 * - `missing`: Git declares it, and it is not there.
 * - `extra`: it is there and tracked by the deployer, and Git does not declare it (any more).
 * - `conflict`: Git and another controller both claim the field (replicas in Git while an autoscaler scales): said once, no drift.
 * - `suspended`: its deployer was told to rest: said once, not compared.
 * - `unknown`: it could not be compared, and why. Never to be taken for "no drift".
 */
export type DriftClass =
  | "in-sync"
  | "pending"
  | "drift"
  | "hotfix"
  | "missing"
  | "extra"
  | "conflict"
  | "suspended"
  | "unknown";

/** Who wrote a field last, by `metadata.managedFields`. */
export type Writer = "stanch" | "person" | "autoscaler" | "controller" | "webhook" | "deployer" | "unknown";

export interface Attribution {
  readonly writer: Writer;
  /** The field manager's own name, as far as it is known. */
  readonly manager?: string;
  /** RFC 3339. */
  readonly at?: string;
}

/** A value as it may be shown: itself, bounded; or of what is secret, only whether it differs. */
export type Shown = { readonly value: Json } | { readonly hash: string } | { readonly cut: string };

export interface DriftField {
  readonly path: FieldPath;
  /** For people: `spec.template.spec.containers[app].image`. */
  readonly text: string;
  /** Absent: Git does not set the field. */
  readonly git?: Shown;
  /** Absent: the field is not there. */
  readonly live?: Shown;
  readonly by: Attribution;
  /** The line in the source that says the field, by localisation. */
  readonly location?: SourceLine;
}

export interface SourceLine {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

export interface DriftItem {
  /** Of a file that cannot be read, kind `File` and its path: which objects it declares is not known. */
  readonly object: ObjectRef;
  readonly class: DriftClass;
  /** One sentence for people; for `unknown`, `suspended` and `conflict` the reason. */
  readonly text: string;
  /** Bounded; `more` counts what was left off. */
  readonly fields: readonly DriftField[];
  readonly more: number;
  /** Differences that belong to controllers and webhooks by right, and were not reported. */
  readonly folded: number;
  readonly incident?: { readonly namespace: string; readonly name: string };
  readonly pullRequest?: { readonly number: number; readonly url: string };
  /** Where the object begins in the source. */
  readonly location?: SourceLine;
}

/** One deployment of one source: an Application, a Kustomization, a HelmRelease, or an entry of the configuration. */
export interface RootReport {
  readonly id: string;
  readonly repository: string;
  /** "" where it is not known: of a root that could not be compared, or that rests. */
  readonly branch: string;
  readonly path: string;
  readonly tool: string;
  readonly owner: { readonly kind: string; readonly namespace?: string; readonly name?: string };
  /** Commit that the deployer says it deployed; absent: it does not say, and head is compared. */
  readonly deployed?: string;
  /** Head of the branch when it was read. */
  readonly head?: string;
  /** The root could not be compared at all. An error never looks like "no drift". */
  readonly error?: string;
  readonly compared: number;
  readonly inSync: number;
  /** Everything that is not in sync, worst first. */
  readonly items: readonly DriftItem[];
}

export interface DriftReport {
  readonly version: 1;
  readonly cluster: string;
  readonly takenAt: string;
  /** Version of Stanch. */
  readonly stanch: string;
  readonly mode: "server" | "client" | "mixed";
  readonly roots: readonly RootReport[];
  /** Parts of the cluster or of Git that could not be read. */
  readonly gaps: readonly string[];
  /** Which rule hid how many differences: an Application's ignoreDifferences, a HelmRelease's driftDetection.ignore, ours. */
  readonly hidden: readonly Hidden[];
}

export interface Hidden {
  readonly rule: string;
  readonly count: number;
  /** Of which repositories' sources it is, and how much in each; never in what is published. Absent: of none, such as a rule that hides nothing. */
  readonly repositories?: readonly { readonly repository: string; readonly count: number }[];
}

/** How a report ends, worst first: `error` when any root or part could not be compared, `drift` when anything drifted. */
export type DriftEnd = "error" | "drift" | "pending" | "clean";
