import { groupOf, refOf, sameRef } from "../kube/ref.ts";
import type { KubeObject } from "../model.ts";
import type { Cluster } from "../ports.ts";

/** The objects that a commit declares, to be read as if a cluster had them. */
export function paperCluster(objects: readonly KubeObject[]): Pick<Cluster, "list" | "get" | "serves"> {
  return {
    async *list(resource) {
      yield objects.filter(({ apiVersion, kind }) => kind === resource.kind && groupOf(apiVersion) === resource.group);
    },
    async get(ref) {
      return objects.find((object) => sameRef(refOf(object), ref)) ?? null;
    },
    serves: async () => true,
  };
}
