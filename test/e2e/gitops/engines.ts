import { kubectl } from "../lab.ts";
import { eventually } from "./wait.ts";

/** An object of an engine that deploys something. */
export interface EngineRef {
  readonly kind: "Kustomization" | "HelmRelease" | "Application";
  readonly namespace: string;
  readonly name: string;
}

/** Where an engine fetches from, and with what. */
export interface Remote {
  readonly url: string;
  readonly token: string;
}

export const FLUX = "flux-system";
export const ARGOCD = "argocd";
/** Shorter than any watch of the suite, so that a hold has to outlive it. */
export const INTERVAL = "10s";

const RESOURCE: Readonly<Record<EngineRef["kind"] | "GitRepository", string>> = {
  Kustomization: "kustomizations.kustomize.toolkit.fluxcd.io",
  HelmRelease: "helmreleases.helm.toolkit.fluxcd.io",
  Application: "applications.argoproj.io",
  GitRepository: "gitrepositories.source.toolkit.fluxcd.io",
};

/** Which engines the cluster has; null: it has this one. */
export async function missingEngine(namespace: string, kind: EngineRef["kind"]): Promise<string | null> {
  const found = await kubectl(["get", "namespace", namespace, "-o", "name", "--ignore-not-found"]);
  if (found === "") return `there is no namespace ${namespace}`;
  const crd = await kubectl(["get", "crd", RESOURCE[kind], "-o", "name", "--ignore-not-found"]);
  return crd === "" ? `the cluster does not serve ${RESOURCE[kind]}` : null;
}

/** A GitRepository `name` that reads a private repository with a token. */
export function fluxSource(name: string, remote: Remote): object[] {
  return [
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace: FLUX },
      stringData: { username: "git", password: remote.token },
    },
    {
      apiVersion: "source.toolkit.fluxcd.io/v1",
      kind: "GitRepository",
      metadata: { name, namespace: FLUX },
      spec: { interval: INTERVAL, url: remote.url, ref: { branch: "main" }, secretRef: { name } },
    },
  ];
}

/** The Kustomization that a person applies once: everything else comes from Git. */
export function fluxRoot(name: string, path: string): object {
  return {
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name, namespace: FLUX },
    spec: {
      interval: INTERVAL,
      retryInterval: INTERVAL,
      path,
      prune: true,
      sourceRef: { kind: "GitRepository", name },
    },
  };
}

/** The Secret by which Argo CD may read a private repository. */
export function argoRepository(name: string, remote: Remote): object {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: ARGOCD, labels: { "argocd.argoproj.io/secret-type": "repository" } },
    stringData: { type: "git", url: remote.url, username: "git", password: remote.token },
  };
}

/** An Application with automatic sync and self-heal. `optIn`: Stanch's fields are ignored while it owns them. */
export function argoApplication(
  name: string,
  options: {
    readonly namespace: string;
    readonly source: { readonly repoURL: string; readonly path: string; readonly [more: string]: unknown };
    readonly optIn: boolean;
  },
): object {
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: { name, namespace: ARGOCD },
    spec: {
      project: "default",
      destination: { server: "https://kubernetes.default.svc", namespace: options.namespace },
      source: { targetRevision: "main", ...options.source },
      syncPolicy: {
        automated: { prune: true, selfHeal: true },
        ...(options.optIn ? { syncOptions: ["RespectIgnoreDifferences=true"] } : {}),
      },
      ...(options.optIn
        ? { ignoreDifferences: [{ group: "apps", kind: "Deployment", managedFieldsManagers: ["stanch"] }] }
        : {}),
    },
  };
}

interface EngineObject {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly lastAppliedRevision?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly sync?: { readonly status?: string; readonly revision?: string };
    readonly health?: { readonly status?: string };
    readonly operationState?: { readonly phase?: string; readonly message?: string };
  };
}

/** What an engine says against being synced at a commit; null: it is. A HelmRelease names no commit: it must be ready. */
export async function unsynced(ref: EngineRef, commit: string, options: { healthy: boolean }): Promise<string | null> {
  const text = await kubectl(["-n", ref.namespace, "get", RESOURCE[ref.kind], ref.name, "-o", "json"]);
  const { metadata, status = {} } = JSON.parse(text) as EngineObject;
  const what = `${ref.kind} ${ref.namespace}/${ref.name}`;
  if (ref.kind === "Application") {
    const { sync, health, operationState } = status;
    const said = `${what}: ${sync?.status} at ${sync?.revision}, ${health?.status}; ${operationState?.phase}: ${operationState?.message}`;
    if (sync?.revision !== commit || sync.status !== "Synced" || operationState?.phase === "Running") return said;
    return options.healthy && health?.status !== "Healthy" ? said : null;
  }
  const ready = status.conditions?.find((condition) => condition.type === "Ready");
  const said = `${what}: Ready=${ready?.status} at ${status.lastAppliedRevision}: ${ready?.message}`;
  if (ready?.status !== "True" || status.observedGeneration !== metadata.generation) return said;
  return ref.kind === "HelmRelease" || status.lastAppliedRevision?.endsWith(commit) === true ? null : said;
}

/**
 * Asks Argo CD to look at an Application now, as a webhook would: its own poll comes with a jitter of up to a minute, and
 * giving up ownership of a field is no update to it at all. Flux looks at its interval.
 */
export async function nudge(ref: EngineRef): Promise<void> {
  if (ref.kind !== "Application") return;
  const words = ["-n", ref.namespace, "annotate", RESOURCE.Application, ref.name, "--overwrite"];
  await kubectl([...words, "argocd.argoproj.io/refresh=normal"]);
}

/** Waits until all of these are synced at a commit, by their own word. What Stanch must ask for itself is not nudged. */
export async function untilSynced(
  refs: readonly EngineRef[],
  commit: string,
  options: { readonly healthy: boolean; readonly seconds?: number; readonly nudge?: boolean },
): Promise<void> {
  for (const ref of refs) {
    if (options.nudge === true) await nudge(ref);
    await eventually(`${ref.name} synced at ${commit.slice(0, 8)}`, options.seconds ?? 90, () =>
      unsynced(ref, commit, options),
    );
  }
}

/**
 * Takes engine objects away with what they deployed. Outermost first, because a parent would make its child again; each
 * is waited for, because a finalizer needs its engine, and a child's namespace may be gone before.
 */
export async function removeEngines(refs: readonly EngineRef[], source: string): Promise<void> {
  for (const { kind, namespace, name } of refs)
    await kubectl(
      ["-n", namespace, "delete", RESOURCE[kind], name, "--ignore-not-found", "--wait=true", "--timeout=60s"],
      { may: [1] },
    );
  for (const [namespace, kind] of [
    [FLUX, RESOURCE.GitRepository],
    [FLUX, "secret"],
    [ARGOCD, "secret"],
  ] as const)
    await kubectl(["-n", namespace, "delete", kind, source, "--ignore-not-found", "--wait=false"], { may: [1] });
}
