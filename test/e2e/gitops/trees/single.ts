import { ARGOCD, argoApplication, argoRepository, type EngineRef, FLUX, fluxRoot, fluxSource } from "../engines.ts";
import type { Fault } from "../faults.ts";
import { shop } from "../fixtures.ts";
import type { Tree } from "./tree.ts";

/** One workload that breaks and its neighbour, for what is about time and crashes and not about trees. */
export function single(tag: string, options: { readonly engine: "flux" | "argocd"; readonly optIn?: boolean }): Tree {
  const name = `single-${tag}`;
  const manifests = shop(undefined, name);
  const file = "deploy/web.yaml";
  const fault: Fault = {
    kind: "tag",
    namespace: name,
    file,
    good: "image: nginx:1.27 # what customers see",
    bad: "image: nginx:1.72 # what customers see",
  };
  const engine: EngineRef =
    options.engine === "flux"
      ? { kind: "Kustomization", namespace: FLUX, name }
      : { kind: "Application", namespace: ARGOCD, name };
  return {
    engine: options.engine,
    files: { [file]: manifests["web"] ?? "", "deploy/cache.yaml": manifests["cache"] ?? "" },
    applied: (remote) =>
      options.engine === "flux"
        ? [...fluxSource(name, remote), fluxRoot(name, "./deploy")]
        : [
            argoRepository(name, remote),
            argoApplication(name, {
              namespace: name,
              source: { repoURL: remote.url, path: "deploy" },
              optIn: options.optIn ?? true,
            }),
          ],
    source: name,
    engines: [engine],
    broken: [name],
    faults: [fault],
    roots: [{ tool: "plain", namespace: name, path: "deploy" }],
  };
}
