import type { z } from "zod";
import type { Config, RemedyId } from "../config/schema.ts";
import type {
  Change,
  Commit,
  Containment,
  ContainmentRow,
  Evidence,
  Finding,
  KubeObject,
  LiveAction,
  ObjectRef,
  Risk,
  Snapshot,
  Source,
  Workload,
} from "../model.ts";
import type { Access, Registry, RegistryCredentials } from "../ports.ts";
import type { Condition } from "./condition.ts";

/**
 * A closed catalogue entry. It is asked twice: `diagnose` looks for proof that it would help and answers with typed
 * parameters; `plan` turns parameters into changes and trusts nobody, so that parameters from anywhere (an incident, a
 * model) are checked again against the live object. No value is ever invented: a remedy without proof says no.
 */
export interface Remedy<P extends z.ZodType = z.ZodType> {
  readonly id: RemedyId;
  /** One sentence for the catalogue. */
  readonly summary: string;
  readonly risk: Risk;
  /** `inverse`: undone by the inverse patch. `none-needed`: leaves nothing behind. */
  readonly reversibility: "inverse" | "none-needed";
  readonly params: P;
  /**
   * It heals nothing: it stops the harm while the cause is the program's. After it, nothing is looked for in Git, and what it wrote is taken
   * back when its reason is over.
   */
  readonly contains?: true;
  /** Rights that its live half needs. */
  readonly needs: readonly Access[];
  /** Rights that its live half needs only where a setting asks for what it does with them. */
  readonly needsWhen?: readonly { readonly when: Condition; readonly accesses: readonly Access[] }[];
  /** Rights that its diagnosis needs beyond those of every run. Without them it says no. */
  readonly reads?: readonly Access[];
  /** Kinds that it looks through for a finding, to be had from `others`. Absent: none. */
  looks?(finding: Finding): readonly OtherKind[];
  /** Does a finding concern it at all? What is not set up, or is about something else, is neither asked nor told. Absent: every one does. */
  concerns?(finding: Finding, settings: Config): boolean;
  /** Symptoms that it may help against; the order of remedies for a symptom stands in index.ts. */
  diagnose(finding: Finding, context: RemedyContext): Promise<Answer<z.output<P>>>;
  plan(params: z.output<P>, finding: Finding, context: PlanContext): Drafted;
  /**
   * Why the values of parameters do not come from where this remedy takes them (Git's history, the registry, the program's own answer);
   * null: they do. Asked of every plan, whoever chose the parameters. Absent: `plan` proves all of them from live objects.
   */
  origin?(
    params: z.output<P>,
    finding: Finding,
    context: RemedyContext,
    changes: readonly Change[],
  ): Promise<string | null>;
}

export type Answer<P> =
  | {
      readonly applies: true;
      readonly params: P;
      readonly reason: string;
      readonly evidence: readonly Evidence[];
      readonly culprit?: Commit;
    }
  | { readonly applies: false; readonly reason: string };

export type Drafted =
  | {
      readonly possible: true;
      readonly changes: readonly Change[];
      readonly action?: LiveAction;
      readonly gitOnly?: string;
      /** Of a remedy that contains, and of no other. */
      readonly contains?: Containment;
      readonly title: string;
    }
  | { readonly possible: false; readonly reason: string };

/** What a remedy may look at while it looks for proof. */
export interface RemedyContext extends PlanContext {
  readonly settings: Config;
  readonly registry: Registry;
  /** Pull secret of the workload, only when the configuration allows it. */
  credentials(image: string): Promise<RegistryCredentials | undefined>;
  /** What Git's history says of an object, newest change first; empty when no source or nothing changed lately. */
  previous(ref: ObjectRef): Promise<readonly PreviousVersion[]>;
  /** The recent commit that took an object out of what Git renders, and the object before it; null: it is there, or never was. */
  removed(ref: ObjectRef): Promise<{ readonly commit: Commit; readonly before: KubeObject } | null>;
  /** The object as Git renders it now; null when no source has it. */
  declared(ref: ObjectRef): Promise<KubeObject | null>;
  /** What a running pod of the finding's workload answers on a port (`Cluster.ask`); null when none could be asked. */
  ask(
    container: string,
    question: { readonly scheme: "HTTP" | "HTTPS"; readonly port: number; readonly path: string },
  ): Promise<number | "refused" | null>;
  /** Why the API server refuses an object (server-side dry run); null: it takes it, or could not be asked. */
  refusal(object: KubeObject): Promise<string | null>;
  /** Memory limits that Stanch raised for this container within the configured time. */
  raises(finding: Finding): Promise<number>;
}

/** Kinds that remedies may look through for what was meant. Never Secrets: their values come with them. */
export type OtherKind =
  | "Deployment"
  | "StatefulSet"
  | "DaemonSet"
  | "Service"
  | "ConfigMap"
  | "StorageClass"
  | "IngressClass"
  | "ServiceAccount"
  | "PersistentVolumeClaim"
  | "PriorityClass"
  | "Role"
  | "RoleBinding"
  | "ResourceQuota"
  | "LimitRange"
  | "NetworkPolicy"
  | "PersistentVolume"
  | "HorizontalPodAutoscaler";

/** What a plan may look at: live state only, so that it is the same for every caller. */
export interface PlanContext {
  readonly snapshot: Snapshot;
  /** The live workload of the finding, if it is one. */
  readonly workload?: Workload;
  /** A live object, null when there is none. */
  live(ref: ObjectRef): KubeObject | null;
  /**
   * Objects of a kind that the remedy looks through, in a namespace ("" for cluster-scoped kinds); null when they may not be
   * read or are too many. Read beforehand, so that a plan can check what a diagnosis found without waiting.
   */
  others(kind: OtherKind, namespace: string): readonly KubeObject[] | null;
  /** What was done before to contain the finding's incident. */
  readonly contained: readonly ContainmentRow[];
  readonly settings: Config;
}

/** One commit that changed an object. */
export interface PreviousVersion {
  readonly source: Source;
  readonly commit: Commit;
  /** From what the object is now to what it was before that commit. */
  readonly changes: readonly Change[];
}

/** A remedy's no, with what a person must know or decide. */
export function no(reason: string): { applies: false; reason: string } {
  return { applies: false, reason };
}

/** A plan's no. */
export function refuse(reason: string): { possible: false; reason: string } {
  return { possible: false, reason };
}

/** Types a catalogue entry by its parameters' schema. */
export function defineRemedy<P extends z.ZodType>(remedy: Remedy<P>): Remedy<P> {
  return remedy;
}
