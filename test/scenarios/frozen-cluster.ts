import { applyJsonPatch } from "../../src/demo/cluster/json-patch.ts";
import { StanchError } from "../../src/errors.ts";
import { applyChanges } from "../../src/kube/json-patch.ts";
import { keyOf, refOf } from "../../src/kube/ref.ts";
import { resourceOf } from "../../src/kube/resources.ts";
import { matchesRequirements, parseSelector } from "../../src/kube/selectors.ts";
import type { Change, KubeObject } from "../../src/model.ts";
import type { Cluster, Resource } from "../../src/ports.ts";

/** What a program answers to HTTP GET, by path: a status; by `:port`: that nothing listens there. */
export type Answers = Readonly<Record<string, number | "refused">>;

/** What the API server refuses: an object whose JSON holds `where`. */
export interface Refusal {
  readonly where: string;
  readonly message: string;
}

/** A cluster of objects from a file: it answers questions and takes no changes. */
export function freeze(
  objects: readonly KubeObject[],
  answers: Answers = {},
  refuses: readonly Refusal[] = [],
): Cluster {
  const stored = objects.map((object, index) => ({
    ...object,
    metadata: { ...object.metadata, resourceVersion: String(index + 1) },
  }));
  let calls = 0;
  const never = (): never => {
    throw new StanchError("internal", "a frozen cluster takes no changes");
  };
  return {
    server: "frozen",
    context: "frozen",
    calls: () => calls,
    capabilities: async () => ({ kubeVersion: "v1.36.3", apiVersions: ["v1"] }),
    version: async () => "v1.34.0",
    async *list(resource, options = {}) {
      calls += 1;
      const labels = parseSelector(options.labelSelector ?? "");
      if (!labels.ok) throw new Error(labels.reason);
      yield stored.filter(
        (object) =>
          isOf(object, resource) &&
          (options.namespace === undefined ||
            options.namespace === "" ||
            object.metadata.namespace === options.namespace) &&
          matchesRequirements(labels.requirements, object.metadata.labels) &&
          matchesFields(options.fieldSelector, object),
      );
    },
    async get(ref) {
      calls += 1;
      return stored.find((object) => keyOf(refOf(object)) === keyOf(ref)) ?? null;
    },
    async patch(ref, operations, options) {
      const live = stored.find((object) => keyOf(refOf(object)) === keyOf(ref));
      return live === undefined || options?.dryRun !== true ? never() : applyJsonPatch(live, operations);
    },
    create: async (object, options) => (options?.dryRun === true ? object : never()),
    dryRunApply: async (object) => {
      const refusal = refuses.find(({ where }) => JSON.stringify(object).includes(where));
      if (refusal !== undefined) throw new StanchError("invalid", refusal.message);
      return object;
    },
    replace: never,
    resource: never,
    delete: never,
    evict: never,
    exec: never,
    logs: async (pod, container, { previous }) => {
      const live = stored.find((object) => object.kind === "Pod" && object.metadata.name === pod.name);
      const text = live?.metadata.annotations?.[`scenario/${previous ? "previous" : "log"}-${container}`];
      return text ?? "";
    },
    ask: async (_pod, { port, path }) => answers[`:${port}`] ?? answers[path] ?? 404,
    serves: async () => true,
    schema: async () => null,
    heldRules: async () => [],
    review: async (accesses) => accesses.map(() => true),
    close: () => undefined,
  };
}

/** The same cluster after a live change. */
export function changed(objects: readonly KubeObject[], changes: readonly Change[]): KubeObject[] {
  return objects.map((object) =>
    applyChanges(
      object,
      changes.filter((change) => keyOf(change.object) === keyOf(refOf(object))),
    ),
  );
}

function isOf(object: KubeObject, resource: Resource): boolean {
  const own = resourceOf(object.apiVersion, object.kind);
  return own?.plural === resource.plural && own.group === resource.group;
}

/** `type=Warning`, `involvedObject.name=cart`: what the API server offers for events. */
function matchesFields(selector: string | undefined, object: KubeObject): boolean {
  return (selector ?? "")
    .split(",")
    .filter((term) => term !== "")
    .every((term) => {
      const [path = "", value] = term.split("=");
      let at: unknown = object;
      for (const step of path.split(".")) at = (at as Record<string, unknown> | undefined)?.[step];
      return String(at ?? "") === value;
    });
}
