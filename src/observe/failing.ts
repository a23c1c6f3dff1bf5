import { messageOf, StanchError } from "../errors.ts";
import { failureOf } from "../kube/failing.ts";
import { refOf } from "../kube/ref.ts";
import { RESOURCES } from "../kube/resources.ts";
import type { FailingState } from "../model.ts";
import type { Reading } from "./reading.ts";

const KINDS = [
  RESOURCES.HorizontalPodAutoscaler,
  RESOURCES.Application,
  RESOURCES.HelmRelease,
  RESOURCES.Kustomization,
] as const;

/** At most so many of each kind: more have one cause. */
const MOST = 100;

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
        if (!(error instanceof StanchError) || error.code !== "not-found")
          reading.gaps.push(`${resource.plural} cannot be read: ${messageOf(error)}`);
      }
      return out;
    }),
  );
  return found.flat();
}
