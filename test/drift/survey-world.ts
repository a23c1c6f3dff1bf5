import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { composeHosts } from "../../src/compose.ts";
import { parseConfig } from "../../src/config/load.ts";
import type { DriftReport } from "../../src/drift/model.ts";
import type { DriftRequest } from "../../src/drift/request.ts";
import { surveyDrift } from "../../src/drift/survey.ts";
import type { Deployer, Deployers, Origin } from "../../src/gitops/origin.ts";
import type { Incident } from "../../src/incident/incident.ts";
import { refOf } from "../../src/kube/ref.ts";
import { createLog } from "../../src/log.ts";
import type { KubeObject } from "../../src/model.ts";
import type { Clock } from "../../src/ports.ts";
import { createWorkbench } from "../../src/workbench.ts";
import { makeWorld, REPOSITORY, TOKEN, type World } from "../pipeline/world.ts";

export interface Asked {
  readonly deployers?: readonly Deployer[];
  readonly gaps?: readonly string[];
  readonly incidents?: readonly Incident[];
  readonly config?: object;
  readonly mode?: DriftRequest["mode"];
  /** Runs while the survey waits for its second look. */
  readonly meanwhile?: () => Promise<void>;
  readonly wrap?: (cluster: World["api"]) => DriftRequest["cluster"];
  readonly more?: Partial<DriftRequest>;
}

export interface SurveyWorld extends AsyncDisposable {
  readonly world: World;
  survey(asked?: Asked): Promise<DriftReport>;
  /** Everything that was written to the log. */
  readonly logged: string[];
  head(): Promise<string>;
  /** JSON Patch under somebody's name. */
  edit(
    object: { kind: string; name: string; path: string },
    operations: readonly object[],
    manager: string,
  ): Promise<void>;
}

/** A repository and a cluster, without an engine: what engines say is put in by hand. */
export async function surveyWorld(files: Readonly<Record<string, string>>): Promise<SurveyWorld> {
  const world = await makeWorld(files);
  const folder = await mkdtemp(join(tmpdir(), "stanch-survey-"));
  const logged: string[] = [];
  const log = createLog({
    format: "json",
    level: "debug",
    interactive: false,
    write: (text) => void logged.push(text),
    now: () => new Date(),
  });
  return {
    world,
    logged,
    async survey({
      deployers,
      gaps = [],
      incidents,
      config: settings = {},
      mode = "client",
      meanwhile,
      wrap,
      more,
    } = {}) {
      const config = parseConfig(
        JSON.stringify({
          cluster: "test",
          ...(deployers === undefined
            ? { sources: [{ repository: REPOSITORY, path: "apps", namespaces: ["shop"] }] }
            : {}),
          github: { apiUrl: world.host.apiUrl, pause: "0s" },
          git: { cache: join(folder, "git") },
          ...settings,
        }),
      );
      const base = { config, configFile: undefined, log, clock: world.clock, output: "json" as const };
      const hosts = await composeHosts(base, {
        env: { PATH: process.env["PATH"], GITHUB_TOKEN: TOKEN },
        interactive: false,
      });
      const known: Deployers = { all: deployers ?? [], of: () => null, gaps };
      const workbench = createWorkbench(config, { ...hosts, readDeployers: async () => known });
      const clock: Clock = { now: world.clock.now, sleep: async () => meanwhile?.() };
      try {
        return await surveyDrift({
          config,
          cluster: wrap === undefined ? world.api : wrap(world.api),
          workbench,
          renderer: hosts.renderer,
          ...(incidents === undefined ? {} : { incidents: async () => incidents }),
          clock,
          log,
          version: "0.0.0",
          mode,
          wait: 0,
          ...more,
        });
      } finally {
        await workbench.close();
      }
    },
    async head() {
      const checks = await fetch(`${world.host.apiUrl}/repos/${REPOSITORY}/git/ref/heads/main`, {
        headers: { authorization: `token ${TOKEN}` },
      });
      return ((await checks.json()) as { object: { sha: string } }).object.sha;
    },
    async edit({ kind, name, path }, operations, manager) {
      const answer = await fetch(`${world.cluster.url}/${path}/${name}?fieldManager=${manager}`, {
        method: "PATCH",
        headers: { "content-type": "application/json-patch+json" },
        body: JSON.stringify(operations),
      });
      if (!answer.ok) throw new Error(`${kind} ${name}: ${answer.status} ${await answer.text()}`);
    },
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const DEPLOYMENTS = "apis/apps/v1/namespaces/shop/deployments";

/** A Kustomization that deploys `apps`, as far as `deployed` says. */
export function kustomization(
  deployed: string | undefined,
  more: { object?: object; origin?: Partial<Origin> } = {},
): Deployer {
  const object = {
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name: "apps", namespace: "flux-system" },
    spec: {},
    ...more.object,
  } as KubeObject;
  const ref = refOf(object);
  const owner = {
    kind: "flux" as const,
    name: "Kustomization flux-system/apps",
    ref,
    ...(deployed === undefined ? {} : { deployed }),
  };
  const origin: Origin = { repository: REPOSITORY, path: "apps", tool: "plain", owner, ...more.origin };
  return { ref, object, origins: { found: true, origins: [origin] } };
}

/** An Application with these sources. */
export function application(object: object, origins: readonly Partial<Origin>[]): Deployer {
  const whole = {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: { name: "shop", namespace: "argocd" },
    ...object,
  } as KubeObject;
  const ref = refOf(whole);
  const owner = { kind: "argocd" as const, name: "Application argocd/shop", ref };
  return {
    ref,
    object: whole,
    origins: {
      found: true,
      origins: origins.map((origin) => ({ repository: REPOSITORY, path: "apps", tool: "plain", owner, ...origin })),
    },
  };
}
