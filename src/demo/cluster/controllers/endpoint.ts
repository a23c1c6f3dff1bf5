import type { KubeObject } from "../../../model.ts";
import { randomSuffix } from "../server/api.ts";
import { matchesSelector } from "../server/selectors.ts";
import { isReady } from "../server/subresources.ts";
import type { Pod } from "../shapes.ts";
import { controllerOf, same } from "../shapes.ts";
import type { Actor } from "./actor.ts";

interface ServicePort {
  name?: string;
  port: number;
  protocol?: string;
  targetPort?: number | string;
}

/** Keeps one EndpointSlice for each Service that has a selector: its pods, ready or not, and the ports they have. */
export function createEndpointController(actor: Actor): (object: KubeObject) => void {
  return (service) => {
    const spec = (service.spec ?? {}) as { selector?: Record<string, string>; ports?: ServicePort[]; type?: string };
    if (spec.selector === undefined || Object.keys(spec.selector).length === 0 || spec.type === "ExternalName") return;
    const pods = (actor.list("Pod", service.metadata.namespace) as Pod[]).filter(
      (pod) =>
        matchesSelector({ matchLabels: spec.selector ?? {} }, pod.metadata.labels) &&
        pod.status?.podIP !== undefined &&
        pod.status.phase === "Running",
    );
    const endpoints = pods.map((pod) => {
      const terminating = pod.metadata.deletionTimestamp !== undefined;
      return {
        addresses: [pod.status?.podIP],
        conditions: { ready: isReady(pod) && !terminating, serving: isReady(pod), terminating },
        targetRef: { kind: "Pod", namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid },
        nodeName: pod.spec.nodeName,
      };
    });
    const ports = (spec.ports ?? []).flatMap((port) => {
      const number = targetPort(port, pods);
      return number === undefined ? [] : [{ name: port.name ?? "", protocol: port.protocol ?? "TCP", port: number }];
    });
    const old = actor.owned("EndpointSlice", service)[0];
    if (old === undefined) {
      actor.create({
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: {
          name: `${service.metadata.name}-${randomSuffix()}`,
          namespace: service.metadata.namespace ?? "",
          generateName: `${service.metadata.name}-`,
          labels: {
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            "kubernetes.io/service-name": service.metadata.name,
          },
          ownerReferences: [controllerOf(service)],
        },
        addressType: "IPv4",
        endpoints,
        ports,
      });
    } else if (!same(old.endpoints, JSON.parse(JSON.stringify(endpoints))) || !same(old.ports, ports))
      actor.update(old, { endpoints, ports });
  };
}

// A name is looked up in the pods; when no pod has a port of that name the Service forwards nowhere.
function targetPort(port: ServicePort, pods: readonly Pod[]): number | undefined {
  const { targetPort: target = port.port } = port;
  if (typeof target === "number") return target;
  for (const pod of pods) {
    for (const container of pod.spec.containers) {
      const found = container.ports?.find((each) => each.name === target);
      if (found !== undefined) return found.containerPort;
    }
  }
  return undefined;
}
