import { inScope } from "../config/scope.ts";
import { messageOf, StanchError } from "../errors.ts";
import { deploysInto } from "../gitops/deploys-into.ts";
import type { Deployer, Origin, Unknown } from "../gitops/origin.ts";
import { describeUnread } from "../gitops/unread.ts";
import { getAt } from "../kube/field-path.ts";
import { describeRef, refOf } from "../kube/ref.ts";
import type { KubeObject } from "../model.ts";
import { atOnce } from "../observe/at-once.ts";
import { redact } from "../redact.ts";
import { type Found, lookAt, type Subject } from "./examine.ts";
import { hotfixesOf } from "./hotfixes.ts";
import { ORDER, plainItem } from "./item.ts";
import { placeLines } from "./lines.ts";
import type { DriftItem, DriftReport, RootReport } from "./model.ts";
import { makeHiding } from "./of-repository.ts";
import { makePredictor } from "./predict.ts";
import { type DriftRequest, means } from "./request.ts";
import { describeRoot, failedRoot, openRoot, ownerOf, type Root, withoutTwins } from "./root.ts";
import { readRules } from "./rules.ts";
import { scaledBy } from "./scaled.ts";
import { makeSeal } from "./secret.ts";

/**
 * Is the cluster what Git says? Renders every root of this cluster as it was deployed and as its branch is now, and compares both with
 * what is there. What seems to drift is looked at a second time after `wait`. Reads only: in server mode the API server is asked by dry run.
 * Never throws for one root or kind: what could not be compared stands in the report as such, and never as "no drift". Throws StanchError
 * `config` where `roots` names none.
 */
export async function surveyDrift(request: DriftRequest): Promise<DriftReport> {
  const { config, workbench, clock, log } = request;
  const takenAt = clock.now().toISOString();
  const seal = request.seal ?? makeSeal();
  const gaps = new Set<string>();
  const { hide, all: hidden } = makeHiding();

  log.progress("reading what is deployed");
  const deployers = await workbench.deployers();
  for (const gap of deployers.gaps) gaps.add(gap);
  const incidents = await (request.incidents?.() ?? Promise.resolve([])).catch((error: unknown) => {
    gaps.add(`incidents cannot be read, so hotfixes are told as drift: ${messageOf(error)}`);
    return [];
  });
  const hotfixes = hotfixesOf(incidents);
  const rules = await readRules(request, deployers.all);
  for (const { said, repositories } of rules.notUnderstood) for (const one of repositories) hide(said, one, 0);

  const reports: RootReport[] = [];
  const roots: Root[] = [];
  const chosen = await chosenOrigins(request);
  const unknown = unknownOwners(request, deployers.all);
  if (chosen.length + unknown.length === 0) gaps.add(await nothingChosen(request));
  await atOnce(chosen, async ({ origin, deployer }) => {
    const rest = deployer === null ? null : restingOwner(deployer);
    if (rest !== null && deployer !== null && !hotfixes.rests(deployer.ref)) {
      reports.push(restingRoot(origin, deployer, rest));
      return;
    }
    if (origin.owner.elsewhere === true)
      return hide(`${origin.owner.name} deploys to another cluster`, origin.repository);
    try {
      log.progress(`rendering ${origin.repository}:${origin.path}`);
      roots.push(await openRoot(origin, deployer, request));
    } catch (error) {
      reports.push(failedRoot(origin, error));
    }
  });
  for (const answer of unknown) reports.push(unknownRoot(answer));

  const own = withoutTwins(roots);
  for (const root of own) for (const [rule, count] of root.left) hide(rule, root.source.repository, count);
  const faulty = [
    ...reports.filter(({ error }) => error !== undefined),
    ...own.filter(({ unread }) => unread.length > 0).map(describeRoot),
  ];
  const broken = new Set(faulty.map(({ owner }) => JSON.stringify(owner)));
  const predictor = makePredictor(request);
  const subject: Subject = {
    request,
    roots: own,
    hotfixes,
    predictor,
    scaled: scaledBy(request.cluster, config.observe.pageSize),
    rules,
    seal,
    hide,
    inScope: (object) => isInScope(object, request),
    isBroken: (deployer) => broken.has(JSON.stringify(ownerOf(deployer.ref, ""))),
  };
  const found = await lookAt(subject);
  await placeLines(found, own, request);
  for (const root of own) reports.push(reportOf(root, found.get(root)));
  log.progress("");
  return {
    version: 1,
    cluster: config.cluster,
    takenAt,
    stanch: request.version,
    mode: predictor.mode(),
    roots: reports.toSorted((a, b) => a.id.localeCompare(b.id)),
    gaps: [...gaps].map((gap) => redact(gap)),
    hidden: hidden(),
  };
}

interface Chosen {
  readonly origin: Origin;
  readonly deployer: Deployer | null;
}

async function chosenOrigins({ workbench, config, roots = [] }: DriftRequest): Promise<Chosen[]> {
  const { all } = await workbench.deployers();
  const known = all.flatMap((deployer) =>
    deployer.origins.found ? deployer.origins.origins.map((origin): Chosen => ({ origin, deployer })) : [],
  );
  const configured = (await workbench.origins())
    .filter(({ owner }) => owner.kind === "configuration")
    .map((origin): Chosen => ({ origin, deployer: null }));
  return [...known, ...configured].filter(({ origin }) => {
    if (origin.namespace !== undefined && !inScope(origin.namespace, config)) return false;
    return roots.length === 0 || roots.some((name) => means(name, origin));
  });
}

/** Where there is nothing to compare, nothing is known to be in sync. Throws StanchError `config` for names that mean no source. */
async function nothingChosen({ workbench, config, roots = [] }: DriftRequest): Promise<string> {
  if (roots.length > 0) {
    const known = (await workbench.origins()).map(({ path }) => path);
    const shown = [...new Set(known)].sort().slice(0, 20).join(", ");
    throw new StanchError("config", `no source here is called ${roots.join(" or ")}`, {
      hint: shown === "" ? "no source is known at all" : `paths of sources are: ${shown}`,
    });
  }
  const { namespaces } = config.scope;
  const where = namespaces.includes("*") ? "" : ` into ${namespaces.join(", ")}`;
  return `no source is known that deploys${where}: neither Argo CD, Flux nor \`sources\` of the configuration say one, so nothing was compared`;
}

/** Deployers, and sources of deployers, of which it is not known where they come from. */
function unknownOwners(
  { roots = [], config }: DriftRequest,
  all: readonly Deployer[],
): (Unknown & { owner: Origin["owner"] })[] {
  return all
    .flatMap(({ object, origins }): (Unknown & { owner: Origin["owner"] })[] => {
      const into = deploysInto(object);
      // What deploys only where nobody looks is not missed.
      if (into !== null && (into === "elsewhere" || !inScope(into.namespace, config))) return [];
      if (!origins.found) return [origins];
      const [first] = origins.origins;
      return first === undefined ? [] : (origins.unknown ?? []).map((answer) => ({ ...answer, owner: first.owner }));
    })
    .filter(({ owner }) => roots.length === 0 || roots.some((name) => name === owner.name || name === owner.ref?.name));
}

function unknownRoot({ owner, reason, hint, repository = "" }: Unknown & { owner: Origin["owner"] }): RootReport {
  const nothing = { repository, branch: "", path: "", tool: "" };
  const said = redact(`${reason} (${hint})`).slice(0, 1000);
  return {
    id: owner.name,
    ...nothing,
    owner: ownerOf(owner.ref ?? null, owner.name),
    error: said,
    compared: 0,
    inSync: 0,
    items: [],
  };
}

/** Was an owner told to rest as a whole? */
function restingOwner({ object, ref }: Deployer): string | null {
  if (ref.kind !== "Application")
    return getAt(object, ["spec", "suspend"]) === true ? "it is suspended (spec.suspend)" : null;
  const skip = getAt(object, ["metadata", "annotations", "argocd.argoproj.io/skip-reconcile"]);
  return skip === "true" ? "it is annotated skip-reconcile" : null;
}

function restingRoot(origin: Origin, deployer: Deployer, reason: string): RootReport {
  const { error: _, ...rest } = failedRoot(origin, "");
  const item = plainItem(
    deployer.ref,
    "suspended",
    `${describeRef(deployer.ref)} rests: ${reason}. What it deploys was not compared.`,
  );
  return { ...rest, items: [item] };
}

function isInScope(object: KubeObject, { config }: DriftRequest): boolean {
  const { namespace = "" } = object.metadata;
  const name = object.kind === "Namespace" ? object.metadata.name : namespace;
  if (name !== "") return inScope(name, config);
  return config.scope.namespaces.some((glob) => glob === "*");
}

/** A file that cannot be read may declare anything: what is live and what it says was not compared. */
function unreadItems({ unread, commit }: Root): DriftItem[] {
  return unread.map((one) => {
    const when = one.at === "head" ? "" : ` at the deployed commit ${commit?.slice(0, 12) ?? ""}`;
    const text = redact(`${describeUnread(one)}${when}: what it declares was not compared.`).slice(0, 1000);
    const item = plainItem({ apiVersion: "", kind: "File", namespace: "", name: one.file }, "unknown", text);
    return one.at === "head" && one.line !== undefined
      ? { ...item, location: { file: one.file, line: one.line } }
      : item;
  });
}

function reportOf(root: Root, found: Found | undefined): RootReport {
  const served = root.unserved.map((object) =>
    plainItem(refOf(object), "unknown", `The cluster does not serve ${object.kind} of ${object.apiVersion}.`),
  );
  const items: DriftItem[] = [...(found?.items ?? []), ...served, ...unreadItems(root)];
  return {
    ...describeRoot(root),
    compared: found?.compared ?? 0,
    inSync: found?.inSync ?? 0,
    items: items.toSorted(
      (a, b) =>
        ORDER.indexOf(a.class) - ORDER.indexOf(b.class) || describeRef(a.object).localeCompare(describeRef(b.object)),
    ),
  };
}
