import type { Deployer, Origin } from "../gitops/origin.ts";
import { listAt, textAt } from "../kube/fields.ts";

/**
 * The commit that a source was deployed from, as far as its engine says so: an Application and a Kustomization themselves; a HelmRelease
 * whose chart lies in Git by the version of its last release (`1.2.3+1a2b3c4d5e6f` with `reconcileStrategy: Revision`), abbreviated to 12 digits. Of a
 * chart that is packed anew only when its version rises nobody says it: its HelmChart names the commit that it looked at last, packed or not.
 */
export function deployedCommit({ owner }: Origin, deployer: Deployer | null): string | undefined {
  if (owner.deployed !== undefined || deployer?.ref.kind !== "HelmRelease") return owner.deployed;
  const version = textAt(listAt(deployer.object, "status", "history")[0], "chartVersion") ?? "";
  return /\+([\da-f]{12,40})(?:\.\d+)?$/.exec(version)?.[1];
}
