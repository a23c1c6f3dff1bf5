import type {
  Change,
  Choice,
  Commit,
  Containment,
  ContainmentRow,
  Evidence,
  Finding,
  Hold,
  Hotfix,
  IssueRef,
  KubeObject,
  LiveAction,
  NoticeThread,
  ObjectMeta,
  ObjectRef,
  Phase,
  Proof,
  PullRequestRef,
  Symptom,
  SymptomKind,
  Verification,
} from "../model.ts";
import type { IncidentCode } from "./incident-code.ts";
import type { ModelUse } from "./run-history.ts";

/**
 * The only store: one custom resource beside the workload, from detection to resolution. Whatever a later run needs to
 * go on stands in it before the step that makes it necessary is taken.
 */
export interface Incident extends KubeObject {
  apiVersion: "stanch.dev/v1alpha1";
  kind: "Incident";
  metadata: ObjectMeta & { namespace: string };
  spec: IncidentSpec;
  status?: IncidentStatus;
}

export interface IncidentSpec {
  readonly workload: ObjectRef;
  readonly container?: string;
  readonly symptom: SymptomKind;
  readonly detector: string;
  readonly fingerprint: string;
}

export interface IncidentStatus {
  readonly phase: Phase;
  /** What is so now, or what a person must do, in one sentence. */
  readonly message: string;
  readonly summary: string;
  readonly detectedAt: string;
  readonly lastSeenAt: string;
  /** Times that the problem came back after it was resolved. */
  readonly recurrences: number;
  /** The symptom with its facts, and what was seen. */
  readonly details: Symptom;
  readonly evidence: readonly Evidence[];
  /** Fingerprints of other findings that the same change explains and fixes. */
  readonly covers: readonly string[];
  readonly cause?: string;
  readonly culprit?: Commit;
  readonly plan?: IncidentPlan;
  readonly hotfix?: Hotfix;
  /** What keeps the hotfix from being reverted; stored before it is taken, released when it was seen to be gone. */
  readonly holds?: readonly Hold[];
  /** The deployment that is awaited: since when, of which commit, and when its deployer was last asked for it. */
  readonly sync?: SyncState;
  readonly verification?: Verification;
  /** Remedies tried and what came of them. */
  readonly tried: readonly {
    readonly remedy: string;
    readonly title: string;
    readonly result: string;
    readonly at: string;
  }[];
  /** What was done to contain it, written before it was done; unlike `tried` it stays when the problem comes back. Bounded. */
  readonly contained?: readonly ContainmentRow[];
  /** When the memory limit was raised before it came back (RFC 3339): again and again is a leak. Bounded. */
  readonly raised?: readonly string[];
  readonly source?: {
    readonly id: string;
    readonly repository: string;
    readonly revision: string;
    readonly locations: readonly string[];
  };
  readonly proof?: Proof;
  readonly pullRequest?: PullRequestRef;
  readonly issue?: IncidentIssue;
  readonly image?: ImageOrigin;
  readonly advice?: IncidentAdvice;
  readonly prose?: IncidentProse;
  readonly code?: IncidentCode;
  readonly mergedAt?: string;
  readonly mergeCommit?: string;
  readonly resolvedAt?: string;
  readonly silencedUntil?: string;
  /** What was asked for in the pull request or issue. */
  readonly chat?: ChatState;
  /** What each receiver was told of it. */
  readonly notified?: readonly Told[];
  readonly timeline: readonly TimelineEntry[];
}

/** What one receiver was told of an incident. */
export interface Told {
  readonly receiver: string;
  /** Keys of what was told, the newest last; bounded. */
  readonly keys: readonly string[];
  readonly at?: string;
  readonly thread?: NoticeThread;
  /** Digest of what the thread's first message says. */
  readonly shown?: string;
}

export interface SyncState {
  readonly since: string;
  readonly commit?: string;
  readonly askedAt?: string;
}

/** What was read of the comments of the incident's pull request or issue. */
export interface ChatState {
  /** When the newest comment that was read was written or edited, by the code host's clock. */
  readonly since?: string;
  /** Comments whose command was heard. */
  readonly handled: readonly number[];
  /** Commands of people who may not give any. */
  readonly refusals?: number;
  /** Heard, and not yet known to be done and answered. `until`: the end that was asked for. */
  readonly pending?: {
    readonly comment: number;
    readonly by: string;
    readonly verb: string;
    readonly at: string;
    readonly until?: string;
  };
}

export interface IncidentPlan extends Choice {
  readonly title: string;
  readonly risk: string;
  readonly reason: string;
  readonly changes: readonly Change[];
  readonly action?: LiveAction;
  readonly gitOnly?: string;
  readonly contains?: Containment;
  /** A model chose it. */
  readonly by?: "model";
}

/** What a model was asked about the incident, what came of it, and all that was spent on it so far. */
export interface IncidentAdvice extends ModelUse {
  /** Of the evidence that it was asked about: what was answered is never asked again. */
  readonly evidence: string;
  /** Times that it was asked without that an end was seen; stored before it is asked. Absent: it came to its end. */
  readonly asked?: number;
  readonly at: string;
  readonly model: string;
  /** `choice`: a remedy that passed every check. `none`: a person must decide. `rejected`: a check threw the answer away. */
  readonly outcome: "choice" | "none" | "rejected";
  /** In a sentence. */
  readonly said: string;
  readonly choice?: Choice;
  /** What it says is wrong; its own words, not proved. */
  readonly cause?: string;
  readonly culprit?: Commit;
  readonly confidence?: "low" | "medium" | "high";
  readonly checks?: readonly { readonly id: string; readonly passed: boolean; readonly text: string }[];
  readonly citations?: readonly { readonly id: string; readonly quote: string }[];
}

/** How a model worded the report, for one change; a text that did not pass the checks is left out. */
export interface IncidentProse extends ModelUse {
  readonly key: string;
  readonly at: string;
  readonly model: string;
  readonly summary?: string;
  readonly rootCause?: string;
  readonly course?: string;
}

/** The issue that tells a person what to do. Without a number it is still to be opened. */
export interface IncidentIssue extends Partial<Omit<IssueRef, "repository">> {
  readonly repository: string;
  /** Git cannot be corrected by rule, or the fault is the program's own. */
  readonly about: "git" | "program";
  /** Why no rule could do it. */
  readonly reason: string;
  /** Nothing more is to be done with it. */
  readonly closedAt?: string;
}

/** What the failing container's image says of itself, kept so that the registry is asked once. */
export interface ImageOrigin {
  readonly reference: string;
  readonly digest: string;
  /** `org.opencontainers.image.source` and `.revision`. */
  readonly source?: string;
  readonly revision?: string;
}

export interface TimelineEntry {
  readonly at: string;
  readonly phase: Phase;
  readonly text: string;
}

/** Entries kept; the first (detection) always stays. */
const TIMELINE = 40;

/** Phases in which nothing is left to do unless the problem comes back. */
export const CLOSED: readonly Phase[] = ["Resolved", "Silenced"];

/** `cart-oomkilled-1a2b3c4d`: stable over runs, valid as an object's name. */
export function incidentName(finding: Finding): string {
  const stem = `${finding.workload.name}-${finding.symptom.kind}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, "-")
    .slice(0, 200)
    .replace(/^-+|-+$/g, "");
  return `${stem}-${finding.fingerprint.slice(0, 8)}`;
}

/** A new incident of a finding, not yet stored. */
export function newIncident(finding: Finding, now: Date): Incident {
  const at = now.toISOString();
  return {
    apiVersion: "stanch.dev/v1alpha1",
    kind: "Incident",
    metadata: {
      name: incidentName(finding),
      namespace: finding.workload.namespace,
      labels: {
        "app.kubernetes.io/managed-by": "stanch",
        "stanch.dev/fingerprint": finding.fingerprint,
        "stanch.dev/symptom": finding.symptom.kind,
      },
    },
    spec: {
      workload: finding.workload,
      ...(finding.container === undefined ? {} : { container: finding.container }),
      symptom: finding.symptom.kind,
      detector: finding.detector,
      fingerprint: finding.fingerprint,
    },
    status: {
      phase: "Detected",
      message: finding.summary,
      summary: finding.summary,
      detectedAt: at,
      lastSeenAt: at,
      recurrences: 0,
      details: finding.symptom,
      evidence: finding.evidence.slice(0, 20),
      covers: [],
      tried: [],
      timeline: [{ at, phase: "Detected", text: finding.summary }],
    },
  };
}

/** The status after a step: phase, sentence and what the step found out; the sentence goes to the timeline. */
export function advance(
  status: IncidentStatus,
  phase: Phase,
  text: string,
  now: Date,
  more: Partial<IncidentStatus> = {},
): IncidentStatus {
  const last = status.timeline.at(-1);
  const repeated = last?.phase === phase && last.text === text;
  const entries = repeated
    ? status.timeline
    : [...status.timeline, { at: now.toISOString(), phase, text: text.slice(0, 1000) }];
  const timeline =
    entries.length <= TIMELINE ? entries : [...entries.slice(0, 1), ...entries.slice(entries.length - TIMELINE + 1)];
  return { ...status, ...more, phase, message: text.slice(0, 1000), timeline };
}

/** A finding as an incident keeps it, for what is done about it in a later run. */
export function findingOf(incident: Incident): Finding {
  const status = incident.status;
  return {
    detector: incident.spec.detector,
    workload: incident.spec.workload,
    ...(incident.spec.container === undefined ? {} : { container: incident.spec.container }),
    symptom: status?.details ?? { kind: "NotReady", message: "" },
    summary: status?.summary ?? "",
    evidence: status?.evidence ?? [],
    since: status?.detectedAt ?? "",
    pods: 1,
    fingerprint: incident.spec.fingerprint,
  };
}
