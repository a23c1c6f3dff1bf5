import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareObjects } from "../../src/drift/compare.ts";
import { formatPath } from "../../src/kube/field-path.ts";
import type { FieldPath, Json, KubeObject } from "../../src/model.ts";
import { managed } from "./objects.ts";
import { plant } from "./planting.ts";

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const milli = fc.integer({ min: 1, max: 4000 });

const containerOf = fc.record({
  name: word,
  image: fc.tuple(word, fc.integer({ min: 1, max: 99 })).map(([name, tag]) => `example.com/${name}:${tag}`),
  args: fc.array(word, { maxLength: 3 }),
  env: fc.uniqueArray(fc.record({ name: word, value: fc.oneof(word, fc.constant("")) }), {
    selector: ({ name }) => name,
    maxLength: 4,
  }),
  ports: fc.uniqueArray(fc.record({ containerPort: fc.integer({ min: 1, max: 65_000 }) }), {
    selector: ({ containerPort }) => containerPort,
    maxLength: 3,
  }),
  resources: fc.record({ limits: fc.record({ cpu: milli.map((n) => `${n}m`), memory: milli.map((n) => `${n}Mi`) }) }),
});

/** A Deployment as people write them. */
const declared: fc.Arbitrary<KubeObject> = fc
  .record({
    labels: fc.dictionary(word, word, { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
    replicas: fc.integer({ min: 0, max: 9 }),
    containers: fc.uniqueArray(containerOf, { selector: ({ name }) => name, minLength: 1, maxLength: 3 }),
    nodeSelector: fc.dictionary(word, word, { maxKeys: 2, noNullPrototype: true }),
  })
  .map(({ labels, replicas, containers, nodeSelector }) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "app", namespace: "shop", labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers, ...(Object.keys(nodeSelector).length > 0 ? { nodeSelector } : {}) },
      },
    },
  }));

interface Container {
  name: string;
  args?: string[];
  env?: { name: string; value?: string }[];
  ports?: { containerPort: number; protocol?: string }[];
  resources: { limits: { cpu: string | number; memory: string } };
  [field: string]: unknown;
}

/** What the API server stores of it: defaults filled in, amounts and empties spelled its way, keyed lists in another order. */
function stored(object: KubeObject, turn: number, by: "Apply" | "Update"): KubeObject {
  const copy = structuredClone(object);
  const spec = copy["spec"] as {
    template: { spec: { containers: Container[]; [field: string]: unknown } };
    [field: string]: unknown;
  };
  spec["progressDeadlineSeconds"] = 600;
  spec["strategy"] = { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } };
  const { template } = spec;
  Object.assign(template.spec, { restartPolicy: "Always", dnsPolicy: "ClusterFirst", securityContext: {} });
  template.spec.containers = turned(
    template.spec.containers.map((container) => {
      const { args, env, ports, ...rest } = container;
      const { cpu, memory } = container.resources.limits;
      const cores = Number(String(cpu).replace("m", ""));
      const mebi = Number(memory.replace("Mi", ""));
      return {
        ...rest,
        imagePullPolicy: "IfNotPresent",
        terminationMessagePath: "/dev/termination-log",
        ...(args === undefined || args.length === 0 ? {} : { args }),
        ...(env === undefined || env.length === 0
          ? {}
          : {
              env: turned(
                env.map(({ name, value }) => (value === "" || value === undefined ? { name } : { name, value })),
                turn,
              ),
            }),
        ...(ports === undefined || ports.length === 0
          ? {}
          : {
              ports: turned(
                ports.map((port) => ({ ...port, protocol: "TCP" })),
                turn,
              ),
            }),
        resources: {
          limits: {
            cpu: cores % 1000 === 0 ? String(cores / 1000) : `${cores}m`,
            memory: mebi % 1024 === 0 ? `${mebi / 1024}Gi` : `${mebi}Mi`,
          },
        },
      } as Container;
    }),
    turn,
  );
  copy["status"] = { replicas: 1 };
  // An apply owns what it says, an update also the defaults of what it makes.
  copy.metadata.managedFields = [managed("kustomize-controller", by, by === "Apply" ? object : copy)];
  return copy;
}

function turned<T>(list: readonly T[], by: number): T[] {
  const at = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

/** Every leaf that may be planted, with another value for it. */
function leaves(value: Json, path: FieldPath): { path: FieldPath; other: Json }[] {
  if (Array.isArray(value))
    return value.flatMap((item) => {
      const map = item as { [key: string]: Json };
      const key = map["name"] !== undefined ? "name" : map["containerPort"] !== undefined ? "containerPort" : undefined;
      return key === undefined ? [] : leaves(item, [...path, { by: key, value: map[key] as string | number }]);
    });
  if (typeof value !== "object" || value === null) {
    const last = path.at(-1);
    if (last === "name" || last === "containerPort" || last === "protocol") return [];
    const other =
      last === "memory" || last === "cpu"
        ? "12345678"
        : typeof value === "number"
          ? value + 1000
          : `${String(value)}-planted`;
    return [{ path, other }];
  }
  return Object.entries(value).flatMap(([key, child]) => leaves(child, [...path, key]));
}

describe("any pair that is in sync", () => {
  it("stays clean under defaults, other orders and other spellings", () => {
    fc.assert(
      fc.property(declared, fc.nat(5), fc.constantFrom("Apply", "Update"), (object, turn, by) => {
        const { differences } = compareObjects(object, stored(object, turn, by), { deploys: "kustomization" });
        expect(differences).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it("shows a leaf that was changed, by its name and its writer, and nothing else", () => {
    fc.assert(
      fc.property(declared, fc.nat(5), fc.constantFrom("Apply", "Update"), fc.nat(), (object, turn, by, pick) => {
        const live = stored(object, turn, by);
        const all = leaves(object["spec"] as Json, ["spec"]).concat(
          leaves(object.metadata.labels as Json, ["metadata", "labels"]),
        );
        const chosen = all[pick % all.length];
        if (chosen === undefined) return;
        const planted = plant(live, chosen.path, chosen.other, "kubectl-edit");
        const { differences } = compareObjects(object, planted, { deploys: "kustomization" });
        expect(differences.map(({ path, live: is, by: writer }) => [formatPath(path), is, writer.writer])).toEqual([
          [formatPath(chosen.path), chosen.other, "person"],
        ]);
      }),
      { numRuns: 300 },
    );
  });

  it("shows a leaf that was taken away", () => {
    fc.assert(
      fc.property(declared, fc.nat(5), fc.nat(), (object, turn, pick) => {
        const live = stored(object, turn, "Apply");
        const all = leaves(object["spec"] as Json, ["spec"]).filter(({ path }) => path.at(-1) !== "value");
        const chosen = all[pick % all.length];
        if (chosen === undefined) return;
        const planted = plant(live, chosen.path, undefined, "kubectl-edit");
        const { differences } = compareObjects(object, planted, { deploys: "kustomization" });
        expect(differences.map(({ path }) => formatPath(path))).toEqual([formatPath(chosen.path)]);
      }),
      { numRuns: 200 },
    );
  });
});
