import type { KubeObject } from "../../../model.ts";
import type { Api } from "../server/api.ts";

/** Records events about objects, as client-go's recorder does: the same event again raises `count`. */
export interface Events {
  normal(about: KubeObject, reason: string, message: string, fieldPath?: string): void;
  warning(about: KubeObject, reason: string, message: string, fieldPath?: string): void;
}

interface Stored extends KubeObject {
  count: number;
  lastTimestamp: string;
}

const NODE_COMPONENTS = new Set(["kubelet"]);
let sequence = 0;

/** `node` is told as the source's host for the kubelet only. */
export function createEvents(api: Api, component: string, node = "embedded"): Events {
  const names = new Map<string, string>();
  const similar = new Map<string, number>();

  function record(
    type: "Normal" | "Warning",
    about: KubeObject,
    reason: string,
    said: string,
    fieldPath?: string,
  ): void {
    const { apiVersion, kind, metadata } = about;
    const namespace = metadata.namespace ?? "default";
    const events = api.kinds.of({ apiVersion: "v1", kind: "Event" });
    const group = [metadata.uid, fieldPath, type, reason].join("|");
    let key = `${group}|${said}`;
    let message = said;
    if (!names.has(key)) {
      const count = (similar.get(group) ?? 0) + 1;
      similar.set(group, count);
      // Ten different messages of one kind are told as one, as the recorder's aggregator does.
      if (count >= 10) {
        key = `${group}|combined`;
        message = `(combined from similar events): ${said}`;
      }
    }
    const stamp = api.timeline.stamp();
    const known = api.store.get(events, namespace, names.get(key) ?? "") as Stored | undefined;
    if (known !== undefined) {
      api.store.put(events, { ...known, message, count: known.count + 1, lastTimestamp: stamp });
      return;
    }
    sequence += 1;
    const name = `${metadata.name}.${(BigInt(Math.floor(api.timeline.now())) * 1_000_000n + BigInt(sequence)).toString(16)}`;
    names.set(key, name);
    const involvedObject = {
      kind,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      name: metadata.name,
      uid: metadata.uid ?? "",
      apiVersion,
      resourceVersion: metadata.resourceVersion ?? "",
      ...(fieldPath === undefined ? {} : { fieldPath }),
    };
    const home = api.store.get(api.kinds.of({ apiVersion: "v1", kind: "Namespace" }), "", namespace);
    if (home === undefined || home.metadata.deletionTimestamp !== undefined) return;
    api.create(
      events,
      namespace,
      {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name, namespace },
        involvedObject,
        reason,
        message,
        source: NODE_COMPONENTS.has(component) ? { component, host: node } : { component },
        firstTimestamp: stamp,
        lastTimestamp: stamp,
        count: 1,
        type,
        eventTime: null,
        reportingComponent: component,
        reportingInstance: NODE_COMPONENTS.has(component) ? node : "",
      },
      { manager: component },
    );
  }

  return {
    normal: (about, reason, message, fieldPath) => record("Normal", about, reason, message, fieldPath),
    warning: (about, reason, message, fieldPath) => record("Warning", about, reason, message, fieldPath),
  };
}
