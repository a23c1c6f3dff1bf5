import { attempts } from "./attempts.ts";
import { beingDeleted } from "./being-deleted.ts";
import { cooldown } from "./cooldown.ts";
import { fieldAllowList } from "./field-allow-list.ts";
import { foughtField } from "./fought-field.ts";
import { gitopsObject } from "./gitops-object.ts";
import { gitopsOwned } from "./gitops-owned.ts";
import type { Guard } from "./guard.ts";
import { hotfixesPerRun } from "./hotfixes-per-run.ts";
import { identity } from "./identity.ts";
import { missingRights } from "./missing-rights.ts";
import { missingTarget } from "./missing-target.ts";
import { mode } from "./mode.ts";
import { modelChoice } from "./model-choice.ts";
import { modelLive } from "./model-live.ts";
import { openPullRequests } from "./open-pull-requests.ts";
import { optedOut } from "./opted-out.ts";
import { ownedObject } from "./owned-object.ts";
import { policy } from "./policy.ts";
import { protectedNamespace } from "./protected-namespace.ts";
import { risk } from "./risk.ts";
import { scaledByAnother } from "./scaled-by-another.ts";
import { stale } from "./stale.ts";
import { storm } from "./storm.ts";
import { suspended } from "./suspended.ts";

/**
 * The rules in order; the first that objects gives the verdict. Those that refuse altogether come before those that leave Git
 * as the only way, so that nothing is proposed which must not be.
 */
export const guards: readonly Guard[] = [
  protectedNamespace,
  optedOut,
  beingDeleted,
  ownedObject,
  suspended,
  fieldAllowList,
  modelChoice,
  scaledByAnother,
  storm,
  stale,
  attempts,
  cooldown,
  openPullRequests,
  missingTarget,
  mode,
  modelLive,
  gitopsObject,
  identity,
  policy,
  gitopsOwned,
  foughtField,
  risk,
  hotfixesPerRun,
  missingRights,
];
