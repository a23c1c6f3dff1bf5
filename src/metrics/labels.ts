import type { HoldKind, Outcome, Phase, SymptomKind, Verification } from "../model.ts";

/** What labels may say. Everything else is `other`, so that no series follows from what strangers wrote. */

/** How a run ended; `lease`: another one was at work. */
export const RESULTS = ["done", "attention", "fault", "config", "lease"] as const;
export type RunResult = (typeof RESULTS)[number];

/** Where the time of a run goes. */
export const STEPS = [
  "repair",
  "observe",
  "inspect",
  "detect",
  "follow-up",
  "report",
  "diagnose",
  "advise",
  "plan",
  "act",
  "verify",
  "locate",
  "prove",
  "propose",
  "notify",
  "other",
] as const;
export type StepName = (typeof STEPS)[number];

/** All members of a union, each once: what is missing does not compile. */
const every =
  <T extends string>() =>
  <const L extends readonly T[]>(...list: [T] extends [L[number]] ? L : never): L =>
    list;

export const SYMPTOMS = every<SymptomKind>()(
  "OOMKilled",
  "CrashLoop",
  "ImagePull",
  "ConfigMissing",
  "LivenessKill",
  "NotReady",
  "RolloutStuck",
  "PodsRefused",
  "Unschedulable",
  "ClaimPending",
  "NoEndpoints",
  "ManifestRefused",
  "WrongPort",
  "Complains",
  "CutOff",
  "BrokenRoute",
  "InitWaiting",
  "ScalingInactive",
  "SyncFailed",
);

export const PHASES = every<Phase>()(
  "Detected",
  "Diagnosed",
  "Acting",
  "Hotfixed",
  "Verified",
  "Contained",
  "Proposed",
  "Merged",
  "Resolved",
  "RolledBack",
  "Escalated",
  "Silenced",
);

export const OUTCOMES = every<Outcome["kind"]>()(
  "watching",
  "reported",
  "proposed",
  "updated",
  "hotfixed",
  "contained",
  "escalated",
  "refused",
  "rolled-back",
  "resolved",
  "merged",
  "closed",
  "waiting",
  "failed",
);

export const VERIFICATIONS = every<Verification["result"]>()("recovered", "unchanged", "worse", "not-tried");

export const HOLDS = every<Exclude<HoldKind, "none">>()(
  "argocd-fields",
  "flux-object",
  "flux-drift",
  "argocd-skip",
  "flux-suspend",
);

export const PULL_REQUEST_STATES = ["open", "draft", "merged", "closed"] as const;
/** Of a model's fix of a program: proposed to people, and what they made of it. */
export const CODE_FIX_STATES = ["open", "merged", "closed"] as const;
export const MODES = ["observe", "propose", "remediate"] as const;
