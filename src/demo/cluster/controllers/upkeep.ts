import type { KubeObject } from "../../../model.ts";
import { quotaStatus } from "../server/admission.ts";
import type { Api } from "../server/api.ts";
import { matchesSelector } from "../server/selectors.ts";
import { budgetStatus } from "../server/subresources.ts";
import type { LabelSelector, Tree } from "../shapes.ts";
import { isTree } from "../shapes.ts";
import { createActor } from "./actor.ts";
import { registerDefinition, unregisterDefinition } from "./definitions.ts";
import { createEndpointController } from "./endpoint.ts";

type Wake = (apiVersion: string, kind: string, namespace: string, name: string) => void;

/** The small controllers: namespaces, garbage, endpoints, budgets, quotas, claims, custom resource definitions. */
export function createUpkeep(api: Api): {
  readonly reconcilers: Record<string, (object: KubeObject) => void>;
  changed(object: KubeObject, type: string, wake: Wake): void;
} {
  const { store, kinds, timeline } = api;
  const actor = createActor(api, "kube-controller-manager", "persistentvolume-controller");

  function namespace(object: KubeObject): void {
    const { name, deletionTimestamp } = object.metadata;
    if (deletionTimestamp === undefined) {
      const missing = (kind: string, called: string): boolean => actor.get(kind, name, called) === undefined;
      if (missing("ServiceAccount", "default"))
        actor.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: name } });
      if (missing("ConfigMap", "kube-root-ca.crt")) {
        actor.create({
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "kube-root-ca.crt", namespace: name },
          data: { "ca.crt": "" },
        });
      }
      return;
    }
    let left = 0;
    for (const kind of kinds.all().filter((each) => each.namespaced)) {
      for (const content of store.list(kind, name)) {
        if (kind.kind === "Pod" && content.metadata.deletionTimestamp !== undefined) left += 1;
        else if (!api.remove(kind, content).gone) left += 1;
      }
    }
    const kind = kinds.of(object);
    const current = store.get(kind, "", name);
    if (left === 0 && current !== undefined) store.remove(kind, current);
    else timeline.after(0.5, `Namespace//${name}`, () => namespace(object));
  }

  /** Removes what a deleted owner controlled, or lets it go free when the owner was deleted with `Orphan`. */
  function collect(owner: KubeObject, orphan: boolean): void {
    const uid = owner.metadata.uid ?? "";
    for (const kind of kinds.all()) {
      for (const object of store.list(kind, owner.metadata.namespace)) {
        const refs = object.metadata.ownerReferences;
        if (refs?.some((ref) => ref.uid === uid) !== true) continue;
        const rest = refs.filter((ref) => ref.uid !== uid);
        if (orphan || rest.length > 0) {
          const { ownerReferences: _, ...metadata } = object.metadata;
          store.put(kind, {
            ...object,
            metadata: { ...metadata, ...(rest.length > 0 ? { ownerReferences: rest } : {}) },
          });
        } else if (object.metadata.deletionTimestamp === undefined) api.remove(kind, object);
      }
    }
  }

  function finalize(object: KubeObject): void {
    const finalizers = (object.metadata.finalizers as string[] | undefined) ?? [];
    const own: string[] = finalizers.filter((each) => each === "orphan" || each === "foregroundDeletion");
    if (object.metadata.deletionTimestamp === undefined || own.length === 0) return;
    collect(object, own.includes("orphan"));
    const kind = kinds.of(object);
    const uid = object.metadata.uid;
    const dependents = own.includes("orphan")
      ? []
      : kinds
          .all()
          .flatMap((each) => store.list(each, object.metadata.namespace))
          .filter((each) => each.metadata.ownerReferences?.some((ref) => ref.uid === uid));
    if (dependents.length > 0) {
      timeline.after(0.3, `finalize/${uid}`, () => {
        const again = store.get(kind, object.metadata.namespace ?? "", object.metadata.name);
        if (again !== undefined) finalize(again);
      });
      return;
    }
    const rest = finalizers.filter((each) => !own.includes(each));
    if (rest.length === 0) store.remove(kind, object);
    else store.put(kind, { ...object, metadata: { ...object.metadata, finalizers: rest } });
  }

  function budget(object: KubeObject): void {
    const counts = budgetStatus(api, object);
    const allowed = counts.disruptionsAllowed > 0;
    const old = (object.status as { conditions?: Tree[] } | undefined)?.conditions?.[0];
    const status = allowed ? "True" : "False";
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : timeline.stamp();
    const observedGeneration = object.metadata.generation ?? 1;
    actor.status(object, {
      observedGeneration,
      ...counts,
      conditions: [
        {
          type: "DisruptionAllowed",
          status,
          observedGeneration,
          lastTransitionTime,
          reason: allowed ? "SufficientPods" : "InsufficientPods",
          message: "",
        },
      ],
    });
  }

  function claim(object: KubeObject): void {
    if ((object.status as Tree | undefined)?.phase === "Bound") return;
    const spec = isTree(object.spec) ? object.spec : {};
    const classes = actor.list("StorageClass");
    const isDefault = (each: KubeObject): boolean =>
      each.metadata.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true";
    const found =
      spec.storageClassName === undefined
        ? classes.find(isDefault)
        : classes.find((each) => each.metadata.name === spec.storageClassName);
    if (found === undefined) {
      actor.events.warning(
        object,
        "ProvisioningFailed",
        `storageclass.storage.k8s.io "${String(spec.storageClassName)}" not found`,
      );
      timeline.after(15, `claim/${object.metadata.uid}`, () => {
        const again = actor.get("PersistentVolumeClaim", object.metadata.namespace ?? "", object.metadata.name);
        if (again !== undefined) claim(again);
      });
      return;
    }
    const bound = actor.update(object, {
      spec: { ...spec, storageClassName: found.metadata.name, volumeName: `pvc-${object.metadata.uid}` },
    });
    const requests = ((spec.resources as Tree | undefined)?.requests ?? {}) as Tree;
    actor.status(bound, { phase: "Bound", accessModes: spec.accessModes ?? [], capacity: requests });
  }

  const reconcilers: Record<string, (object: KubeObject) => void> = {
    Namespace: namespace,
    Service: createEndpointController(createActor(api, "kube-controller-manager", "endpoint-slice-controller")),
    PodDisruptionBudget: budget,
    PersistentVolumeClaim: claim,
    ResourceQuota: (object) => {
      actor.status(object, quotaStatus(object, api));
    },
    CustomResourceDefinition: (object) => registerDefinition(api, object),
  };

  function changed(object: KubeObject, type: string, wake: Wake): void {
    const { metadata, kind } = object;
    if (type === "DELETED") {
      timeline.after(0.05, `garbage/${metadata.uid}`, () => collect(object, false));
      if (kind === "CustomResourceDefinition") unregisterDefinition(api, object);
    } else if (Array.isArray(metadata.finalizers) && metadata.deletionTimestamp !== undefined) {
      timeline.after(0.05, `finalize/${metadata.uid}`, () => finalize(object));
    }
    if (kind !== "Pod") return;
    for (const watcher of ["Service", "PodDisruptionBudget", "ResourceQuota"]) {
      for (const other of actor.list(watcher, metadata.namespace)) {
        const selector = isTree(other.spec) ? other.spec.selector : undefined;
        const fits =
          watcher === "ResourceQuota" ||
          matchesSelector(
            watcher === "Service"
              ? { matchLabels: (selector ?? {}) as Record<string, string> }
              : (selector as LabelSelector),
            metadata.labels,
          );
        if (fits) wake(other.apiVersion, watcher, metadata.namespace ?? "", other.metadata.name);
      }
    }
  }

  return { reconcilers, changed };
}
