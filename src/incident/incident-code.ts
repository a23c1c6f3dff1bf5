import type { PullRequestRef } from "../model.ts";
import type { CheckResult } from "../ports.ts";
import type { ChatState } from "./incident.ts";
import type { ModelUse } from "./run-history.ts";

/**
 * What became of a fix of the program's own code, and all that was spent on it so far. It stands here before it is pushed, so that a later run
 * proposes it without asking again. Its pull request is no `status.pullRequest`: nothing live hangs on it, and a person is needed as before.
 */
export interface IncidentCode extends ModelUse {
  /** Of what it was asked about: the same is never asked twice. Empty: no answer came yet. */
  readonly evidence: string;
  /** Of the fault alone, whatever version shows it: it names the branch. */
  readonly fault: string;
  readonly at: string;
  readonly model: string;
  readonly repository: string;
  /** What ran: digest, or name where the digest is not known. */
  readonly image: string;
  /** Times that it was asked about this fault or this image; counted before it is asked. */
  readonly asked: number;
  /** `none`: no fix was found, `said` says why. */
  readonly outcome: "fix" | "none";
  /** In a sentence without a full stop. */
  readonly said: string;
  /** The fix, from the answer until its pull request is known. */
  readonly fix?: StoredFix;
  readonly pullRequest?: PullRequestRef;
  readonly proposedAt?: string;
  readonly mergedAt?: string;
  /** A person said no. */
  readonly closedAt?: string;
  /** The pull request was told that the symptom is gone. */
  readonly goneAt?: string;
  /** What was asked for in its pull request. */
  readonly chat?: ChatState;
}

/** A fix as it is kept: small, because an object of the cluster is. */
export interface StoredFix {
  /** Commit that it was made for. */
  readonly base: string;
  /** Files with digests of what they said before and say then; it is proposed only where they still say the first, and come to the second. */
  readonly files: readonly { readonly file: string; readonly before: string; readonly after: string }[];
  /** Unified diff of all of them. */
  readonly patch: string;
  readonly cause: string;
  readonly summary: string;
  readonly citations: readonly { readonly id: string; readonly quote: string }[];
  readonly checks: readonly { readonly id: string; readonly passed: boolean; readonly text: string }[];
  /** What a reviewer should look at first, as sentences without a full stop. */
  readonly cautions: readonly string[];
  /** What the check command said. */
  readonly checked?: CheckResult;
}
