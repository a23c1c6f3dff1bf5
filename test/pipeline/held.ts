import { expect } from "vitest";
import type { Hold, HoldKind, KubeObject } from "../../src/model.ts";
import type { Clock } from "../../src/ports.ts";
import { type Engine, type EngineKind, type EngineOptions, OWNERS, startEngine } from "./engine.ts";
import { FILE } from "./incident.ts";
import { deployment, isKilled, makeWorld, virtualClock, type World } from "./world.ts";

export interface Held extends World {
  readonly engine: Engine;
}

/** Each hold that writes something or is more than nothing: which engine, what configuration, and what its owner must say. */
export const CASES: Readonly<
  Record<Exclude<HoldKind, "none">, { readonly kind: EngineKind; readonly spec?: object; readonly settings?: object }>
> = {
  "flux-object": { kind: "Kustomization" },
  "flux-drift": { kind: "HelmRelease" },
  "argocd-fields": {
    kind: "Application",
    spec: {
      syncPolicy: { automated: { selfHeal: true }, syncOptions: ["RespectIgnoreDifferences=true"] },
      ignoreDifferences: [{ group: "apps", kind: "Deployment", managedFieldsManagers: ["stanch"] }],
    },
  },
  "argocd-skip": { kind: "Application", settings: { holds: { application: true } } },
  "flux-suspend": { kind: "Kustomization", settings: { holds: { object: false, application: true } } },
};
export type CaseName = keyof typeof CASES;
export const NAMES = Object.keys(CASES) as CaseName[];

/** What the object or its owner carries while the hold stands. */
const MARKS = [
  '"kustomize.toolkit.fluxcd.io/reconcile":"disabled"',
  '"helm.toolkit.fluxcd.io/driftDetection":"disabled"',
  '"argocd.argoproj.io/skip-reconcile":"true"',
  '"suspend":true',
];

export async function startHeld(kind: EngineKind, options: EngineOptions = {}): Promise<Held> {
  const time = virtualClock();
  let engine: Engine | undefined;
  // The engine is at work whenever time passes.
  const clock: Clock = {
    now: time.now,
    async sleep(ms) {
      await time.sleep(ms);
      await engine?.tick();
    },
  };
  const world = await makeWorld({ [FILE]: deployment() }, clock, {
    readDeployers: async () => engine?.readDeployers() ?? { all: [], of: () => null, gaps: [] },
  });
  engine = await startEngine(kind, world, options);
  await world.until(() => isKilled(world));
  return Object.assign(world, { engine });
}

export function startCase(name: CaseName): Promise<Held> {
  const { kind, spec } = CASES[name];
  return startHeld(kind, spec === undefined ? {} : { spec });
}

export function settingsOf(name: CaseName, more: object = {}): object {
  return { ...CASES[name].settings, ...more };
}

export const holdsOf = (world: World): readonly Hold[] => world.incidents().flatMap((one) => one.status?.holds ?? []);

/** Everything that a hold leaves in the cluster; empty: none stands, whatever incidents say. */
export function traces(world: World): string[] {
  const app = world.cluster.get("apps/v1", "Deployment", "shop", "app");
  const owners = Object.values(OWNERS).map((ref) =>
    world.cluster.get(ref.apiVersion, ref.kind, ref.namespace, ref.name),
  );
  const text = JSON.stringify([app?.metadata.annotations, ...owners.map(readable)]);
  return [
    ...MARKS.filter((mark) => text.includes(mark)),
    ...(app?.metadata.managedFields ?? []).flatMap((entry) => (entry.manager === "stanch" ? ["manager stanch"] : [])),
  ];
}

function readable(object: KubeObject | undefined): unknown {
  return object === undefined ? null : [object.metadata.annotations, object["spec"]];
}

export function expectHeld(world: World, name: CaseName): void {
  expect(holdsOf(world).map((hold) => [hold.kind, hold.releasedAt])).toEqual([[name, undefined]]);
  expect(traces(world).length).toBeGreaterThan(0);
}

/** Nothing stands, and the incident knows. */
export function expectFree(world: World): void {
  expect(traces(world)).toEqual([]);
  expect(holdsOf(world).filter((hold) => hold.releasedAt === undefined)).toEqual([]);
}

/** Time passes, and the engine with it. */
export async function wait(world: World, seconds: number): Promise<void> {
  for (let left = seconds; left > 0; left -= 5) await world.clock.sleep(Math.min(5, left) * 1000);
}

/** Somebody writes a memory limit live. */
export async function writeMemory(world: World, value: string, manager = "ada"): Promise<void> {
  const path = "/spec/template/spec/containers/0/resources/limits/memory";
  await patchAs(world, "/apis/apps/v1/namespaces/shop/deployments/app", manager, [{ op: "replace", path, value }]);
}

/** A JSON Patch by somebody else than Stanch. */
export async function patchAs(
  world: World,
  path: string,
  manager: string,
  operations: readonly object[],
): Promise<void> {
  const answer = await fetch(`${world.cluster.url}${path}?fieldManager=${manager}`, {
    method: "PATCH",
    headers: { "content-type": "application/json-patch+json" },
    body: JSON.stringify(operations),
  });
  if (!answer.ok) throw new Error(await answer.text());
}
