import type { Finding, ObjectRef, Symptom } from "../model.ts";
import { evidenceOf, type Fact, plainText } from "./evidence.ts";
import { fingerprintOf } from "./fingerprint.ts";

export interface Observation {
  readonly detector: string;
  readonly workload: ObjectRef;
  readonly container?: string | undefined;
  readonly symptom: Symptom;
  readonly summary: string;
  /** The most telling first: only so many are kept. */
  readonly facts: readonly Fact[];
  /** Times at which the symptom was seen to begin; the earliest that can be read counts. */
  readonly since: readonly (string | undefined)[];
  readonly pods: number;
  /** Why it must not be acted on yet; undefined: ripe. */
  readonly unripe?: string | undefined;
}

/** A finding with bounded texts, numbered evidence and its fingerprint. */
export function makeFinding(seen: Observation, takenAt: string): Finding {
  const { detector, workload, container, symptom, pods, unripe } = seen;
  const of = container === undefined ? {} : { container };
  const starts = seen.since.filter((time): time is string => time !== undefined && !Number.isNaN(Date.parse(time)));
  const since = starts.toSorted((a, b) => Date.parse(a) - Date.parse(b))[0] ?? takenAt;
  return {
    detector,
    workload,
    ...of,
    symptom,
    summary: plainText(seen.summary),
    evidence: evidenceOf(seen.facts),
    since,
    pods,
    fingerprint: fingerprintOf({ detector, workload, kind: symptom.kind, ...of }),
    ...(unripe === undefined ? {} : { unripe: plainText(unripe) }),
  };
}
