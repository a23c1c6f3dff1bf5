import { diffLines } from "diff";
import { parseConfig } from "../../src/config/load.ts";
import { findRendered } from "../../src/gitops/rendered.ts";
import { homesOf } from "../../src/homes.ts";
import { getAt } from "../../src/kube/field-path.ts";
import { keyOf, refOf } from "../../src/kube/ref.ts";
import { createLog } from "../../src/log.ts";
import type { Change, FieldPath, Json, KubeObject, ObjectRef, Proof } from "../../src/model.ts";
import { readDeployers } from "../../src/observe/deployers.ts";
import type { Charts, Cluster, Resource } from "../../src/ports.ts";
import { locate } from "../../src/steps/locate.ts";
import { prove } from "../../src/steps/prove.ts";
import { createWorkbench, type Workbench } from "../../src/workbench.ts";
import { type Files, makeRepository, type Repository, renderer } from "./repository.ts";

export const HOST = "git.example.com";

/** Repositories, and the objects of a cluster that say what is deployed from them. */
export interface Deployed extends AsyncDisposable {
  readonly workbench: Workbench;
  readonly repository: (name: string) => Repository;
  /** Looks for a change in Git and proves it, as `heal` does. The answer is the edited lines, or why there are none. */
  heal(ref: ObjectRef, path: FieldPath, to: Json): Promise<Healed>;
}

export interface Healed {
  readonly repository?: string;
  /** `-` and `+` lines of each file, trimmed. */
  readonly diff: Readonly<Record<string, readonly string[]>>;
  readonly via: readonly string[];
  /** `file:line` of each edit. */
  readonly places: readonly string[];
  readonly renders: number;
  /** Milliseconds of the search alone. */
  readonly locateMs: number;
  readonly proof?: Proof;
  readonly reason?: string;
  readonly hint?: string;
  readonly already?: true;
}

const NOTHING = { diff: {}, via: [], places: [], renders: 0, locateMs: 0 } as const;

export function deployed(
  files: Readonly<Record<string, Files>>,
  objects: readonly KubeObject[],
  charts?: Charts,
  settings: object = {},
): Deployed {
  const repositories = new Map(Object.entries(files).map(([name, tree]) => [name, makeRepository(tree)]));
  const byKey = new Map(objects.map((object) => [keyOf(refOf(object)), object]));
  const cluster = fakeCluster(objects);
  const config = parseConfig(JSON.stringify(settings));
  const log = createLog({
    format: "json",
    level: "error",
    interactive: false,
    write: () => undefined,
    now: () => new Date(),
  });
  const workbench = createWorkbench(config, {
    repositories: {
      open: async (name, branch) => {
        const repository = repositories.get(name);
        if (repository === undefined) throw new Error(`no repository ${name}`);
        return { ...repository, branch, revision: repository.revision, close: async () => undefined };
      },
    },
    codeHost: { check: async () => ({ login: "stanch", push: true, defaultBranch: "main", archived: false }) },
    renderer,
    ...(charts === undefined ? {} : { charts }),
    live: (ref) => cluster.get(ref),
    readDeployers: () => readDeployers({ cluster, hosts: [HOST], pageSize: 100, log }),
  });

  return {
    workbench,
    repository: (name) => repositories.get(name) as Repository,
    async heal(ref, path, to) {
      const found = await workbench.find(ref);
      if (!found.found) return { ...NOTHING, reason: found.reason, hint: found.hint };
      const { source, checkout } = found.bench;
      const rendered = findRendered((await found.bench.rendered()).objects, ref, source);
      const from = getAt(rendered, path);
      const change: Change = { object: ref, path, to, ...(from === undefined ? {} : { from }) };
      const roots = await workbench.roots(source);
      const homes = homesOf({ workbench, cluster });
      const began = performance.now();
      const located = await locate({ changes: [change], source, checkout, renderer, hints: {}, roots, homes });
      if (!located.found)
        return {
          ...NOTHING,
          reason: located.reason,
          hint: located.hint,
          ...(located.already === true ? { already: true } : {}),
        };
      const locateMs = performance.now() - began;
      const { links } = located;
      const dry = { ...cluster, dryRunApply: async (object: KubeObject) => object };
      const proof = await prove({
        located,
        changes: [change],
        source,
        checkout,
        renderer,
        cluster: dry,
        roots,
        links,
        edited: located.checkout,
      });
      const diff = Object.fromEntries(
        located.edits.map(({ file, before, after }) => [
          file,
          diffLines(before, after)
            .filter((part) => part.added || part.removed)
            .flatMap((part) =>
              part.value
                .trimEnd()
                .split("\n")
                .map((line) => `${part.added ? "+" : "-"} ${line.trim()}`),
            ),
        ]),
      );
      return {
        repository: located.source.repository,
        diff,
        via: located.locations.map((location) => location.via),
        places: located.locations.map(({ file, line }) => `${file}:${line}`),
        renders: located.renders,
        locateMs,
        proof,
      };
    },
    async [Symbol.asyncDispose]() {
      await workbench.close();
      for (const repository of repositories.values()) await repository.close();
    },
  };

  function fakeCluster(all: readonly KubeObject[]): Cluster {
    const none = (): never => {
      throw new Error("not asked in these tests");
    };
    return {
      server: "https://fake",
      context: "fake",
      calls: () => 0,
      version: async () => "v1.36.0",
      async *list(resource: Resource) {
        yield all.filter((object) => object.kind === resource.kind);
      },
      get: async (ref) => byKey.get(keyOf(ref)) ?? null,
      create: none,
      patch: none,
      replace: none,
      dryRunApply: none,
      delete: none,
      evict: none,
      exec: none,
      logs: none,
      ask: none,
      capabilities: async () => ({ kubeVersion: "v1.36.0", apiVersions: ["v1"] }),
      serves: async (resource) => all.some((object) => object.kind === resource.kind),
      schema: none,
      heldRules: async () => [],
      resource: none,
      review: async (accesses) => accesses.map(() => true),
      close: () => undefined,
    };
  }
}
