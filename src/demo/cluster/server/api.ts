import { randomUUID } from "node:crypto";
import type { KubeObject } from "../../../model.ts";
import type { Pod } from "../shapes.ts";
import { isTree, same } from "../shapes.ts";
import type { Timeline } from "../timeline.ts";
import { admitPod, chargeQuota } from "./admission.ts";
import { ApiError, alreadyExists, badRequest, conflict, forbidden, invalid, notFound } from "./api-error.ts";
import { pruneAndDefault } from "./custom-schema.ts";
import { decodeFault } from "./decode.ts";
import { withDefaults } from "./defaults.ts";
import type { Kind, Kinds } from "./kinds.ts";
import { apiVersionOf } from "./kinds.ts";
import type { FieldSet } from "./managed-fields.ts";
import { entriesGiven, manageFields } from "./managed-fields.ts";
import type { Store } from "./store.ts";
import { validate } from "./validation.ts";

export interface WriteOptions {
  /** Who writes: `metadata.managedFields[].manager`. */
  readonly manager: string;
  readonly operation?: "Update" | "Apply";
  readonly dryRun?: boolean;
  readonly subresource?: "status" | "resize";
  /** The fields an apply says, whether or not they change anything. */
  readonly applied?: FieldSet;
}

export interface DeleteOptions {
  readonly dryRun?: boolean;
  readonly gracePeriodSeconds?: number;
  readonly propagation?: "Foreground" | "Background" | "Orphan";
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** Create, update and delete, as kube-apiserver does them: defaults, admission, validation, bookkeeping, storage. */
export interface Api {
  readonly kinds: Kinds;
  readonly store: Store;
  readonly timeline: Timeline;
  /** Throws ApiError 404. */
  read(kind: Kind, namespace: string, name: string): KubeObject;
  create(kind: Kind, namespace: string, object: KubeObject, options: WriteOptions): KubeObject;
  /** Replaces `before` (what is stored) by `after`. Throws ApiError 409 when `after` carries another resourceVersion. */
  update(kind: Kind, before: KubeObject, after: KubeObject, options: WriteOptions): KubeObject;
  /** The last state when the object is gone, the object with its deletionTimestamp when it goes later. */
  remove(kind: Kind, object: KubeObject, options?: DeleteOptions): { gone: boolean; object: KubeObject };
}

const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** Five characters, as the API server appends to generateName. */
export function randomSuffix(length = 5): string {
  return Array.from({ length }, () => ALPHABET[Math.floor(Math.random() * ALPHABET.length)]).join("");
}

export function createApi(kinds: Kinds, store: Store, timeline: Timeline): Api {
  let addresses = 10;

  function prepare(kind: Kind, object: KubeObject): KubeObject {
    const typed = { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind };
    const fault = decodeFault(typed);
    if (fault !== undefined)
      throw badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${fault}`);
    return kind.schema === undefined ? withDefaults(typed) : pruneAndDefault(typed, kind.schema);
  }

  function refuse(kind: Kind, object: KubeObject, before?: KubeObject, resize = false): void {
    const causes = validate(kind, object, before, resize);
    if (causes.length > 0) throw invalid(kind, object.metadata.name ?? "", causes);
  }

  function create(kind: Kind, namespace: string, object: KubeObject, options: WriteOptions): KubeObject {
    const { managedFields: _, resourceVersion, ...metadata } = object.metadata ?? {};
    if (resourceVersion !== undefined && resourceVersion !== "")
      throw badRequest("resourceVersion should not be set on objects to be created");
    const generateName = typeof metadata.generateName === "string" ? metadata.generateName : "";
    const name = metadata.name || (generateName === "" ? "" : `${generateName}${randomSuffix()}`);
    if (kind.namespaced) refuseNamespace(namespace, name, kind);
    if (store.get(kind, namespace, name) !== undefined) throw alreadyExists(kind, name);
    const draft: KubeObject = {
      ...object,
      metadata: {
        ...metadata,
        name,
        ...(kind.namespaced ? { namespace } : {}),
        uid: randomUUID(),
        creationTimestamp: timeline.stamp(),
        ...(kind.generation ? { generation: 1 } : {}),
      },
    };
    if (kind.status) delete draft.status;
    const made = prepare(kind, draft);
    refuse(kind, made);
    if (kind.kind === "Pod") {
      admitPod(made as Pod, { kinds, store }, randomSuffix());
      chargeQuota(made as Pod, { kinds, store });
    }
    if (kind.kind === "Service") allocate(made);
    stampFields(kind, undefined, made, options);
    return options.dryRun === true ? made : store.put(kind, made);
  }

  function refuseNamespace(namespace: string, name: string, kind: Kind): void {
    const namespaces = kinds.of({ apiVersion: "v1", kind: "Namespace" });
    const home = store.get(namespaces, "", namespace);
    if (home === undefined) throw notFound(namespaces, namespace);
    if (home.metadata.deletionTimestamp !== undefined) {
      throw forbidden(
        kind,
        name,
        `unable to create new content in namespace ${namespace} because it is being terminated`,
      );
    }
  }

  function allocate(service: KubeObject): void {
    const spec = service.spec as Record<string, unknown>;
    if (spec.type === "ExternalName" || spec.clusterIP !== undefined) return;
    addresses += 1;
    spec.clusterIP = `10.96.${Math.floor(addresses / 250)}.${(addresses % 250) + 1}`;
    spec.clusterIPs = [spec.clusterIP];
  }

  function stampFields(kind: Kind, before: KubeObject | undefined, after: KubeObject, options: WriteOptions): void {
    const manager = {
      name: options.manager,
      operation: options.operation ?? "Update",
      apiVersion: after.apiVersion,
      ...(options.subresource === undefined ? {} : { subresource: options.subresource }),
    };
    const change = {
      before,
      after,
      schema: kind.schema,
      ...(options.applied === undefined ? {} : { applied: options.applied }),
    };
    after.metadata.managedFields = manageFields(change, manager, timeline.stamp()) as NonNullable<
      KubeObject["metadata"]["managedFields"]
    >;
  }

  function update(kind: Kind, before: KubeObject, after: KubeObject, options: WriteOptions): KubeObject {
    const { metadata } = before;
    const asked = after.metadata ?? {};
    if (
      asked.resourceVersion !== undefined &&
      asked.resourceVersion !== "" &&
      asked.resourceVersion !== metadata.resourceVersion
    ) {
      throw conflict(kind, metadata.name);
    }
    if (asked.uid !== undefined && asked.uid !== metadata.uid) {
      throw conflict(
        kind,
        metadata.name,
        `Precondition failed: UID in precondition: ${asked.uid}, UID in object meta: ${metadata.uid}`,
      );
    }
    const kept: Record<string, unknown> = {};
    for (const key of [
      "name",
      "namespace",
      "uid",
      "resourceVersion",
      "generation",
      "creationTimestamp",
      "deletionTimestamp",
      "deletionGracePeriodSeconds",
    ]) {
      if (metadata[key] !== undefined) kept[key] = metadata[key];
    }
    kept["managedFields"] = entriesGiven(asked.managedFields) ?? metadata.managedFields ?? [];
    const { deletionTimestamp: _d, deletionGracePeriodSeconds: _g, ...rest } = asked;
    const whole: KubeObject =
      options.subresource === "status"
        ? { ...before, status: after.status }
        : {
            ...after,
            ...(kind.status ? { status: before.status } : {}),
            metadata: { ...rest, ...kept } as KubeObject["metadata"],
          };
    for (const key of Object.keys(whole)) if (whole[key] === undefined) delete whole[key];
    const made = prepare(kind, whole);
    refuse(kind, made, before, options.subresource === "resize");
    if (kind.generation && !sameDesire(made, before)) made.metadata.generation = (metadata.generation ?? 0) + 1;
    const released = !same(made.metadata.managedFields, metadata.managedFields ?? []);
    if (sameContent(made, before) && options.applied === undefined && !released) return before;
    stampFields(kind, before, made, options);
    if (
      sameContent(made, before) &&
      same(made.metadata.managedFields?.map(timeless), metadata.managedFields?.map(timeless))
    )
      return before;
    if (options.dryRun === true) return made;
    const leaving = made.metadata.deletionTimestamp !== undefined && kind.kind !== "Pod";
    if (leaving && finalizersOf(made).length === 0) return store.remove(kind, made);
    return store.put(kind, made);
  }

  function remove(kind: Kind, object: KubeObject, options: DeleteOptions = {}): { gone: boolean; object: KubeObject } {
    const { metadata } = object;
    if (options.uid !== undefined && options.uid !== metadata.uid) {
      throw conflict(
        kind,
        metadata.name,
        `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${metadata.uid}`,
      );
    }
    if (options.resourceVersion !== undefined && options.resourceVersion !== metadata.resourceVersion)
      throw conflict(kind, metadata.name);
    const spec = isTree(object.spec) ? object.spec : {};
    const pod = kind.kind === "Pod";
    const grace =
      pod && spec.nodeName !== undefined
        ? (options.gracePeriodSeconds ?? Number(spec.terminationGracePeriodSeconds ?? 30))
        : 0;
    const finalizers = finalizersOf(object);
    if (options.propagation === "Foreground" || options.propagation === "Orphan") {
      finalizers.push(options.propagation === "Orphan" ? "orphan" : "foregroundDeletion");
    }
    const later = finalizers.length > 0 || grace > 0;
    if (options.dryRun === true) return { gone: !later, object };
    if (!later) return { gone: true, object: store.remove(kind, object) };
    if (metadata.deletionTimestamp !== undefined && (!pod || grace >= Number(metadata.deletionGracePeriodSeconds)))
      return { gone: false, object };
    const leaving: KubeObject = {
      ...object,
      metadata: {
        ...metadata,
        ...(finalizers.length > 0 ? { finalizers } : {}),
        ...(kind.generation ? { generation: (metadata.generation ?? 0) + 1 } : {}),
        deletionTimestamp: new Date(Math.floor(timeline.now() / 1000 + grace) * 1000)
          .toISOString()
          .replace(".000Z", "Z"),
        deletionGracePeriodSeconds: grace,
      },
    };
    if (kind.kind === "Namespace") leaving.status = { phase: "Terminating" };
    return { gone: false, object: store.put(kind, leaving) };
  }

  return {
    kinds,
    store,
    timeline,
    read(kind, namespace, name) {
      const found = store.get(kind, kind.namespaced ? namespace : "", name);
      if (found === undefined) throw notFound(kind, name);
      return found;
    },
    create,
    update,
    remove,
  };
}

function finalizersOf(object: KubeObject): string[] {
  const of = object.metadata.finalizers;
  const spec = object.kind === "Namespace" && isTree(object.spec) ? object.spec.finalizers : undefined;
  return [...(Array.isArray(of) ? of : []), ...(Array.isArray(spec) ? spec : [])].map(String);
}

/** Of a Deployment the annotations count as well: it hands them on to its ReplicaSets. Its controller's own does not. */
function sameDesire(a: KubeObject, b: KubeObject): boolean {
  const desire = (object: KubeObject): unknown => {
    const { "deployment.kubernetes.io/revision": _, ...annotations } = object.metadata.annotations ?? {};
    return { ...object, metadata: object.kind === "Deployment" ? annotations : 0, status: 0 };
  };
  return same(desire(a), desire(b));
}

function sameContent(a: KubeObject, b: KubeObject): boolean {
  const bare = (object: KubeObject): unknown => ({
    ...object,
    metadata: { ...object.metadata, managedFields: 0, resourceVersion: 0 },
  });
  return same(bare(a), bare(b));
}

function timeless(entry: object): object {
  return { ...entry, time: "" };
}

/** A 429 that names the budget in the way, as the Eviction API answers. */
export function disruptionRefused(budget: string, needs: number, has: number): ApiError {
  return new ApiError(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [
      {
        reason: "DisruptionBudget",
        message: `The disruption budget ${budget} needs ${needs} healthy pods and has ${has} currently`,
      },
    ],
  });
}
