import { createHash } from "node:crypto";
import { messageOf, StanchError } from "../errors.ts";
import { RESOURCES } from "../kube/resources.ts";
import type { KubeObject, ObjectRef } from "../model.ts";
import type { Clock, Cluster, Log } from "../ports.ts";
import { redactShapes } from "../redact.ts";
import { type Announcement, announcementsOf } from "./announcements.ts";
import type { Incident } from "./incident.ts";

export interface EventContext {
  readonly cluster: Pick<Cluster, "get" | "create" | "list" | "patch">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Kubernetes takes no longer message of an Event. */
const MESSAGE = 1024;

/**
 * Tells what a step was worth by Events on the workload and on the incident, so that `kubectl describe` shows it at both. Never throws:
 * what could not be written is logged and stops nothing.
 */
export async function announce(before: Incident | null, after: Incident, context: EventContext): Promise<void> {
  const said = announcementsOf(before, after);
  if (said.length === 0) return;
  const { metadata } = after;
  const incident = {
    apiVersion: after.apiVersion,
    kind: after.kind,
    namespace: metadata.namespace,
    name: metadata.name,
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
  };
  const { workload } = after.spec;
  // Without its uid, `kubectl describe` does not find the Event.
  const uid = await context.cluster
    .get(workload)
    .then((live) => live?.metadata.uid)
    .catch(() => undefined);
  for (const announcement of said) {
    await record({ ...workload, ...(uid === undefined ? {} : { uid }) }, announcement, incident, context);
    await record(incident, announcement, { ...workload, ...(uid === undefined ? {} : { uid }) }, context);
  }
}

type Subject = ObjectRef & { readonly uid?: string };

/**
 * One Event. The same words about the same object meet the same Event while it is kept (an hour, by default), which then counts them:
 * what is so in every run is one line with a count and not one line a run.
 */
async function record(on: Subject, said: Announcement, related: Subject, context: EventContext): Promise<void> {
  const { cluster, clock, log } = context;
  const at = clock
    .now()
    .toISOString()
    .replace(/\.\d+Z$/, "Z");
  const message = cut(redactShapes(said.message));
  const key = createHash("sha256")
    .update(JSON.stringify([on.kind, on.name, on.uid ?? "", said.reason, message]))
    .digest("hex")
    .slice(0, 16);
  const namespace = on.namespace === "" ? "default" : on.namespace;
  const name = `${on.name.slice(0, 200).replace(/[-.]+$/, "")}.${key}`;
  try {
    await cluster.create({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace },
      involvedObject: { ...on },
      related: { ...related },
      type: said.type,
      reason: said.reason,
      message,
      source: { component: "stanch" },
      reportingComponent: "stanch",
      reportingInstance: "stanch",
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
    });
  } catch (error) {
    try {
      if (!(error instanceof StanchError) || error.code !== "conflict") throw error;
      await countAgain({ apiVersion: "v1", kind: "Event", namespace, name }, at, cluster);
    } catch (problem) {
      log.debug("event not written", { on: `${on.kind}/${on.namespace}/${on.name}`, error: messageOf(problem) });
    }
  }
}

async function countAgain(ref: ObjectRef, at: string, cluster: EventContext["cluster"]): Promise<void> {
  const found = await eventOf(ref, cluster);
  // It expired in between.
  if (found === null) return;
  const count = typeof found["count"] === "number" ? found["count"] : 1;
  await cluster.patch(ref, [
    { op: "test", path: "/metadata/resourceVersion", value: found.metadata.resourceVersion ?? "" },
    { op: "add", path: "/count", value: count + 1 },
    { op: "add", path: "/lastTimestamp", value: at },
  ]);
}

/** Events may be listed, because they are evidence; the right to get one by name is not asked for. */
async function eventOf({ namespace, name }: ObjectRef, cluster: EventContext["cluster"]): Promise<KubeObject | null> {
  for await (const page of cluster.list(RESOURCES.Event, { namespace, fieldSelector: `metadata.name=${name}` })) {
    const found = page.find((event) => event.metadata.name === name);
    if (found !== undefined) return found;
  }
  return null;
}

/** Cut by letters and not within one; the API server counts bytes. */
function cut(text: string): string {
  if (Buffer.byteLength(text) <= MESSAGE) return text;
  const letters = [...text];
  let bytes = 3;
  let at = 0;
  while (at < letters.length && bytes + Buffer.byteLength(letters[at] ?? "") <= MESSAGE)
    bytes += Buffer.byteLength(letters[at++] ?? "");
  return `${letters.slice(0, at).join("")}…`;
}
