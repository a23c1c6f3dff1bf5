import { type EngineRef, FLUX, fluxRoot, fluxSource, INTERVAL } from "../engines.ts";
import type { Fault } from "../faults.ts";
import { shop } from "../fixtures.ts";
import type { Tree } from "./tree.ts";

/**
 * Two environments of one base. A root Kustomization deploys `clusters/lab`, in which stand the environments'
 * Kustomizations; production's lays a third layer over its overlay with `spec.patches`.
 */
export function fluxKustomize(tag: string): Tree {
  const root = `fleet-${tag}`;
  const production = `production-${tag}`;
  const staging = `staging-${tag}`;
  const base = shop();
  const environment = (
    name: string,
    folder: string,
    patches: string,
  ): string => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: ${name}
  namespace: ${FLUX}
spec:
  interval: ${INTERVAL}
  retryInterval: ${INTERVAL}
  path: ./apps/overlays/${folder}
  prune: true
  sourceRef:
    kind: GitRepository
    name: ${root}
${patches}`;
  const overlay = (namespace: string, more: string): string => `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: ${namespace}
resources:
  - ../../base
images:
  - name: nginx
    newTag: "1.27" # promoted by the release train
${more}`;
  const cluster = "clusters/lab/production.yaml";
  const kustomization = "apps/overlays/production/kustomization.yaml";
  const probe = "apps/overlays/production/api-probe.yaml";
  const fault = (kind: Fault["kind"], file: string, good: string, bad: string): Fault => {
    return { kind, namespace: production, file, good, bad };
  };
  const engine = (name: string): EngineRef => ({ kind: "Kustomization", namespace: FLUX, name });
  return {
    engine: "flux",
    files: {
      "apps/base/worker.yaml": base["worker"] ?? "",
      "apps/base/web.yaml": (base["web"] ?? "").replace("nginx:1.27", "nginx"),
      "apps/base/api.yaml": base["api"] ?? "",
      "apps/base/cache.yaml": base["cache"] ?? "",
      "apps/base/kustomization.yaml": `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [worker.yaml, web.yaml, api.yaml, cache.yaml]
`,
      [kustomization]: overlay(
        production,
        `replicas:
  - name: cache
    count: 2
patches:
  - path: api-probe.yaml
`,
      ),
      [probe]: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  template:
    spec:
      containers:
        - name: api
          readinessProbe:
            httpGet:
              port: 8080 # production answers where the base does
`,
      "apps/overlays/staging/kustomization.yaml": overlay(staging, ""),
      [cluster]: environment(
        production,
        "production",
        `  patches:
    - target:
        kind: Deployment
        name: worker
      patch: |
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: worker
        spec:
          template:
            spec:
              containers:
                - name: worker
                  resources:
                    limits:
                      memory: 128Mi # this cluster's nodes
`,
      ),
      "clusters/lab/staging.yaml": environment(staging, "staging", ""),
    },
    applied: (remote) => [...fluxSource(root, remote), fluxRoot(root, "./clusters/lab")],
    source: root,
    engines: [engine(root), engine(production), engine(staging)],
    broken: [production],
    untouched: staging,
    faults: [
      fault("oom", cluster, "memory: 128Mi # this cluster's nodes", "memory: 64Mi # this cluster's nodes"),
      fault(
        "tag",
        kustomization,
        'newTag: "1.27" # promoted by the release train',
        'newTag: "1.72" # promoted by the release train',
      ),
      fault(
        "probe",
        probe,
        "port: 8080 # production answers where the base does",
        "port: 8081 # production answers where the base does",
      ),
    ],
    roots: [{ tool: "kustomize", namespace: production, path: "apps/overlays/production", patchesOf: cluster }],
  };
}
