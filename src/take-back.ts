import type { Incident } from "./incident/incident.ts";
import { byObject } from "./kube/written.ts";
import type { ObjectRef, Phase } from "./model.ts";
import type { Run } from "./run.ts";
import { releaseOwnership } from "./steps/release.ts";
import { type Undone, undo } from "./steps/undo.ts";

/** undo → release: a live change that is taken back leaves neither values nor ownership behind. */
export async function takeBack(incident: Incident, reason: string, phase: Phase, run: Run): Promise<Undone> {
  const undone = await undo(incident, reason, phase, run);
  await releaseOwnership(changedObjects(incident), run);
  return undone;
}

/** The objects that an incident's hotfix changed. */
export function changedObjects(incident: Incident): ObjectRef[] {
  return byObject(incident.status?.hotfix?.changes ?? []).map((group) => group.ref);
}
