import { stableKey } from "../gitops/rendered.ts";
import { namesIn } from "../kube/addresses.ts";
import { flagAt, listAt, textAt } from "../kube/fields.ts";
import { describeRef, refOf } from "../kube/ref.ts";
import { podSpecOf } from "../kube/template.ts";
import type { Change, KubeObject } from "../model.ts";
import { ownChanges, type RecentCommit } from "../recent.ts";
import { here, type Lost, WORKLOADS } from "./askers.ts";

const DNS = ["dnsPolicy", "dnsConfig", "hostNetwork"];

/**
 * Workloads that name Services and cannot resolve such names since a commit, by the rules of Kubernetes' own `dnsPolicy`
 * (https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy): their pods ask the node's name servers,
 * which know of no Service, or do not search the namespace.
 */
export function lostNames(recent: RecentCommit): Lost[] {
  return recent.now.flatMap((workload): Lost[] => {
    const before = recent.before.get(stableKey(workload));
    if (before === undefined || !WORKLOADS.has(workload.kind)) return [];
    const { namespace = "" } = workload.metadata;
    if (!resolves(before, namespace) || resolves(workload, namespace)) return [];
    const dns = ownChanges(workload, recent).filter(isAboutDns);
    const services = new Set(here(recent, "Service", namespace).map(({ metadata }) => metadata.name));
    const listed = new Set(listAt(podSpecOf(workload), "hostAliases").flatMap((item) => listAt(item, "hostnames")));
    const [name] = namesIn(workload, here(recent, "ConfigMap", namespace)).filter(
      ({ service }) => services.has(service) && !listed.has(service),
    );
    if (dns.length === 0 || name === undefined) return [];
    const what = `Service ${namespace}/${name.service} (${name.where})`;
    return [
      {
        ref: refOf(workload),
        before,
        now: workload,
        clients: [workload],
        what,
        says: `${describeRef(refOf(workload))} asks for ${what}, whose name its pods cannot resolve since commit {commit}: they do not ask the cluster's DNS any more.`,
        fields: dns.map(({ path }) => path),
      },
    ];
  });
}

function isAboutDns({ path }: Change): boolean {
  return DNS.some((field) => path.includes(field));
}

/** Do the pods of a workload find Services of their namespace by name? */
function resolves(workload: KubeObject, namespace: string): boolean {
  const spec = podSpecOf(workload);
  const policy = textAt(spec, "dnsPolicy") ?? "ClusterFirst";
  if (policy === "ClusterFirst") return !flagAt(spec, "hostNetwork");
  if (policy === "None")
    return listAt(spec, "dnsConfig", "searches").some((search) => String(search).startsWith(`${namespace}.svc.`));
  return policy !== "Default";
}
