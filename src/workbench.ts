import type { Config, SourceEntry } from "./config/schema.ts";
import { StanchError } from "./errors.ts";
import { entriesFor } from "./gitops/configured-source.ts";
import { previousVersions, removalOf } from "./gitops/history.ts";
import type { Deployers } from "./gitops/origin.ts";
import { findRendered } from "./gitops/rendered.ts";
import { detectTool } from "./gitops/tool.ts";
import { describeRef, keyOf } from "./kube/ref.ts";
import type { Commit, KubeObject, ObjectRef, Source } from "./model.ts";
import type { Checkout, CodeHost, Rendered, Renderer, Repositories } from "./ports.ts";
import type { PreviousVersion } from "./remedies/remedy.ts";

/** A source, checked out and rendered at the head of its branch. */
export interface Bench {
  readonly source: Source;
  readonly checkout: Checkout;
  rendered(): Promise<Rendered>;
}

export type Found =
  | { readonly found: true; readonly bench: Bench; readonly object: KubeObject }
  | { readonly found: false; readonly reason: string; readonly hint: string };

/** The repositories of one run: each is fetched once, when it is first needed, and shared by every finding. */
export interface Workbench {
  /** One configured source, checked out. Throws StanchError when its repository, branch or folder is not there. */
  bench(entry: SourceEntry): Promise<Bench>;
  /** What the cluster's GitOps engines deploy, read once. */
  deployers(): Promise<Deployers>;
  /** Starts fetching the repositories of these objects; faults are kept for the one who asks. */
  prefetch(refs: readonly ObjectRef[]): void;
  /** The one source that declares an object. No source, or two, is an answer with a sentence. */
  find(ref: ObjectRef): Promise<Found>;
  /** What Git's history says of an object, newest first. */
  previous(ref: ObjectRef): Promise<readonly PreviousVersion[]>;
  /** Where an object was declared until a recent commit removed it; null: it is declared, or never was. */
  removed(ref: ObjectRef): Promise<Removed | null>;
  /** Forgets what was fetched, so that the next question sees the branch as it is then. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

export interface Removed {
  readonly bench: Bench;
  readonly commit: Commit;
  readonly before: KubeObject;
}

export interface WorkbenchPorts {
  readonly repositories: Repositories;
  readonly codeHost: Pick<CodeHost, "check">;
  readonly renderer: Renderer;
  /** Reads what the cluster's GitOps engines deploy; absent: none is asked. */
  readonly readDeployers?: () => Promise<Deployers>;
}

const NO_DEPLOYERS: Deployers = { all: [], of: () => null, gaps: [] };

export function createWorkbench(config: Config, ports: WorkbenchPorts): Workbench {
  let checkouts = new Map<string, Promise<Checkout>>();
  let benches = new Map<SourceEntry, Promise<Bench>>();
  let histories = new Map<string, Promise<readonly PreviousVersion[]>>();
  let removals = new Map<string, Promise<Removed | null>>();
  const branches = new Map<string, Promise<string>>();

  const branchOf = (entry: SourceEntry): Promise<string> => {
    if (entry.branch !== undefined) return Promise.resolve(entry.branch);
    return remember(
      branches,
      entry.repository,
      async () => (await ports.codeHost.check(entry.repository)).defaultBranch,
    );
  };

  async function open(entry: SourceEntry): Promise<Bench> {
    const branch = await branchOf(entry);
    const checkout = await remember(checkouts, `${entry.repository}@${branch}`, () =>
      ports.repositories.open(entry.repository, branch),
    );
    const path = entry.path.replace(/^\.?\/+|\/+$/g, "") || ".";
    const files = (await checkout.files()).map((file) => file.path);
    if (path !== "." && !files.some((file) => file.startsWith(`${path}/`))) {
      throw new StanchError("config", `${entry.repository} has no folder "${path}" on branch ${branch}`, {
        hint: "correct `path` of this source in the configuration",
      });
    }
    const source: Source = {
      id: `${entry.repository}:${path}@${branch}`,
      repository: entry.repository,
      branch,
      path,
      tool: entry.tool === "auto" ? detectTool(files, path) : entry.tool,
      ...(entry.namespace === undefined ? {} : { namespace: entry.namespace }),
      ...(entry.helm === undefined ? {} : { helm: entry.helm }),
      owner: { kind: "configuration", name: "stanch.yaml" },
    };
    let rendered: Promise<Rendered> | undefined;
    const render = (): Promise<Rendered> =>
      ports.renderer.render(checkout.directory, source).catch((error: unknown) => {
        throw withPlace(error, source);
      });
    return { source, checkout, rendered: () => (rendered ??= render()) };
  }

  const bench = (entry: SourceEntry): Promise<Bench> => remember(benches, entry, () => open(entry));

  async function find(ref: ObjectRef): Promise<Found> {
    const entries = entriesFor(ref, config.sources);
    if (entries.length === 0) {
      return {
        found: false,
        reason: `no source is configured for namespace ${ref.namespace}`,
        hint: "add an entry to `sources` that says which repository and path it is deployed from",
      };
    }
    const hits: { bench: Bench; object: KubeObject }[] = [];
    for (const entry of entries) {
      const candidate = await bench(entry);
      const object = findRendered((await candidate.rendered()).objects, ref, candidate.source);
      if (object !== undefined) hits.push({ bench: candidate, object });
    }
    const [hit, other] = hits;
    if (hit === undefined) {
      return {
        found: false,
        reason: `${describeRef(ref)} is in none of the sources: ${entries.map((entry) => `${entry.repository}:${entry.path}`).join(", ")}`,
        hint: "correct `sources`, or put the object under Git",
      };
    }
    if (other !== undefined) {
      return {
        found: false,
        reason: `${describeRef(ref)} is declared by two sources: ${hit.bench.source.id} and ${other.bench.source.id}`,
        hint: "narrow `namespaces` or `path` of the sources until only one is left",
      };
    }
    return { found: true, ...hit };
  }

  async function history(ref: ObjectRef): Promise<readonly PreviousVersion[]> {
    const found = await find(ref);
    if (!found.found) return [];
    const { source, checkout } = found.bench;
    const versions = await previousVersions({
      ref,
      source,
      checkout,
      renderer: ports.renderer,
      limit: config.remedies.history.commits,
    });
    return versions.map((version) => ({ source, commit: version.commit, changes: version.changes }));
  }

  async function removal(ref: ObjectRef): Promise<Removed | null> {
    const hits: Removed[] = [];
    for (const entry of entriesFor(ref, config.sources)) {
      const opened = await bench(entry);
      const { source, checkout } = opened;
      const { renderer } = ports;
      // Moved from one source to another: it is there.
      if (findRendered((await opened.rendered()).objects, ref, source) !== undefined) return null;
      const limit = config.remedies.history.commits;
      const found = await removalOf({ ref, source, checkout, renderer, limit });
      if (found !== null) hits.push({ bench: opened, ...found });
    }
    // Two sources that had it are two that may be meant.
    return hits.length === 1 ? (hits[0] ?? null) : null;
  }

  async function closeAll(): Promise<void> {
    const opened = await Promise.allSettled(checkouts.values());
    checkouts = new Map();
    benches = new Map();
    histories = new Map();
    removals = new Map();
    for (const result of opened) if (result.status === "fulfilled") await result.value.close();
  }

  let known: Promise<Deployers> | undefined;
  const deployers = (): Promise<Deployers> =>
    (known ??= ports.readDeployers === undefined ? Promise.resolve(NO_DEPLOYERS) : ports.readDeployers());

  return {
    bench,
    deployers,
    prefetch(refs) {
      const wanted = new Set(refs.flatMap((ref) => entriesFor(ref, config.sources)));
      for (const entry of wanted) bench(entry).catch(() => undefined);
    },
    find,
    previous: (ref) => remember(histories, keyOf(ref), () => history(ref)),
    removed: (ref) => remember(removals, keyOf(ref), () => removal(ref)),
    refresh: closeAll,
    close: closeAll,
  };
}

/** A tool names files at best; which source they belong to, and what to do, is ours to say. */
function withPlace(error: unknown, source: Source): unknown {
  if (!(error instanceof StanchError) || error.code !== "render") return error;
  return new StanchError("render", `${source.id} cannot be rendered: ${error.message}`, {
    hint: error.hint ?? `render ${source.path} with the tool itself, and correct what it says`,
    cause: error,
  });
}

/** The promise kept under a key. A failed one is forgotten, so that the next question tries again. */
function remember<K, V>(kept: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  let value = kept.get(key);
  if (value === undefined) {
    value = make();
    kept.set(key, value);
    value.catch(() => kept.delete(key));
  }
  return value;
}
