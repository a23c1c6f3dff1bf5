import { remember } from "../gitops/kept.ts";
import { textAt } from "../kube/fields.ts";
import { groupOf } from "../kube/ref.ts";
import { RESOURCES } from "../kube/resources.ts";
import type { KubeObject } from "../model.ts";
import type { Cluster } from "../ports.ts";

/** Is an object the target of a HorizontalPodAutoscaler (KEDA makes one, too)? The autoscalers of a namespace are read once. */
export function scaledBy(cluster: Pick<Cluster, "list">, pageSize: number): (live: KubeObject) => Promise<boolean> {
  const targets = new Map<string, Promise<ReadonlySet<string>>>();
  return async (live) => {
    const namespace = live.metadata.namespace ?? "";
    const found = await remember(targets, namespace, () => read(namespace));
    return found.has(`${groupOf(live.apiVersion)}/${live.kind}/${live.metadata.name}`);
  };

  async function read(namespace: string): Promise<ReadonlySet<string>> {
    const out = new Set<string>();
    // What cannot be read claims nothing: the difference is told.
    try {
      for await (const page of cluster.list(RESOURCES.HorizontalPodAutoscaler, { namespace, limit: pageSize }))
        for (const hpa of page) {
          const at = (key: string): string => textAt(hpa, "spec", "scaleTargetRef", key) ?? "";
          out.add(`${groupOf(at("apiVersion"))}/${at("kind")}/${at("name")}`);
        }
    } catch {
      return out;
    }
    return out;
  }
}
