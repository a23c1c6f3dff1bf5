import { StanchError } from "../errors.ts";
import type { Json, Source } from "../model.ts";
import { argoExpand } from "./argo-variables.ts";
import { inputValue } from "./input-value.ts";

/** What one argument may hold on Linux, with room to spare. */
const MAX_ARGUMENT = 100_000;
/** What all arguments may hold together. */
const MAX_ARGUMENTS = 1_000_000;

/** `--set` and `--set-string` for what overrides values one by one: Argo CD's `parameters` and Flux's `valuesFrom` with `targetPath`. */
export function setArguments(source: Source): string[] {
  return bounded([...parameterArguments(source), ...targetArguments(source)]);
}

/** `--kube-version` and `--api-versions`, for what a version may look like; the rest is left out. */
export function capabilityArguments(facts: {
  readonly kubeVersion: string;
  readonly apiVersions: readonly string[];
}): string[] {
  const version = /^v?\d+\.\d+(?:\.\d+)?(?:[-+][\w.+-]*)?$/.test(facts.kubeVersion) ? [facts.kubeVersion] : [];
  const served = [...new Set(facts.apiVersions)].filter((api) => /^[A-Za-z0-9][\w./-]{0,300}$/.test(api)).sort();
  return bounded([
    ...version.flatMap((it) => ["--kube-version", it]),
    ...served.flatMap((api) => ["--api-versions", api]),
  ]);
}

/** As Argo CD calls Helm (util/helm): the last parameter of a name wins, commas are escaped, and texts are set last. */
function parameterArguments(source: Source): string[] {
  const set = new Map<string, string>();
  const setString = new Map<string, string>();
  // Each list replaces the one before it, as Argo CD merges its `.argocd-source.yaml`.
  const lists = (source.helm?.parameters ?? []).map((name) => inputValue(source, name));
  const last = lists.findLast(({ value }) => value !== null);
  if (last === undefined) return [];
  const { value: list, label } = last;
  if (!Array.isArray(list)) throw wrong(label, "must be a list");
  for (const [index, row] of list.entries()) {
    const place = `${label}[${index}]`;
    if (!isMap(row)) throw wrong(place, "must be a map");
    const { name, value = "", forceString = false } = row;
    if (typeof name !== "string" || name === "") throw wrong(place, "must have a name");
    if (typeof value !== "string") throw wrong(`${place}.value`, "must be a text");
    if (typeof forceString !== "boolean") throw wrong(`${place}.forceString`, "must be true or false");
    (forceString ? setString : set).set(name, argoExpand(value, source, `${place}.value`));
  }
  return [
    ...[...set].flatMap(([name, value]) => ["--set", `${name}=${escaped(value)}`]),
    ...[...setString].flatMap(([name, value]) => ["--set-string", `${name}=${escaped(value)}`]),
  ];
}

/** `{a,b}` is a list to Helm, and stays one. */
function escaped(value: string): string {
  return value.startsWith("{") && value.endsWith("}") ? value : value.replace(/(?<!\\),/g, "\\,");
}

/** As helm-controller sets them (fluxcd/pkg/chartutil): by Helm's own parser, and a quoted text stays a text. */
function targetArguments(source: Source): string[] {
  return (source.helm?.targets ?? []).flatMap((name) => {
    const { value: map, label } = inputValue(source, name);
    if (map === null) return [];
    if (!isMap(map)) throw wrong(label, "must be a map from paths to texts");
    return Object.entries(map).flatMap(([path, text]) => {
      if (typeof text !== "string") throw wrong(`${label}: ${path}`, "must be a text");
      const quoted = ["'", '"'].some((mark) => text.startsWith(mark) && text.endsWith(mark));
      return quoted ? ["--set-string", `${path}=${text.replace(/^['"]+|['"]+$/g, "")}`] : ["--set", `${path}=${text}`];
    });
  });
}

function bounded(args: string[]): string[] {
  const sizes = args.map((text) => Buffer.byteLength(text));
  if (sizes.some((size) => size > MAX_ARGUMENT) || sizes.reduce((sum, size) => sum + size, 0) > MAX_ARGUMENTS)
    throw new StanchError("render", "what is set one by one is too large to be given to helm", {
      hint: "put it into a values file",
    });
  return args;
}

function wrong(place: string, what: string): StanchError {
  return new StanchError("render", `${place} ${what}`, { hint: `correct ${place}` });
}

function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
