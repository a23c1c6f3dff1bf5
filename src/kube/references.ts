import type { FieldPath, KubeObject } from "../model.ts";
import { type Fields, flagAt, listAt, mapAt, textAt } from "./fields.ts";
import { containersOf, podSpecOf, podSpecPath } from "./template.ts";

/** One place of a pod template that names another object of the namespace. */
export interface Reference {
  readonly kind: "ConfigMap" | "Secret" | "PersistentVolumeClaim" | "ServiceAccount";
  readonly name: string;
  /** Path from the top of the object to the name. */
  readonly path: FieldPath;
  /** The key that is asked of it, with the path to it; absent: all keys, or the object as such. */
  readonly key?: string;
  readonly keyPath?: FieldPath;
  /** Pods start without it: `optional: true`, or a pull secret (which the kubelet only misses). */
  readonly optional: boolean;
  readonly via: "env" | "envFrom" | "volume" | "pull-secret" | "service-account" | "csi";
  /** The container that asks for it; for a volume: its first mount. Absent for what concerns the whole pod. */
  readonly container?: string;
}

/** Every ConfigMap, Secret, PersistentVolumeClaim and ServiceAccount that the object's pods need, in the order in which they stand. */
export function referencesOf(object: KubeObject): Reference[] {
  const path = podSpecPath(object.kind);
  const spec = podSpecOf(object);
  if (path === null || spec === null) return [];
  return [...ofContainers(object), ...ofVolumes(spec, path, mountedBy(object)), ...ofPod(spec, path)];
}

/** References to one object, optionally to one key of it. */
export function referencesTo(object: KubeObject, kind: Reference["kind"], name: string, key?: string): Reference[] {
  return referencesOf(object).filter(
    (at) => at.kind === kind && at.name === name && (key === undefined || at.key === key),
  );
}

function ofContainers(object: KubeObject): Reference[] {
  const found: Reference[] = [];
  for (const container of containersOf(object)) {
    const env = listAt(container.spec, "env");
    for (const [index, item] of env.entries()) {
      const name = textAt(item, "name");
      if (name === undefined) continue;
      // A name that stands twice is no merge key: the place is then counted.
      const twice = env.some((other, at) => at !== index && textAt(other, "name") === name);
      const base = [...container.path, "env", twice ? index : { by: "name", value: name }, "valueFrom"];
      for (const [field, kind] of [
        ["configMapKeyRef", "ConfigMap"],
        ["secretKeyRef", "Secret"],
      ] as const) {
        const ref = mapAt(item, "valueFrom", field);
        const target = textAt(ref, "name");
        const key = textAt(ref, "key");
        if (target === undefined || target === "" || key === undefined) continue;
        found.push({
          kind,
          name: target,
          path: [...base, field, "name"],
          key,
          keyPath: [...base, field, "key"],
          optional: flagAt(ref, "optional"),
          via: "env",
          container: container.name,
        });
      }
    }
    for (const [index, item] of listAt(container.spec, "envFrom").entries()) {
      for (const [field, kind] of [
        ["configMapRef", "ConfigMap"],
        ["secretRef", "Secret"],
      ] as const) {
        const target = textAt(item, field, "name");
        if (target === undefined || target === "") continue;
        found.push({
          kind,
          name: target,
          path: [...container.path, "envFrom", index, field, "name"],
          optional: flagAt(item, field, "optional"),
          via: "envFrom",
          container: container.name,
        });
      }
    }
  }
  return found;
}

function ofVolumes(spec: Fields, path: FieldPath, mounts: ReadonlyMap<string, string>): Reference[] {
  return listAt(spec, "volumes").flatMap((volume): Reference[] => {
    const name = textAt(volume, "name");
    if (name === undefined) return [];
    const base: FieldPath = [...path, "volumes", { by: "name", value: name }];
    const container = mounts.get(name);
    const by = container === undefined ? {} : { container };
    const claim = textAt(volume, "persistentVolumeClaim", "claimName");
    const csi = textAt(volume, "csi", "nodePublishSecretRef", "name");
    const sources = listAt(volume, "projected", "sources");
    return [
      ...source("ConfigMap", mapAt(volume, "configMap"), [...base, "configMap"], "name", by),
      ...source("Secret", mapAt(volume, "secret"), [...base, "secret"], "secretName", by),
      ...sources.flatMap((item, index) => [
        ...source(
          "ConfigMap",
          mapAt(item, "configMap"),
          [...base, "projected", "sources", index, "configMap"],
          "name",
          by,
        ),
        ...source("Secret", mapAt(item, "secret"), [...base, "projected", "sources", index, "secret"], "name", by),
      ]),
      ...(claim === undefined
        ? []
        : [
            {
              kind: "PersistentVolumeClaim" as const,
              name: claim,
              path: [...base, "persistentVolumeClaim", "claimName"],
              optional: false,
              via: "volume" as const,
              ...by,
            },
          ]),
      ...(csi === undefined
        ? []
        : [
            {
              kind: "Secret" as const,
              name: csi,
              path: [...base, "csi", "nodePublishSecretRef", "name"],
              optional: false,
              via: "csi" as const,
              ...by,
            },
          ]),
    ];
  });
}

/** A ConfigMap or Secret as a volume: one reference, or one for each key that is picked. */
function source(
  kind: "ConfigMap" | "Secret",
  from: Fields | undefined,
  path: FieldPath,
  field: "name" | "secretName",
  by: { container?: string },
): Reference[] {
  const name = textAt(from, field);
  if (name === undefined || name === "") return [];
  const whole: Reference = {
    kind,
    name,
    path: [...path, field],
    optional: flagAt(from, "optional"),
    via: "volume",
    ...by,
  };
  const keys = listAt(from, "items").flatMap((item) => textAt(item, "key") ?? []);
  if (keys.length === 0) return [whole];
  return keys.map((key) => ({ ...whole, key, keyPath: [...path, "items", { by: "key", value: key }, "key"] }));
}

function ofPod(spec: Fields, path: FieldPath): Reference[] {
  const account = textAt(spec, "serviceAccountName");
  return [
    ...listAt(spec, "imagePullSecrets").flatMap((item, index): Reference[] => {
      const name = textAt(item, "name");
      return name === undefined || name === ""
        ? []
        : [
            {
              kind: "Secret",
              name,
              path: [...path, "imagePullSecrets", index, "name"],
              optional: true,
              via: "pull-secret",
            },
          ];
    }),
    ...(account === undefined || account === ""
      ? []
      : [
          {
            kind: "ServiceAccount" as const,
            name: account,
            path: [...path, "serviceAccountName"],
            optional: false,
            via: "service-account" as const,
          },
        ]),
  ];
}

function mountedBy(object: KubeObject): Map<string, string> {
  const mounts = new Map<string, string>();
  for (const container of containersOf(object)) {
    for (const mount of listAt(container.spec, "volumeMounts")) {
      const volume = textAt(mount, "name");
      if (volume !== undefined && !mounts.has(volume)) mounts.set(volume, container.name);
    }
  }
  return mounts;
}
