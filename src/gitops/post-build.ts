import { StanchError } from "../errors.ts";
import type { Json, KubeObject, Source } from "../model.ts";
import { goYaml } from "./go-yaml.ts";
import { inputValue } from "./input-value.ts";
import { isClusterScoped } from "./manifest.ts";
import { parseOnce } from "./parse-cache.ts";
import { substitute, type Variables } from "./substitute.ts";

/** What the owner does to objects after they are built: Flux's `postBuild` and `commonMetadata`, and the namespace where none is named. */
export function postBuild(objects: readonly KubeObject[], source: Source): KubeObject[] {
  const variables = variablesOf(source);
  return objects.map((object) => {
    const built = variables === null ? object : substituted(object, variables);
    return labelled(built, source);
  });
}

const SUBSTITUTE = "kustomize.toolkit.fluxcd.io/substitute";

/** The variables of a source; null when nothing is substituted, which is so where there are none. */
function variablesOf(source: Source): Variables | null {
  if (source.substitute === undefined) return null;
  const { inputs, open, always } = source.substitute;
  const values: Record<string, string> = {};
  for (const name of inputs) {
    const { value, label } = inputValue(source, name);
    if (value === null) continue;
    if (!isMap(value)) throw wrong(label, "must be a map of variables");
    for (const [key, text] of Object.entries(value)) {
      if (!/^[_A-Za-z][_A-Za-z0-9]*$/.test(key))
        throw wrong(label, `names a variable ${JSON.stringify(key.slice(0, 60))}`);
      if (typeof text === "object" && text !== null) throw wrong(`${label}.${key}`, "must be a text");
      values[key] = text === null ? "" : String(text).replaceAll("\n", "");
    }
  }
  return Object.keys(values).length === 0 && !open && always !== true ? null : { values, open };
}

function substituted(object: KubeObject, variables: Variables): KubeObject {
  const { labels, annotations } = object.metadata;
  if (labels?.[SUBSTITUTE] === "disabled" || annotations?.[SUBSTITUTE] === "disabled") return object;
  // Most objects have nothing to replace.
  if (!JSON.stringify(object).includes("$")) return object;
  const name = `${object.kind} ${object.metadata.name}`;
  let text: string;
  try {
    text = substitute(goYaml(object as unknown as Json), variables);
  } catch (error) {
    if (!(error instanceof StanchError)) throw error;
    throw new StanchError("render", `${name}: ${error.message}`, error.hint === undefined ? {} : { hint: error.hint });
  }
  const parsed = parseOnce(text);
  const [value] = parsed.ok ? parsed.values : [];
  if (!parsed.ok) throw new StanchError("render", `${name} is not valid YAML with its variables: ${parsed.error}`);
  if (value === undefined || !isMap(value))
    throw new StanchError("render", `${name} is no Kubernetes object with its variables`);
  return value as unknown as KubeObject;
}

function labelled(object: KubeObject, { common, namespace }: Source): KubeObject {
  const { metadata } = object;
  // A variable may have been the namespace, and nothing in it.
  const missing = namespace !== undefined && (metadata?.namespace ?? null) === null && !isClusterScoped(object.kind);
  if (common === undefined && !missing) return object;
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(missing ? { namespace } : {}),
      ...(common?.labels === undefined ? {} : { labels: { ...metadata.labels, ...common.labels } }),
      ...(common?.annotations === undefined ? {} : { annotations: { ...metadata.annotations, ...common.annotations } }),
    },
  };
}

function wrong(label: string, what: string): StanchError {
  return new StanchError("render", `${label} ${what}`, { hint: "correct it where the owner keeps it" });
}

function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
