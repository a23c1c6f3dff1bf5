import { ARGOCD, argoApplication, argoRepository, type EngineRef } from "../engines.ts";
import type { Fault } from "../faults.ts";
import { HEALTHY, shop } from "../fixtures.ts";
import type { Tree } from "./tree.ts";

/** Applications that a person applied: a folder of plain manifests, and two environments of a Kustomize base. */
export function argoManifests(tag: string, options: { readonly optIn: boolean }): Tree {
  const name = `shops-${tag}`;
  const plain = `plain-${tag}`;
  const production = `argo-production-${tag}`;
  const staging = `argo-staging-${tag}`;
  // Plain manifests name no namespace: the Application's destination says it.
  const own = shop();
  const base = shop({ ...HEALTHY, memory: "160Mi" });
  const overlay = (namespace: string, more: string): string => `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: ${namespace}
resources:
  - ../../base
${more}`;
  const kustomization = "kustomize/overlays/production/kustomization.yaml";
  const memory = "kustomize/overlays/production/worker-memory.yaml";
  const application = (namespace: string, repoURL: string, source: { path: string; directory?: object }): object =>
    argoApplication(namespace, { namespace, source: { repoURL, ...source }, optIn: options.optIn });
  const engine = (namespace: string): EngineRef => ({ kind: "Application", namespace: ARGOCD, name: namespace });
  return {
    engine: "argocd",
    files: {
      "plain/backend/worker.yaml": own["worker"] ?? "",
      "plain/backend/api.yaml": own["api"] ?? "",
      "plain/frontend/web.yaml": own["web"] ?? "",
      "plain/cache.yaml": own["cache"] ?? "",
      "kustomize/base/worker.yaml": base["worker"] ?? "",
      "kustomize/base/web.yaml": base["web"] ?? "",
      "kustomize/base/api.yaml": base["api"] ?? "",
      "kustomize/base/cache.yaml": base["cache"] ?? "",
      "kustomize/base/kustomization.yaml": `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [worker.yaml, web.yaml, api.yaml, cache.yaml]
`,
      [kustomization]: overlay(
        production,
        `images:
  - name: nginx
    newTag: "1.27" # promoted by the release train
patches:
  - path: worker-memory.yaml
  - target: {kind: Deployment, name: api}
    patch: |-
      - op: replace
        path: /spec/template/spec/containers/0/readinessProbe/httpGet/port
        value: 8080 # netexec's
`,
      ),
      [memory]: `apiVersion: apps/v1
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
              memory: 128Mi # production's own
`,
      "kustomize/overlays/staging/kustomization.yaml": overlay(staging, ""),
    },
    applied: (remote) => [
      argoRepository(name, remote),
      application(plain, remote.url, { path: "plain", directory: { recurse: true } }),
      application(production, remote.url, { path: "kustomize/overlays/production" }),
      application(staging, remote.url, { path: "kustomize/overlays/staging" }),
    ],
    source: name,
    engines: [engine(plain), engine(production), engine(staging)],
    broken: [plain, production],
    untouched: staging,
    faults: [
      ...plainFaults(plain),
      { ...lines("oom", "memory: 128Mi # production's own", "128Mi", "64Mi"), namespace: production, file: memory },
      {
        ...lines("tag", 'newTag: "1.27" # promoted by the release train', "1.27", "1.72"),
        namespace: production,
        file: kustomization,
      },
      { ...lines("probe", "value: 8080 # netexec's", "8080", "8081"), namespace: production, file: kustomization },
    ],
    roots: [
      { tool: "plain", namespace: plain, path: "plain" },
      { tool: "kustomize", namespace: production, path: "kustomize/overlays/production" },
    ],
  };
}

function plainFaults(namespace: string): Fault[] {
  return [
    {
      ...lines("oom", "memory: 128Mi # measured in spring", "128Mi", "64Mi"),
      file: "plain/backend/worker.yaml",
      namespace,
    },
    {
      ...lines("tag", "image: nginx:1.27 # what customers see", "1.27", "1.72"),
      file: "plain/frontend/web.yaml",
      namespace,
    },
    { ...lines("probe", "port: 8080 # netexec's", "8080", "8081"), file: "plain/backend/api.yaml", namespace },
  ];
}

/** A line, and the same line with one word wrong. */
function lines(kind: Fault["kind"], good: string, right: string, wrong: string): Pick<Fault, "kind" | "good" | "bad"> {
  return { kind, good, bad: good.replace(right, wrong) };
}
