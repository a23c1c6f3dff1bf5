import { listAt, mapAt, textAt } from "../../kube/fields.ts";
import { describeRef } from "../../kube/ref.ts";
import { referencesOf } from "../../kube/references.ts";
import type { FieldPath, KubeObject } from "../../model.ts";
import type { Problem } from "../model.ts";
import { besideOf, namespaceOf, problemOf, type Scene, type StaticCheck } from "./check.ts";

/** What is there in every namespace without anybody declaring it. */
const GIVEN = new Set(["ServiceAccount/default", "ConfigMap/kube-root-ca.crt", "ConfigMap/istio-ca-root-cert"]);

interface Reference {
  readonly kind: string;
  readonly name: string;
  readonly path: FieldPath;
  readonly key?: string;
}

/** Objects that another object needs and that Git does not declare, and keys that are not in them. */
export const danglingReference: StaticCheck = {
  id: "dangling-reference",
  summary:
    "A ConfigMap, Secret, key, claim, ServiceAccount, Service, Role or scale target that is referred to and not declared.",
  look: (scene) =>
    scene.objects.flatMap((object) => {
      const seen = new Set<string>();
      return needs(object).flatMap((reference) => {
        const problem = lookAt(object, reference, scene);
        // Ten variables of one missing ConfigMap are one problem.
        if (problem === null || seen.has(problem.key)) return [];
        seen.add(problem.key);
        return [problem];
      });
    }),
};

function lookAt(object: KubeObject, { kind, name, path, key }: Reference, scene: Scene): Problem | null {
  if (name === "" || GIVEN.has(`${kind}/${name}`)) return null;
  const target = besideOf(object, kind, name, scene.objects);
  const title = describeRef({ apiVersion: "", kind, namespace: namespaceOf(object), name });
  if (target !== undefined) {
    if (key === undefined || hasKey(target, key)) return null;
    const text = `needs the key ${key} of ${title}, which has no such key.`;
    return problemOf("dangling-reference", object, "warning", text, { path, about: `${kind}/${name}/${key}` });
  }
  if (kind === "PersistentVolumeClaim" && isClaimOf(name, scene.objects)) return null;
  const about = `${kind}/${name}`;
  if (besideOf(object, kind, name, scene.before) !== undefined && !scene.declares(kind, name)) {
    const text = `needs ${title}, which this pull request takes out of Git.`;
    return problemOf("dangling-reference", object, "failure", text, { path, about });
  }
  if (scene.declares(kind, name)) return null;
  const text = `needs ${title}, which is not in Git; it may be in the cluster.`;
  return problemOf("dangling-reference", object, "notice", text, { path, about });
}

function hasKey(target: KubeObject, key: string): boolean {
  return ["data", "stringData", "binaryData"].some((field) => Object.hasOwn(mapAt(target, field) ?? {}, key));
}

/** Claims that a StatefulSet makes: `data-cart-0`. */
function isClaimOf(name: string, objects: readonly KubeObject[]): boolean {
  return objects.some(
    (set) =>
      set.kind === "StatefulSet" &&
      listAt(set, "spec", "volumeClaimTemplates").some((claim) =>
        name.startsWith(`${textAt(claim, "metadata", "name")}-${set.metadata.name}-`),
      ),
  );
}

function needs(object: KubeObject): Reference[] {
  const pods = referencesOf(object)
    .filter(({ optional }) => !optional)
    .map(({ kind, name, path, key }) => ({ kind, name, path, ...(key === undefined ? {} : { key }) }));
  switch (object.kind) {
    case "HorizontalPodAutoscaler":
      return [...pods, ...targetOf(object, ["spec", "scaleTargetRef"])];
    case "RoleBinding":
      return textAt(object, "roleRef", "kind") === "Role" ? targetOf(object, ["roleRef"]) : [];
    case "Ingress":
      return ingressServices(object);
    default:
      return pods;
  }
}

function targetOf(object: KubeObject, path: readonly string[]): Reference[] {
  const [kind, name] = [textAt(object, ...path, "kind"), textAt(object, ...path, "name")];
  return kind === undefined || name === undefined ? [] : [{ kind, name, path: [...path, "name"] }];
}

function ingressServices(ingress: KubeObject): Reference[] {
  const out: Reference[] = [];
  const add = (backend: unknown, path: FieldPath): void => {
    const name = textAt(backend, "service", "name");
    if (name !== undefined) out.push({ kind: "Service", name, path: [...path, "service", "name"] });
  };
  add(mapAt(ingress, "spec", "defaultBackend"), ["spec", "defaultBackend"]);
  for (const [rule, item] of listAt(ingress, "spec", "rules").entries())
    for (const [index, row] of listAt(item, "http", "paths").entries())
      add(mapAt(row, "backend"), ["spec", "rules", rule, "http", "paths", index, "backend"]);
  return out;
}
