import { messageOf } from "../errors.ts";
import { isWrittenLately } from "../kube/last-write.ts";
import { projectEvent } from "../kube/project.ts";
import { refOf } from "../kube/ref.ts";
import { RESOURCES } from "../kube/resources.ts";
import { formatSelector } from "../kube/selector-text.ts";
import type { ClaimState, ConfigInventory, KubeObject, PortState, ServiceState, Workload } from "../model.ts";
import { atOnce } from "./at-once.ts";
import type { Reading } from "./reading.ts";
import { observePorts } from "./service-ports.ts";

/** Services with a selector and no ready endpoint, with how many pods their selector matches; and ports that lead nowhere. */
export async function observeServices(
  reading: Reading,
): Promise<{ readonly services: ServiceState[]; readonly ports: PortState[] }> {
  const served = new Set<string>();
  const candidates: KubeObject[] = [];
  const serving: KubeObject[] = [];
  try {
    for await (const page of reading.pages(RESOURCES.EndpointSlice)) {
      for (const slice of page) {
        const service = slice.metadata.labels?.["kubernetes.io/service-name"];
        const endpoints = (slice["endpoints"] ?? []) as { conditions?: { ready?: boolean } }[] | null;
        if (service !== undefined && (endpoints ?? []).some((endpoint) => endpoint.conditions?.ready !== false))
          served.add(`${slice.metadata.namespace}/${service}`);
      }
    }
    for await (const page of reading.pages(RESOURCES.Service)) {
      for (const service of page) {
        const spec = (service["spec"] ?? {}) as { selector?: Record<string, string>; type?: string };
        if (!reading.watched(service.metadata.namespace ?? "") || spec.type === "ExternalName") continue;
        if (Object.keys(spec.selector ?? {}).length === 0) continue;
        if (!served.has(`${service.metadata.namespace}/${service.metadata.name}`)) candidates.push(service);
        else if (isWrittenLately(service, reading.clock.now())) serving.push(service);
      }
    }
  } catch (error) {
    reading.gaps.push(`services cannot be read: ${messageOf(error)}`);
    return { services: [], ports: [] };
  }
  const services = await Promise.all(
    candidates
      .slice(0, 200)
      .map(async (object) => ({ ref: refOf(object), object, matching: await countMatching(reading, object) })),
  );
  return { services, ports: await observePorts(reading, serving) };
}

async function countMatching(reading: Reading, service: KubeObject): Promise<number> {
  const selector = (service["spec"] as { selector?: Record<string, string> }).selector;
  let count = 0;
  for await (const page of reading.cluster.list(RESOURCES.Pod, {
    namespace: service.metadata.namespace ?? "",
    labelSelector: formatSelector({ matchLabels: selector }),
    metadataOnly: true,
    limit: 50,
  })) {
    count += page.length;
    break;
  }
  return count;
}

/** Claims that are not bound, with their warnings. */
export async function observeClaims(reading: Reading): Promise<ClaimState[]> {
  const pending: KubeObject[] = [];
  try {
    for await (const page of reading.pages(RESOURCES.PersistentVolumeClaim)) {
      for (const claim of page)
        if (
          reading.watched(claim.metadata.namespace ?? "") &&
          (claim["status"] as { phase?: string } | undefined)?.phase !== "Bound" &&
          claim.metadata.deletionTimestamp === undefined
        )
          pending.push(claim);
    }
  } catch (error) {
    reading.gaps.push(`persistent volume claims cannot be read: ${messageOf(error)}`);
  }
  return Promise.all(
    pending.slice(0, 200).map(async (object) => {
      const events = [];
      const fieldSelector = `involvedObject.kind=PersistentVolumeClaim,involvedObject.name=${object.metadata.name}`;
      for await (const page of reading.cluster.list(RESOURCES.Event, {
        namespace: object.metadata.namespace ?? "",
        fieldSelector,
      }))
        events.push(...page.map(projectEvent));
      return { ref: refOf(object), object, events: events.slice(0, reading.config.observe.eventsPerWorkload) };
    }),
  );
}

/** Names and keys of ConfigMaps and Secrets, in the namespaces that have a suspicious workload. Values are dropped at once. */
export async function observeConfigs(
  reading: Reading,
  workloads: readonly Workload[],
): Promise<Record<string, ConfigInventory>> {
  const namespaces = [...new Set(workloads.map((workload) => workload.ref.namespace))];
  const found = await atOnce(namespaces, async (namespace): Promise<[string, ConfigInventory]> => {
    const configMaps: Record<string, readonly string[]> = {};
    const secrets = observeSecrets(reading, namespace);
    try {
      for await (const page of reading.cluster.list(RESOURCES.ConfigMap, { namespace, limit: 100 }))
        for (const map of page) configMaps[map.metadata.name] = keysOf(map);
    } catch (error) {
      reading.gaps.push(`configuration objects of ${namespace} cannot be read: ${messageOf(error)}`);
    }
    return [namespace, { configMaps, secrets: await secrets }];
  });
  return Object.fromEntries(found);
}

async function observeSecrets(
  reading: Reading,
  namespace: string,
): Promise<Record<string, readonly string[] | null> | null> {
  const mode = reading.config.observe.secrets;
  if (mode === "none") return null;
  const secrets: Record<string, readonly string[] | null> = {};
  try {
    for await (const page of reading.cluster.list(RESOURCES.Secret, {
      namespace,
      metadataOnly: mode === "names",
      limit: 100,
    })) {
      for (const secret of page) secrets[secret.metadata.name] = mode === "keys" ? keysOf(secret) : null;
    }
  } catch (error) {
    reading.gaps.push(`names of secrets in ${namespace} cannot be read: ${messageOf(error)}`);
    return null;
  }
  return secrets;
}

function keysOf(object: KubeObject): string[] {
  return Object.keys({
    ...(object["data"] as object | undefined),
    ...(object["binaryData"] as object | undefined),
    ...(object["stringData"] as object | undefined),
  }).sort();
}
