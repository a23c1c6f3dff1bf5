import { parse } from "yaml";
import type { Deployer, Deployers } from "../../src/gitops/origin.ts";
import { managersOf } from "../../src/kube/field-managers.ts";
import { getAt } from "../../src/kube/field-path.ts";
import { refOf, sameRef } from "../../src/kube/ref.ts";
import { resourceOf } from "../../src/kube/resources.ts";
import type { FieldPath, KubeObject, ObjectRef } from "../../src/model.ts";
import { REPOSITORY, TOKEN, type World } from "./world.ts";

/** As much of Argo CD and Flux as a hold has to do with: they revert, respect what they respect, and say where they are. */

export type EngineKind = "Application" | "Kustomization" | "HelmRelease";

export interface Engine {
  readonly owner: ObjectRef;
  /** What it does at this moment of the world's time. */
  tick(): Promise<void>;
  readDeployers(): Promise<Deployers>;
  /** How often it put back a value that differed from Git's. */
  reverts(): number;
  /** Goes on, or stands still as an engine without a controller does. */
  pause(paused: boolean): void;
}

const FILE = "apps/app.yaml";
const APP: ObjectRef = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" };
export const MEMORY: FieldPath = [
  "spec",
  "template",
  "spec",
  "containers",
  { by: "name", value: "app" },
  "resources",
  "limits",
  "memory",
];
export const SOURCE: ObjectRef = {
  apiVersion: "source.toolkit.fluxcd.io/v1",
  kind: "GitRepository",
  namespace: "flux-system",
  name: "shop",
};
export const OWNERS: Readonly<Record<EngineKind, ObjectRef>> = {
  Application: { apiVersion: "argoproj.io/v1alpha1", kind: "Application", namespace: "argocd", name: "shop" },
  Kustomization: {
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    namespace: "flux-system",
    name: "apps",
  },
  HelmRelease: { apiVersion: "helm.toolkit.fluxcd.io/v2", kind: "HelmRelease", namespace: "shop", name: "app" },
};
const MANAGERS: Readonly<Record<EngineKind, string>> = {
  Application: "argocd-controller",
  Kustomization: "kustomize-controller",
  HelmRelease: "helm-controller",
};
/** What each writes on what it deploys. */
const MARKS: Readonly<Record<EngineKind, object>> = {
  Application: { annotations: { "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/app" } },
  Kustomization: {
    labels: { "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system" },
  },
  HelmRelease: { labels: { "helm.toolkit.fluxcd.io/name": "app", "helm.toolkit.fluxcd.io/namespace": "shop" } },
};
const SPECS: Readonly<Record<EngineKind, object>> = {
  Application: { source: { path: "apps" }, syncPolicy: { automated: { selfHeal: true } } },
  Kustomization: { interval: "15s", path: "./apps", sourceRef: { kind: "GitRepository", name: "shop" } },
  HelmRelease: {
    chart: { spec: { chart: "apps", sourceRef: { kind: "GitRepository", name: "shop", namespace: "flux-system" } } },
    driftDetection: { mode: "enabled" },
  },
};
/** Seconds between two looks at the objects and between two looks at Git. */
const EVERY: Readonly<Record<EngineKind, { readonly objects: number; readonly git: number }>> = {
  Application: { objects: 1, git: 180 },
  Kustomization: { objects: 15, git: 60 },
  HelmRelease: { objects: 15, git: 60 },
};

export function definition(ref: ObjectRef): KubeObject {
  const [group = "", version = ""] = ref.apiVersion.split("/");
  const plural = resourceOf(ref.apiVersion, ref.kind)?.plural ?? "";
  const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind: ref.kind, plural, singular: ref.kind.toLowerCase(), listKind: `${ref.kind}List` },
      versions: [
        { name: version, served: true, storage: true, subresources: { status: {} }, schema: { openAPIV3Schema: open } },
      ],
    },
  };
}

export interface EngineOptions {
  /** Merged over the owner's usual spec. */
  readonly spec?: object;
  readonly metadata?: object;
  /** It reverts whatever is annotated. */
  readonly deaf?: boolean;
}

/** Starts an engine that deploys `apps/app.yaml` of main, and deploys it. */
export async function startEngine(
  kind: EngineKind,
  world: World,
  { spec = {}, metadata = {}, deaf = false }: EngineOptions = {},
): Promise<Engine> {
  const owner = OWNERS[kind];
  const manager = MANAGERS[kind];
  const namespaces = ["flux-system", "argocd"].map(
    (name): KubeObject => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }),
  );
  world.cluster.apply([
    ...[SOURCE, ...Object.values(OWNERS)].map(definition),
    ...namespaces,
    made(SOURCE, { interval: "1m", url: `https://github.com/${REPOSITORY}` }),
    { ...made(owner, { ...SPECS[kind], ...spec }), metadata: { ...made(owner, {}).metadata, ...metadata } },
  ]);
  const read = (ref: ObjectRef): KubeObject | undefined =>
    world.cluster.get(ref.apiVersion, ref.kind, ref.namespace, ref.name);
  const now = (): number => world.clock.now().getTime();
  const manifests = new Map<string, KubeObject>();
  let [looked, fetched, seen, reverted] = [0, 0, "", 0];
  let paused = false;
  let revision = "";

  async function patch(ref: ObjectRef, type: string, body: object, more = "", part = ""): Promise<void> {
    const [group, version] = ref.apiVersion.split("/");
    const plural = resourceOf(ref.apiVersion, ref.kind)?.plural;
    const url = `${world.cluster.url}/apis/${group}/${version}/namespaces/${ref.namespace}/${plural}/${ref.name}${part}`;
    const answer = await fetch(`${url}?fieldManager=${manager}${more}`, {
      method: "PATCH",
      headers: { "content-type": `application/${type}` },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${manager}: ${await answer.text()}`);
  }
  const says = (ref: ObjectRef, status: object): Promise<void> =>
    patch(ref, "merge-patch+json", { status }, "", "/status");

  async function head(): Promise<string> {
    const answer = await fetch(`${world.host.apiUrl}/repos/${REPOSITORY}/git/ref/heads/main`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    return ((await answer.json()) as { object: { sha: string } }).object.sha;
  }

  async function manifestAt(commit: string): Promise<KubeObject> {
    const known = manifests.get(commit) ?? (parse(await world.host.read(REPOSITORY, commit, FILE)) as KubeObject);
    manifests.set(commit, known);
    return { ...known, metadata: { ...known.metadata, ...MARKS[kind] } };
  }

  async function deploy(): Promise<void> {
    const wanted = await manifestAt(revision);
    const live = read(APP);
    const is = live === undefined ? undefined : getAt(live, MEMORY);
    const should = getAt(wanted, MEMORY);
    if (live !== undefined && is === should) return;
    if (live !== undefined) reverted += 1;
    await patch(APP, "apply-patch+yaml", wanted, "&force=true");
  }

  async function argo(app: KubeObject): Promise<void> {
    const annotations = app.metadata.annotations ?? {};
    if (annotations["argocd.argoproj.io/skip-reconcile"] === "true") return;
    const before = revision;
    const asked = annotations["argocd.argoproj.io/refresh"] !== undefined;
    if (asked || now() - fetched >= EVERY[kind].git * 1000) {
      revision = await head();
      fetched = now();
      if (asked)
        await patch(owner, "merge-patch+json", { metadata: { annotations: { "argocd.argoproj.io/refresh": null } } });
    }
    const live = read(APP);
    const respects = JSON.stringify(app["spec"]).includes('"managedFieldsManagers":["stanch"]');
    const kept = respects && live !== undefined && managersOf(live, MEMORY).some((by) => by.manager === "stanch");
    const { automated } = (app["spec"] as { syncPolicy: { automated?: { selfHeal?: boolean } } }).syncPolicy;
    if (
      !kept &&
      (live === undefined || (automated !== undefined && (automated.selfHeal === true || before !== revision)))
    )
      await deploy();
    if (getAt(app, ["status", "sync", "revision"]) !== revision) await says(owner, { sync: { revision } });
  }

  async function flux(object: KubeObject): Promise<void> {
    const source = read(SOURCE);
    const requested = `${source?.metadata.annotations?.["reconcile.fluxcd.io/requestedAt"]} ${object.metadata.annotations?.["reconcile.fluxcd.io/requestedAt"]}`;
    const asked = requested !== seen;
    seen = requested;
    const before = revision;
    if (asked || now() - fetched >= EVERY[kind].git * 1000) {
      revision = await head();
      fetched = now();
      if (before !== revision) await says(SOURCE, { artifact: { revision: `main@sha1:${revision}` } });
    }
    if ((object["spec"] as { suspend?: boolean }).suspend === true) return;
    if (!asked && before === revision && now() - looked < EVERY[kind].objects * 1000) return;
    looked = now();
    const annotations = deaf ? {} : (read(APP)?.metadata.annotations ?? {});
    if (kind === "Kustomization") {
      if (annotations["kustomize.toolkit.fluxcd.io/reconcile"] !== "disabled") await deploy();
      await says(owner, { lastAppliedRevision: `main@sha1:${revision}` });
      return;
    }
    const released = getAt(object, ["status", "released"]);
    const upgrade = released !== revision;
    const corrects = (object["spec"] as { driftDetection?: { mode?: string } }).driftDetection?.mode === "enabled";
    if (upgrade || (corrects && annotations["helm.toolkit.fluxcd.io/driftDetection"] !== "disabled")) await deploy();
    if (upgrade)
      await says(owner, {
        released: revision,
        observedGeneration: object.metadata.generation ?? 1,
        conditions: [{ type: "Ready", status: "True" }],
        history: [{ lastDeployed: new Date(now()).toISOString() }],
      });
    else if (getAt(object, ["status", "observedGeneration"]) !== object.metadata.generation)
      await says(owner, { observedGeneration: object.metadata.generation ?? 1 });
  }

  let busy = false;
  const engine: Engine = {
    owner,
    async tick() {
      const object = read(owner);
      if (busy || paused || object === undefined) return;
      busy = true;
      try {
        await (kind === "Application" ? argo(object) : flux(object));
      } finally {
        busy = false;
      }
    },
    async readDeployers() {
      const all = Object.values(OWNERS).flatMap((ref): Deployer[] => {
        const object = read(ref);
        return object === undefined ? [] : [{ ref, object, origins: { found: true, origins: [] } }];
      });
      return {
        all,
        of: (object) => (sameRef(refOf(object), APP) ? (all.find(({ ref }) => sameRef(ref, owner)) ?? null) : null),
        gaps: [],
      };
    },
    reverts: () => reverted,
    pause(on) {
      paused = on;
    },
  };
  await engine.tick();
  return engine;
}

function made(ref: ObjectRef, spec: object): KubeObject {
  return { apiVersion: ref.apiVersion, kind: ref.kind, metadata: { name: ref.name, namespace: ref.namespace }, spec };
}
