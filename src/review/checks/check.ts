import { stableKey } from "../../gitops/rendered.ts";
import { formatPath } from "../../kube/field-path.ts";
import { fieldAt, listAt, mapAt, textsAt } from "../../kube/fields.ts";
import { refOf } from "../../kube/ref.ts";
import { templateOf } from "../../kube/template.ts";
import type { FieldPath, KubeObject } from "../../model.ts";
import type { Level, Problem } from "../model.ts";

/** What one root renders, and what is known of the rest. */
export interface Scene {
  readonly objects: readonly KubeObject[];
  /** Is an object of this kind and name declared anywhere in the commit? Namespaces do not count: what may be there is not missed. */
  declares(kind: string, name: string): boolean;
  /** What the root rendered before; the same objects when this is the base itself. */
  readonly before: readonly KubeObject[];
  /** The root is all of a deployment: what is not in it is not beside it. False for a folder that nobody is known to deploy. */
  readonly whole: boolean;
}

/** The static half of a detector: what shows in manifests before anything fails. Pure. */
export interface StaticCheck {
  readonly id: string;
  readonly summary: string;
  look(scene: Scene): readonly Problem[];
}

/** A problem. `about` tells apart what one check says of one object; no values of which a pull request may change the spelling. */
export function problemOf(
  check: string,
  object: KubeObject,
  level: Level,
  text: string,
  {
    path,
    about = path === undefined ? "" : formatPath(path),
  }: { readonly path?: FieldPath; readonly about?: string } = {},
): Problem {
  return {
    check,
    object: refOf(object),
    level,
    text,
    key: `${check} ${stableKey(object)} ${about}`,
    ...(path === undefined ? {} : { path }),
  };
}

/** Objects that make pods, with the labels of these: also of kinds that others define (Argo's Rollout, OpenKruise's CloneSet). */
export interface PodMaker {
  readonly object: KubeObject;
  readonly labels: Readonly<Record<string, string>>;
  readonly containers: readonly unknown[];
}

export function podMakers(objects: readonly KubeObject[]): PodMaker[] {
  return objects.flatMap((object): PodMaker[] => {
    const template = templateOf(object) ?? mapAt(object, "spec", "template");
    if (template === undefined || listAt(template, "spec", "containers").length === 0) return [];
    const inits = listAt(template, "spec", "initContainers");
    return [
      {
        object,
        labels: textsAt(template, "metadata", "labels"),
        containers: [...inits, ...listAt(template, "spec", "containers")],
      },
    ];
  });
}

/** The namespace that an object is deployed into, "" where the deployer fills it in. */
export function namespaceOf(object: KubeObject): string {
  return object.metadata.namespace ?? "";
}

/** The object of this kind and name in the same namespace. */
export function besideOf(
  object: KubeObject,
  kind: string,
  name: string,
  objects: readonly KubeObject[],
): KubeObject | undefined {
  return objects.find(
    (other) => other.kind === kind && other.metadata.name === name && namespaceOf(other) === namespaceOf(object),
  );
}

export const isSet = (value: unknown): boolean => value !== undefined && value !== null;

/** A field of an object as text or number; undefined for anything else. */
export function scalarAt(from: unknown, ...steps: readonly (string | number)[]): string | number | undefined {
  const value = fieldAt(from, ...steps);
  return typeof value === "string" || typeof value === "number" ? value : undefined;
}
