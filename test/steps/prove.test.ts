import { afterEach, describe, expect, it } from "vitest";
import { StanchError } from "../../src/errors.ts";
import { getAt, withValue } from "../../src/kube/field-path.ts";
import type { Change, CheckId, FieldPath, FileEdit, Json, KubeObject, Proof, Source } from "../../src/model.ts";
import { locate } from "../../src/steps/locate.ts";
import { type ProveRequest, prove } from "../../src/steps/prove.ts";
import { canKustomize, type Files, makeRepository, type Repository, renderer, sourceOf } from "../gitops/repository.ts";

const kustomize = await canKustomize();
const open: Repository[] = [];
afterEach(async () => {
  for (const repository of open.splice(0)) await repository.close();
});

function repositoryOf(files: Files): Repository {
  const repository = makeRepository(files);
  open.push(repository);
  return repository;
}

const CART = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
const MEMORY: FieldPath = [
  "spec",
  "template",
  "spec",
  "containers",
  { by: "name", value: "cart" },
  "resources",
  "limits",
  "memory",
];
const RAISE: Change = { object: CART, path: MEMORY, from: "64Mi", to: "128Mi" };

const deployment = (name = "cart", more = ""): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 1
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
        - name: ${name}
          image: shop/cart:1.4.2   # kept in step with the chart
          resources:
            limits:
              memory: 64Mi
${more}`;

const PLAIN: Files = { "apps/cart.yaml": deployment(), "apps/web.yaml": deployment("web") };
const plain = sourceOf("apps", "plain", "shop");
const prod = sourceOf("overlays/prod", "kustomize", "shop");
const OVERLAYS: Files = {
  "base/cart.yaml": deployment(),
  "base/kustomization.yaml": "resources: [cart.yaml]\n",
  "overlays/prod/kustomization.yaml": "resources: [../../base]\n",
  "overlays/dev/kustomization.yaml": "resources: [../../base]\nnamePrefix: dev-\n",
};

/** The API server as the proof sees it: what runs live, and what becomes of a dry run. */
function clusterOf(
  live: KubeObject | null,
  dryRun: (object: KubeObject) => KubeObject = (object) => object,
): { cluster: ProveRequest["cluster"]; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    cluster: {
      get: async () => live,
      async dryRunApply(object) {
        asked.push(`apply ${object.metadata.namespace}/${object.metadata.name}`);
        return dryRun(object);
      },
      async create(object, options) {
        asked.push(`create ${object.metadata.name}${options?.dryRun === true ? " (dry run)" : ""}`);
        return dryRun(object);
      },
    },
  };
}

const running = (memory: Json): KubeObject =>
  withValue<KubeObject>(
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "cart", namespace: "shop" },
      spec: { template: { spec: { containers: [{ name: "cart" }] } } },
    },
    MEMORY,
    memory,
  );

interface Trial {
  readonly repository: Repository;
  readonly source?: Source;
  readonly changes?: readonly Change[];
  /** The text of files after the edit. */
  readonly after: Files;
  readonly via?: string;
  readonly more?: Partial<ProveRequest>;
}

/** The proof of edits that somebody made, good or harmful. */
async function proofOf({
  repository,
  source = plain,
  changes = [RAISE],
  after,
  via = "manifest",
  more,
}: Trial): Promise<Proof> {
  const edits: FileEdit[] = [];
  for (const [file, text] of Object.entries(after))
    edits.push({ file, before: (await repository.read(file)) ?? "", after: text ?? "" });
  const [first] = edits;
  const located = {
    found: true as const,
    source,
    revision: repository.revision,
    edits,
    locations: changes.map((change) => ({ change, file: first?.file ?? "", line: 18, via })),
    renders: 2,
  };
  const proof = await prove({
    located,
    changes,
    source,
    checkout: repository,
    renderer,
    cluster: clusterOf(running("128Mi")).cluster,
    live: true,
    ...more,
  });
  expect(new Set(proof.checks.map((check) => check.id)).size).toBe(proof.checks.length);
  if (proof.checks.some((check) => check.result === "failed")) expect(proof.complete).toBe(false);
  return proof;
}

/** `P1 passed`, …, and the sentence of one check. */
function results(proof: Proof): string[] {
  return proof.checks.map((check) => `${check.id} ${check.result}`);
}
function textOf(proof: Proof, id: CheckId): string {
  const check = proof.checks.find((it) => it.id === id);
  return `${check?.result}: ${check?.text}`;
}

const raised = deployment().replace("64Mi", "128Mi");
const PASSED = ["P1 passed", "P2 passed", "P3 passed", "P4 passed", "P5 passed"];

describe("a good edit", () => {
  it("passes every check, and says what was seen", async () => {
    const proof = await proofOf({ repository: repositoryOf(PLAIN), after: { "apps/cart.yaml": raised } });
    expect(results(proof)).toEqual(PASSED);
    expect(proof).toMatchObject({ complete: true, blast: [], rootsChecked: 1, tools: ["plain"] });
    expect(proof.checks.map((check) => check.text)).toEqual([
      "apps/cart.yaml: parsed before and after; only the planned lines differ.",
      "Rendered before and after: exactly the wanted change.",
      "The repository has no other render root.",
      "What Git will say is what the cluster runs since the live change.",
      "The API server takes the rendered objects (server-side dry run).",
    ]);
  });

  it("is what locate finds, and nothing is left to do once it is in", async () => {
    const repository = repositoryOf(PLAIN);
    const request = { changes: [RAISE], source: plain, checkout: repository, renderer, hints: {} };
    const located = await locate(request);
    if (!located.found) throw new Error(located.reason);
    const { cluster } = clusterOf(running("128Mi"));
    const again = { ...request, located, cluster, live: true };
    expect(results(await prove(again))).toEqual(PASSED);
    repository.commit("merged", Object.fromEntries(located.edits.map((edit) => [edit.file, edit.after])));
    expect(await locate(request)).toMatchObject({ found: false, already: true });
    // The same edits a second time were made for another file.
    expect(textOf(await prove(again), "P1")).toBe("failed: apps/cart.yaml is not what the edit was made for.");
  });

  it("is complete without a live change, and without an answer of the API server only where the shape stays", async () => {
    const repository = repositoryOf(PLAIN);
    const after = { "apps/cart.yaml": raised };
    const gitOnly = await proofOf({ repository, after, more: { live: false } });
    expect(results(gitOnly)).toEqual(["P1 passed", "P2 passed", "P3 passed", "P4 not-run", "P5 passed"]);
    expect(gitOnly.complete).toBe(true);
    const mute = clusterOf(running("128Mi"), () => {
      throw new StanchError("forbidden", 'cannot dry-run it: User "x" cannot patch resource "deployments"');
    });
    const unasked = await proofOf({ repository, after, more: { cluster: mute.cluster } });
    expect(textOf(unasked, "P5")).toMatch(/^not-run: The API server did not answer/);
    expect(textOf(unasked, "P6")).toBe(
      "passed: Every changed field keeps the shape of the value that the API server took.",
    );
    expect(unasked.complete).toBe(true);
  });
});

describe("P1, the text", () => {
  const cases: [string, Files, RegExp, string?][] = [
    ["is not YAML any more", { "apps/cart.yaml": raised.replace("spec:\n", "spec: [\n") }, /is not valid YAML/],
    ["says a key twice", { "apps/cart.yaml": `${raised}spec: {}\n` }, /is not valid YAML: .*unique/],
    [
      "was written anew, with other quotes and comments lost",
      {
        "apps/cart.yaml": raised
          .replace("{app: cart}", "{ app: cart }")
          .replace("   # kept in step with the chart", ""),
      },
      /Line 8 of apps\/cart.yaml changes and says nothing new/,
    ],
    [
      "has other line endings",
      { "apps/cart.yaml": raised.replace("kind: Deployment\n", "kind: Deployment\r\n") },
      /Line 2 of apps\/cart.yaml changes and says nothing new/,
    ],
    ["got one document more", { "apps/cart.yaml": `${raised}---\nkind: x\n` }, /has 2 documents in the place of 1/],
    ["is as it was", { "apps/cart.yaml": deployment() }, /changes nothing/],
  ];
  it.each(cases)("fails when it %s", async (_name, after, reason) => {
    const proof = await proofOf({ repository: repositoryOf(PLAIN), after });
    expect(textOf(proof, "P1")).toMatch(/^failed: /);
    expect(textOf(proof, "P1")).toMatch(reason);
  });

  it("fails when a document changes that nothing renders", async () => {
    const before = `${deployment()}---\nthreshold: 1\n`;
    const proof = await proofOf({
      repository: repositoryOf({ "apps/cart.yaml": before }),
      after: { "apps/cart.yaml": before.replace("64Mi", "128Mi").replace("threshold: 1", "threshold: 2") },
    });
    expect(results(proof)).toContain("P2 passed");
    expect(textOf(proof, "P1")).toBe("failed: 2 documents of apps/cart.yaml change, and one place was planned.");
  });

  it("fails when the file was changed in between", async () => {
    const repository = repositoryOf(PLAIN);
    const read = repository.read;
    const proof = await proofOf({
      repository: Object.assign(Object.create(repository) as Repository, {
        read: async (file: string) => `# older\n${await read(file)}`,
      }),
      after: { "apps/cart.yaml": raised },
    });
    expect(textOf(proof, "P1")).toMatch(/^failed: .* is not what the edit was made for/);
  });

  it("lets lines of history come back with their comments", async () => {
    const proof = await proofOf({
      repository: repositoryOf(PLAIN),
      after: { "apps/cart.yaml": `# a comment of old\n${raised}` },
      via: "revert of 1a2b3c4",
    });
    expect(results(proof)).toEqual(PASSED);
  });
});

describe("P2, the render of this source", () => {
  const cases: [string, Files, RegExp][] = [
    [
      "the value differs",
      { "apps/cart.yaml": deployment().replace("64Mi", "129Mi") },
      /1 of the wanted changes do not/,
    ],
    ["the field is gone", { "apps/cart.yaml": deployment().replace(/ {10}resources[\s\S]*/, "") }, /do not appear/],
    [
      "another field of the object changes",
      { "apps/cart.yaml": raised.replace("replicas: 1", "replicas: 0") },
      /more than was wanted: Deployment shop\/cart spec.replicas/,
    ],
    [
      "another container comes in",
      { "apps/cart.yaml": `${raised}        - {name: miner, image: miner}\n` },
      /more than was wanted: Deployment shop\/cart .*\[name=miner\]/,
    ],
    [
      "another object changes",
      { "apps/cart.yaml": raised, "apps/web.yaml": deployment("web").replace("64Mi", "128Mi") },
      /more than was wanted: Deployment shop\/web .*memory/,
    ],
    [
      "another object appears",
      { "apps/cart.yaml": raised, "apps/new.yaml": deployment("new") },
      /Deployment shop\/new appears/,
    ],
    [
      "the object gets another name",
      { "apps/cart.yaml": raised.replace("  name: cart\nspec", "  name: kart\nspec") },
      /do not appear/,
    ],
    [
      "an annotation comes in",
      { "apps/cart.yaml": raised.replace("metadata:\n", "metadata:\n  annotations: {a: b}\n") },
      /annotations/,
    ],
  ];
  it.each(cases)("fails when %s", async (_name, after, reason) => {
    const proof = await proofOf({ repository: repositoryOf(PLAIN), after });
    expect(textOf(proof, "P2")).toMatch(/^failed: /);
    expect(textOf(proof, "P2")).toMatch(reason);
  });

  it.skipIf(!kustomize)("fails when the source does not render any more, and nothing further is claimed", async () => {
    const proof = await proofOf({
      repository: repositoryOf(OVERLAYS),
      source: prod,
      after: { "overlays/prod/kustomization.yaml": "resources: [../../base, gone.yaml]\n" },
    });
    expect(textOf(proof, "P2")).toMatch(
      /^failed: With the edits overlays\/prod does not render: (kustomize|kubectl) says: .*gone/,
    );
    expect(results(proof)).toEqual(["P1 passed", "P2 failed"]);
  });

  it.skipIf(!kustomize)("lets a content hash and the references to it follow", async () => {
    const config = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "cart-config-g5h2k9mt4f" };
    const files = {
      "app/cart.yaml": deployment("cart", "          envFrom: [{configMapRef: {name: cart-config}}]\n"),
      "app/kustomization.yaml":
        "resources: [cart.yaml]\nconfigMapGenerator:\n  - name: cart-config\n    literals: [LEVEL=info]\n",
    };
    const proof = await proofOf({
      repository: repositoryOf(files),
      source: sourceOf("app", "kustomize", "shop"),
      changes: [{ object: config, path: ["data", "LEVEL"], from: "info", to: "debug" }],
      after: { "app/kustomization.yaml": files["app/kustomization.yaml"].replace("info", "debug") },
      more: { live: false },
    });
    expect(textOf(proof, "P2")).toMatch(
      /^passed: .*what follows by itself \(ConfigMap cart-config-\w+ is renamed to cart-config-/,
    );
    expect(proof.complete).toBe(true);
  });
});

describe.skipIf(!kustomize)("P3, the other environments", () => {
  it("fails when one that shares the file changes, and names it", async () => {
    const proof = await proofOf({
      repository: repositoryOf(OVERLAYS),
      source: prod,
      after: { "base/cart.yaml": raised },
    });
    expect(results(proof)).toEqual(["P1 passed", "P2 passed", "P3 failed", "P4 passed", "P5 passed"]);
    expect(textOf(proof, "P3")).toBe("failed: Other environments change too: overlays/dev.");
    expect(proof).toMatchObject({
      complete: false,
      rootsChecked: 2,
      blast: [{ root: "overlays/dev", objects: ["Deployment dev-cart"] }],
    });
  });

  it("passes when only this one changes", async () => {
    const proof = await proofOf({
      repository: repositoryOf({
        ...OVERLAYS,
        "overlays/prod/kustomization.yaml": "resources: [../../base]\npatches: [{path: memory.yaml}]\n",
        "overlays/prod/memory.yaml": deployment(),
      }),
      source: prod,
      after: { "overlays/prod/memory.yaml": raised },
    });
    expect(results(proof)).toEqual(PASSED);
    expect(textOf(proof, "P3")).toBe("passed: 2 render roots looked at; no other one changes.");
  });

  it("fails when one cannot be rendered with the edit, because then nobody knows", async () => {
    const proof = await proofOf({
      repository: repositoryOf({
        ...OVERLAYS,
        "overlays/dev/kustomization.yaml": "resources: [../../base, 'https://example.com/x.yaml']\n",
      }),
      source: prod,
      after: { "base/cart.yaml": raised },
    });
    expect(proof.blast).toEqual([
      { root: "overlays/dev", objects: [expect.stringMatching(/could not be rendered: .*https:\/\/example.com/)] },
    ]);
    expect(proof.complete).toBe(false);
  });

  it("fails when a second source deploys the same folder", async () => {
    const repository = repositoryOf(PLAIN);
    const after = { "apps/cart.yaml": raised };
    const inDev = { ...plain, namespace: "dev" };
    const twice = await proofOf({ repository, after, more: { roots: [plain, inDev] } });
    expect(twice.blast).toEqual([{ root: "apps in namespace dev", objects: ["Deployment dev/cart"] }]);
    expect(textOf(twice, "P3")).toMatch(/^failed: .*apps in namespace dev/);
    const above = await proofOf({ repository, after, more: { roots: [sourceOf(".", "plain", "all")] } });
    expect(above.blast).toEqual([{ root: ".", objects: ["Deployment all/cart"] }]);
  });
});

describe("P4, Git against the cluster", () => {
  const after = { "apps/cart.yaml": raised };
  it.each([
    [
      "runs something else",
      running("256Mi"),
      /something else than the cluster runs for 1 field of Deployment shop\/cart/,
    ],
    ["has lost the field", running({}), /something else/],
    ["does not have the object any more", null, /Deployment shop\/cart is not in the cluster/],
  ] as [string, KubeObject | null, RegExp][])("fails when the cluster %s", async (_name, live, reason) => {
    const proof = await proofOf({ repository: repositoryOf(PLAIN), after, more: { cluster: clusterOf(live).cluster } });
    expect(textOf(proof, "P4")).toMatch(/^failed: /);
    expect(textOf(proof, "P4")).toMatch(reason);
  });

  it("takes the same amount in other words", async () => {
    const { cluster } = clusterOf(running("131072Ki"));
    expect(results(await proofOf({ repository: repositoryOf(PLAIN), after, more: { cluster } }))).toEqual(PASSED);
  });
});

describe("P5, the API server", () => {
  const after = { "apps/cart.yaml": raised };
  const refusing = (code: "forbidden" | "invalid" | "cluster", message: string): ProveRequest["cluster"] =>
    clusterOf(running("128Mi"), () => {
      throw new StanchError(code, message);
    }).cluster;

  it.each([
    ["invalid", "spec.template: Invalid value", "failed: The API server would refuse it: "],
    ["forbidden", 'admission webhook "policy" denied the request', "failed: The API server would refuse it: "],
    ["forbidden", 'deployments "cart" is forbidden: exceeded quota: q', "failed: The API server would refuse it: "],
    ["forbidden", 'is forbidden: User "x" cannot patch resource "deployments"', "not-run: The API server did not "],
    ["cluster", "it is not reachable", "not-run: The API server did not answer the question: "],
  ] as const)("%s, %s", async (code, message, text) => {
    const proof = await proofOf({
      repository: repositoryOf(PLAIN),
      after,
      more: { cluster: refusing(code, message) },
    });
    expect(textOf(proof, "P5").startsWith(text)).toBe(true);
    expect(textOf(proof, "P5")).toContain(message);
    // Only missing rights are made up for by the shape of the values.
    expect(proof.complete).toBe(message.includes("cannot patch"));
  });

  it("fails when admission makes something else of it", async () => {
    const { cluster } = clusterOf(running("128Mi"), (object) => withValue(object, MEMORY, "64Mi"));
    const proof = await proofOf({ repository: repositoryOf(PLAIN), after, more: { cluster } });
    expect(textOf(proof, "P5")).toMatch(/^failed: .*makes something else of .*limits.memory/);
  });

  it("asks with the object as it is rendered, in the namespace that it is deployed to", async () => {
    const seen: Json[] = [];
    const { cluster, asked } = clusterOf(running("128Mi"), (object) => {
      seen.push(getAt(object, MEMORY) ?? null);
      return object;
    });
    await proofOf({ repository: repositoryOf(PLAIN), after, more: { cluster } });
    expect([asked, seen]).toEqual([["apply shop/cart"], ["128Mi"]]);
  });

  it("asks with a copy where the object cannot be changed in place", async () => {
    const { cluster, asked } = clusterOf(null);
    const gitOnly = "spec.template of a Job cannot be changed while it exists";
    const proof = await proofOf({ repository: repositoryOf(PLAIN), after, more: { cluster, gitOnly, live: false } });
    expect(asked).toEqual(["create cart-stanch-dry-run (dry run)"]);
    expect(proof.complete).toBe(true);
  });
});
