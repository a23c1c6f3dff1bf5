import type { KubeObject } from "../../../model.ts";
import type { Resource } from "../../../ports.ts";

/** One change of one object, as a watch tells it. */
export interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly resource: string;
  readonly object: KubeObject;
  readonly revision: number;
}

/**
 * What etcd is to a cluster: objects by resource, one revision for each write, and the recent changes for watches.
 * Objects in it are never modified: a write puts a new one.
 */
export interface Store {
  revision(): number;
  get(kind: Resource, namespace: string, name: string): KubeObject | undefined;
  /** In the order of their keys: namespace, then name. */
  list(kind: Resource, namespace?: string): KubeObject[];
  /** Stamps the resourceVersion and stores; returns what was stored. */
  put(kind: Resource, object: KubeObject): KubeObject;
  /** Returns the last state, stamped with the revision of the deletion. */
  remove(kind: Resource, object: KubeObject): KubeObject;
  /** Calls `listener` for every change from now on; returns how to stop. */
  subscribe(listener: (change: Change) => void): () => void;
  /** Changes after a revision, oldest first; undefined when it is too old to know. */
  since(revision: number): readonly Change[] | undefined;
  /** Forgets the changes so far, as etcd's compaction does: older revisions are Expired. */
  compact(): void;
  readonly compactions: () => number;
}

/** Group and plural, which is how resources are told apart: versions of one resource share their objects. */
export function resourceKey(kind: Resource): string {
  return `${kind.group}/${kind.plural}`;
}

const HISTORY = 20_000;

export function createStore(): Store {
  const objects = new Map<string, Map<string, KubeObject>>();
  const sorted = new Map<string, KubeObject[]>();
  const listeners = new Set<(change: Change) => void>();
  let history: Change[] = [];
  let oldest = 1;
  let revision = 1;
  let compactions = 0;

  const table = (kind: Resource): Map<string, KubeObject> => {
    const key = resourceKey(kind);
    let found = objects.get(key);
    if (found === undefined) {
      found = new Map();
      objects.set(key, found);
    }
    return found;
  };
  const keyOf = (object: KubeObject): string => `${object.metadata.namespace ?? ""}/${object.metadata.name}`;

  function record(type: Change["type"], kind: Resource, object: KubeObject): void {
    const change: Change = { type, resource: resourceKey(kind), object, revision };
    history.push(change);
    if (history.length > HISTORY * 1.5) {
      history = history.slice(-HISTORY);
      oldest = (history[0]?.revision ?? revision) - 1;
    }
    for (const listener of listeners) listener(change);
  }

  return {
    revision: () => revision,
    get: (kind, namespace, name) => table(kind).get(`${namespace}/${name}`),
    list(kind, namespace) {
      const key = resourceKey(kind);
      let all = sorted.get(key);
      if (all === undefined) {
        all = [...table(kind)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
        sorted.set(key, all);
      }
      return namespace === undefined || namespace === ""
        ? all
        : all.filter((object) => object.metadata.namespace === namespace);
    },
    put(kind, object) {
      revision += 1;
      const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
      const rows = table(kind);
      const key = keyOf(stored);
      const type = rows.has(key) ? "MODIFIED" : "ADDED";
      rows.set(key, stored);
      sorted.delete(resourceKey(kind));
      record(type, kind, stored);
      return stored;
    },
    remove(kind, object) {
      revision += 1;
      const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
      table(kind).delete(keyOf(object));
      sorted.delete(resourceKey(kind));
      record("DELETED", kind, last);
      return last;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    since: (from) => (from < oldest ? undefined : history.filter((change) => change.revision > from)),
    compact() {
      history = [];
      oldest = revision;
      compactions += 1;
    },
    compactions: () => compactions,
  };
}
