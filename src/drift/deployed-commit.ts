import type { Deployer, Origin } from "../gitops/origin.ts";
import { commitIn } from "../gitops/revision.ts";
import { listAt, textAt } from "../kube/fields.ts";
import { apiVersionOf, RESOURCES } from "../kube/resources.ts";
import type { Cluster } from "../ports.ts";

/**
 * The commit that a source was deployed from, as far as its engine says so: an Application and a Kustomization themselves; a HelmRelease
 * whose chart lies in Git by the version of its last release (`1.2.3+1a2b3c4d5e6f` with `reconcileStrategy: Revision`), or by the commit that
 * its HelmChart was packed at. Possibly abbreviated to 12 digits.
 */
export async function deployedCommit(
  { owner }: Origin,
  deployer: Deployer | null,
  cluster: Pick<Cluster, "get">,
): Promise<string | undefined> {
  if (owner.deployed !== undefined) return owner.deployed;
  if (deployer?.ref.kind !== "HelmRelease") return undefined;
  const { object } = deployer;
  const version = textAt(listAt(object, "status", "history")[0], "chartVersion") ?? "";
  const [, packed] = /\+([\da-f]{12,40})(?:\.\d+)?$/.exec(version) ?? [];
  if (packed !== undefined) return packed;
  const [namespace, name] = (textAt(object, "status", "helmChart") ?? "").split("/");
  if (namespace === undefined || name === undefined) return undefined;
  const ref = { apiVersion: apiVersionOf(RESOURCES.HelmChart), kind: "HelmChart", namespace, name };
  const chart = await cluster.get(ref).catch(() => null);
  // What it observed last is what it packed last: a chart whose version did not rise is the same chart.
  if (chart === null || textAt(chart, "status", "artifact", "revision") !== version) return undefined;
  return commitIn(textAt(chart, "status", "observedSourceArtifactRevision"));
}
