import { MANAGERS } from "../gitops/claim.ts";
import type { Ownership } from "../kube/field-managers.ts";
import type { ManagedFields } from "../model.ts";
import type { Attribution, Writer } from "./model.ts";

/** Who deploys a root, as it writes: what its field managers are called. */
export type Deploys = "argocd" | "kustomization" | "helmrelease" | "configuration";

/** What a person's tools call themselves. A browser stands for a dashboard; `argocd-server` is an edit in Argo CD's own interface. */
const PERSON =
  /^(kubectl($|[-_.])|oc$|lens|openlens|freelens|k9s|headlamp|dashboard|kubernetes-dashboard|octant|kubenav|aptakube|seabird|mozilla|argocd-server$)/i;
const AUTOSCALER = /(^|[-_])(keda|vpa|hpa)([-_]|$)|autoscaler|^recommender$|^horizontal-pod/i;
const CONTROLLER =
  /^(kube-controller-manager|kube-scheduler|kube-apiserver|kubelet|cloud-controller-manager|k3s|k0s|rke2|rancher|agent|cainjector|istiod|pilot-discovery|linkerd|flagger|external-secrets|reloader)|controller|operator|manager$|webhook|provisioner/i;
/** Whoever deploys without an engine: people and pipelines with these tools. */
const BY_HAND =
  /^(kubectl|kubectl-client-side-apply|kubectl-create|kubectl-replace|before-first-apply|helm|kapp(-server)?|terraform|pulumi[\w-]*|skaffold|tanka|kustomize|werf|kluctl)$/i;
/** Made or applied the object as a whole, and so own the defaults of all that it does not say. */
const WHOLE =
  /^(kubectl-create|kubectl-client-side-apply|kubectl-replace|kubectl-run|kubectl-expose|before-first-apply)$/;

export function isDeployer(manager: string, deploys: Deploys): boolean {
  if (manager === "argocd-server") return false;
  // A release that a person upgraded by hand is not helm-controller's.
  if (deploys === "helmrelease") return manager === "helm-controller";
  return deploys === "configuration" ? BY_HAND.test(manager) : MANAGERS[deploys].test(manager);
}

/** What an entry of managedFields stands for, seen from the root whose object it is on. */
export function writerOf({ manager = "", subresource = "" }: ManagedFields, deploys: Deploys): Writer {
  if (manager === "stanch") return "stanch";
  // `kubectl scale` writes the subresource as an autoscaler does, under its own name.
  if (PERSON.test(manager) && subresource !== "") return "person";
  if (isDeployer(manager, deploys)) return "deployer";
  if (PERSON.test(manager)) return "person";
  if (AUTOSCALER.test(manager) || subresource === "scale") return "autoscaler";
  if (CONTROLLER.test(manager) || MANAGERS.kustomization.test(manager) || MANAGERS.argocd.test(manager))
    return "controller";
  return "unknown";
}

/** Does an entry stand for writing the object as a whole? */
export function isWhole({ manager = "", operation }: ManagedFields): boolean {
  return operation === "Update" && WHOLE.test(manager);
}

/** The one of a field's owners that wrote it against Git: the last that is not the deployer; null when there is none but that. */
export function lastForeign(
  owners: readonly Ownership[],
  writer: (entry: ManagedFields) => Writer,
): Attribution | null {
  const foreign = owners
    .map(({ entry }) => ({ entry, writer: writer(entry) }))
    .filter((one) => one.writer !== "deployer")
    .toSorted((a, b) => (b.entry.time ?? "").localeCompare(a.entry.time ?? ""));
  const [last] = foreign;
  return last === undefined ? null : attribution(last.writer, last.entry);
}

export function attribution(writer: Writer, { manager, time }: ManagedFields): Attribution {
  return {
    writer,
    ...(manager === undefined ? {} : { manager: manager.slice(0, 128) }),
    ...(time === undefined ? {} : { at: time }),
  };
}
