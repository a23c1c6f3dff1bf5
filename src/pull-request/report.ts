import type { Config } from "../config/schema.ts";
import { standingHolds } from "../incident/holding.ts";
import type { Incident, TimelineEntry } from "../incident/incident.ts";
import type {
  Change,
  Commit,
  Evidence,
  FileEdit,
  Finding,
  Located,
  Location,
  Plan,
  Proof,
  Verification,
} from "../model.ts";

/** Everything that a pull request tells, from the facts of the incident; no text of a model's is needed. */
export interface PullRequestReport {
  readonly incident: {
    readonly namespace: string;
    readonly name: string;
    readonly detectedAt: string;
    readonly recurrences: number;
  };
  readonly cluster: string;
  readonly finding: Finding;
  /** Other findings that the same change fixes. */
  readonly covers: number;
  readonly cause: string;
  readonly reason: string;
  readonly title: string;
  readonly remedy: string;
  readonly changes: readonly Change[];
  readonly culprit?: Commit;
  /** How Git is corrected where a commit is to blame: its lines are taken back, or the field is patched forward. */
  readonly way?: "revert" | "forward" | "both";
  /** Who last wrote the lines that are changed. */
  readonly blame: readonly { readonly location: Location; readonly commit: Commit }[];
  /** The change stands live, since when, and what was seen. Absent: Git only. */
  readonly live?: { readonly appliedAt: string; readonly verification?: Verification };
  /** What keeps the engine from taking the live change back, and until when. */
  readonly held?: { readonly reason: string; readonly until: string };
  /** Why nothing was changed live. */
  readonly gitOnly?: string;
  /** Why a merge does not deploy by itself, in sentences. */
  readonly cautions: readonly string[];
  readonly edits: readonly FileEdit[];
  readonly proof: Proof;
  readonly evidence: readonly Evidence[];
  readonly timeline: readonly TimelineEntry[];
  /** How a model worded it; each text passed the checks. Absent: what rules write is all there is. */
  readonly prose?: { readonly summary?: string; readonly rootCause?: string; readonly course?: string };
  readonly onClose: "undo" | "keep";
  /** Its comments are read for commands. */
  readonly asks?: boolean;
  readonly silenceDays: number;
  readonly version: string;
  readonly revision: string;
}

/** The report of an incident whose fix was found in Git. */
export function composeReport(facts: {
  readonly incident: Incident;
  readonly plan: Plan;
  readonly located: Extract<Located, { found: true }>;
  readonly cautions?: readonly string[];
  readonly proof: Proof;
  readonly live: boolean;
  readonly why?: string;
  readonly blame: PullRequestReport["blame"];
  readonly config: Pick<Config, "cluster" | "pullRequest" | "followUp" | "chat">;
  readonly version: string;
}): PullRequestReport {
  const { incident, plan, located, proof, config } = facts;
  const { status } = incident;
  const hold = standingHolds(incident).find(({ kind }) => kind !== "none");
  return {
    incident: {
      namespace: incident.metadata.namespace,
      name: incident.metadata.name,
      detectedAt: status?.detectedAt ?? "",
      recurrences: status?.recurrences ?? 0,
    },
    cluster: config.cluster,
    finding: plan.finding,
    covers: status?.covers.length ?? 0,
    cause: status?.cause ?? plan.finding.summary,
    reason: plan.choice.reason,
    title: plan.title,
    remedy: plan.choice.remedy,
    changes: plan.changes,
    ...(plan.choice.culprit === undefined ? {} : { culprit: plan.choice.culprit, way: wayOf(located.locations) }),
    blame: facts.blame,
    ...(facts.live && status?.hotfix !== undefined
      ? {
          live: {
            appliedAt: status.hotfix.appliedAt,
            ...(status.verification === undefined ? {} : { verification: status.verification }),
          },
        }
      : {}),
    ...(hold === undefined || !facts.live ? {} : { held: { reason: hold.reason, until: hold.expiresAt } }),
    ...(facts.why === undefined ? {} : { gitOnly: facts.why }),
    cautions: facts.cautions ?? [],
    edits: located.edits,
    proof,
    evidence: status?.evidence ?? plan.finding.evidence,
    timeline: status?.timeline ?? [],
    ...(status?.prose === undefined ? {} : { prose: status.prose }),
    onClose: config.pullRequest.onClose,
    asks: config.chat.enabled,
    silenceDays: Math.max(1, Math.round(config.followUp.silence / 86_400_000)),
    version: facts.version,
    revision: located.revision,
  };
}

/** What the layers of an edit say of it: lines of the commit were taken back, or the field was set anew. */
function wayOf(locations: readonly Location[]): "revert" | "forward" | "both" {
  const reverts = locations.filter((location) => location.via.startsWith("revert of ")).length;
  if (reverts === 0) return "forward";
  return reverts === locations.length ? "revert" : "both";
}
