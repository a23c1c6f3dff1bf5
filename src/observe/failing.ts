import { messageOf, StanchError } from "../errors.ts";
import { failureOf } from "../kube/failing.ts";
import { refOf } from "../kube/ref.ts";
import { RESOURCES } from "../kube/resources.ts";
import type { FailingState } from "../model.ts";
import type { Resource } from "../ports.ts";
import type { Reading } from "./reading.ts";

const KINDS = [
  RESOURCES.HorizontalPodAutoscaler,
  RESOURCES.Application,
  RESOURCES.HelmRelease,
  RESOURCES.Kustomization,
  RESOURCES.GitRepository,
  RESOURCES.OCIRepository,
  RESOURCES.HelmRepository,
] as const;

/** At most so many of each kind: more have one cause. */
const MOST = 100;

/** What cannot be found out counts as served: a gap too many is said, one too few is not. */
function isServed(resource: Resource, reading: Reading): Promise<boolean> {
  return reading.cluster.serves(resource).catch(() => true);
}

/** Autoscalers and GitOps objects whose own conditions say that they fail. A kind that the cluster does not serve has none. */
export async function observeFailing(reading: Reading): Promise<FailingState[]> {
  const watched = new Set<string>(reading.config.scope.kinds);
  const found = await Promise.all(
    KINDS.filter((resource) => watched.has(resource.kind)).map(async (resource) => {
      const out: FailingState[] = [];
      try {
        for await (const page of reading.pages(resource)) {
          for (const object of page) {
            const failure = failureOf(object);
            if (failure === null || !reading.watched(object.metadata.namespace ?? "") || out.length >= MOST) continue;
            if (object.metadata.deletionTimestamp === undefined) out.push({ ref: refOf(object), object, ...failure });
          }
        }
      } catch (error) {
        // An API server says "forbidden" before it says that it does not know a kind.
        const code = error instanceof StanchError ? error.code : undefined;
        const unserved = code === "not-found" || (code === "forbidden" && !(await isServed(resource, reading)));
        if (!unserved) reading.gaps.push(`${resource.plural} cannot be read: ${messageOf(error)}`);
      }
      return out;
    }),
  );
  return found.flat();
}
