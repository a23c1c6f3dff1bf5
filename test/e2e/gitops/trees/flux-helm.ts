import { type EngineRef, FLUX, fluxRoot, fluxSource, INTERVAL } from "../engines.ts";
import type { Fault } from "../faults.ts";
import { chart } from "../fixtures.ts";
import type { Tree } from "./tree.ts";

/** A chart in Git, released into two environments by HelmReleases that are themselves deployed from Git. */
export function fluxHelm(tag: string): Tree {
  const root = `releases-${tag}`;
  const production = `helm-production-${tag}`;
  const staging = `helm-staging-${tag}`;
  const release = (namespace: string): string => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: shop
  namespace: ${namespace}
spec:
  interval: ${INTERVAL}
  driftDetection:
    mode: enabled
  # A broken pod is no failed release here: the release stays deployed, and its drift is corrected all the while.
  install:
    disableWait: true
  upgrade:
    disableWait: true
  chart:
    spec:
      chart: ./charts/shop
      interval: ${INTERVAL}
      sourceRef:
        kind: GitRepository
        name: ${root}
        namespace: ${FLUX}
  values:
    worker:
      resources:
        limits:
          memory: 128Mi # measured in spring
    web:
      image:
        tag: "1.27" # promoted by the release train
    api:
      probe:
        port: 8080 # netexec's
`;
  const file = "releases/production/helmrelease.yaml";
  const fault = (kind: Fault["kind"], good: string, bad: string): Fault => {
    return { kind, namespace: production, file, good, bad };
  };
  const engine = (namespace: string): EngineRef => ({ kind: "HelmRelease", namespace, name: "shop" });
  return {
    engine: "flux",
    files: {
      ...chart("charts/shop"),
      [file]: release(production),
      "releases/staging/helmrelease.yaml": release(staging),
    },
    applied: (remote) => [...fluxSource(root, remote), fluxRoot(root, "./releases")],
    source: root,
    engines: [{ kind: "Kustomization", namespace: FLUX, name: root }, engine(production), engine(staging)],
    broken: [production],
    untouched: staging,
    faults: [
      fault("oom", "memory: 128Mi # measured in spring", "memory: 64Mi # measured in spring"),
      fault("tag", 'tag: "1.27" # promoted by the release train', 'tag: "1.72" # promoted by the release train'),
      fault("probe", "port: 8080 # netexec's", "port: 8081 # netexec's"),
    ],
    roots: [
      {
        tool: "helm",
        namespace: production,
        release: "shop",
        chart: "charts/shop",
        valueFiles: [],
        inline: { file, at: ["spec", "values"] },
      },
    ],
  };
}
