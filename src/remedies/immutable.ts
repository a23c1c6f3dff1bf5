import { describeRef } from "../kube/ref.ts";
import type { Change, KubeObject } from "../model.ts";
import { placeOf } from "./place.ts";

/**
 * Why the API server would not let these changes be made to objects that exist, in a sentence that says what a person does
 * instead; undefined when it would. Such changes are made in Git, and the object is made anew.
 */
export function immutableBecause(
  changes: readonly Change[],
  live: (change: Change) => KubeObject | null,
): string | undefined {
  for (const change of changes) {
    const what = fixedField(change, live(change));
    if (what !== undefined)
      return `${what} of ${describeRef(change.object)} cannot be changed while it exists; it must be deleted and made anew once Git is corrected`;
  }
  return undefined;
}

function fixedField({ object: { kind }, path }: Change, live: KubeObject | null): string | undefined {
  const top = path[1];
  const place = placeOf(kind, path);
  if (kind === "Pod") return place?.field === "image" ? undefined : "the specification (other than images)";
  if (kind === "Job")
    return place !== null
      ? "the pod template"
      : path[1] === "activeDeadlineSeconds"
        ? "the deadline of what is over"
        : undefined;
  if (kind === "PersistentVolumeClaim") return path[0] === "spec" ? "the specification" : undefined;
  if (kind === "StatefulSet")
    return top === "volumeClaimTemplates" || top === "selector" || top === "serviceName" ? `${top}` : undefined;
  if (kind === "Deployment" || kind === "DaemonSet") return top === "selector" ? "the selector" : undefined;
  return kind === "ConfigMap" && live?.["immutable"] === true ? "the data (it is marked immutable)" : undefined;
}
