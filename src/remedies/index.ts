import type { RemedyId } from "../config/schema.ts";
import type { SymptomKind } from "../model.ts";
import { correctImage } from "./correct-image.ts";
import { correctProbe } from "./correct-probe.ts";
import { evict } from "./evict.ts";
import { raiseMemoryLimit } from "./raise-memory-limit.ts";
import type { Remedy } from "./remedy.ts";
import { repointReference } from "./repoint-reference.ts";
import { restoreFromGit } from "./restore-from-git.ts";
import { rollback } from "./rollback.ts";

/** The closed catalogue. */
export const remedies: readonly Remedy[] = [
  rollback,
  restoreFromGit,
  correctImage,
  repointReference,
  correctProbe,
  raiseMemoryLimit,
  evict,
] as unknown as readonly Remedy[];

/**
 * The order in which remedies are tried: evidence that something changed (a revision that is healthy now, a commit) comes
 * before what is inferred (a near name, a declared port), and that before what is computed (more memory).
 */
export const remediesFor: Readonly<Record<SymptomKind, readonly RemedyId[]>> = {
  ImagePull: ["rollback", "restore-from-git", "correct-image"],
  ConfigMissing: ["evict", "rollback", "restore-from-git", "repoint-reference"],
  OOMKilled: ["rollback", "restore-from-git", "raise-memory-limit"],
  LivenessKill: ["rollback", "restore-from-git", "correct-probe"],
  NotReady: ["rollback", "restore-from-git", "correct-probe"],
  CrashLoop: ["rollback", "restore-from-git"],
  RolloutStuck: ["rollback", "restore-from-git"],
  PodsRefused: ["restore-from-git"],
  Unschedulable: ["rollback", "restore-from-git"],
  ClaimPending: ["restore-from-git"],
  NoEndpoints: ["restore-from-git"],
};
