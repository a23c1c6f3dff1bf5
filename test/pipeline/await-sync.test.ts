import { describe, expect, it } from "vitest";
import { heldBack } from "../../src/await-sync.ts";
import { StanchError } from "../../src/errors.ts";
import type { Incident } from "../../src/incident/incident.ts";
import type { Hold, KubeObject, ObjectRef } from "../../src/model.ts";
import type { Run } from "../../src/run.ts";

const NOW = Date.UTC(2026, 0, 1);
const at = (minutes: number): string => new Date(NOW + minutes * 60_000).toISOString();
const [MERGE, LATER, OTHER] = ["a", "b", "c"].map((letter) => letter.repeat(40)) as [string, string, string];
const cart: ObjectRef = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
const owner: ObjectRef = {
  apiVersion: "helm.toolkit.fluxcd.io/v2",
  kind: "HelmRelease",
  namespace: "shop",
  name: "cart",
};
const parent: ObjectRef = {
  ...owner,
  apiVersion: "kustomize.toolkit.fluxcd.io/v1",
  kind: "Kustomization",
  name: "apps",
};
const made = (ref: ObjectRef, status: object): KubeObject => ({
  apiVersion: ref.apiVersion,
  kind: ref.kind,
  metadata: { name: ref.name, namespace: ref.namespace, generation: 1 },
  status,
});

/** A held release whose values stand in acme/fleet, and whose chart does not; `applied`: where the Kustomization above it is. */
function held(applied: string, commit: string): Promise<string | null> {
  const release = made(owner, {
    observedGeneration: 1,
    conditions: [{ type: "Ready", status: "True" }],
    history: [{ lastDeployed: at(5) }],
  });
  const objects = [release, made(parent, { lastAppliedRevision: `main@sha1:${applied}` })];
  const hold: Hold = {
    kind: "flux-drift",
    object: cart,
    owner,
    reason: "",
    takenAt: at(-60),
    expiresAt: at(600),
    changes: [],
  };
  const incident = {
    spec: { workload: cart },
    status: {
      holds: [hold],
      plan: { changes: [{ object: cart, path: ["spec"], to: 1 }] },
      pullRequest: { repository: "acme/fleet", base: "main" },
    },
  } as unknown as Incident;
  const log = [LATER, MERGE, OTHER].map((sha) => ({ sha }));
  const run = {
    config: { followUp: { deployed: 60_000 } },
    clock: { now: () => new Date(NOW + 600_000) },
    cluster: { get: async (ref: ObjectRef) => objects.find(({ kind }) => kind === ref.kind) ?? null },
    workbench: {
      open: async (repository: string) => {
        if (repository !== "acme/fleet") throw new StanchError("git", "no");
        return { history: async () => log };
      },
      // A chart that is fetched: its checkout has no history.
      find: async () => ({ found: true, bench: { checkout: { revision: "1.2.3", history: async () => [] } } }),
      deployers: async () => {
        const above = objects[1] as KubeObject;
        return {
          all: [],
          of: ({ kind }: KubeObject) => (kind === "HelmRelease" ? { ref: parent, object: above } : null),
          gaps: [],
        };
      },
    },
  } as unknown as Run;
  return heldBack(incident, { commit, since: at(0) }, run);
}

describe("a hold of what is rendered from another repository than the pull request's", () => {
  it("ends when its parent is at the merge, or after it", async () => {
    expect(await held(MERGE, MERGE)).toBeNull();
    expect(await held(LATER, MERGE)).toBeNull();
  });

  it("and not before", async () => {
    expect(await held(OTHER, MERGE)).toMatch(/Kustomization shop\/apps is at c{7}, not at a{7} yet/);
  });

  it("ends with the release where a version of a chart is awaited, which is no commit", async () => {
    expect(await held(OTHER, "1.2.3")).toBeNull();
  });
});
