import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { manifestsFor } from "../../src/commands/rbac.ts";
import { Config } from "../../src/config/schema.ts";
import type { KubeObject } from "../../src/model.ts";
import { remedies } from "../../src/remedies/index.ts";
import { CHART, combinations, hasHelm, NAMESPACE, render } from "./helm.ts";

interface Values {
  readonly config?: object;
  readonly write?: { readonly enabled?: boolean };
  readonly rbac?: { readonly create?: boolean };
  readonly fullnameOverride?: string;
}

let folder = "";
let defaults: Values = {};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stanch-chart-"));
  defaults = parse(await readFile(join(CHART, "values.yaml"), "utf8"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Helm's merge of maps. */
function merged(below: unknown, above: unknown): unknown {
  const isMap = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isMap(below) || !isMap(above)) return above === undefined ? below : above;
  const keys = [...new Set([...Object.keys(below), ...Object.keys(above)])];
  return Object.fromEntries(keys.map((key) => [key, merged(below[key], above[key])]));
}

/** What `stanch rbac` prints for the same configuration. */
function wanted(values: Values): KubeObject[] {
  const config = Config.parse({ ...(merged(defaults.config, values.config) as object), namespace: NAMESPACE });
  const account = values.fullnameOverride ?? "stanch";
  const writes = values.write?.enabled === true && config.mode === "remediate";
  const objects = (writes ? (["reader", "writer"] as const) : (["reader"] as const)).flatMap((part) =>
    manifestsFor(config, { account, part }),
  );
  return values.rbac?.create === false ? objects.filter((object) => object.kind === "ServiceAccount") : objects;
}

/** Accounts, roles and bindings, without what Helm adds, in one order. */
function rightsIn(objects: readonly KubeObject[]): unknown[] {
  return objects
    .filter((object) => object.kind === "ServiceAccount" || object.apiVersion.startsWith("rbac."))
    .map(({ automountServiceAccountToken: _, metadata: { name, namespace }, ...rest }) => ({
      ...rest,
      name,
      namespace,
    }))
    .toSorted((a, b) =>
      JSON.stringify([a.kind, a.namespace, a.name]) < JSON.stringify([b.kind, b.namespace, b.name]) ? -1 : 1,
    );
}

const ENTRY = {
  name: "touch",
  namespaces: ["*"],
  workloads: ["Deployment/cart"],
  command: ["touch", "/a"],
  why: "It helps.",
};
const name = fc.constantFrom("shop", "bank", "kube-system", NAMESPACE, "a", "123", "true", "team-a", "team-b", "x.y");
const glob = fc.constantFrom("*", "team-*", "?", "shop", "b*k", "x.y", "[ab]", "te?m-a");
/** What `sometimes` is absent, so that the defaults count, too. */
const sometimes = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const some = (shape: Record<string, fc.Arbitrary<unknown>>) => sometimes(fc.record(shape, { requiredKeys: [] }));
const configs = fc.record(
  {
    mode: fc.constantFrom("observe", "propose", "remediate", "remediate"),
    history: fc.constantFrom(0, 1, 50),
    scope: some({
      namespaces: fc.oneof(
        fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
        fc.array(glob, { minLength: 1, maxLength: 3 }),
      ),
      excludeNamespaces: fc.array(glob, { maxLength: 2 }),
      deployers: fc.array(fc.constantFrom("argocd", "flux-system", "shop", NAMESPACE, "bank"), { maxLength: 3 }),
    }),
    observe: some({ logLines: fc.constantFrom(0, 40), secrets: fc.constantFrom("none", "names", "keys") }),
    registry: some({ usePullSecrets: fc.boolean() }),
    charts: some({ fetch: fc.boolean() }),
    notify: some({ observe: fc.boolean() }),
    holds: some({ application: fc.boolean() }),
    remedies: some({
      enabled: fc.subarray(remedies.map(({ id }) => id)),
      pause: some({ cronJobs: fc.boolean() }),
      exec: fc.constantFrom([], [ENTRY]),
    }),
  },
  { requiredKeys: [] },
);

describe.skipIf(!hasHelm)("the chart grants what `stanch rbac` prints", () => {
  it.each(combinations)("%s", async (_, file) => {
    const values = (parse(await readFile(file, "utf8")) ?? {}) as Values;
    expect(rightsIn(await render(file))).toEqual(rightsIn(wanted(values)));
  });

  it("for any configuration", async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(configs, fc.boolean(), async (config, enabled) => {
        // What is absent is left out, as in a file.
        const values = JSON.parse(JSON.stringify({ config, write: { enabled } })) as Values;
        run += 1;
        const file = join(folder, `${run}.yaml`);
        await writeFile(file, JSON.stringify(values));
        expect(rightsIn(await render(file))).toEqual(rightsIn(wanted(values)));
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
