import type { Config } from "./config/schema.ts";
import { matchesGlob } from "./config/scope.ts";
import { StanchError } from "./errors.ts";
import { entriesFor, originOf, sameDeployment } from "./gitops/configured-source.ts";
import { previousVersions, removalOf } from "./gitops/history.ts";
import { mergeVersions, type Version, versionsThroughHomes } from "./gitops/home-history.ts";
import { remember } from "./gitops/kept.ts";
import { type OpenBranch, openOrigin } from "./gitops/open-origin.ts";
import type { Deployer, Deployers, Origin } from "./gitops/origin.ts";
import { findRendered } from "./gitops/rendered.ts";
import { describeRef, keyOf } from "./kube/ref.ts";
import type { Commit, KubeObject, ObjectRef, Source } from "./model.ts";
import type { Charts, Checkout, CodeHost, Rendered, Renderer, Repositories } from "./ports.ts";
import type { PreviousVersion } from "./remedies/remedy.ts";

/** A source, checked out and rendered at the head of its branch. */
export interface Bench {
  readonly source: Source;
  readonly checkout: Checkout;
  rendered(): Promise<Rendered>;
}

export type Found =
  | { readonly found: true; readonly bench: Bench; readonly object: KubeObject }
  | {
      readonly found: false;
      readonly reason: string;
      readonly hint: string;
      /** Where it comes from, as far as that is known: the place to report to. */
      readonly repository?: string;
    };

/** The repositories of one run: each is fetched once, when it is first needed, and shared by every finding. */
export interface Workbench {
  /** One source, checked out. Throws StanchError when its repository, branch or folder is not there. */
  bench(origin: Origin): Promise<Bench>;
  /** Everything that is deployed as far as is known: what the cluster's engines say, and what is configured. */
  origins(): Promise<readonly Origin[]>;
  /** Sources that are deployed from a repository and branch; one that cannot be opened deploys nothing. */
  roots(source: Source): Promise<readonly Source[]>;
  /** A branch of a repository; undefined is its default branch. */
  open: OpenBranch;
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
  /** Fetches charts that are not in Git; absent: none is fetched. */
  readonly charts?: Charts;
  /** The live object; absent: sources are found by configuration alone. */
  readonly live?: (ref: ObjectRef) => Promise<KubeObject | null>;
  /** Reads what the cluster's GitOps engines deploy; absent: none is asked. */
  readonly readDeployers?: () => Promise<Deployers>;
}

/** Sources that are looked through for an object that is gone. */
const MOST_ORIGINS = 20;

const NO_DEPLOYERS: Deployers = { all: [], of: () => null, gaps: [] };

export function createWorkbench(config: Config, ports: WorkbenchPorts): Workbench {
  let closed = false;
  let checkouts = new Map<string, Promise<Checkout>>();
  let benches = new Map<string, Promise<Bench>>();
  let histories = new Map<string, Promise<readonly PreviousVersion[]>>();
  let removals = new Map<string, Promise<Removed | null>>();
  const branches = new Map<string, Promise<string>>();

  const open: OpenBranch = async (repository, wanted) => {
    if (!config.github.repositories.some((glob) => matchesGlob(glob.toLowerCase(), repository.toLowerCase())))
      throw new StanchError("config", `${repository} is none of the repositories that Stanch may work with`, {
        hint: "add it to github.repositories, if it is meant to be",
      });
    const branch =
      wanted ??
      (await remember(branches, repository, async () => (await ports.codeHost.check(repository)).defaultBranch));
    // What was only fetched ahead may come here when its run has ended; nobody would close it.
    if (closed) throw new StanchError("git", `${repository} is not opened any more: the run has ended`);
    return remember(checkouts, `${repository}@${branch}`, () => ports.repositories.open(repository, branch));
  };

  async function opened(origin: Origin): Promise<Bench> {
    const { source, checkout } = await openOrigin(origin, open, ports.charts);
    let rendered: Promise<Rendered> | undefined;
    const render = (): Promise<Rendered> =>
      ports.renderer.render(checkout.directory, source).catch((error: unknown) => {
        throw withPlace(error, source);
      });
    return { source, checkout, rendered: () => (rendered ??= render()) };
  }

  const bench = (origin: Origin): Promise<Bench> => remember(benches, JSON.stringify(origin), () => opened(origin));

  let known: Promise<Deployers> | undefined;
  const deployers = (): Promise<Deployers> =>
    (known ??= ports.readDeployers === undefined ? Promise.resolve(NO_DEPLOYERS) : ports.readDeployers());

  async function origins(): Promise<readonly Origin[]> {
    const { all } = await deployers();
    const found = all.flatMap((deployer) => (deployer.origins.found ? deployer.origins.origins : []));
    return [...found, ...config.sources.map(originOf)];
  }

  async function roots(source: Source): Promise<readonly Source[]> {
    const near = (await origins()).filter(
      (origin) =>
        origin.repository.toLowerCase() === source.repository.toLowerCase() &&
        (origin.branch === undefined || origin.branch === source.branch),
    );
    const benches = await Promise.all(near.map((origin) => bench(origin).catch(() => null)));
    const sources = benches.flatMap((it) => (it?.source.branch === source.branch ? [it.source] : []));
    return sources.filter((root) => !sameDeployment(root, source) && !sources.some((it) => isListed(it, root)));
  }

  /** The origins that a live object comes from, by what it says itself and its deployer confirms. Null: it does not say. */
  async function deployerOf(ref: ObjectRef): Promise<Deployer | "gone" | null> {
    const { all, of } = await deployers();
    if (all.length === 0 || ports.live === undefined) return null;
    // Of a kind that may not be read nothing is known but what is configured.
    const live = await ports.live(ref).catch((error: unknown) => {
      if (error instanceof StanchError && error.code === "forbidden") return undefined;
      throw error;
    });
    if (live === undefined) return null;
    return live === null ? "gone" : of(live);
  }

  async function find(ref: ObjectRef): Promise<Found> {
    const said = await deployerOf(ref);
    const configured = entriesFor(ref, config.sources).map(originOf);
    if (said === "gone" && configured.length === 0) {
      // What is not there says nothing; what is deployed into its namespace may declare it all the same.
      const [hit, other] = await declaring(ref);
      if (hit !== undefined && other === undefined) return { found: true, ...hit };
    }
    const deployer = said === "gone" ? null : said;
    if (deployer === null || (!deployer.origins.found && configured.length > 0)) return findAmong(ref, configured);
    if (!deployer.origins.found) {
      const { reason, hint, repository } = deployer.origins;
      return {
        found: false,
        reason: `${describeRef(ref)} is deployed by ${describeRef(deployer.ref)}: ${reason}`,
        hint,
        ...(repository === undefined ? {} : { repository }),
      };
    }
    return findAmong(ref, deployer.origins.origins, deployer);
  }

  /** Sources of deployers that declare an object, whatever it says itself. One that cannot be opened or rendered tells nothing. */
  async function declaring(ref: ObjectRef): Promise<{ bench: Bench; object: KubeObject }[]> {
    const hits: { bench: Bench; object: KubeObject }[] = [];
    for (const origin of await originsFor(ref)) {
      const candidate = await bench(origin).catch(orNothing(origin));
      const rendered = await candidate?.rendered().catch(orNothing(origin));
      const object =
        candidate === null || !rendered ? undefined : findRendered(rendered.objects, ref, candidate.source);
      if (candidate !== null && object !== undefined) hits.push({ bench: candidate, object });
    }
    return hits;
  }

  /** The one origin that declares an object. Of one deployer's the last wins; of configured ones, two are one too many. */
  async function findAmong(ref: ObjectRef, among: readonly Origin[], deployer?: Deployer): Promise<Found> {
    if (among.length === 0) {
      return {
        found: false,
        reason: `no source is configured for namespace ${ref.namespace}`,
        hint: "add an entry to `sources` that says which repository and path it is deployed from",
      };
    }
    const hits: { bench: Bench; object: KubeObject }[] = [];
    for (const origin of among) {
      const candidate = await bench(origin);
      const object = findRendered((await candidate.rendered()).objects, ref, candidate.source);
      if (object !== undefined) hits.push({ bench: candidate, object });
    }
    const [hit, other] = deployer === undefined ? hits : hits.slice(-1);
    const [repository, another] = new Set(among.map((origin) => origin.repository));
    if (hit === undefined) {
      const places = among.map((origin) => `${origin.repository}:${origin.path}`).join(", ");
      return {
        found: false,
        reason: `${describeRef(ref)} is in none of the sources: ${places}`,
        hint:
          deployer === undefined
            ? "correct `sources`, or put the object under Git"
            : `look at ${describeRef(deployer.ref)}`,
        // Of two nobody knows which one is meant.
        ...(repository === undefined || another !== undefined ? {} : { repository }),
      };
    }
    if (other !== undefined) {
      return {
        found: false,
        reason: `${describeRef(ref)} is declared by two sources: ${hit.bench.source.id} and ${other.bench.source.id}`,
        hint: "narrow `namespaces` or `path` of the sources until only one is left",
        repository: hit.bench.source.repository,
      };
    }
    return { found: true, ...hit };
  }

  async function history(ref: ObjectRef, way: readonly string[] = []): Promise<readonly Version[]> {
    const found = await find(ref);
    if (!found.found) return [];
    const { source, checkout } = found.bench;
    const { renderer } = ports;
    const own = await previousVersions({ ref, source, checkout, renderer, limit: config.remedies.history.commits });
    const onWay = [...way, keyOf(ref)];
    const previous = async (home: ObjectRef): Promise<readonly Version[]> =>
      onWay.includes(keyOf(home)) ? [] : history(home, onWay);
    const theirs = await versionsThroughHomes({ ref, source, checkout, renderer, previous });
    return mergeVersions(
      own.map((version) => ({ ...version, source })),
      theirs,
    );
  }

  /** Where an object that is gone may have come from: its namespace tells, or what is deployed into it. */
  async function originsFor(ref: ObjectRef): Promise<readonly Origin[]> {
    const { all } = await deployers();
    const into = all.flatMap(({ origins: said }) => (said.found ? said.origins : []));
    const here = into.filter((origin) => origin.owner.elsewhere !== true);
    const own = here.filter((origin) => origin.namespace === ref.namespace);
    const open = here.filter((origin) => origin.namespace === undefined);
    const configured = entriesFor(ref, config.sources).map(originOf);
    return configured.length > 0 ? configured : [...own, ...open].slice(0, MOST_ORIGINS);
  }

  async function removal(ref: ObjectRef): Promise<Removed | null> {
    const hits: Removed[] = [];
    for (const origin of await originsFor(ref)) {
      const opened = await bench(origin).catch(orNothing(origin));
      const rendered = await opened?.rendered().catch(orNothing(origin));
      if (opened === null || !rendered) continue;
      const { source, checkout } = opened;
      const { renderer } = ports;
      // Moved from one source to another: it is there.
      if (findRendered(rendered.objects, ref, source) !== undefined) return null;
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
    known = undefined;
    for (const result of opened) if (result.status === "fulfilled") await result.value.close();
  }

  return {
    bench,
    deployers,
    origins,
    roots,
    open,
    prefetch(refs) {
      const wanted = new Set(refs.flatMap((ref) => entriesFor(ref, config.sources)));
      for (const entry of wanted) bench(originOf(entry)).catch(() => undefined);
      for (const ref of refs)
        deployerOf(ref)
          .then((deployer) =>
            deployer !== null && deployer !== "gone" && deployer.origins.found
              ? deployer.origins.origins.map(bench)
              : [],
          )
          .then((started) => Promise.allSettled(started))
          .catch(() => undefined);
    },
    find,
    previous: (ref) => remember(histories, keyOf(ref), () => history(ref)),
    removed: (ref) => remember(removals, keyOf(ref), () => removal(ref)),
    refresh: closeAll,
    close() {
      closed = true;
      return closeAll();
    },
  };
}

/** A configured source that the cluster's own engine is known for as well. */
function isListed(known: Source, root: Source): boolean {
  return root.owner.kind === "configuration" && sameDeployment(known, root);
}

/** Of what is configured a fault is said; what another tenant deploys may be broken, and must not hide the rest. */
function orNothing({ owner }: Origin): (error: unknown) => null {
  return (error) => {
    if (owner.kind !== "configuration" && error instanceof StanchError) return null;
    throw error;
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
