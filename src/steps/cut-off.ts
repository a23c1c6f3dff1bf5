import { type Asker, askersOf, here, isOpen, type Lost, unique, WORKLOADS } from "../askers.ts";
import { messageOf } from "../errors.ts";
import { stableKey } from "../gitops/rendered.ts";
import { listAt, numberAt, textsAt } from "../kube/fields.ts";
import { letsThrough } from "../kube/network-policy.ts";
import { portsOf } from "../kube/probes.ts";
import { describeRef, keyOf, refOf } from "../kube/ref.ts";
import { matchesLabels } from "../kube/selectors.ts";
import { containersOf, templateOf } from "../kube/template.ts";
import { lostPods } from "../lost-pods.ts";
import type { CutOffState, Flow, KubeObject } from "../model.ts";
import { inspectedSources, isOfSource, ownChanges, type RecentCommit, recentCommits } from "../recent.ts";
import type { Run } from "../run.ts";
import type { Observation } from "./observe.ts";

const PATIENCE_MS = 30_000;

/**
 * Services and NetworkPolicies in which a commit of the last day took away what clients, by their own manifests, still ask for: a port,
 * the Service as such, or the way through. Told from what Git says now and said before; no program is asked, because one that is cut off
 * may only log it, or hang.
 */
export async function cutOffs(run: Run, seen: Observation): Promise<CutOffState[]> {
  const out = new Map<string, CutOffState>();
  const began = run.clock.now().getTime();
  for (const entry of await inspectedSources(run)) {
    await run.renew();
    if (run.clock.now().getTime() - began > PATIENCE_MS) break;
    try {
      for await (const recent of recentCommits(entry, run)) {
        const watched = (object: KubeObject): boolean => isOfSource(object, entry, seen.namespaces);
        for (const state of [...lostPorts(recent), ...lostServices(recent), ...lostWays(recent), ...lostPods(recent)]) {
          const key = keyOf(state.ref);
          if (out.has(key) || !watched(state.before)) continue;
          const live = await run.cluster.get(state.ref);
          if (isMoved(state, live)) continue;
          if ((live === null) === (state.now === undefined)) out.set(key, stateOf(state, live, recent));
        }
      }
    } catch (error) {
      const { repository, path } = entry.origin;
      run.log.debug("source not compared with its past", { source: `${repository}:${path}`, error: messageOf(error) });
    }
  }
  return [...out.values()];
}

/** Somebody scaled it in the meantime, whatever Git says. */
function isMoved({ now }: Lost, live: KubeObject | null): boolean {
  return now !== undefined && numberAt(now, "spec", "replicas") === 0 && numberAt(live, "spec", "replicas") !== 0;
}

function stateOf(
  { ref, clients, what, flows }: Lost,
  object: KubeObject | null,
  { commit }: RecentCommit,
): CutOffState {
  const [first] = clients;
  const who = first === undefined ? "A client" : describeRef(refOf(first));
  const message = `${who} asks for ${what}, which commit ${commit.sha.slice(0, 7)} took away.`;
  return { ref, object, commit, message, flows, clients: clients.map(refOf) };
}

/** Ports that a commit took from a Service. Where somebody asks for the ports that came instead, people are at work: none. */
export function lostPorts(recent: RecentCommit): Lost[] {
  return recent.now.flatMap((service): Lost[] => {
    const before = recent.before.get(stableKey(service));
    if (service.kind !== "Service" || before === undefined || isOpen(service) || isOpen(before)) return [];
    if (!ownChanges(service, recent).some(({ path }) => path[0] === "spec" && path[1] === "ports")) return [];
    const [now, then] = [portNumbers(service), portNumbers(before)];
    const lost = then.filter((port) => !now.includes(port));
    const came = now.filter((port) => !then.includes(port));
    const asking = askersOf(service, recent);
    if (asking.some(({ port }) => came.includes(port))) return [];
    const cut = asking.filter(({ port }) => lost.includes(port));
    const [first] = cut;
    if (first === undefined) return [];
    const what = `port ${first.port} of Service ${service.metadata.namespace}/${service.metadata.name} (${first.where})`;
    return [{ ref: refOf(service), before, now: service, clients: unique(cut), what, flows: [] }];
  });
}

/** Services that a commit took out of Git, and that nobody else declares. */
export function lostServices(recent: RecentCommit): Lost[] {
  const there = new Set(recent.now.map(stableKey));
  return [...recent.before.values()].flatMap((before): Lost[] => {
    const gone =
      before.kind === "Service" && !there.has(stableKey(before)) && recent.after?.has(stableKey(before)) !== true;
    const asking = gone ? askersOf(before, recent) : [];
    const [first] = asking;
    if (first === undefined) return [];
    const what = `Service ${before.metadata.namespace}/${before.metadata.name} (${first.where})`;
    return [{ ref: refOf(before), before, now: undefined, clients: unique(asking), what, flows: [] }];
  });
}

/** Ways between a declared client and the Service that it asks for, which the NetworkPolicies let through before a commit. */
export function lostWays(recent: RecentCommit): Lost[] {
  return recent.now.flatMap((policy): Lost[] => {
    const before = recent.before.get(stableKey(policy));
    if (policy.kind !== "NetworkPolicy" || before === undefined || ownChanges(policy, recent).length === 0) return [];
    const { namespace = "" } = policy.metadata;
    const now = here(recent, "NetworkPolicy", namespace);
    const then = now.map((object) => (object === policy ? before : object));
    const lost = here(recent, "Service", namespace).flatMap((service) =>
      askersOf(service, recent).flatMap((asker) =>
        flowsOf(asker, service, recent)
          .filter((flow) => letsThrough(then, flow) === true && letsThrough(now, flow) === false)
          .map((flow) => ({ ...asker, flow })),
      ),
    );
    const [first] = lost;
    if (first === undefined) return [];
    const what = `port ${first.port} of Service ${namespace}/${first.service} (${first.where}) through ${describeRef(refOf(policy))}`;
    const flows = lost.map(({ flow }) => flow);
    return [{ ref: refOf(policy), before, now: policy, clients: unique(lost), what, flows }];
  });
}

/** Pods of the client and of the workloads behind the Service, with the port on which those are asked. */
function flowsOf({ client, port }: Asker, service: KubeObject, recent: RecentCommit): Flow[] {
  const selector = textsAt(service, "spec", "selector");
  const from = textsAt(templateOf(client), "metadata", "labels");
  const item = listAt(service, "spec", "ports").find((one) => numberAt(one, "port") === port);
  if (client.kind === "Ingress" || item === undefined || Object.keys(selector).length === 0) return [];
  return recent.now
    .filter(
      (object) =>
        WORKLOADS.has(object.kind) &&
        object.metadata.namespace === service.metadata.namespace &&
        matchesLabels(selector, textsAt(templateOf(object), "metadata", "labels")),
    )
    .flatMap((server): Flow[] => {
      const target = (item as { targetPort?: unknown }).targetPort ?? port;
      const declared = containersOf(server).flatMap((container) => portsOf(container.spec));
      const number = typeof target === "number" ? target : declared.find((one) => one.name === target)?.port;
      return number === undefined
        ? []
        : [{ from, to: textsAt(templateOf(server), "metadata", "labels"), port: number }];
    });
}

function portNumbers(service: KubeObject): number[] {
  return listAt(service, "spec", "ports").flatMap((item) => numberAt(item, "port") ?? []);
}
