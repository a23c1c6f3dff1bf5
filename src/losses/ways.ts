import { stableKey } from "../gitops/rendered.ts";
import { listAt, numberAt, textsAt } from "../kube/fields.ts";
import { letsThrough } from "../kube/network-policy.ts";
import { portsOf } from "../kube/probes.ts";
import { describeRef, refOf } from "../kube/ref.ts";
import { matchesLabels } from "../kube/selectors.ts";
import { containersOf, templateOf } from "../kube/template.ts";
import type { Flow, KubeObject } from "../model.ts";
import { ownChanges, type RecentCommit } from "../recent.ts";
import { type Asker, askersOf, here, type Lost, unique, WORKLOADS } from "./askers.ts";

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
