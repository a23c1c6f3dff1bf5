import { fieldAt, flagAt, listAt, mapAt, textAt } from "../kube/fields.ts";
import { describeRef } from "../kube/ref.ts";
import type { Input, KubeObject, ObjectRef } from "../model.ts";
import type { FluxContext } from "./flux-source.ts";
import { fieldInput, inputName, yamlOf } from "./input.ts";
import { isUnknown, no, type Unknown } from "./origin.ts";

export interface ReleaseValues {
  readonly values: readonly string[];
  readonly targets: readonly string[];
  readonly inputs: Readonly<Record<string, Input>>;
}

/**
 * `valuesFrom` and `values` of a HelmRelease. A Secret is never read, so what needs one is not known; one that may be missing is
 * taken to be missing. Where no values are set at all there is an empty place for them: it is where people set some.
 */
export async function releaseValues(
  object: KubeObject,
  own: ObjectRef,
  hasFiles: boolean,
  context: FluxContext,
): Promise<ReleaseValues | Unknown> {
  const inputs: Record<string, Input> = {};
  const values: string[] = [];
  const targets: string[] = [];
  for (const [index, item] of listAt(object, "spec", "valuesFrom").entries()) {
    const layer = await layerOf(item, own.namespace, context);
    if (layer === null) continue;
    if (isUnknown(layer)) return layer;
    // One key may fill several paths: the place in the list tells them apart.
    const name = inputName(`valuesFrom.${index}`);
    inputs[name] = layer;
    ("home" in layer && "as" in layer.home && layer.home.as === "entry" ? targets : values).push(name);
  }
  const path = ["spec", "values"];
  const set = mapAt(object, ...path) === undefined ? null : fieldInput(object, own, path, "value");
  if (set !== null || (!hasFiles && values.length === 0)) {
    const name = inputName("spec.values");
    inputs[name] = set ?? {
      text: "",
      label: `${describeRef(own)} spec.values`,
      home: { object: own, path, as: "value" },
    };
    values.push(name);
  }
  return { values, targets, inputs };
}

/** Null: it may be missing, and is. */
async function layerOf(item: unknown, namespace: string, context: FluxContext): Promise<Input | Unknown | null> {
  const kind = textAt(item, "kind") ?? "";
  const name = textAt(item, "name") ?? "";
  const title = `${kind} ${namespace}/${name}`;
  const optional = flagAt(item, "optional");
  if (kind === "Secret")
    return optional
      ? null
      : no(`its values come from ${title}, which is never read`, "declare the source in `sources` of stanch.yaml");
  if (kind !== "ConfigMap" || name === "")
    return no("an entry of spec.valuesFrom names no ConfigMap", "correct spec.valuesFrom");
  const ref = { apiVersion: "v1", kind, namespace, name };
  const map = await context.read(ref);
  if (map === undefined)
    return no(`its values come from ${title}, which cannot be read`, "allow the account to get it");
  if (map === null)
    return optional
      ? null
      : no(`its values come from ${title}, which is not there`, "create it, or correct valuesFrom");
  const key = textAt(item, "valuesKey") || "values.yaml";
  const input = fieldInput(map, ref, ["data", key], "text");
  if (input === null) return no(`its values come from ${title}, which has no text under ${key}`, "correct valuesFrom");
  const target = textAt(item, "targetPath") ?? "";
  if (target === "") return input;
  if (fieldAt(item, "literal") === true)
    return no(`it takes ${title} word for word (valuesFrom.literal)`, "declare the source in `sources` of stanch.yaml");
  return {
    ...input,
    text: yamlOf({ [target]: input.text }),
    home: { object: ref, path: ["data", key], as: "entry" },
  };
}
