import { messageOf, StanchError } from "../errors.ts";
import { textAt } from "../kube/fields.ts";
import { backendsOf, deadBackend } from "../kube/ingress.ts";
import { isWrittenLately, lastWrite } from "../kube/last-write.ts";
import { refOf } from "../kube/ref.ts";
import { RESOURCES } from "../kube/resources.ts";
import type { FailingState, KubeObject } from "../model.ts";
import { atOnce } from "./at-once.ts";
import type { Reading } from "./reading.ts";

const MOST = 50;

/** Ingresses, written lately, that send to a Service or a port which is not there, or that name a class which is not. */
export async function observeIngresses(reading: Reading): Promise<FailingState[]> {
  const lately: KubeObject[] = [];
  try {
    for await (const page of reading.pages(RESOURCES.Ingress))
      for (const object of page)
        if (
          reading.watched(object.metadata.namespace ?? "") &&
          object.metadata.deletionTimestamp === undefined &&
          // An old one that leads nowhere is a leftover that nobody misses.
          isWrittenLately(object, reading.clock.now())
        )
          lately.push(object);
    const found = await atOnce(lately.slice(0, MOST), async (object): Promise<FailingState[]> => {
      const message = await deadEnd(reading, object);
      const since = new Date(lastWrite(object)).toISOString();
      return message === null ? [] : [{ ref: refOf(object), object, message, since }];
    });
    return found.flat();
  } catch (error) {
    if (!(error instanceof StanchError && error.code === "not-found"))
      reading.gaps.push(`ingresses cannot be read: ${messageOf(error)}`);
    return [];
  }
}

/** Where an Ingress leads nowhere, in one sentence; null when everything that it names is there. */
export async function deadEnd(reading: Reading, ingress: KubeObject): Promise<string | null> {
  const namespace = ingress.metadata.namespace ?? "";
  const services = new Map<string, KubeObject | null>();
  for (const { service: name } of backendsOf(ingress))
    if (!services.has(name))
      services.set(name, await reading.cluster.get({ apiVersion: "v1", kind: "Service", namespace, name }));
  const dead = deadBackend(ingress, (name) => services.get(name) ?? null);
  return dead === null ? missingClass(reading, textAt(ingress, "spec", "ingressClassName")) : `It sends to ${dead}.`;
}

/** A class that is not there beside others that are: where there are none, a controller may go by the name alone. */
async function missingClass({ cluster }: Reading, wanted: string | undefined): Promise<string | null> {
  if (wanted === undefined) return null;
  const names: string[] = [];
  try {
    for await (const page of cluster.list(RESOURCES.IngressClass, { limit: 500 }))
      names.push(...page.map((object) => object.metadata.name));
  } catch (error) {
    // Classes belong to the whole cluster: an account of one namespace may not see them.
    if (error instanceof StanchError && error.code === "forbidden") return null;
    throw error;
  }
  return names.length === 0 || names.includes(wanted) ? null : `IngressClass ${wanted} does not exist.`;
}
