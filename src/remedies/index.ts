import type { RemedyId } from "../config/schema.ts";
import type { SymptomKind } from "../model.ts";
import { correctBackend } from "./correct-backend.ts";
import { correctHost } from "./correct-host.ts";
import { correctImage } from "./correct-image.ts";
import { correctName } from "./correct-name.ts";
import { correctNodeSelector } from "./correct-node-selector.ts";
import { correctProbe } from "./correct-probe.ts";
import { correctProbePath } from "./correct-probe-path.ts";
import { correctSelector } from "./correct-selector.ts";
import { correctServicePort } from "./correct-service-port.ts";
import { correctStorageClass } from "./correct-storage-class.ts";
import { evict } from "./evict.ts";
import { exec } from "./exec.ts";
import { pause } from "./pause.ts";
import { raiseMemoryLimit } from "./raise-memory-limit.ts";
import type { Remedy } from "./remedy.ts";
import { repointReference } from "./repoint-reference.ts";
import { restart } from "./restart.ts";
import { restoreFromGit } from "./restore-from-git.ts";
import { restoreManifest } from "./restore-manifest.ts";
import { restoreObject } from "./restore-object.ts";
import { restorePolicy } from "./restore-policy.ts";
import { revertCommit } from "./revert-commit.ts";
import { rollback } from "./rollback.ts";

/** The closed catalogue. */
export const remedies: readonly Remedy[] = [
  rollback,
  restoreFromGit,
  revertCommit,
  restoreObject,
  restoreManifest,
  restorePolicy,
  correctImage,
  repointReference,
  correctName,
  correctProbe,
  correctProbePath,
  correctHost,
  correctSelector,
  correctServicePort,
  correctBackend,
  correctStorageClass,
  correctNodeSelector,
  raiseMemoryLimit,
  evict,
  restart,
  pause,
  exec,
] as unknown as readonly Remedy[];

/**
 * The order in which remedies are tried: evidence that something changed (a revision that is healthy now, a commit) comes
 *  * comes before what is inferred (a near name, a declared port), and that before what is computed (more memory). What only
 * contains comes last.
 */
export const remediesFor: Readonly<Record<SymptomKind, readonly RemedyId[]>> = {
  ImagePull: ["evict", "rollback", "restore-from-git", "correct-image", "correct-name", "revert-commit"],
  ConfigMissing: ["evict", "rollback", "restore-from-git", "restore-object", "repoint-reference", "revert-commit"],
  OOMKilled: ["rollback", "restore-from-git", "raise-memory-limit", "revert-commit"],
  LivenessKill: [
    "restore-policy",
    "rollback",
    "restore-from-git",
    "correct-probe",
    "correct-probe-path",
    "revert-commit",
    "exec",
  ],
  InitWaiting: ["restore-policy", "restore-from-git", "correct-host", "exec"],
  NotReady: [
    "restore-policy",
    "rollback",
    "restore-from-git",
    "correct-probe",
    "correct-probe-path",
    "revert-commit",
    "restart",
    "exec",
  ],
  CrashLoop: ["restore-policy", "rollback", "restore-from-git", "correct-host", "revert-commit", "pause", "exec"],
  RolloutStuck: ["rollback", "restore-from-git", "revert-commit", "exec"],
  PodsRefused: ["restore-from-git", "restore-object", "restore-policy", "correct-name", "revert-commit"],
  Unschedulable: [
    "rollback",
    "restore-from-git",
    "restore-object",
    "correct-name",
    "correct-node-selector",
    "revert-commit",
  ],
  ClaimPending: ["restore-from-git", "correct-storage-class", "revert-commit"],
  ManifestRefused: ["restore-manifest"],
  Complains: ["restore-policy", "restore-from-git"],
  CutOff: ["restore-policy", "restore-from-git", "restore-object"],
  WrongPort: ["restore-from-git", "correct-service-port", "revert-commit"],
  BrokenRoute: ["restore-from-git", "correct-backend", "revert-commit"],
  ScalingInactive: ["restore-from-git", "correct-name", "revert-commit"],
  SyncFailed: ["restore-from-git", "revert-commit"],
  NoEndpoints: ["restore-from-git", "correct-selector", "revert-commit"],
};
