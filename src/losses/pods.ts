import { stableKey } from "../gitops/rendered.ts";
import { numberAt, textAt, textsAt } from "../kube/fields.ts";
import { describeRef, refOf } from "../kube/ref.ts";
import { matchesLabels } from "../kube/selectors.ts";
import { templateOf } from "../kube/template.ts";
import type { KubeObject } from "../model.ts";
import { ownChanges, type RecentCommit } from "../recent.ts";
import { askersOf, here, isOpen, type Lost, unique, WORKLOADS } from "./askers.ts";

const SCALED = ["Deployment", "StatefulSet"];

/** What a commit says that scales to zero on purpose. */
const ON_PURPOSE =
  /\b(scal(e|es|ed|ing)|zero|replicas?|stop\w*|paus\w*|suspend\w*|disabl\w*|shut\w*|off|park\w*|hibernat\w*|sleep\w*|maintenance|outage|downtime|decommission\w*|deprecat\w*|retir\w*|remov\w*|delet\w*|drain\w*|sunset\w*|freez\w*|frozen|migrat\w*|failover|standby|replac\w*|switch\w*|rest)\b/i;

/**
 * Workloads that a commit scaled to zero beside other work, though Services still send to them and nothing else stands behind those. Who
 * scales on purpose mostly says so, or scales several at once; then, and where an autoscaler scales, it is nobody's loss.
 */
export function lostPods(recent: RecentCommit): Lost[] {
  if (ON_PURPOSE.test(recent.commit.subject)) return [];
  const scaled = recent.now.filter((workload) => SCALED.includes(workload.kind) && isScaledDown(workload, recent));
  const [workload, second] = scaled;
  if (workload === undefined || second !== undefined || isScaledByAnother(workload, recent)) return [];
  const before = recent.before.get(stableKey(workload));
  if (before === undefined) return [];
  const { namespace = "" } = workload.metadata;
  const behind = here(recent, "Service", namespace).filter((service) => {
    const was = recent.before.get(stableKey(service));
    return was !== undefined && sendsTo(was, before) && !isServed(service, recent);
  });
  const asking = behind.flatMap((service) => askersOf(service, recent)).filter(({ client }) => isUp(client));
  const [service] = behind.filter(
    (each) => !isOpen(each) || asking.some((asker) => asker.service === each.metadata.name),
  );
  if (service === undefined) return [];
  const [client] = asking;
  const name = `${namespace}/${service.metadata.name}`;
  const what = `pods of ${describeRef(refOf(workload))} behind Service ${name}${client === undefined ? "" : ` (${client.where})`}`;
  return [
    {
      ref: refOf(workload),
      before,
      now: workload,
      clients: client === undefined ? [service] : unique(asking),
      what,
    },
  ];
}

function isScaledDown(workload: KubeObject, recent: RecentCommit): boolean {
  const to = ownChanges(workload, recent).find(
    ({ path }) => path.length === 2 && path[0] === "spec" && path[1] === "replicas",
  );
  return to !== undefined && to.from === 0 && to.to !== 0;
}

/** An autoscaler that names it, be it Kubernetes' own or KEDA's. */
function isScaledByAnother(workload: KubeObject, { now }: RecentCommit): boolean {
  return now.some(
    (object) =>
      object.metadata.namespace === workload.metadata.namespace &&
      textAt(object, "spec", "scaleTargetRef", "name") === workload.metadata.name,
  );
}

/** Does any workload that is not at rest stand behind the Service? */
function isServed(service: KubeObject, { now }: RecentCommit): boolean {
  return now.some(
    (object) =>
      WORKLOADS.has(object.kind) &&
      object.metadata.namespace === service.metadata.namespace &&
      isUp(object) &&
      sendsTo(service, object),
  );
}

function sendsTo(service: KubeObject, workload: KubeObject): boolean {
  const selector = textsAt(service, "spec", "selector");
  return (
    Object.keys(selector).length > 0 && matchesLabels(selector, textsAt(templateOf(workload), "metadata", "labels"))
  );
}

function isUp(object: KubeObject): boolean {
  return numberAt(object, "spec", "replicas") !== 0;
}
