import { messageOf } from "../errors.ts";
import { listAt, numberAt, textAt, textsAt, timeOf } from "../kube/fields.ts";
import { lastWrite } from "../kube/last-write.ts";
import { portsOf } from "../kube/probes.ts";
import { refOf } from "../kube/ref.ts";
import { RESOURCES } from "../kube/resources.ts";
import { formatSelector } from "../kube/selector-text.ts";
import { containersOf } from "../kube/template.ts";
import type { KubeObject, PortState } from "../model.ts";
import { atOnce } from "./at-once.ts";
import type { Reading } from "./reading.ts";

const MOST = 50;
const PODS = 20;
/** How long a pod may be ready before it listens. */
const SETTLED_MS = 60_000;

/** Of Services that were changed lately and have ready endpoints: ports behind which nothing listens. */
export async function observePorts(reading: Reading, services: readonly KubeObject[]): Promise<PortState[]> {
  const found = await atOnce(services.slice(0, MOST), async (service) => {
    try {
      return await wrongPorts(reading, service);
    } catch (error) {
      const { namespace, name } = service.metadata;
      reading.gaps.push(`what listens behind service ${namespace}/${name} cannot be asked: ${messageOf(error)}`);
      return [];
    }
  });
  return found.flat();
}

/**
 * Ports of a Service that lead nowhere: a name that no container of its pods gives a port, or a number that none of them
 * declares and on which ready pods refuse the connection. A declared port is believed and not asked. A further port beside one
 * that leads to all that the pods declare is for what is not switched on, such as metrics. Clients of a headless Service choose
 * the port themselves.
 */
export async function wrongPorts(reading: Reading, service: KubeObject): Promise<PortState[]> {
  if (textAt(service, "spec", "clusterIP") === "None") return [];
  const pods = await podsOf(reading, service);
  if (pods.length === 0) return [];
  const all = pods.flatMap((item) => containersOf(item).flatMap((container) => portsOf(container.spec)));
  const named = (name: string): number | undefined => all.find((port) => port.name === name)?.port;
  const declared = [...new Set(all.filter((port) => port.protocol === "TCP").map((port) => port.port))];
  const ports = listAt(service, "spec", "ports");
  const leadsTo = ports.map((item) => {
    const target = targetOf(item);
    return typeof target === "string" ? named(target) : target;
  });
  if (declared.length > 0 && declared.every((port) => leadsTo.includes(port))) return [];
  const state = { ref: refOf(service), object: service, since: new Date(lastWrite(service)).toISOString(), declared };
  const out: PortState[] = [];
  for (const [index, item] of ports.entries()) {
    const target = targetOf(item);
    if ((textAt(item, "protocol") ?? "TCP") !== "TCP" || target === undefined) continue;
    if (typeof target === "string") {
      if (leadsTo[index] === undefined)
        out.push({ ...state, target, message: `No container of its pods has a port named ${target}.` });
    } else if (!declared.includes(target) && (await isClosed(target, declared, pods, reading)))
      out.push({ ...state, target, message: `Nothing listens on port ${target} of its pods.` });
  }
  return out;
}

/** Where a port of a Service leads: a number, or the name of a port. */
function targetOf(item: unknown): string | number | undefined {
  const target = (item as { targetPort?: unknown }).targetPort ?? numberAt(item, "port");
  if (typeof target === "string" && !/^\d+$/.test(target)) return target;
  return Number.isInteger(Number(target)) ? Number(target) : undefined;
}

/**
 * Do all pods that are asked refuse the port, although they serve? A program that is ready before it listens refuses what it
 * declares as well; where it declares nothing, it is given time.
 */
async function isClosed(
  port: number,
  declared: readonly number[],
  pods: readonly KubeObject[],
  reading: Reading,
): Promise<boolean> {
  const asked = [...new Set([pods[0], pods[Math.floor(pods.length / 2)], pods.at(-1)])];
  for (const pod of asked) {
    if (pod === undefined || (await answerOf(pod, port, reading)) !== "refused") return false;
    if (declared.length === 0 && reading.clock.now().getTime() - readySince(pod) < SETTLED_MS) return false;
    const others = await Promise.all(declared.slice(0, 3).map((other) => answerOf(pod, other, reading)));
    if (others.length > 0 && others.every((answer) => answer === "refused")) return false;
  }
  return true;
}

function answerOf(pod: KubeObject, port: number, { cluster }: Reading): Promise<number | "refused" | null> {
  return cluster.ask(refOf(pod), { scheme: "HTTP", port, path: "/" });
}

function readySince(pod: KubeObject): number {
  const ready = listAt(pod, "status", "conditions").find((condition) => textAt(condition, "type") === "Ready");
  return timeOf(textAt(ready, "lastTransitionTime")) ?? 0;
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
