import { messageOf, StanchError } from "../errors.ts";
import type { Deployer } from "../gitops/origin.ts";
import { numberAt } from "../kube/fields.ts";
import { describeRef, keyOf, refOf } from "../kube/ref.ts";
import type { KubeObject, ObjectRef } from "../model.ts";
import { atOnce } from "../observe/at-once.ts";
import type { Resource } from "../ports.ts";
import type { Hotfixes } from "./hotfixes.ts";
import { itemOf, plainItem } from "./item.ts";
import { type JudgeContext, judge, type Verdict } from "./judge.ts";
import { placeOf, readLive, type Wanted } from "./listing.ts";
import type { DriftItem } from "./model.ts";
import type { Hiding } from "./of-repository.ts";
import type { Predictor } from "./predict.ts";
import { type DriftRequest, means } from "./request.ts";
import type { Declared, Root } from "./root.ts";
import type { Rules } from "./rules.ts";
import { declaredLater, firstOfEach } from "./same-deployer.ts";
import { isEncrypted, isSecret, type Seal, sealed } from "./secret.ts";
import { isChild, isCopyByPerson, isOfRelease, staysByRule, trackedBy } from "./tracked.ts";

/** What is compared, and with what. */
export interface Subject {
  readonly request: DriftRequest;
  readonly roots: readonly Root[];
  readonly hotfixes: Hotfixes;
  readonly predictor: Predictor;
  readonly scaled: (live: KubeObject) => Promise<boolean>;
  readonly rules: Rules;
  readonly seal: Seal;
  readonly hide: Hiding["hide"];
  readonly inScope: (object: KubeObject) => boolean;
  /** Could a source of this deployer not be rendered, or not be read as a whole? Then nobody knows what it does not declare. */
  readonly isBroken: (deployer: Deployer) => boolean;
}

export interface Found {
  compared: number;
  inSync: number;
  items: DriftItem[];
  /** The verdicts behind the items, for whoever looks for lines. */
  readonly verdicts: Map<DriftItem, Verdict>;
}

/** One declared or tracked object of one root. */
interface Entry {
  readonly root: Root;
  readonly declared: Declared;
  readonly ref: ObjectRef;
}

const SECRETS_OUT = "Secrets: only whether they are there (drift.secrets)";
const ENCRYPTED = "Secrets that are encrypted in Git";

/** Compares what the roots declare with what is there, and looks a second time at what seems to drift. */
export async function lookAt(subject: Subject): Promise<ReadonlyMap<Root, Found>> {
  const { request, roots } = subject;
  const { log, config } = request;
  const found = new Map<Root, Found>(
    roots.map((root) => [root, { compared: 0, inSync: 0, items: [], verdicts: new Map() }]),
  );
  const { entries, wanted } = await gather(subject);
  const doubtful: { entry: Entry; verdict: Verdict }[] = [];
  const seen = new Set<Entry>();
  const settle = (entry: Entry, verdict: Verdict): void => settled(found.get(entry.root), entry, verdict, subject);
  const consider = (entry: Entry, verdict: Verdict): void => {
    if (["drift", "missing", "extra"].includes(verdict.class)) doubtful.push({ entry, verdict });
    else settle(entry, verdict);
  };

  const strays = strayFinder(subject);
  let read = 0;
  const unread = await readLive(wanted, {
    cluster: request.cluster,
    pageSize: config.observe.pageSize,
    async visit(object, at) {
      if (++read % 500 === 0) log.progress(`comparing: ${read} objects read`);
      const list = entries.get(`${resourceKey(at.resource)}/${placeOf(object)}`) ?? strays(object, at.resource);
      // A list that began anew shows objects twice.
      for (const entry of list)
        if (!seen.has(entry)) {
          seen.add(entry);
          consider(entry, await examine(entry, object, subject));
        }
    },
  });
  for (const [key, list] of entries)
    for (const entry of list) {
      if (seen.has(entry)) continue;
      const why = reasonFor(unread, key, entry);
      if (why !== undefined) settle(entry, unknownVerdict(`it cannot be read: ${why}`));
      else consider(entry, await examine(entry, null, subject));
    }

  if (doubtful.length > 0) {
    log.progress(`${doubtful.length} objects seem to drift; looking again in ${Math.round(request.wait / 1000)} s`);
    await request.clock.sleep(request.wait);
    await atOnce(doubtful, async ({ entry }) => settle(entry, await again(entry, subject)));
  }
  return found;
}

/** Everything that is looked for, by kind. */
async function gather(subject: Subject): Promise<{ entries: Map<string, Entry[]>; wanted: Wanted[] }> {
  const { request, roots, inScope, hide } = subject;
  const entries = new Map<string, Entry[]>();
  const kinds = new Map<string, { resource: Resource; names: Set<string> }>();
  const add = (entry: Entry): void => {
    const { resource } = entry.declared;
    const place = `${entry.ref.namespace}/${entry.ref.name}`;
    const key = resourceKey(resource);
    entries.set(`${key}/${place}`, [...(entries.get(`${key}/${place}`) ?? []), entry]);
    const kind = kinds.get(key) ?? { resource, names: new Set() };
    kind.names.add(place);
    kinds.set(key, kind);
  };
  const later = declaredLater(roots);
  for (const root of roots)
    for (const declared of root.declared.values()) {
      const object = declared.deployed ?? declared.head;
      if (object === undefined || !inScope(object)) continue;
      const { repository } = root.source;
      if (later(root, declared.key))
        hide("objects that a later source of the same Application declares, too", repository);
      else if (isSecret(object) && isEncrypted(object)) hide(ENCRYPTED, repository);
      else if (isSecret(object) && !mayReadSecrets(request))
        hide("Secrets: not compared (drift.secrets, observe.secrets)", repository);
      else add({ root, declared, ref: refOf(object) });
    }
  for (const root of firstOfEach(roots)) {
    if (root.deployer === null || subject.isBroken(root.deployer) || isPartOfIt(root.deployer, request)) continue;
    const mine = roots.filter(({ deployer }) => deployer === root.deployer);
    for (const ref of trackedBy(root.deployer)) {
      if (mine.some((each) => each.declared.has(keyOf(ref)) || each.leftKeys.has(keyOf(ref)))) continue;
      const resource = await request.cluster.resource(ref.apiVersion, ref.kind);
      const object = {
        apiVersion: ref.apiVersion,
        kind: ref.kind,
        metadata: { name: ref.name, namespace: ref.namespace },
      };
      if (resource !== null && inScope(object)) add({ root, declared: { key: keyOf(ref), resource }, ref });
    }
  }
  const { secrets } = request.config.drift;
  const wanted = [...kinds.values()].map(
    ({ resource, names }): Wanted => ({
      resource,
      names,
      ...(resource.kind === "Secret" && resource.group === "" && !secrets ? { metadataOnly: true } : {}),
    }),
  );
  return { entries, wanted };
}

function mayReadSecrets({ config }: DriftRequest): boolean {
  return config.drift.secrets || config.observe.secrets !== "none";
}

async function examine({ root, declared, ref }: Entry, given: KubeObject | null, subject: Subject): Promise<Verdict> {
  const { request, seal } = subject;
  const base = declared.deployed ?? declared.head;
  if (base === undefined) return extra(ref, given, root);
  if (given !== null && isSecret(given) && !request.config.drift.secrets)
    return { class: "in-sync", differences: [], folded: 0, hidden: new Map([[SECRETS_OUT, 1]]) };
  const live = given === null ? null : sealed(given, seal);
  const said: Declared = {
    ...declared,
    ...(declared.deployed === undefined ? {} : { deployed: sealed(declared.deployed, seal) }),
    ...(declared.head === undefined ? {} : { head: sealed(declared.head, seal) }),
  };
  const context: JudgeContext = {
    root,
    hotfixes: subject.hotfixes,
    scaled: subject.scaled,
    predict: (object, is, differs) =>
      subject.predictor.predict(object, is, { resource: declared.resource, deploys: root.deploys, differs }),
    ignore: (differences, objects) => subject.rules.apply(differences, objects, root),
  };
  return judge(said, live, context);
}

function extra(ref: ObjectRef, live: KubeObject | null, root: Root): Verdict {
  if (live === null || isChild(live)) return { class: "in-sync", differences: [], folded: 0, hidden: new Map() };
  const stays = staysByRule(live);
  if (stays !== null) return { class: "in-sync", differences: [], folded: 0, hidden: new Map([[stays, 1]]) };
  const reason = `${root.source.owner.name} tracks ${describeRef(ref)}, and Git does not declare it`;
  return { class: "extra", differences: [], folded: 0, hidden: new Map(), reason };
}

/** The second look: fresh, by name. Where a deployment or a rollout is under way, nothing can be said yet. */
async function again(entry: Entry, subject: Subject): Promise<Verdict> {
  const { cluster } = subject.request;
  try {
    const { deployer } = entry.root;
    if (deployer !== null) {
      const owner = await cluster.get(deployer.ref);
      if (JSON.stringify(revisionsOf(owner)) !== JSON.stringify(revisionsOf(deployer.object)))
        return {
          ...unknownVerdict("its deployer came to another revision meanwhile; the next look compares it"),
          class: "pending",
        };
    }
    for (let tries = 0; ; tries++) {
      const live = await fresh(entry, subject);
      const verdict = await examine(entry, live, subject);
      const [observed, generation] = [numberAt(live, "status", "observedGeneration"), live?.metadata.generation ?? 0];
      if (verdict.class !== "drift" || observed === undefined || observed >= generation) return verdict;
      if (tries === UNSEEN_TRIES) return unknownVerdict("its controller has not seen its last change yet");
      await subject.request.clock.sleep(UNSEEN_MS);
    }
  } catch (error) {
    if (!(error instanceof StanchError)) throw error;
    return unknownVerdict(`it cannot be read: ${messageOf(error)}`);
  }
}

/** How often, and after how many milliseconds, an object is read again whose controller is behind. */
const UNSEEN_TRIES = 3;
const UNSEEN_MS = 1000;

async function fresh(entry: Entry, subject: Subject): Promise<KubeObject | null> {
  const { cluster, config } = subject.request;
  const bare = isSecret({ apiVersion: entry.ref.apiVersion, kind: entry.ref.kind }) && !config.drift.secrets;
  return bare ? metadataOf(entry, subject) : cluster.get(entry.ref);
}

async function metadataOf({ declared, ref }: Entry, { request }: Subject): Promise<KubeObject | null> {
  const options = { namespace: ref.namespace, fieldSelector: `metadata.name=${ref.name}`, metadataOnly: true };
  for await (const page of request.cluster.list(declared.resource, options)) if (page[0] !== undefined) return page[0];
  return null;
}

function revisionsOf(owner: KubeObject | null): unknown {
  const status = (owner?.["status"] ?? {}) as {
    sync?: { revision?: unknown; revisions?: unknown };
    lastAppliedRevision?: unknown;
    history?: readonly { readonly version?: unknown; readonly chartVersion?: unknown }[];
  };
  const [release] = Array.isArray(status.history) ? status.history : [];
  return [
    status.sync?.revision,
    status.sync?.revisions,
    status.lastAppliedRevision,
    owner?.kind === "HelmRelease" ? [release?.version, release?.chartVersion] : null,
  ];
}

function settled(found: Found | undefined, entry: Entry, verdict: Verdict, { hide, seal }: Subject): void {
  if (found === undefined) return;
  found.compared++;
  for (const [rule, count] of verdict.hidden) hide(rule, entry.root.source.repository, count);
  if (verdict.class === "in-sync") {
    found.inSync++;
    return;
  }
  const item =
    verdict.class === "unknown"
      ? plainItem(entry.ref, "unknown", `${describeRef(entry.ref)} was not compared: ${verdict.reason}.`)
      : itemOf(entry.ref, verdict, seal);
  found.items.push(item);
  found.verdicts.set(item, verdict);
}

/** Objects that bear a deployer's marks and that neither Git nor the deployer knows of. */
function strayFinder({
  request,
  roots,
  inScope,
  isBroken,
}: Subject): (object: KubeObject, resource: Resource) => readonly Entry[] {
  // An object is found once, however often and in however many versions it is listed.
  const known = new Set<string>();
  return (object, resource) => {
    if (isChild(object) || !inScope(object)) return [];
    const root = roots.find(({ source, deployer, deploys }) => {
      if (deployer !== null && (isBroken(deployer) || isPartOfIt(deployer, request))) return false;
      if (isOfRelease(object, source)) return true;
      return deployer !== null && deploys !== "configuration" && isCopyByPerson(object, deployer.ref);
    });
    const ref = refOf(object);
    if (root === undefined || root.leftKeys.has(keyOf(ref)) || known.has(keyOf(ref))) return [];
    known.add(keyOf(ref));
    return [{ root, declared: { key: keyOf(ref), resource }, ref }];
  };
}

/** Are only some sources of a deployer looked at? Then what it tracks and they do not declare may be of the others. */
function isPartOfIt({ origins }: Deployer, { roots = [] }: DriftRequest): boolean {
  return (
    origins.found && roots.length > 0 && !origins.origins.every((origin) => roots.some((name) => means(name, origin)))
  );
}

function reasonFor(
  unread: ReadonlyMap<Wanted, ReadonlyMap<string, string>>,
  key: string,
  { declared, ref }: Entry,
): string | undefined {
  for (const [wanted, reasons] of unread)
    if (key.startsWith(`${resourceKey(wanted.resource)}/`) && wanted.resource.kind === declared.resource.kind)
      return reasons.get(`${ref.namespace}/${ref.name}`);
  return undefined;
}

function unknownVerdict(reason: string): Verdict {
  return { class: "unknown", differences: [], folded: 0, hidden: new Map(), reason };
}

function resourceKey({ group, version, plural }: Resource): string {
  return `${group}/${version}/${plural}`;
}
