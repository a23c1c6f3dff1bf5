import type { Finding, KubeObject } from "../model.ts";
import type { OtherKind, PlanContext } from "./remedy.ts";

/** Kinds of objects that refuse what a workload needs by a rule of their own, and how it shows that they do. */
export interface Policy {
  readonly kinds: readonly OtherKind[];
  /** Do the cluster's or the program's words speak of such a refusal? Nothing is read where they do not. */
  concerns(finding: Finding): boolean;
  /** Live objects that may refuse here. */
  suspects(finding: Finding, context: PlanContext): readonly KubeObject[];
  /** How many of the refusals that the finding tells of an object, as it would be then, does not make (any more). */
  admits(object: KubeObject, finding: Finding, context: PlanContext): number;
  /** Why an object must not become so by rule, though it would help; null: it may. */
  objection(now: KubeObject, then: KubeObject, finding: Finding, context: PlanContext): string | null;
  /** What a reviewer decides by merging, as the end of a sentence: "…, and is changed in Git only". */
  readonly decides: string;
}

/** Everything that a finding quotes of logs and of the cluster's own messages. */
export function saidIn({ evidence, symptom }: Finding): string {
  const message = "message" in symptom ? (symptom.message ?? "") : "";
  return [message, ...evidence.filter(({ kind }) => kind === "log").map(({ text }) => text)].join("\n");
}
