import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { compareObjects } from "../../src/drift/compare.ts";
import { parseJqPath, parsePointer } from "../../src/drift/jq-path.ts";
import { readRules } from "../../src/drift/rules.ts";
import { StanchError } from "../../src/errors.ts";
import type { Deployer } from "../../src/gitops/origin.ts";
import { formatPath } from "../../src/kube/field-path.ts";
import { refOf } from "../../src/kube/ref.ts";
import type { FieldPath, Json, KubeObject } from "../../src/model.ts";
import { cpuTime } from "../cpu-time.ts";
import { managed, object } from "./objects.ts";
import { plant } from "./planting.ts";
import { DEPLOYMENT } from "./sources.ts";
import { application, kustomization } from "./survey-world.ts";

const CONTAINER: FieldPath = ["spec", "template", "spec", "containers", { by: "name", value: "app" }];

/** Live as it was deployed, with these fields changed by hand. */
function edited(edits: readonly (readonly [FieldPath, Json])[], manager = "kubectl-edit"): KubeObject {
  const declared = object(DEPLOYMENT);
  const live = {
    ...declared,
    metadata: { ...declared.metadata, managedFields: [managed("argocd-controller", "Apply", declared)] },
  };
  return edits.reduce((now: KubeObject, [path, value]) => plant(now, path, value, manager), live);
}

interface Given {
  readonly deployer?: Deployer | null;
  readonly settings?: Record<string, string> | Error;
  readonly config?: object;
}

async function hidden(live: KubeObject, { deployer = null, settings, config = {} }: Given) {
  const rules = await readRules(
    {
      config: parseConfig(JSON.stringify({ drift: config })),
      cluster: {
        get: async () => {
          if (settings instanceof Error) throw settings;
          return settings === undefined
            ? null
            : {
                apiVersion: "v1",
                kind: "ConfigMap",
                metadata: { name: "argocd-cm", namespace: "argocd" },
                data: settings,
              };
        },
      } as never,
    },
    deployer === null ? [] : [deployer],
  );
  const declared = object(DEPLOYMENT);
  const deploys =
    deployer === null ? "configuration" : deployer.ref.kind === "Application" ? "argocd" : "kustomization";
  const { differences } = compareObjects(declared, live, { deploys });
  const { left, hidden: by } = rules.apply(differences, { declared, live, predicted: null }, { deployer, deploys });
  return {
    left: left.map(({ path }) => formatPath(path)),
    by: Object.fromEntries(by),
    said: rules.notUnderstood.map(({ said }) => said),
  };
}

const IMAGE = "spec.template.spec.containers[name=app].image";
const both = edited([
  [["spec", "replicas"], 5],
  [[...CONTAINER, "image"], "example.com/app:2"],
]);

describe("ignoreDifferences of an Application", () => {
  const app = (entry: object): Deployer => application({ spec: { ignoreDifferences: [entry] } }, [{}]);

  it("a JSON pointer hides its field, says so, and hides no other", async () => {
    expect(
      await hidden(both, { deployer: app({ group: "apps", kind: "Deployment", jsonPointers: ["/spec/replicas"] }) }),
    ).toEqual({
      left: [IMAGE],
      by: { "Application argocd/shop ignoreDifferences /spec/replicas": 1 },
      said: [],
    });
  });

  it.each([
    [{ group: "apps", kind: "StatefulSet", jsonPointers: ["/spec/replicas"] }],
    [{ group: "", kind: "Deployment", jsonPointers: ["/spec/replicas"] }],
    [{ group: "*", kind: "*", name: "other", jsonPointers: ["/spec/replicas"] }],
    [{ group: "*", kind: "*", namespace: "other", jsonPointers: ["/spec/replicas"] }],
    [{ group: "apps", kind: "Deployment", jsonPointers: ["/spec/replica"] }],
  ])("%j means other objects or fields", async (entry) => {
    expect(await hidden(both, { deployer: app(entry) })).toMatchObject({ left: ["spec.replicas", IMAGE], by: {} });
  });

  it("a jq path hides what it names in every item, and a part of an item leaves the rest", async () => {
    const entry = (text: string) => app({ group: "apps", kind: "Deployment", jqPathExpressions: [text] });
    expect(
      (await hidden(both, { deployer: entry('.spec.template.spec.containers[] | select(.name == "app") | .image') }))
        .left,
    ).toEqual(["spec.replicas"]);
    expect(
      (await hidden(both, { deployer: entry('.spec.template.spec.containers[] | select(.name == "other") | .image') }))
        .left,
    ).toHaveLength(2);
    const side = plant(
      both,
      ["spec", "template", "spec", "containers", { by: "name", value: "side" }],
      { name: "side", image: "x" },
      "kubectl-edit",
    );
    expect(
      (await hidden(side, { deployer: entry('.spec.template.spec.containers[] | select(.name == "side")') })).left,
    ).toEqual(["spec.replicas", IMAGE]);
  });

  it("a list that is replaced as a whole is compared without what a rule names in it", async () => {
    const live = edited([
      [
        [...CONTAINER, "args"],
        ["serve", "--port", "81"],
      ],
    ]);
    const entry = (text: string) => app({ group: "apps", kind: "Deployment", jqPathExpressions: [text] });
    expect((await hidden(live, { deployer: entry(".spec.template.spec.containers[0].args[2]") })).left).toEqual([]);
    expect((await hidden(live, { deployer: entry(".spec.template.spec.containers[0].args[0]") })).left).toHaveLength(1);
  });

  it("fields of a manager are hidden by its name", async () => {
    const live = plant(both, ["spec", "minReadySeconds"], 4, "kubectl-patch");
    const entry = { group: "apps", kind: "Deployment", managedFieldsManagers: ["kubectl-edit"] };
    expect((await hidden(live, { deployer: app(entry) })).left).toEqual(["spec.minReadySeconds"]);
  });

  it.each([
    ".spec | to_entries",
    ".. | .image",
    '.spec | test("a")',
    "path(.a)",
    ".a[",
    "def f: f; f",
    ".spec.replicas |= 1",
    "$__loc__",
  ])("a jq expression that is not understood (%s) hides nothing and is said", async (text) => {
    const seen = await hidden(both, {
      deployer: app({ group: "apps", kind: "Deployment", jqPathExpressions: [text] }),
    });
    expect(seen.left).toHaveLength(2);
    expect(seen.said).toEqual([
      `Application argocd/shop ignoreDifferences: the jq expression ${text} is not understood and hides nothing`,
    ]);
  });
});

describe("Argo CD's own settings", () => {
  const app = application({}, [{}]);

  it("hide by group and kind, and for all", async () => {
    const settings = {
      "resource.customizations.ignoreDifferences.apps_Deployment": "jsonPointers:\n- /spec/replicas\n",
      "resource.customizations.ignoreDifferences.all": "managedFieldsManagers:\n- kubectl-set\n",
      "resource.customizations.ignoreDifferences.apps_StatefulSet": "jsonPointers:\n- /spec\n",
    };
    expect((await hidden(both, { deployer: app, settings })).left).toEqual([IMAGE]);
    expect(
      (await hidden(edited([[[...CONTAINER, "image"], "x"]], "kubectl-set"), { deployer: app, settings })).left,
    ).toEqual([]);
  });

  it("in their older form, too; and what is no YAML is said", async () => {
    const old = {
      "resource.customizations": "apps/Deployment:\n  ignoreDifferences: |\n    jsonPointers:\n    - /spec/replicas\n",
    };
    expect((await hidden(both, { deployer: app, settings: old })).left).toEqual([IMAGE]);
    const broken = { "resource.customizations.ignoreDifferences.all": "[: {" };
    expect((await hidden(both, { deployer: app, settings: broken })).said).toEqual([
      expect.stringContaining("is no YAML, and hides nothing"),
    ]);
  });

  it("know which fields are amounts", async () => {
    const settings = {
      "resource.customizations.knownTypeFields.apps_Deployment":
        "- field: spec.template.metadata.annotations.size\n  type: core/Quantity\n",
    };
    const declared = object(
      DEPLOYMENT.replace(
        "metadata: {labels: {app: app}}",
        "metadata: {labels: {app: app}, annotations: {size: 1024Mi}}",
      ),
    );
    const live = plant(declared, ["spec", "template", "metadata", "annotations", "size"], "1Gi", "kubectl-edit");
    const rules = await readRules(
      {
        config: parseConfig("{}"),
        cluster: {
          get: async () => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "argocd-cm" }, data: settings }),
        } as never,
      },
      [app],
    );
    const { differences } = compareObjects(declared, live, { deploys: "argocd" });
    expect(differences).toHaveLength(1);
    expect(
      rules.apply(differences, { declared, live, predicted: null }, { deployer: app, deploys: "argocd" }).left,
    ).toEqual([]);
  });

  it("that may not be read are said, and hide nothing", async () => {
    const seen = await hidden(both, { deployer: app, settings: new StanchError("forbidden", "no right") });
    expect(seen.left).toHaveLength(2);
    expect(seen.said).toEqual([
      "ConfigMap argocd/argocd-cm cannot be read, so that its ignoreDifferences hide nothing: no right",
    ]);
  });
});

describe("Flux", () => {
  const release = (ignore: object): Deployer => {
    const owner = {
      apiVersion: "helm.toolkit.fluxcd.io/v2",
      kind: "HelmRelease",
      metadata: { name: "app", namespace: "shop" },
      spec: { driftDetection: { ignore: [ignore] } },
    } as KubeObject;
    return { ...kustomization(undefined), ref: refOf(owner), object: owner };
  };

  it.each([
    [{ paths: ["/spec/replicas"] }, 1],
    [{ paths: ["/spec/replicas"], target: { kind: "Deployment" } }, 1],
    [{ paths: ["/spec/replicas"], target: { kind: "Deployment", name: "(app|web)", labelSelector: "team=a" } }, 1],
    [{ paths: ["/spec/replicas"], target: { kind: "StatefulSet" } }, 2],
    [{ paths: ["/spec/replicas"], target: { name: "ap" } }, 2],
    [{ paths: ["/spec/replicas"], target: { labelSelector: "team=b" } }, 2],
  ])("driftDetection.ignore %j leaves %i", async (ignore, left) => {
    expect((await hidden(both, { deployer: release(ignore) })).left).toHaveLength(left);
  });

  it("a target that could take forever is not followed, and said", async () => {
    const seen = await hidden(both, { deployer: release({ paths: ["/spec/replicas"], target: { name: "(a+)+b" } }) });
    expect(seen.left).toHaveLength(2);
    expect(seen.said).toHaveLength(1);
  });

  it("spec.ignore of a Kustomization", async () => {
    const deployer = kustomization(undefined, { object: { spec: { ignore: [{ paths: ["/spec/replicas"] }] } } });
    expect((await hidden(both, { deployer })).left).toEqual([IMAGE]);
  });
});

describe("our own rules", () => {
  it("hold for every root, and name themselves", async () => {
    const seen = await hidden(both, { config: { ignore: [{ kind: "Deployment", jsonPointers: ["/spec/replicas"] }] } });
    expect(seen).toEqual({ left: [IMAGE], by: { "drift.ignore /spec/replicas": 1 }, said: [] });
  });
});

describe("paths of strangers", () => {
  const root = object(DEPLOYMENT) as unknown as Json;

  it.each([
    [".spec.replicas", [["spec", "replicas"]]],
    ['."metadata"["labels"].team', [["metadata", "labels", "team"]]],
    [
      ".metadata.labels, .spec.replicas",
      [
        ["metadata", "labels"],
        ["spec", "replicas"],
      ],
    ],
    [
      ".spec.template.spec.volumes[].name",
      [
        ["spec", "template", "spec", "volumes", 0, "name"],
        ["spec", "template", "spec", "volumes", 1, "name"],
      ],
    ],
    [".spec.template.spec.volumes[-1]", [["spec", "template", "spec", "volumes", 1]]],
    [
      '.spec.template.spec.volumes[] | select(.name | startswith("da")) | .configMap',
      [["spec", "template", "spec", "volumes", 1, "configMap"]],
    ],
    ['.spec.template.spec.volumes[]? | select(has("emptyDir") | not)', [["spec", "template", "spec", "volumes", 1]]],
    [
      '.spec.template.spec.volumes[] | select(.name == "tmp" or .name == "x" and .y != 1)',
      [["spec", "template", "spec", "volumes", 0]],
    ],
    [".nothing.there[]", []],
  ])("%s", (text, places) => {
    expect(parseJqPath(text)?.(root)).toEqual(places);
  });

  // As jq reads them: a pipe takes all that stands before it, a comma only its neighbours.
  it.each([
    [
      ".a[], .b[] | .x",
      [
        ["a", 0, "x"],
        ["b", 0, "x"],
      ],
    ],
    [
      ".p | .q[], .r[] | .x",
      [
        ["p", "q", 0, "x"],
        ["p", "r", 0, "x"],
      ],
    ],
    [".a, (.b | .[0])", [["a"], ["b", 0]]],
    ["(.a | .[0]), .b", [["a", 0], ["b"]]],
    [".a[], .b[] | select(.x == 2) | .x", [["b", 0, "x"]]],
  ])("%s binds as in jq", (text, places) => {
    const given = { a: [{ x: 1, y: 1 }], b: [{ x: 2, y: 2 }], p: { q: [{ x: 3 }], r: [{ x: 4 }] } } as Json;
    expect(parseJqPath(text)?.(given)).toEqual(places);
  });

  it("never take forever, never throw, and never reach a prototype", () => {
    const wide = { a: Array.from({ length: 300 }, () => Array.from({ length: 300 }, () => [1, 2, 3])) } as Json;
    const began = cpuTime();
    expect(parseJqPath(".a[][][] , .a[][][] , .a[][][]")?.(wide).length).toBeLessThanOrEqual(10_000);
    expect(cpuTime() - began).toBeLessThan(2000);
    expect(parseJqPath(`.a${"[]".repeat(900)}`)?.(wide)).toEqual([]);
    expect(parseJqPath(".__proto__.polluted")?.(root)).toEqual([]);
    expect(parsePointer("/__proto__/polluted")(root)).toEqual([]);
    expect(parseJqPath(`${"(".repeat(900)}.a${")".repeat(900)}`)).not.toBeUndefined();
    for (const text of ["", " ", "|", ".a |", "select()", ".a[1", '.["a', ".a ? ? ?", "\u0000", ".😀"])
      expect(() => parseJqPath(text)?.(root)).not.toThrow();
    expect(parsePointer("/a~1b/~01")({ "a/b": { "~1": 5 } } as Json)).toEqual([["a/b", "~1"]]);
  });
});
