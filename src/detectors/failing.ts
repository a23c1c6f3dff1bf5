import { formatDuration } from "../config/duration.ts";
import type { Config } from "../config/schema.ts";
import { fluxSourceOf } from "../kube/failing.ts";
import { timeOf } from "../kube/fields.ts";
import type { FailingState, Finding, Snapshot, Symptom } from "../model.ts";
import type { Detector } from "./detector.ts";
import { plainText } from "./evidence.ts";
import { makeFinding } from "./finding.ts";

/** An autoscaler that cannot scale: its target or its metrics are not to be had, longer than `detect.pending`. */
export const scalingInactive: Detector = {
  id: "scaling-inactive",
  summary: "A HorizontalPodAutoscaler cannot scale: no metric, no request to measure against, or no target.",
  detect: (snapshot, settings) => found(scalingInactive.id, snapshot, settings, "ScalingInactive"),
};

/** An Ingress, written within a day, that sends to a Service or a port which does not exist, or names a class that does not. */
export const brokenRoute: Detector = {
  id: "broken-route",
  summary:
    "An Ingress, changed within a day, sends to a Service or port that does not exist, or names a missing class.",
  detect: (snapshot, settings) => found(brokenRoute.id, snapshot, settings, "BrokenRoute"),
};

/**
 * An Argo CD Application or a Flux object that cannot deploy what it names, or a source of Flux that cannot be fetched, longer than
 * `detect.pending`. What fails because its source does is no fault of its own.
 */
export const syncFailed: Detector = {
  id: "sync-failed",
  summary:
    "An Argo CD Application, Flux Kustomization or HelmRelease cannot deploy what it names, or a source of Flux cannot be fetched.",
  detect: (snapshot, settings) => found(syncFailed.id, snapshot, settings, "SyncFailed"),
};

type FailingKind = "ScalingInactive" | "BrokenRoute" | "SyncFailed";

const SAYS: Readonly<Record<FailingKind, string>> = {
  ScalingInactive: "cannot scale",
  BrokenRoute: "leads nowhere",
  SyncFailed: "cannot deploy",
};

function kindOf({ ref }: FailingState): FailingKind {
  if (ref.kind === "HorizontalPodAutoscaler") return "ScalingInactive";
  return ref.kind === "Ingress" ? "BrokenRoute" : "SyncFailed";
}

function found(detector: string, snapshot: Snapshot, settings: Config["detect"], kind: FailingKind): Finding[] {
  const now = Date.parse(snapshot.takenAt);
  const broken = new Set(snapshot.failing.map(({ ref }) => `${ref.kind}/${ref.namespace}/${ref.name}`));
  return snapshot.failing.flatMap((state) => {
    if (kindOf(state) !== kind || broken.has(fluxSourceOf(state.object) ?? "")) return [];
    const message = plainText(state.message);
    const began = timeOf(state.since) ?? timeOf(state.object.metadata.creationTimestamp) ?? now;
    const waited = now - began;
    const symptom: Symptom = { kind, message };
    return makeFinding(
      {
        detector,
        workload: state.ref,
        symptom,
        summary: `${state.ref.kind} ${state.ref.name} ${SAYS[kind]}: ${message}`,
        facts: [{ kind: "status", text: `${state.ref.kind} ${state.ref.name}: ${message}` }],
        since: [state.since, state.object.metadata.creationTimestamp].slice(
          state.since === undefined ? 1 : 0,
          state.since === undefined ? 2 : 1,
        ),
        pods: 0,
        unripe:
          waited >= settings.pending
            ? undefined
            : `It says so since ${formatDuration(waited)}; it counts after ${formatDuration(settings.pending)}.`,
      },
      snapshot.takenAt,
    );
  });
}
