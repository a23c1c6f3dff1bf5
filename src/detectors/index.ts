import { claimPending } from "./claim-pending.ts";
import { complains } from "./complains.ts";
import { configMissing } from "./config-missing.ts";
import { crashLoop } from "./crash-loop.ts";
import { cutOff } from "./cut-off.ts";
import type { Detector } from "./detector.ts";
import { brokenRoute, scalingInactive, syncFailed } from "./failing.ts";
import { imagePull } from "./image-pull.ts";
import { initWaiting } from "./init-waiting.ts";
import { liveness } from "./liveness.ts";
import { manifestRefused } from "./manifest-refused.ts";
import { noEndpoints } from "./no-endpoints.ts";
import { notReady } from "./not-ready.ts";
import { oomKilled } from "./oom-killed.ts";
import { podsRefused } from "./pods-refused.ts";
import { rolloutStuck } from "./rollout-stuck.ts";
import { unschedulable } from "./unschedulable.ts";
import { wrongPort } from "./wrong-port.ts";

/** Every detector, the most specific first: where two see the same container, the earlier one's finding stands. */
export const detectors: readonly Detector[] = [
  configMissing,
  imagePull,
  oomKilled,
  liveness,
  crashLoop,
  podsRefused,
  claimPending,
  unschedulable,
  initWaiting,
  notReady,
  rolloutStuck,
  noEndpoints,
  wrongPort,
  brokenRoute,
  scalingInactive,
  syncFailed,
  manifestRefused,
  cutOff,
  complains,
];
