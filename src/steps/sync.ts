import { messageOf, StanchError } from "../errors.ts";
import { patchOf } from "../gitops/holds.ts";
import type { Deployer } from "../gitops/origin.ts";
import { getAt } from "../kube/field-path.ts";
import { textAt } from "../kube/fields.ts";
import { toPatch } from "../kube/json-patch.ts";
import { describeRef } from "../kube/ref.ts";
import type { FieldPath, ObjectRef } from "../model.ts";
import type { Clock, Cluster } from "../ports.ts";

/** What came of asking deployers to look at Git now, in words for people. */
export interface Asked {
  readonly asked: readonly string[];
  readonly refused: readonly string[];
}

const REFRESH: FieldPath = ["metadata", "annotations", "argocd.argoproj.io/refresh"];
const REQUESTED: FieldPath = ["metadata", "annotations", "reconcile.fluxcd.io/requestedAt"];

/**
 * Asks a deployer to look at Git now instead of at its next interval: Argo CD by a refresh of the Application (which also passes its cache of
 * branches), Flux by a reconciliation of the source and then of what deploys it. Without the right to it nothing is asked, and that is said.
 */
export async function requestSync(
  deployer: Deployer,
  context: { readonly cluster: Cluster; readonly clock: Clock },
): Promise<Asked> {
  const asked: string[] = [];
  const refused: string[] = [];
  const source = sourceOf(deployer);
  for (const ref of source === null ? [deployer.ref] : [source, deployer.ref]) {
    const fault = await request(ref, context);
    if (fault === null) asked.push(describeRef(ref));
    else refused.push(`${describeRef(ref)} was not asked: ${fault}`);
  }
  return { asked, refused };
}

/** The repository that a Flux object is fetched from; null where a commit does not reach it through one. */
export function sourceOf({ ref, object }: Deployer): ObjectRef | null {
  const named =
    ref.kind === "HelmRelease" ? (["spec", "chart", "spec", "sourceRef"] as const) : (["spec", "sourceRef"] as const);
  const name = textAt(object, ...named, "name");
  if (ref.kind === "Application" || name === undefined || textAt(object, ...named, "kind") !== "GitRepository")
    return null;
  return {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "GitRepository",
    namespace: textAt(object, ...named, "namespace") ?? ref.namespace,
    name,
  };
}

async function request(
  ref: ObjectRef,
  { cluster, clock }: { readonly cluster: Cluster; readonly clock: Clock },
): Promise<string | null> {
  try {
    if ((await cluster.review([patchOf(ref)]))[0] !== true) return "this account may not patch it";
    const live = await cluster.get(ref);
    if (live === null) return "it is not there";
    const path = ref.kind === "Application" ? REFRESH : REQUESTED;
    const from = getAt(live, path);
    // Asked before, and not yet looked at.
    if (path === REFRESH && from !== undefined) return null;
    const to = path === REFRESH ? "normal" : clock.now().toISOString();
    await cluster.patch(ref, toPatch([{ object: ref, path, ...(from === undefined ? {} : { from }), to }], live));
    return null;
  } catch (error) {
    // To be quick is no need: it comes round by itself.
    if (!(error instanceof StanchError)) throw error;
    return messageOf(error);
  }
}
