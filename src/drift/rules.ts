import type { Deployer } from "../gitops/origin.ts";
import type { KubeObject } from "../model.ts";
import type { Difference } from "./compare.ts";
import type { DriftRequest } from "./request.ts";
import type { Root } from "./root.ts";

/** What is to be left out of the comparison, as the cluster's own engines and the configuration say. */
export interface Rules {
  /** Rules that are not understood, in sentences: they hide nothing. */
  readonly notUnderstood: readonly string[];
  /** Takes out what a rule names, and says which did. */
  apply(
    differences: readonly Difference[],
    declared: KubeObject,
    live: KubeObject,
    root: Root,
  ): { readonly left: readonly Difference[]; readonly hidden: ReadonlyMap<string, number> };
}

export async function readRules(
  _request: DriftRequest,
  _deployers: readonly Deployer[],
  _gap: (text: string) => void,
): Promise<Rules> {
  return { notUnderstood: [], apply: (differences) => ({ left: differences, hidden: new Map() }) };
}
