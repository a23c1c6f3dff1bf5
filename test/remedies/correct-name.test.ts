import { describe, expect, it } from "vitest";
import type { KubeObject, Symptom } from "../../src/model.ts";
import { workload } from "../detectors/snapshot-builder.ts";
import { helps, refuses, tried, type World } from "./remedy-context.ts";

const object = (kind: string, name: string, rest: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind,
  metadata: kind === "PriorityClass" ? { name } : { name, namespace: "shop" },
  ...rest,
});
const mounts = (claimName: string) => ({ volumes: [{ name: "data", persistentVolumeClaim: { claimName } }] });
const deployment = (name: string, claim: string): KubeObject => workload({ name, podSpec: mounts(claim) }).object;
const TEMPLATE = ["spec", "template", "spec"];

function world(
  symptom: Symptom,
  podSpec: NonNullable<Parameters<typeof workload>[0]>["podSpec"],
  others: World["others"],
): World {
  const own = workload({ ...(podSpec === undefined ? {} : { podSpec }) });
  return { workload: own, symptom, container: null, ...(others === undefined ? {} : { others }) };
}

const account = (others: readonly KubeObject[] | null): World =>
  world(
    {
      kind: "PodsRefused",
      message:
        'pods "cart-" is forbidden: error looking up service account shop/chekout: serviceaccount "chekout" not found',
    },
    { serviceAccountName: "chekout" },
    others,
  );
const priority = (others: readonly KubeObject[]): World =>
  world(
    { kind: "PodsRefused", message: 'pods "cart-" is forbidden: no PriorityClass with name bussiness was found' },
    { priorityClassName: "bussiness" },
    others,
  );
const claim = (others: readonly KubeObject[]): World =>
  world(
    { kind: "Unschedulable", message: 'persistentvolumeclaim "cart-dtaa" not found. not found' },
    mounts("cart-dtaa"),
    others,
  );

describe("correct-name", () => {
  it("points to the one ServiceAccount that the name is a typo of", async () => {
    const mended = await helps(
      "correct-name",
      account([object("ServiceAccount", "default"), object("ServiceAccount", "checkout")]),
    );
    expect(mended).toMatchObject({
      title: "point ServiceAccount chekout → checkout",
      changes: [{ path: [...TEMPLATE, "serviceAccountName"], from: "chekout", to: "checkout" }],
      offered: ["correct-name"],
    });
  });

  it("points to the one PriorityClass", async () => {
    expect((await helps("correct-name", priority([object("PriorityClass", "business")]))).changes).toMatchObject([
      { path: [...TEMPLATE, "priorityClassName"], from: "bussiness", to: "business" },
    ]);
  });

  it("points to the one claim that nobody else uses", async () => {
    const free = [object("PersistentVolumeClaim", "cart-data"), deployment("other", "other-data")];
    expect((await helps("correct-name", claim(free))).changes).toMatchObject([
      {
        path: [...TEMPLATE, "volumes", { by: "name", value: "data" }, "persistentVolumeClaim", "claimName"],
        from: "cart-dtaa",
        to: "cart-data",
      },
    ]);
    // Two writers of one volume are worse than the typo.
    expect(await refuses("correct-name", claim([...free, deployment("twin", "cart-data")]))).toMatch(/free to be used/);
  });

  it("points to the one pull secret, and only where the registry asks for one", async () => {
    const pull = (cause: "authentication" | "terminal", secrets: readonly string[]): World => ({
      ...world(
        { kind: "ImagePull", cause, image: "registry.example.com/cart:1", message: "401 Unauthorized", init: false },
        { imagePullSecrets: [{ name: "registry-credz" }] },
        [],
      ),
      snapshot: {
        configs: { shop: { configMaps: {}, secrets: Object.fromEntries(secrets.map((name) => [name, null])) } },
      },
    });
    expect((await helps("correct-name", pull("authentication", ["registry-creds", "db"]))).changes).toMatchObject([
      { path: [...TEMPLATE, "imagePullSecrets", 0, "name"], from: "registry-credz", to: "registry-creds" },
    ]);
    expect(await refuses("correct-name", pull("terminal", ["registry-creds"]))).toBe("no pull is refused");
    expect(await refuses("correct-name", pull("authentication", ["registry-credz"]))).toMatch(/is there/);
  });

  it("points an autoscaler to the one workload that no other scales", async () => {
    const hpa = (name: string, target: string): KubeObject =>
      object("HorizontalPodAutoscaler", name, {
        apiVersion: "autoscaling/v2",
        spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: target } },
      });
    const scaler = hpa("web", "storefornt");
    const ref = { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", namespace: "shop", name: "web" };
    const lost = (others: readonly KubeObject[]): World => ({
      workload: { ...workload(), ref, object: scaler },
      symptom: { kind: "ScalingInactive", message: 'deployments.apps "storefornt" not found' },
      container: null,
      others: [scaler, ...others],
    });
    const storefront = workload({ name: "storefront" }).object;
    expect((await helps("correct-name", lost([storefront]))).changes).toEqual([
      { object: ref, path: ["spec", "scaleTargetRef", "name"], from: "storefornt", to: "storefront" },
    ]);
    expect(await refuses("correct-name", lost([storefront, hpa("older", "storefront")]))).toMatch(/free to be used/);
    const there = workload({ name: "storefornt" }).object;
    expect(await refuses("correct-name", lost([storefront, there]))).toBe("Deployment storefornt is there by now");
  });

  it.each<[string, World, RegExp]>([
    [
      "two are near",
      account([object("ServiceAccount", "checkout"), object("ServiceAccount", "chekouts")]),
      /several ServiceAccounts are near.*A person must say/,
    ],
    ["none is near", account([object("ServiceAccount", "default")]), /A person must create it/],
    ["names may not be read", account(null), /cannot be read/],
    ["it is there by now", account([object("ServiceAccount", "chekout")]), /is there by now/],
    [
      "the words name what the workload does not ask for",
      world({ kind: "PodsRefused", message: 'serviceaccount "chekout" not found' }, {}, [
        object("ServiceAccount", "checkout"),
      ]),
      /does not name/,
    ],
    [
      "a quota refuses",
      world({ kind: "PodsRefused", message: "exceeded quota: compute" }, {}, [object("ServiceAccount", "checkout")]),
      /not refused for a name/,
    ],
  ])("says no where %s", async (_, given, sentence) => {
    expect(await refuses("correct-name", given)).toMatch(sentence);
  });

  it("hands nobody another name than the one that the cluster proves", async () => {
    const accounts = [object("ServiceAccount", "checkout"), object("ServiceAccount", "admin")];
    expect(await tried("correct-name", { from: "chekout", to: "admin" }, account(accounts))).toBe(
      "admin is not what is meant by chekout",
    );
    expect(await tried("correct-name", { from: "other", to: "checkout" }, account(accounts))).toBe(
      "checkout is not what is meant by other",
    );
  });
});
