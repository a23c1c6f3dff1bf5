import { createHash } from "node:crypto";
import type { FieldPath, KubeObject } from "../model.ts";
import { type Fields, listAt, mapAt, textAt } from "./fields.ts";

/** One container of a pod template, with the path to it from the top of the object. */
export interface TemplateContainer {
  readonly name: string;
  /** An init container (also one that keeps running beside the others as a sidecar). */
  readonly init: boolean;
  /** An init container with `restartPolicy: Always`. */
  readonly sidecar: boolean;
  readonly spec: Fields;
  readonly path: FieldPath;
}

const PATHS: Readonly<Record<string, FieldPath>> = {
  Deployment: ["spec", "template"],
  StatefulSet: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  ReplicaSet: ["spec", "template"],
  Job: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
  Pod: [],
};

/** The path from the top of an object of this kind to its pod template; a Pod is its own. Null for other kinds. */
export function templatePath(kind: string): FieldPath | null {
  return Object.hasOwn(PATHS, kind) ? (PATHS[kind] ?? null) : null;
}

/** `metadata` and `spec` of the pods that an object makes; null when it makes none. */
export function templateOf(object: KubeObject): Fields | null {
  const path = templatePath(object.kind);
  return path === null ? null : (mapAt(object, ...(path as readonly string[])) ?? null);
}

/** What tells one pod template of an object from another, 16 hex digits; "" for an object that makes no pods. */
export function templateDigest(object: KubeObject): string {
  const template = templateOf(object);
  return template === null ? "" : createHash("sha256").update(JSON.stringify(template)).digest("hex").slice(0, 16);
}

/** The path to the pod spec; null for kinds without one. */
export function podSpecPath(kind: string): FieldPath | null {
  const path = templatePath(kind);
  return path === null ? null : [...path, "spec"];
}

/** The pod spec; null when the object has none. */
export function podSpecOf(object: KubeObject): Fields | null {
  return mapAt(templateOf(object), "spec") ?? null;
}

/** Containers in the order in which they start: init containers first. Those without a name are left out. */
export function containersOf(object: KubeObject): TemplateContainer[] {
  const path = podSpecPath(object.kind);
  const spec = podSpecOf(object);
  return path === null || spec === null ? [] : containersIn(spec, path);
}

/** Containers of a pod spec that stands at `path`. */
export function containersIn(podSpec: unknown, path: FieldPath): TemplateContainer[] {
  return ["initContainers", "containers"].flatMap((list) =>
    listAt(podSpec, list).flatMap((item): TemplateContainer[] => {
      const name = textAt(item, "name");
      const spec = mapAt(item);
      if (name === undefined || spec === undefined) return [];
      const init = list === "initContainers";
      const sidecar = init && textAt(spec, "restartPolicy") === "Always";
      return [{ name, init, sidecar, spec, path: [...path, list, { by: "name", value: name }] }];
    }),
  );
}

/** The container of this name; null when there is none. */
export function containerOf(object: KubeObject, name: string): TemplateContainer | null {
  return containersOf(object).find((container) => container.name === name) ?? null;
}
