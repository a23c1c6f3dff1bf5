import { messageOf, StanchError } from "../errors.ts";
import { isElsewhere } from "../gitops/argocd.ts";
import { originsOfApplication } from "../gitops/argocd-origins.ts";
import { originsOfKustomization } from "../gitops/flux-origins.ts";
import { originsOfHelmRelease } from "../gitops/flux-release.ts";
import type { FluxContext } from "../gitops/flux-source.ts";
import type { Deployer, Deployers, Origins, ReadObject } from "../gitops/origin.ts";
import { applicationLists, claimMeans, inventoryLists, type OwnerClaim, ownerClaims } from "../gitops/owner-claim.ts";
import { listAt, textAt } from "../kube/fields.ts";
import { describeRef, keyOf, refOf } from "../kube/ref.ts";
import { RESOURCES } from "../kube/resources.ts";
import type { KubeObject } from "../model.ts";
import type { Cluster, Log, Resource } from "../ports.ts";
import { atOnce } from "./at-once.ts";

export interface DeployersRequest {
  readonly cluster: Pick<Cluster, "list" | "get" | "serves">;
  /** `host[:port]` of our code host, under all its names. */
  readonly hosts: readonly string[];
  readonly pageSize: number;
  /** Where they are looked for by an account that may not look everywhere; null or absent: in all namespaces. */
  readonly namespaces?: readonly string[] | null;
  readonly log?: Log;
}

/** At most so many of each kind: what goes beyond is said. */
const MOST = 2000;

const KINDS: readonly {
  readonly resource: Resource;
  readonly origins: (object: KubeObject, context: FluxContext) => Origins | Promise<Origins>;
}[] = [
  { resource: RESOURCES.Application, origins: originsOfApplication },
  { resource: RESOURCES.Kustomization, origins: originsOfKustomization },
  { resource: RESOURCES.HelmRelease, origins: originsOfHelmRelease },
];

/**
 * Reads what the cluster's GitOps engines deploy. Never throws: what cannot be read is a gap, and a kind that the
 * cluster does not serve is none.
 */
export async function readDeployers(request: DeployersRequest): Promise<Deployers> {
  const { cluster, hosts, log } = request;
  const gaps = new Set<string>();
  const context: FluxContext = { hosts, read: reader(cluster, gaps) };
  const all: Deployer[] = [];
  for (const { resource, origins } of KINDS) {
    const objects = await listed(resource, request, gaps);
    all.push(
      ...(await atOnce(objects, async (object) => ({
        ref: refOf(object),
        object,
        origins: await originsOf(object, () => origins(object, context)),
      }))),
    );
  }
  log?.debug("deployers read", { deployers: all.length, known: all.filter(({ origins }) => origins.found).length });
  return { all, of: finder(all), gaps: [...gaps] };
}

/** What anybody may write into an object (values nested without end) must not take the others' deployers along. */
async function originsOf(object: KubeObject, origins: () => Origins | Promise<Origins>): Promise<Origins> {
  try {
    return await origins();
  } catch (error) {
    const ref = refOf(object);
    const kind = ref.kind === "Application" ? "argocd" : "flux";
    return {
      found: false,
      owner: { kind, name: describeRef(ref), ref },
      reason: `it is not understood: ${messageOf(error)}`,
      hint: `look at ${describeRef(ref)}`,
    };
  }
}

async function listed(
  resource: Resource,
  { cluster, pageSize, namespaces }: DeployersRequest,
  gaps: Set<string>,
): Promise<KubeObject[]> {
  // What cannot be found out counts as served: a gap too many is said, one too few is not.
  if (!(await cluster.serves(resource).catch(() => true))) return [];
  const out: KubeObject[] = [];
  // Whoever may look everywhere does: a deployer seldom lives where it deploys. An account that is confined looks where it may.
  const confined = namespaces === undefined || namespaces === null ? null : namespaces;
  const places = confined !== null && (await isForbidden(resource, cluster)) ? confined : [undefined];
  for (const namespace of places)
    try {
      for await (const page of cluster.list(resource, {
        limit: pageSize,
        ...(namespace === undefined ? {} : { namespace }),
      })) {
        for (const object of page) if (object.metadata.deletionTimestamp === undefined) out.push(object);
        if (out.length <= MOST) continue;
        gaps.add(`there are more than ${MOST} ${resource.plural}: where the rest deploys from is not looked into`);
        return out.slice(0, MOST);
      }
    } catch (error) {
      if (!(error instanceof StanchError) || error.code !== "not-found")
        gaps.add(`${resource.plural} cannot be read, so where they deploy from is not known: ${messageOf(error)}`);
    }
  return out;
}

/** May this account not list a resource in all namespaces? */
async function isForbidden(resource: Resource, cluster: DeployersRequest["cluster"]): Promise<boolean> {
  try {
    for await (const _ of cluster.list(resource, { limit: 1 })) break;
    return false;
  } catch (error) {
    return error instanceof StanchError && error.code === "forbidden";
  }
}

/** Each object is read once, and never a Secret. */
function reader(cluster: DeployersRequest["cluster"], gaps: Set<string>): ReadObject {
  const kept = new Map<string, ReturnType<ReadObject>>();
  return (ref) => {
    if (ref.kind === "Secret") return Promise.resolve(undefined);
    const key = keyOf(ref);
    const read =
      kept.get(key) ??
      cluster.get(ref).catch((error: unknown) => {
        if (error instanceof StanchError && error.code === "not-found") return null;
        gaps.add(`${describeRef(ref)}, from which something is deployed, cannot be read: ${messageOf(error)}`);
        return undefined;
      });
    kept.set(key, read);
    return read;
  };
}

function finder(all: readonly Deployer[]): Deployers["of"] {
  const applications = all.filter(({ ref }) => ref.kind === "Application");
  const others = new Map(all.map((deployer) => [keyOf(deployer.ref), deployer]));
  const flux = (resource: Resource, { name, namespace = "" }: OwnerClaim): Deployer | undefined =>
    others.get(`${resource.group}/${resource.kind}/${namespace}/${name}`);
  const verified = (claim: OwnerClaim, object: KubeObject): Deployer | undefined => {
    if (claim.engine === "argocd") return application(claim, object, applications);
    if (claim.engine === "flux-helm") return flux(RESOURCES.HelmRelease, claim);
    if (claim.engine === "helm") return undefined;
    const found = flux(RESOURCES.Kustomization, claim);
    return found !== undefined && inventoryLists(found.object, object) ? found : undefined;
  };
  return (object) => {
    for (const claim of ownerClaims(object)) {
      const found = verified(claim, object);
      if (found !== undefined) return found;
    }
    return null;
  };
}

/**
 * The Application that a claim means. A claim without a namespace means Argo CD's own, which Applications tell in their status; where
 * several are meant all the same, the one that lists the object, and none where that leaves it open.
 */
function application(claim: OwnerClaim, object: KubeObject, all: readonly Deployer[]): Deployer | undefined {
  // What it lists in another cluster may have the same name here.
  const meant = all.filter(({ object: app }) => claimMeans(claim, app) && (claim.weak !== true || !isElsewhere(app)));
  const home = ({ ref, object: { status } }: Deployer): boolean =>
    (textAt(status, "controllerNamespace") ?? ref.namespace) === ref.namespace;
  const near = claim.namespace === undefined && claim.weak !== true ? meant.filter(home) : meant;
  const listing = near.filter((deployer) => applicationLists(deployer.object, object));
  if (listing.length > 0) return listing.length === 1 ? listing[0] : undefined;
  // Anybody may write a mark on an object of theirs: where an Application says what it deploys, its word counts.
  const says = near.some(({ object: app }) => listAt(app, "status", "resources").length > 0);
  const must = claim.weak === true || claim.installation !== undefined || says;
  return !must && near.length === 1 ? near[0] : undefined;
}
