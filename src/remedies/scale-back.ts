import { sameRef } from "../kube/ref.ts";
import type { Change, Finding } from "../model.ts";

/**
 * Pods that a commit took from a Service by scaling a workload to zero (`CutOff` of that workload), and that it gets back: the one case in
 * which a number of replicas is Stanch's business. From zero, and never to it.
 */
export function isScaleBack({ object, path, from, to }: Change, { symptom, workload }: Finding): boolean {
  return (
    symptom.kind === "CutOff" &&
    sameRef(object, workload) &&
    (object.kind === "Deployment" || object.kind === "StatefulSet") &&
    path.length === 2 &&
    path[0] === "spec" &&
    path[1] === "replicas" &&
    from === 0 &&
    (to === undefined || (typeof to === "number" && to > 0))
  );
}
