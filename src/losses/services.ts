import { stableKey } from "../gitops/rendered.ts";
import { listAt, numberAt } from "../kube/fields.ts";
import { refOf } from "../kube/ref.ts";
import type { KubeObject } from "../model.ts";
import { ownChanges, type RecentCommit } from "../recent.ts";
import { askersOf, isOpen, type Lost, unique } from "./askers.ts";

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
    return [{ ref: refOf(service), before, now: service, clients: unique(cut), what }];
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
    return [{ ref: refOf(before), before, now: undefined, clients: unique(asking), what }];
  });
}

function portNumbers(service: KubeObject): number[] {
  return listAt(service, "spec", "ports").flatMap((item) => numberAt(item, "port") ?? []);
}
