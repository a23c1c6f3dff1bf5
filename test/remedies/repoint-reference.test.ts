import { describe, expect, it } from "vitest";
import type { ConfigInventory, Json, Symptom } from "../../src/model.ts";
import { workload } from "../detectors/snapshot-builder.ts";
import { APP, helps, NAMES, onWorkload, refuses, tried, type World } from "./remedy-context.ts";

const missing = (name: string, over: object = {}): Symptom => ({
  kind: "ConfigMissing",
  refKind: "ConfigMap",
  name,
  message: `configmap "${name}" not found`,
  ...over,
});
const fromKey = (name: string, key: string, kind = "configMapKeyRef") => ({
  name: "MODE",
  valueFrom: { [kind]: { name, key } },
});

function world(
  container: { readonly [field: string]: Json },
  symptom: Symptom,
  inventory: Partial<ConfigInventory>,
  over: Partial<World> = {},
): World {
  return {
    workload: workload({ container }),
    symptom,
    snapshot: { configs: { shop: { configMaps: {}, secrets: {}, ...inventory } } },
    ...over,
  };
}

const typo = (inventory: Partial<ConfigInventory> = { configMaps: { "shop-config": ["mode"], other: [] } }) =>
  world({ envFrom: [{ configMapRef: { name: "shop-cnofig" } }] }, missing("shop-cnofig"), inventory);

describe("points", () => {
  it("a mistyped name to the one that it is a typo of", async () => {
    const given = typo();
    const planned = await helps("repoint-reference", given);
    expect(planned.changes).toEqual([
      onWorkload(given.workload, [...APP, "envFrom", 0, "configMapRef", "name"], "shop-cnofig", "shop-config"),
    ]);
    expect(planned.offered).toEqual(["repoint-reference"]);
  });

  it("every place that says it, and no other", async () => {
    const given = world(
      {
        env: [
          fromKey("shop-cnofig", "mode"),
          { name: "X", valueFrom: { configMapKeyRef: { name: "other", key: "x" } } },
        ],
        envFrom: [{ configMapRef: { name: "shop-cnofig" } }, { secretRef: { name: "shop-cnofig" } }],
      },
      missing("shop-cnofig"),
      { configMaps: { "shop-config": ["mode"], other: ["x"] } },
    );
    expect((await helps("repoint-reference", given)).changes).toEqual([
      onWorkload(
        given.workload,
        [...APP, "env", { by: "name", value: "MODE" }, "valueFrom", "configMapKeyRef", "name"],
        "shop-cnofig",
        "shop-config",
      ),
      onWorkload(given.workload, [...APP, "envFrom", 0, "configMapRef", "name"], "shop-cnofig", "shop-config"),
    ]);
  });

  it("a mistyped key to the one that it is a typo of", async () => {
    const given = world({ env: [fromKey("shop-config", "mdoe")] }, missing("shop-config", { key: "mdoe" }), {
      configMaps: { "shop-config": ["mode", "level"] },
    });
    expect((await helps("repoint-reference", given)).changes).toEqual([
      onWorkload(
        given.workload,
        [...APP, "env", { by: "name", value: "MODE" }, "valueFrom", "configMapKeyRef", "key"],
        "mdoe",
        "mode",
      ),
    ]);
  });

  it("a Secret by its name, whose keys need not be known", async () => {
    const given = world(
      { env: [fromKey("db-pasword", "password", "secretKeyRef")] },
      missing("db-pasword", { refKind: "Secret" }),
      { secrets: { "db-password": ["password"], "db-user": ["user"] } },
    );
    expect((await helps("repoint-reference", given)).changes.map((change) => change.to)).toEqual(["db-password"]);
  });
});

describe("refuses, and says what a person must do,", () => {
  it.each<[string, World, RegExp]>([
    [
      "nothing is near",
      typo({ configMaps: { unrelated: [] } }),
      /none has a name near it\. A person must create it, or correct the reference/,
    ],
    [
      "two are as near",
      typo({ configMaps: { "shop-cnofigs": [], "shop-cnofi": [] } }),
      /several ConfigMaps are near.*A person must say which is meant/,
    ],
    [
      "only the number differs",
      world({ envFrom: [{ configMapRef: { name: "config-1" } }] }, missing("config-1"), {
        configMaps: { "config-2": [] },
      }),
      /none has a name near it/,
    ],
    [
      "the near one lacks the key",
      world({ env: [fromKey("shop-cnofig", "mode")] }, missing("shop-cnofig"), {
        configMaps: { "shop-config": ["level"] },
      }),
      /and the keys mode\. A person must create it/,
    ],
    [
      "it is of another kind",
      world({ envFrom: [{ secretRef: { name: "shop-cnofig" } }] }, missing("shop-cnofig", { refKind: "Secret" }), {
        configMaps: { "shop-config": [] },
        secrets: {},
      }),
      /Secret "shop-cnofig" does not exist, and none/,
    ],
    [
      "names may not be read",
      world({ envFrom: [{ secretRef: { name: "db" } }] }, missing("db", { refKind: "Secret" }), { secrets: null }),
      /names of Secrets may not be read here \(observe\.secrets/,
    ],
    [
      "the keys may not be read",
      world({ env: [fromKey("db", "pasword", "secretKeyRef")] }, missing("db", { refKind: "Secret", key: "pasword" }), {
        secrets: { db: null },
      }),
      /its keys may not be read; a person must compare/,
    ],
    [
      "no key is near",
      world({ env: [fromKey("shop-config", "mode")] }, missing("shop-config", { key: "mode" }), {
        configMaps: { "shop-config": ["port"] },
      }),
      /none near it \(port\)\. A person must say what is meant/,
    ],
    ["nothing is missing", world({}, { kind: "OOMKilled" }, {}), /no reference to configuration is missing/],
  ])("where %s", async (_, given, says) => expect(await refuses("repoint-reference", given)).toMatch(says));

  it("a number more is no other ConfigMap: config-1 is not config-11", async () => {
    const given = world({ envFrom: [{ configMapRef: { name: "config-1" } }] }, missing("config-1"), {
      configMaps: { "config-11": [] },
    });
    expect(await refuses("repoint-reference", given)).toMatch(/A person must/);
  });
});

describe("parameters from elsewhere change nothing:", () => {
  it.each<[string, { readonly [name: string]: Json }, RegExp]>([
    ["a name that does not exist", { name: "shop-confog" }, /has no such name/],
    ["a name that is no typo", { name: "other" }, /no typo/],
    ["a key of which nothing is asked", { key: "mode" }, /no typo/],
    ["both", { name: "shop-config", key: "mode" }, /either a name or a key/],
    ["neither", {}, /either a name or a key/],
    ["an empty name", { name: "" }, /parameters are wrong/],
    ["a huge name", { name: "a".repeat(254) }, /parameters are wrong/],
    ["a number", { name: 7 }, /parameters are wrong/],
    ["another object", { name: "shop-config", object: "Deployment/bank" }, /parameters are wrong/],
    ["another kind", { name: "shop-config", refKind: "Secret" }, /parameters are wrong/],
  ])("%s", async (_, params, says) => expect(await tried("repoint-reference", params, typo())).toMatch(says));

  it.each(NAMES)("a name like %s", async (name) =>
    expect(await tried("repoint-reference", { name }, typo())).toMatch(/no typo|has no such name|parameters are wrong/),
  );

  it("a Secret of which nothing is known", async () => {
    const blind = world(
      { envFrom: [{ secretRef: { name: "db-cnofig" } }] },
      missing("db-cnofig", { refKind: "Secret" }),
      { secrets: null },
    );
    expect(await tried("repoint-reference", { name: "db-config" }, blind)).toMatch(/may not be read/);
  });

  it("another, existing Secret: nobody gets at credentials by repair", async () => {
    const given = world(
      { envFrom: [{ secretRef: { name: "db-cnofig" } }] },
      missing("db-cnofig", { refKind: "Secret" }),
      {
        secrets: { "db-config": null, "admin-credentials": null },
      },
    );
    expect(await tried("repoint-reference", { name: "admin-credentials" }, given)).toMatch(/no typo/);
  });

  it("a reference that went away in the meantime", async () => {
    const gone = world({}, missing("shop-cnofig"), { configMaps: { "shop-config": [] } });
    expect(await tried("repoint-reference", { name: "shop-config" }, gone)).toMatch(/not there any more/);
  });
});
