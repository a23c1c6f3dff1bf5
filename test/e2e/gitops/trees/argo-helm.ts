import { stringify } from "yaml";
import { ARGOCD, argoApplication, argoRepository, type EngineRef } from "../engines.ts";
import type { Fault } from "../faults.ts";
import { chart } from "../fixtures.ts";
import type { Tree } from "./tree.ts";

/** An app of apps: the Applications of a chart stand in Git, with value files and a valuesObject over them. */
export function argoHelm(tag: string, repoURL: string): Tree {
  const root = `apps-${tag}`;
  const production = `chart-production-${tag}`;
  const staging = `chart-staging-${tag}`;
  const application = (namespace: string, environment: string): string =>
    stringify(
      argoApplication(namespace, {
        namespace,
        optIn: true,
        source: {
          repoURL,
          path: "charts/shop",
          helm: {
            releaseName: "shop",
            valueFiles: [`../../environments/${environment}.yaml`],
            valuesObject: { web: { image: { tag: "1.27" } } },
          },
        },
      }),
    ).replace(/(tag: "1\.27")/, "$1 # promoted by the release train");
  const values = `worker:
  resources:
    limits:
      memory: 128Mi # measured in spring
api:
  probe:
    port: 8080 # netexec's
`;
  const file = "apps/production.yaml";
  const environment = "environments/production.yaml";
  const fault = (kind: Fault["kind"], at: string, good: string, bad: string): Fault => {
    return { kind, namespace: production, file: at, good, bad };
  };
  const engine = (name: string): EngineRef => ({ kind: "Application", namespace: ARGOCD, name });
  return {
    engine: "argocd",
    files: {
      ...chart("charts/shop"),
      [file]: application(production, "production"),
      "apps/staging.yaml": application(staging, "staging"),
      [environment]: values,
      "environments/staging.yaml": values,
    },
    applied: (remote) => [
      argoRepository(root, remote),
      argoApplication(root, { namespace: ARGOCD, source: { repoURL: remote.url, path: "apps" }, optIn: false }),
    ],
    source: root,
    engines: [engine(root), engine(production), engine(staging)],
    broken: [production],
    untouched: staging,
    faults: [
      fault("oom", environment, "memory: 128Mi # measured in spring", "memory: 64Mi # measured in spring"),
      fault("tag", file, 'tag: "1.27" # promoted by the release train', 'tag: "1.72" # promoted by the release train'),
      fault("probe", environment, "port: 8080 # netexec's", "port: 8081 # netexec's"),
    ],
    roots: [
      {
        tool: "helm",
        namespace: production,
        release: "shop",
        chart: "charts/shop",
        valueFiles: [environment],
        inline: { file, at: ["spec", "source", "helm", "valuesObject"] },
      },
    ],
  };
}
