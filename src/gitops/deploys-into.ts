import { textAt } from "../kube/fields.ts";
import type { KubeObject } from "../model.ts";
import { isElsewhere } from "./argocd.ts";

/**
 * The one namespace that an engine's object names for what it deploys, whether or not it is known where that comes from; "elsewhere": in
 * another cluster; null: its manifests say.
 */
export function deploysInto(deployer: KubeObject): { readonly namespace: string } | "elsewhere" | null {
  if (deployer.kind === "Application" && isElsewhere(deployer)) return "elsewhere";
  const namespace =
    deployer.kind === "Application"
      ? textAt(deployer, "spec", "destination", "namespace")
      : textAt(deployer, "spec", "targetNamespace") ||
        (deployer.kind === "HelmRelease" ? deployer.metadata.namespace : "");
  return namespace ? { namespace } : null;
}
