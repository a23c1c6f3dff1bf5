import { argoHelm } from "./argo-helm.ts";
import { argoManifests } from "./argo-manifests.ts";
import { fluxHelm } from "./flux-helm.ts";
import { fluxKustomize } from "./flux-kustomize.ts";
import type { Tree } from "./tree.ts";

/** The four ways to deploy a shop. Each is three faults in one environment (the third: in two), beside a healthy one. */
export const TREES: readonly {
  readonly name: string;
  readonly engine: Tree["engine"];
  readonly plant: (tag: string, repoUrl: string) => Tree;
}[] = [
  { name: "flux kustomize", engine: "flux", plant: (tag) => fluxKustomize(tag) },
  { name: "flux helm", engine: "flux", plant: (tag) => fluxHelm(tag) },
  { name: "argo manifests", engine: "argocd", plant: (tag) => argoManifests(tag, { optIn: true }) },
  { name: "argo helm", engine: "argocd", plant: argoHelm },
];
