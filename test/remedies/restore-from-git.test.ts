import { describe, expect, it } from "vitest";
import type { Change, FieldPath, Json, KubeObject, Symptom } from "../../src/model.ts";
import { ago, type WorkloadSpec, workload } from "../detectors/snapshot-builder.ts";
import { APP, commit, configMap, configRef, helps, onWorkload, refuses, tried, type World } from "./remedy-context.ts";

const crash: Symptom = { kind: "CrashLoop", exit: "application", exitCode: 1, init: false };
const ENV = [...APP, "env", { by: "name", value: "MODE" }, "value"] as const;
const withEnv = (value: string): WorkloadSpec => ({ container: { env: [{ name: "MODE", value }] } });

function world(over: Partial<World> = {}, spec: WorkloadSpec = withEnv("turbo")): World {
  const cart = workload(spec);
  return {
    workload: cart,
    symptom: crash,
    registry: {},
    previous: [commit([onWorkload(cart, ENV, "turbo", "fast")])],
    ...over,
  };
}

/** A Service whose selector a commit broke, and the workload that it selected. */
function resting(replicas: number): World {
  const object: KubeObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "cart", namespace: "shop" },
    spec: { selector: { app: "crat" } },
  };
  const ref = { apiVersion: "v1", kind: "Service", namespace: "shop", name: "cart" };
  const made = workload({ name: "cart" }).object;
  const behind: KubeObject = { ...made, spec: { ...(made["spec"] as object), replicas } };
  return {
    workload: { ...workload(), ref, object },
    container: null,
    symptom: { kind: "NoEndpoints", message: "It matches no pod." },
    registry: {},
    others: [behind],
    previous: [commit([{ object: ref, path: ["spec", "selector", "app"], from: "crat", to: "cart" }])],
  };
}

describe("puts back", () => {
  it("the selector of a Service, where something runs behind it", async () => {
    expect((await helps("restore-from-git", resting(1))).changes).toMatchObject([{ from: "crat", to: "cart" }]);
  });

  it("what the last commit before the failing changed, and names the commit", async () => {
    const given = world();
    const planned = await helps("restore-from-git", given);
    expect(planned.changes).toEqual([onWorkload(given.workload, ENV, "turbo", "fast")]);
    expect(planned.reason).toMatch(
      /Commit 1a2b3c4 \("Tune"\) changed Deployment shop\/cart.*the failing began after it/,
    );
    expect(planned.choice.params["commit"]).toBe("1a2b3c4d5e6f70819293a4b5c6d7e8f901234567");
  });

  it("only the fields that explain the symptom, never the whole commit", async () => {
    const cart = workload(withEnv("turbo"));
    const replicas: Change = { object: cart.ref, path: ["spec", "replicas"], from: 1, to: 3 };
    const given = world({ workload: cart, previous: [commit([replicas, onWorkload(cart, ENV, "turbo", "fast")])] });
    expect((await helps("restore-from-git", given)).changes.map((change) => change.to)).toEqual(["fast"]);
  });

  it("and an image of the same commit that the registry does not have", async () => {
    const cart = workload({ container: { image: "shop/cart:9", env: [{ name: "MODE", value: "turbo" }] } });
    const unplaced: Symptom = { kind: "Unschedulable", message: "no node fits" };
    const selector: Change = {
      object: cart.ref,
      path: ["spec", "template", "spec", "nodeSelector"],
      to: { disk: "ssd" },
    };
    const image = onWorkload(cart, [...APP, "image"], "shop/cart:9", "shop/cart:1");
    const given = world({
      workload: cart,
      symptom: unplaced,
      container: null,
      registry: { "shop/cart": ["1"] },
      previous: [commit([selector, image, onWorkload(cart, ENV, "turbo", "fast")])],
    });
    expect((await helps("restore-from-git", given)).changes).toEqual([selector, image]);
  });

  it("a value of a ConfigMap that the template reads", async () => {
    const settings = configMap("settings", { mode: "turbo" });
    const change: Change = { object: configRef("settings"), path: ["data", "mode"], from: "turbo", to: "fast" };
    const given = world(
      { live: [settings], previous: [commit([change])] },
      { container: { envFrom: [{ configMapRef: { name: "settings" } }] } },
    );
    expect((await helps("restore-from-git", given)).changes).toEqual([change]);
  });

  it("what Git says where the cluster has drifted from it", async () => {
    const cart = workload(withEnv("turbo"));
    const declared = workload(withEnv("fast")).object;
    const given = world({ workload: cart, previous: [], declared: [declared] });
    const planned = await helps("restore-from-git", given);
    expect(planned.changes).toEqual([onWorkload(cart, ENV, "turbo", "fast")]);
    expect(planned.reason).toMatch(/The cluster runs something else than Git says/);
    expect(planned.choice.params).not.toHaveProperty("commit");
  });

  it("in Git only what cannot be changed live", async () => {
    const settings: KubeObject = { ...configMap("settings", { mode: "turbo" }), immutable: true };
    const change: Change = { object: configRef("settings"), path: ["data", "mode"], from: "turbo", to: "fast" };
    const given = world(
      { live: [settings], previous: [commit([change])] },
      { container: { envFrom: [{ configMapRef: { name: "settings" } }] } },
    );
    expect((await helps("restore-from-git", given)).gitOnly).toMatch(/marked immutable.*made anew/);
  });
});

describe("refuses", () => {
  const cart = workload(withEnv("turbo"));
  const image = workload({ container: { image: "nginx:1.27" } });
  const change = onWorkload(cart, ENV, "turbo", "fast");
  it.each<[string, World, RegExp]>([
    [
      "a Service of which only what is scaled to zero would be behind",
      resting(0),
      /But cart behind it is scaled to zero. A person must say whether it should run/,
    ],
    ["without history", world({ previous: [] }), /recent history changed nothing that explains the symptom/],
    ["a commit older than history.age", world({ previous: [commit([change], { age: "15d" })] }), /changed nothing/],
    [
      "a commit made after the failing began",
      world({ since: ago("5h"), previous: [commit([change], { age: "1h" })] }),
      /changed nothing/,
    ],
    [
      "fields that explain nothing",
      world({ previous: [commit([{ object: cart.ref, path: ["spec", "replicas"], from: 1, to: 3 }])] }),
      /changed nothing/,
    ],
    [
      "where the cluster has another value than Git",
      world({}, withEnv("manual")),
      /commit 1a2b3c4 changed .*, but the cluster has manual there and not turbo/,
    ],
    [
      "an image that the registry does not have any more",
      world({
        workload: image,
        symptom: { kind: "ImagePull", cause: "terminal", image: "nginx:1.27", message: "", init: false },
        registry: { nginx: ["1.27"] },
        previous: [commit([onWorkload(image, [...APP, "image"], "nginx:1.27", "nginx:1.26")])],
      }),
      /cannot be taken back: image nginx:1\.26 is not in its registry any more; a person must choose another/,
    ],
    [
      "a reference to what does not exist any more",
      world({
        snapshot: { configs: { shop: { configMaps: {}, secrets: {} } } },
        previous: [commit([onWorkload(cart, [...APP, "envFrom"], undefined, [{ configMapRef: { name: "gone" } }])])],
      }),
      /ConfigMap gone is neither in the cluster nor in Git/,
    ],
  ])("%s", async (_, given, says) => expect(await refuses("restore-from-git", given)).toMatch(says));

  it("data of Secrets, whatever Git has of it", async () => {
    const secret: Change = {
      object: { ...configRef("db"), kind: "Secret" },
      path: ["data", "password"],
      from: "b",
      to: "a",
    };
    const given = world({ previous: [commit([secret])] }, { container: { envFrom: [{ secretRef: { name: "db" } }] } });
    expect(await refuses("restore-from-git", given)).toMatch(/changed nothing/);
  });

  it("waits for Git with what a generator makes anew from what it held", async () => {
    const VOLUME = ["volumes", { by: "name", value: "conf" }, "configMap", "name"] as const;
    const own = workload({ podSpec: { volumes: [{ name: "conf", configMap: { name: "conf-new7hash" } }] } });
    const given = world({
      workload: own,
      previous: [commit([onWorkload(own, VOLUME, "conf-new7hash", "conf-old7hash")])],
      snapshot: { configs: { shop: { configMaps: { "conf-new7hash": ["a"] }, secrets: {} } } },
      // Git names it by what it holds now, and will by what it held once the file goes back.
      declared: [configMap("conf-old7hash", {})],
    });
    expect(await helps("restore-from-git", given)).toMatchObject({
      changes: [onWorkload(own, VOLUME, "conf-new7hash", "conf-old7hash")],
      gitOnly: "ConfigMap conf-old7hash, which it would then ask for, is made by what deploys Git",
    });
    const there = {
      configs: { shop: { configMaps: { "conf-new7hash": ["a"], "conf-old7hash": ["a"] }, secrets: {} } },
    };
    expect((await helps("restore-from-git", { ...given, snapshot: there })).gitOnly).toBeUndefined();
  });
});

describe("parameters from elsewhere change nothing:", () => {
  const given = world();
  const field = (over: object = {}) => ({
    commit: "1a2b3c4",
    fields: [
      {
        object: { ...given.workload.ref },
        path: ["spec", "template", "spec", ...ENV],
        from: "turbo",
        to: "fast",
        ...over,
      },
    ],
  });
  const at = (...path: FieldPath) => field({ path: path as Json });
  const of = (over: object) => field({ object: { ...given.workload.ref, ...over } });

  it("the same parameters without a fault in them are planned", async () => {
    expect(typeof (await tried("restore-from-git", field() as never, given))).toBe("object");
  });

  it.each<[string, object, RegExp]>([
    ["another namespace", of({ namespace: "bank" }), /in another namespace/],
    ["another Deployment", of({ name: "bank" }), /Deployment shop\/bank has nothing to do with the failing/],
    ["a Secret", of({ apiVersion: "v1", kind: "Secret", name: "db" }), /Secret shop\/db has nothing to do/],
    ["a role", of({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", name: "admin" }), /has nothing to do/],
    ["a ConfigMap that nobody reads", of({ apiVersion: "v1", kind: "ConfigMap", name: "other" }), /has nothing to do/],
    ["no namespace", of({ namespace: "" }), /parameters are wrong/],
    ["replicas", at("spec", "replicas"), /is no field that this remedy may restore/],
    ["labels", at("metadata", "labels", "app"), /is no field/],
    ["a field that does not bring such a symptom about", at("spec", "template", "spec", "nodeSelector"), /is no field/],
    ["the list of containers as a whole", at("spec", "template", "spec", "containers"), /is no field/],
    ["a container by its position", at("spec", "template", "spec", "containers", 0, "image"), /is no field/],
    [
      "another container",
      at(
        "spec",
        "template",
        "spec",
        "containers",
        { by: "name", value: "ghost" },
        "env",
        { by: "name", value: "MODE" },
        "value",
      ),
      /has changed/,
    ],
    ["a prototype", at("__proto__", "polluted"), /is no field|parameters are wrong/],
    [
      "a prototype below a field that may be restored",
      field({ path: ["spec", "template", "spec", ...APP, "env", "__proto__"], from: undefined, to: "x" }),
      /has changed|is no field|parameters are wrong/,
    ],
    [
      "the constructor",
      field({
        path: ["spec", "template", "spec", ...APP, "resources", "constructor", "prototype"],
        from: undefined,
        to: "x",
      }),
      /parameters are wrong|is no field|has changed/,
    ],
    ["a value that is not there any more", field({ from: "slow" }), /has changed: .*is "turbo" and not "slow"/],
    ["an endless path", at(...Array.from({ length: 21 }, () => "spec")), /parameters are wrong/],
    ["no fields", { fields: [] }, /parameters are wrong/],
    [
      "more fields than a person can review",
      { fields: Array.from({ length: 51 }, () => field().fields[0]) },
      /parameters are wrong/,
    ],
    ["a commit that is none", { ...field(), commit: "main; rm -rf /" }, /parameters are wrong/],
    ["something beside them", { ...field(), repository: "evil/repo" }, /parameters are wrong/],
    ["a negative position", at("spec", "template", "spec", "containers", -1, "image"), /parameters are wrong/],
    ["nothing", {}, /parameters are wrong/],
  ])("%s", async (_, params, says) => expect(await tried("restore-from-git", params as never, given)).toMatch(says));

  it("leave Object's prototype alone", () => {
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });
});

describe("what a failing Service looks for in pods", () => {
  const CART = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
  const ref = { apiVersion: "v1", kind: "Service", namespace: "shop", name: "cart" };
  const label = ["spec", "template", "metadata", "labels", "tier"];
  const behind = workload({ name: "cart", labels: { app: "cart", tier: "frontend" } }).object;
  const relabelled: Change = { object: CART, path: label, from: "frontend", to: "front" };
  const other: Change = { object: CART, path: [...label.slice(0, -1), "team"], from: "b", to: "a" };
  const unselected = (over: Partial<World> = {}): World => ({
    workload: {
      ...workload(),
      ref,
      object: {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "cart", namespace: "shop" },
        spec: { selector: { app: "cart", tier: "front" } },
      },
    },
    container: null,
    symptom: { kind: "NoEndpoints", message: "It matches no pod." },
    others: [behind],
    live: [behind],
    previous: [commit([relabelled, other])],
    ...over,
  });

  it("goes back in the label that it selects by, and in no other", async () => {
    expect(await helps("restore-from-git", unselected())).toMatchObject({ changes: [relabelled] });
  });

  it("not in one that it does not ask for", async () => {
    const previous = [commit([{ ...relabelled, to: "back" }, other])];
    expect(await refuses("restore-from-git", unselected({ previous }))).toMatch(/nothing that explains/);
    const params = { commit: "1a2b3c4", fields: [other as unknown as Json] };
    expect(await tried("restore-from-git", params, unselected())).toMatch(/has nothing to do with the failing/);
  });

  const named = workload({ name: "cart", container: { ports: [{ name: "web", containerPort: 80 }] } }).object;
  const name: Change = {
    object: CART,
    path: ["spec", "template", "spec", ...APP, "ports", { by: "containerPort", value: 80 }, "name"],
    from: "web",
    to: "http",
  };
  const misnamed = (targets: readonly (string | number)[]): World => ({
    ...unselected(),
    symptom: { kind: "WrongPort", message: "No container of its pods has a port named http.", targets },
    others: [named],
    live: [named],
    previous: [commit([name])],
  });

  it("goes back in the name of the port that it sends to", async () => {
    const given = misnamed(["http"]);
    const service = {
      ...given.workload.object,
      spec: { selector: { app: "cart" }, ports: [{ port: 80, targetPort: "http" }] },
    };
    expect(
      await helps("restore-from-git", { ...given, workload: { ...given.workload, object: service } }),
    ).toMatchObject({ changes: [name] });
    expect(await refuses("restore-from-git", misnamed(["metrics"]))).toMatch(/nothing that explains/);
  });
});

describe("a Job's deadline", () => {
  const job = workload({ kind: "Job", name: "migrate", spec: { activeDeadlineSeconds: 3 } });
  const deadline: Change = { object: job.ref, path: ["spec", "activeDeadlineSeconds"], from: 3, to: 300 };

  it("stays where the Job failed for something else", async () => {
    const given = world({ workload: job, container: null, previous: [commit([deadline])] });
    expect(await refuses("restore-from-git", given)).toMatch(/nothing that explains/);
  });
});
