import { messageOf, StanchError } from "../errors.ts";
import { sameDeployment } from "../gitops/configured-source.ts";
import { diffObjects } from "../gitops/object-diff.ts";
import type { Deployer, Origin } from "../gitops/origin.ts";
import { keyOf, refOf } from "../kube/ref.ts";
import type { FieldPath, KubeObject, Source } from "../model.ts";
import type { Rendered, Resource, Unread } from "../ports.ts";
import { redact } from "../redact.ts";
import type { Bench } from "../workbench.ts";
import { leftOut, placed } from "./declared.ts";
import { deployedCommit } from "./deployed-commit.ts";
import type { RootReport } from "./model.ts";
import type { DriftRequest } from "./request.ts";
import { makeSeal, sealed } from "./secret.ts";
import type { Deploys } from "./writer.ts";

/** What Git says of one object: at the deployed commit, and at the head of the branch. */
export interface Declared {
  readonly key: string;
  readonly resource: Resource;
  readonly deployed?: KubeObject;
  readonly head?: KubeObject;
}

/** A source of this cluster, rendered as it was deployed and as it is now. */
export interface Root {
  readonly origin: Origin;
  readonly source: Source;
  readonly bench: Bench;
  readonly deployer: Deployer | null;
  readonly deploys: Deploys;
  /** Absent: nobody says what is deployed, and `deployed` of the objects is the head's. */
  readonly commit?: string;
  readonly head: string;
  readonly declared: ReadonlyMap<string, Declared>;
  /** Objects of kinds that the cluster does not serve. */
  readonly unserved: readonly KubeObject[];
  /** What was left out by rule, and how much; and which objects. */
  readonly left: ReadonlyMap<string, number>;
  readonly leftKeys: ReadonlySet<string>;
  /** Files of the head and of the deployed commit that cannot be read: what they declare is not in `declared`. */
  readonly unread: readonly (Unread & { readonly at: "head" | "deployed" })[];
  /** Fields of an object that come out otherwise each time it is rendered (a chart's random passwords); renders once more when first asked. */
  unstable(key: string): Promise<readonly FieldPath[]>;
}

/** Renders a source at both commits. Throws StanchError where one of them is not to be had. */
export async function openRoot(origin: Origin, deployer: Deployer | null, request: DriftRequest): Promise<Root> {
  const bench = await request.workbench.bench(origin);
  const { source, checkout } = bench;
  const head = await bench.rendered();
  const commit = source.remote === undefined ? deployedCommit(origin, deployer) : undefined;
  let then: Rendered = head;
  let directory = checkout.directory;
  let full = commit;
  if (commit !== undefined && !checkout.revision.startsWith(commit)) {
    directory = await checkout.treeAt(commit).catch((error: unknown) => {
      throw new StanchError(
        "git",
        `the deployed commit ${commit.slice(0, 12)} is on no branch of ${source.repository}`,
        {
          hint: "was the branch rewritten? deploy its head",
          cause: error,
        },
      );
    });
    then = await request.renderer.render(directory, source);
  } else if (commit !== undefined) full = checkout.revision;
  const deployed = then.objects;
  const left = new Map<string, number>();
  const leftKeys = new Set<string>();
  const unserved: KubeObject[] = [];
  const declared = new Map<string, Declared>();
  const add = async (objects: readonly KubeObject[], at: "deployed" | "head", count: boolean): Promise<void> => {
    for (const object of objects) {
      const why = leftOut(object, source);
      if (why !== null) {
        if (count) left.set(why, (left.get(why) ?? 0) + 1);
        leftKeys.add(keyOf({ ...refOf(object), namespace: object.metadata.namespace ?? source.namespace ?? "" }));
        continue;
      }
      const resource = await request.cluster.resource(object.apiVersion, object.kind);
      if (resource === null) {
        if (count) unserved.push(object);
        continue;
      }
      const whole = placed(object, source, resource);
      const key = keyOf(refOf(whole));
      declared.set(key, { ...declared.get(key), key, resource, [at]: whole });
    }
  };
  await add(deployed, "deployed", true);
  if (deployed === head.objects)
    for (const [key, entry] of declared)
      declared.set(key, { ...entry, ...(entry.deployed === undefined ? {} : { head: entry.deployed }) });
  else await add(head.objects, "head", false);
  const unread = unreadOf(head, then);
  // What the head does not say where it cannot be read is not taken out of it.
  if (unread.some(({ at }) => at === "head"))
    for (const [key, entry] of declared)
      if (entry.head === undefined && entry.deployed !== undefined)
        declared.set(key, { ...entry, head: entry.deployed });
  return {
    origin,
    source,
    bench,
    deployer,
    deploys: deploysOf(deployer),
    ...(full === undefined ? {} : { commit: full }),
    head: checkout.revision,
    declared,
    unserved,
    left,
    leftKeys,
    unread,
    unstable: unstableFields(source, directory, deployed, request),
  };
}

/** One file is told once, as it is at the head. */
function unreadOf(head: Rendered, deployed: Rendered): Root["unread"] {
  const now = (head.unread ?? []).map((file) => ({ ...file, at: "head" as const }));
  if (deployed === head) return now;
  const then = (deployed.unread ?? []).filter(({ file }) => !now.some((other) => other.file === file));
  return [...now, ...then.map((file) => ({ ...file, at: "deployed" as const }))];
}

/** Only a chart can render two things from one source. */
function unstableFields(
  source: Source,
  directory: string,
  first: readonly KubeObject[],
  { renderer, cluster }: DriftRequest,
): Root["unstable"] {
  let found: Promise<ReadonlyMap<string, readonly FieldPath[]>> | undefined;
  const compare = async (): Promise<ReadonlyMap<string, readonly FieldPath[]>> => {
    const second = (await renderer.render(directory, source)).objects;
    const out = new Map<string, readonly FieldPath[]>();
    // A Secret's text becomes data.
    const seal = makeSeal();
    for (const [index, object] of first.entries()) {
      const other = second[index];
      const paths = diffObjects(sealed(object, seal), other && sealed(other, seal)).map(({ path }) => path);
      const resource = paths.length === 0 ? null : await cluster.resource(object.apiVersion, object.kind);
      if (resource !== null) out.set(keyOf(refOf(placed(object, source, resource))), paths);
    }
    return out;
  };
  return async (key) => {
    if (source.tool !== "helm") return [];
    found ??= compare().catch(() => new Map());
    return (await found).get(key) ?? [];
  };
}

function deploysOf(deployer: Deployer | null): Deploys {
  switch (deployer?.ref.kind) {
    case "Application":
      return "argocd";
    case "Kustomization":
      return "kustomization";
    case "HelmRelease":
      return "helmrelease";
    default:
      return "configuration";
  }
}

/** What a report says of a root, whatever came of it. */
export function describeRoot({ source, commit, head }: Root): Omit<RootReport, "compared" | "inSync" | "items"> {
  const { id, repository, branch, path, tool, owner } = source;
  return {
    id,
    repository,
    branch,
    path,
    tool,
    owner: ownerOf(owner.ref ?? null, owner.name),
    ...(commit === undefined ? {} : { deployed: commit }),
    head,
  };
}

/** A root that could not be compared. Messages of tools may quote what they read. */
export function failedRoot(origin: Origin, error: unknown): RootReport {
  const branch = origin.branch ?? "";
  const hint = error instanceof StanchError && error.hint !== undefined ? ` (${error.hint})` : "";
  return {
    id: `${origin.repository}:${origin.path}@${origin.branch ?? "HEAD"} (${origin.owner.name})`,
    repository: origin.repository,
    branch,
    path: origin.path,
    tool: origin.tool,
    owner: ownerOf(origin.owner.ref ?? null, origin.owner.name),
    error: redact(`${messageOf(error)}${hint}`).slice(0, 1000),
    compared: 0,
    inSync: 0,
    items: [],
  };
}

export function ownerOf(
  ref: { readonly kind: string; readonly namespace: string; readonly name: string } | null,
  name: string,
): RootReport["owner"] {
  return ref === null ? { kind: "configuration", name } : { kind: ref.kind, namespace: ref.namespace, name: ref.name };
}

/** Configured sources that an engine is known for as well are that engine's. */
export function withoutTwins(roots: readonly Root[]): Root[] {
  return roots.filter(
    (root) =>
      root.source.owner.kind !== "configuration" ||
      !roots.some((other) => other !== root && sameDeployment(other.source, root.source)),
  );
}
