import { StanchError } from "../errors.ts";
import type { Json, Source } from "../model.ts";
import { textOf } from "./composition.ts";
import { inputValue } from "./input-value.ts";
import { withOverlay } from "./overlay.ts";

/** A kustomization to be run over the output of a chart, which stands beside it as `resource`. */
export interface PostKustomization {
  readonly resource: string;
  readonly file: string;
  readonly kustomization: string;
}

/** What helm-controller hands on to Kustomize; everything else in a post renderer it does not know. */
const KEYS = new Set(["patches", "patchesStrategicMerge", "patchesJson6902", "images"]);
const RESOURCE = "helm-output.yaml";

/** Flux's `postRenderers` of a source, in order. Throws StanchError `render` that names the owner's field. */
export function postKustomizations(source: Source): PostKustomization[] {
  return (source.helm?.post ?? []).flatMap((name) => {
    const { value, label } = inputValue(source, name);
    if (value === null) return [];
    if (typeof value !== "object" || Array.isArray(value)) throw new StanchError("render", `${label} must be a map`);
    const known = Object.fromEntries(Object.entries(value).filter(([key]) => KEYS.has(key))) as { [key: string]: Json };
    if (Object.keys(known).length === 0) return [];
    const base = { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources: [RESOURCE] };
    return [
      {
        resource: RESOURCE,
        file: "kustomization.yaml",
        kustomization: textOf(withOverlay(base, known, "flux", label)),
      },
    ];
  });
}
