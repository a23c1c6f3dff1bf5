import { stableKey } from "../gitops/rendered.ts";
import { addressesIn, HOSTS } from "../kube/addresses.ts";
import { listAt, numberAt } from "../kube/fields.ts";
import { describeRef, refOf } from "../kube/ref.ts";
import { referencesOf } from "../kube/references.ts";
import { podSpecOf } from "../kube/template.ts";
import type { Change, FieldPath, Json, KubeObject } from "../model.ts";
import { ownChanges, type RecentCommit } from "../recent.ts";
import { hostIn } from "../remedies/service-hosts.ts";
import { here, isOpen, type Lost, WORKLOADS } from "./askers.ts";

const TEXTS = ["env", "args", "command"];
/** Hosts that every pod has. */
const ITSELF = new Set(["localhost"]);

/** A Service of the own namespace, and the port at which it is asked for; without one, the name alone. */
interface Asked {
  readonly service: string;
  readonly port?: number;
}

/**
 * Addresses that a commit pointed elsewhere: a workload, or a ConfigMap that one has, asked for a Service that is still there and still
 * serves that port, and asks since for a port that it does not serve, or for a name that no Service has. The counterpart of `lostPorts`:
 * there the Service was taken from who asks, here who asks turned away from it.
 */
export function lostAddresses(recent: RecentCommit): Lost[] {
  const workloads = recent.now.filter(({ kind }) => WORKLOADS.has(kind));
  return recent.now.flatMap((object): Lost[] => {
    const before = recent.before.get(stableKey(object));
    if (before === undefined || !(WORKLOADS.has(object.kind) || object.kind === "ConfigMap")) return [];
    const clients = object.kind === "ConfigMap" ? workloads.filter((each) => refersTo(each, object)) : [object];
    if (clients.length === 0 || clients.some(findsOthers)) return [];
    const turned = ownChanges(object, recent).flatMap((change) => turnOf(change, object, recent) ?? []);
    const [first] = turned;
    if (first === undefined) return [];
    const { namespace = "" } = object.metadata;
    const name = `Service ${namespace}/${first.is.service}`;
    const served = `before, it asked for ${first.was.port === undefined ? "" : `port ${first.was.port} of `}Service ${namespace}/${first.was.service}`;
    const what = `${first.is.port === undefined ? "" : `port ${first.is.port} of `}${name} (${first.where})`;
    const [client] = clients;
    return [
      {
        ref: refOf(object),
        before,
        now: object,
        clients,
        what,
        says: `${client === undefined ? "A client" : describeRef(refOf(client))} asks for ${what} since commit {commit}, which is not there; ${served}.`,
        absent: first.is.service === first.was.service ? [] : [first.is.service],
        fields: turned.map(({ path }) => path),
      },
    ];
  });
}

/** Names that no Service has may still lead somewhere: by the pod's own list of hosts, or in domains that it searches beside the cluster's. */
function findsOthers(client: KubeObject): boolean {
  const spec = podSpecOf(client);
  return listAt(spec, "hostAliases").length > 0 || listAt(spec, "dnsConfig", "searches").length > 0;
}

/** What one change turned from a Service that is there to one that is not. */
function turnOf(
  { path, from, to }: Change,
  { metadata: { namespace = "" }, kind }: KubeObject,
  recent: RecentCommit,
): { readonly is: Asked; readonly was: Asked; readonly where: string; readonly path: FieldPath } | null {
  if (kind !== "ConfigMap" && !TEXTS.some((field) => path.includes(field))) return null;
  const [is, was] = [textOf(from), textOf(to)];
  if (is === null || was === null) return null;
  const where = nameOf(path);
  const services = here(recent, "Service", namespace);
  const [now, then] = [askedIn(is, namespace, where), askedIn(was, namespace, where)];
  const lost = then.filter((one) => !now.some((other) => isSame(one, other)) && isServed(one, services) === true);
  const came = now.filter((one) => !then.some((other) => isSame(one, other)) && !ITSELF.has(one.service));
  // What came is looked at as a whole: where one of them is there, people are at work.
  if (came.length === 0 || came.some((one) => isServed(one, services) !== false)) return null;
  const [at] = came;
  const source = lost.find((one) => one.service === at?.service) ?? lost[0];
  return at === undefined || source === undefined ? null : { is: at, was: source, where, path };
}

function askedIn(text: string, namespace: string, where: string): Asked[] {
  const found: Asked[] = addressesIn(text, namespace, where).map(({ service, port }) => ({ service, port }));
  const host = HOSTS.test(where) ? hostIn(text, namespace) : null;
  if (host !== null && host.service !== null && host.port === undefined && found.length === 0)
    return [{ service: host.service }];
  return found;
}

function isSame(one: Asked, other: Asked): boolean {
  return one.service === other.service && one.port === other.port;
}

/** Undefined: nobody can know, as with a Service whose clients choose the port. */
function isServed({ service, port }: Asked, services: readonly KubeObject[]): boolean | undefined {
  const found = services.find(({ metadata }) => metadata.name === service);
  if (found === undefined) return false;
  if (port === undefined) return true;
  if (isOpen(found)) return undefined;
  return listAt(found, "spec", "ports").some((item) => numberAt(item, "port") === port);
}

function textOf(value: Json | undefined): string | null {
  if (typeof value === "string") return value;
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value.join("\n") : null;
}

/** The variable's name, or the key of a ConfigMap: never a value. */
function nameOf(path: FieldPath): string {
  const at = path.indexOf("env");
  const step = at < 0 ? path.at(-1) : path[at + 1];
  return typeof step === "object" ? String(step.value) : String(step ?? "");
}

function refersTo(workload: KubeObject, map: KubeObject): boolean {
  return (
    workload.metadata.namespace === map.metadata.namespace &&
    referencesOf(workload).some(({ kind, name }) => kind === "ConfigMap" && name === map.metadata.name)
  );
}
