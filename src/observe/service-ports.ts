import { listAt, numberAt, textAt, textsAt, timeOf } from "../kube/fields.ts";
import { portsOf } from "../kube/probes.ts";
import { refOf } from "../kube/ref.ts";
import { RESOURCES } from "../kube/resources.ts";
import { formatSelector } from "../kube/selector-text.ts";
import { containersOf } from "../kube/template.ts";
import type { KubeObject, PortState } from "../model.ts";
import type { Reading } from "./reading.ts";

/** Only what was written lately is looked at: an old Service that somebody uses works. */
const LATELY_MS = 24 * 3_600_000;
const MOST = 50;
const PODS = 20;

export function changedLately(service: KubeObject, now: Date): boolean {
  return now.getTime() - changedAt(service) < LATELY_MS;
}

/** Of Services that were changed lately and have ready endpoints: ports behind which nothing listens. */
export async function observePorts(reading: Reading, services: readonly KubeObject[]): Promise<PortState[]> {
  const found = await Promise.all(services.slice(0, MOST).map((service) => wrongPorts(reading, service)));
  return found.flat();
}

/**
 * Ports of a Service that lead nowhere: a name that no container of its pods gives a port, or a number that none of them
 * declares and on which a ready pod refuses the connection. A declared port is believed and not asked.
 */
export async function wrongPorts(reading: Reading, service: KubeObject): Promise<PortState[]> {
  const pods = await podsOf(reading, service);
  const [pod] = pods;
  if (pod === undefined) return [];
  const declared = pods.flatMap((item) => containersOf(item).flatMap((container) => portsOf(container.spec)));
  const out: PortState[] = [];
  for (const item of listAt(service, "spec", "ports")) {
    if ((textAt(item, "protocol") ?? "TCP") !== "TCP") continue;
    const target = (item as { targetPort?: unknown }).targetPort ?? numberAt(item, "port");
    const state = { ref: refOf(service), object: service, since: new Date(changedAt(service)).toISOString() };
    const choices = [...new Set(declared.filter((port) => port.protocol === "TCP").map((port) => port.port))];
    if (typeof target === "string" && !/^\d+$/.test(target)) {
      if (!declared.some((port) => port.name === target))
        out.push({
          ...state,
          target,
          declared: choices,
          message: `No container of its pods has a port named ${target}.`,
        });
      continue;
    }
    const port = Number(target);
    if (choices.includes(port) || !Number.isInteger(port)) continue;
    const answer = await reading.cluster.ask(
      { apiVersion: "v1", kind: "Pod", namespace: pod.metadata.namespace ?? "", name: pod.metadata.name },
      { scheme: "HTTP", port, path: "/" },
    );
    if (answer === "refused")
      out.push({ ...state, target: port, declared: choices, message: `Nothing listens on port ${port} of its pods.` });
  }
  return out;
}

/** Some ready pods behind a Service, in full. */
async function podsOf(reading: Reading, service: KubeObject): Promise<KubeObject[]> {
  const selector = textsAt(service, "spec", "selector");
  if (Object.keys(selector).length === 0) return [];
  for await (const page of reading.cluster.list(RESOURCES.Pod, {
    namespace: service.metadata.namespace ?? "",
    labelSelector: formatSelector({ matchLabels: selector }),
    limit: PODS,
  }))
    return page.filter(isReady);
  return [];
}

function isReady(pod: KubeObject): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined &&
    listAt(pod, "status", "conditions").some(
      (condition) => textAt(condition, "type") === "Ready" && textAt(condition, "status") === "True",
    )
  );
}

/** When it was last written, in milliseconds, as far as it says so itself. */
function changedAt({ metadata }: KubeObject): number {
  const times = [metadata.creationTimestamp, ...(metadata.managedFields ?? []).map((entry) => entry.time)];
  return Math.max(0, ...times.map((time) => timeOf(time) ?? 0));
}
