import { describe, expect, it, vi } from "vitest";
import type { DriftItem } from "../../src/drift/model.ts";
import type { Change, FieldPath, Json } from "../../src/model.ts";
import { formatBody } from "../../src/pull-request/body.ts";
import { field, item, report, root } from "../drift/reports.ts";
import { reportWith } from "../pull-request/report-example.ts";
import { publish } from "./publish.ts";
import { APP_TOKEN, type Opened, type OpenOptions, PATIENCE, type Step, startWorld, type World } from "./runner.ts";
import { application, deployment, KUSTOMIZE } from "./trees.ts";

vi.setConfig(PATIENCE);

const MEMORY: FieldPath = [
  "spec",
  "template",
  "spec",
  "containers",
  { by: "name", value: "app" },
  "resources",
  "limits",
  "memory",
];
const CART = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
const BRANCH = "stanch/prod/shop-deployment-cart-0123abcd";
const BASE = {
  "apps/cart.yaml": `${deployment("cart", { env: "" })}`.replace("  name: cart\n", "  name: cart\n  namespace: shop\n"),
};
const cart = (memory: string, more = {}): string =>
  deployment("cart", { memory, env: "", ...more }).replace("  name: cart\n", "  name: cart\n  namespace: shop\n");

/** A pull request of Stanch's that promises a memory limit. */
function own(
  world: World,
  to: Json,
  files: Readonly<Record<string, string | null>>,
  more: OpenOptions & { changes?: Change[]; edited?: string[] } = {},
): Promise<Opened> {
  const changes = more.changes ?? [{ object: CART, path: MEMORY, from: "128Mi", to }];
  const edits = (more.edited ?? ["apps/cart.yaml"]).map((file) => ({ file, before: "", after: "" }));
  const { culprit: _, ...shown } = reportWith("short", { changes, edits });
  return world.open(files, { branch: BRANCH, body: formatBody(shown, "0123456789abcdef"), ...more });
}

async function reviewed(world: World, pull: Opened, inputs: Readonly<Record<string, string>> = {}): Promise<Step> {
  const workspace = await world.checkout(pull.merge);
  return world.step(
    { mode: "review", "fail-on": "problems", ...inputs },
    { event: pull.event, sha: pull.merge, workspace },
  );
}

describe("the proof of one of Stanch's own pull requests", () => {
  it("holds at its head, and is made again for every later commit", async () => {
    await using world = await startWorld(BASE);
    const pull = await own(world, "256Mi", { "apps/cart.yaml": cart("256Mi"), "incidents/cart.md": "# Report\n" });
    const step = await reviewed(world, pull);
    expect(step).toMatchObject({ code: 0, outputs: { result: "clean" } });
    expect(step.summary).toContain("still holds at this head");
    expect(step.summary.match(/^\| P\d \| ✅ /gm)).toHaveLength(3);
  });

  it.each([
    [
      "the value is another",
      { "apps/cart.yaml": cart("512Mi") },
      /P2 \| ❌ \| What was promised does not appear in the head: Deployment shop\/cart .*memory|P2 \| ❌ \| More changes/,
    ],
    [
      "another field changes as well",
      { "apps/cart.yaml": cart("256Mi", { image: "ghcr.io/acme/cart:9" }) },
      /P2 \| ❌ \| More changes than was promised: Deployment shop\/cart .*image/,
    ],
    [
      "another file is changed",
      { "apps/cart.yaml": cart("256Mi"), ".github/workflows/x.yml": "on: push\n" },
      /P1 \| ❌ \| Other files than promised are changed: \.github\/workflows\/x\.yml/,
    ],
    [
      "another environment changes",
      {
        "apps/cart.yaml": cart("256Mi"),
        "other/cart.yaml": cart("64Mi").replace("namespace: shop", "namespace: staging"),
      },
      /P3 \| ❌ \| Other environments change too: other/,
    ],
    ["the fix is gone", { "README.md": "x\n" }, /P2 \| ❌ \| What was promised does not appear/],
  ] as const)("does not hold when %s", async (_, files, message) => {
    await using world = await startWorld({
      ...BASE,
      "other/cart.yaml": cart("128Mi").replace("namespace: shop", "namespace: staging"),
    });
    const first = await own(world, "256Mi", { "apps/cart.yaml": cart("256Mi") });
    expect((await reviewed(world, first)).summary).toContain("still holds at this head");
    const later = await world.open({ "apps/cart.yaml": BASE["apps/cart.yaml"], ...files }, { branch: BRANCH });
    expect(later.number).toBe(first.number);
    const step = await reviewed(world, later);
    expect(step).toMatchObject({ code: 1, outputs: { result: "problems" } });
    expect(step.summary.replaceAll("\\", "")).toMatch(message);
    expect(step.summary).toContain("does not hold any more: later commits changed it");
  });

  it("follows a value in an Application to what it renders", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const before = application(`${world.host.url}/acme/shop.git`);
    await world.host.commit("acme/shop", "main", { "argo/shop.yaml": before }, { message: "Application" });
    const image: FieldPath = ["spec", "template", "spec", "containers", { by: "name", value: "app" }, "image"];
    const pull = await own(
      world,
      "",
      {
        "argo/shop.yaml": before.replace(
          "    path:",
          "    kustomize: { images: [ghcr.io/acme/cart:1.5.0] }\n    path:",
        ),
      },
      { changes: [{ object: CART, path: image, to: "ghcr.io/acme/cart:1.5.0" }], edited: ["argo/shop.yaml"] },
    );
    const step = await reviewed(world, pull);
    expect(step.summary).toContain("still holds at this head");
    expect(step.code).toBe(0);
  });

  it("cannot be made where the pull request does not say what it promised, which is no pass", async () => {
    await using world = await startWorld(BASE);
    const body = `<!-- stanch v1 {"fp":"0123456789abcdef","incident":"shop/cart","body":"0123456789abcdef"} -->\nHello`;
    const pull = await world.open({ "apps/cart.yaml": cart("256Mi") }, { branch: BRANCH, body });
    const step = await reviewed(world, pull);
    expect(step).toMatchObject({ code: 2, outputs: { result: "error" } });
    expect(step.summary).toContain("does not say what it was proved to change");
  });

  it("is not made of what somebody else promises in Stanch's name", async () => {
    await using world = await startWorld(BASE);
    const inputs = { publisher: "stanch[bot]", cluster: "prod" };
    const forged = await reviewed(
      world,
      await own(world, "1Mi", { "apps/cart.yaml": cart("1Mi") }, { branch: `${BRANCH}-forged` }),
      inputs,
    );
    expect(forged.summary).toContain("what it promises is not believed");
    expect(forged.summary).not.toContain("Proof of");
    expect(forged).toMatchObject({ code: 2, outputs: { result: "error" } });
    const pull = await own(world, "256Mi", { "apps/cart.yaml": cart("256Mi") }, { author: "stanch[bot]" });
    expect((await reviewed(world, pull, inputs)).summary).toContain("still holds at this head");
  });

  it("is not believed of a fork that copies branch and body", async () => {
    await using world = await startWorld(BASE);
    const pull = await own(world, "256Mi", { "apps/cart.yaml": cart("256Mi") }, { fork: true });
    expect((await reviewed(world, pull)).summary).not.toContain("Proof of");
  });
});

describe("a pull request that meets a hotfix", () => {
  const carried = (live: Json) =>
    report({
      takenAt: new Date().toISOString(),
      roots: [
        root({
          path: "apps",
          items: [
            item({
              class: "hotfix",
              fields: [
                field({
                  path: MEMORY,
                  text: "memory",
                  git: { value: "128Mi" },
                  live: { value: live },
                  location: { file: "apps/cart.yaml", line: 1 },
                }),
              ],
              incident: { namespace: "shop", name: "cart-oom" },
              pullRequest: { number: 99, url: "https://example.com/99" },
            }),
          ],
        }),
      ],
    });

  it.each([
    [
      "sets the field to something else",
      { "apps/cart.yaml": cart("192Mi") },
      1,
      /sets Deployment shop\/cart .*memory to something else than incident shop\/cart-oom .*made live: deploying it undoes the fix/,
    ],
    [
      "takes the object away",
      { "apps/cart.yaml": null, "apps/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n" },
      1,
      /takes Deployment shop\/cart away while the hotfix of incident shop\/cart-oom/,
    ],
    [
      "says the same",
      { "apps/cart.yaml": cart("256Mi") },
      0,
      /makes Git say for Deployment shop\/cart .*memory what the hotfix of incident shop\/cart-oom .*made live/,
    ],
    [
      "changes something else of the object",
      { "apps/cart.yaml": cart("128Mi", { image: "ghcr.io/acme/cart:2" }) },
      0,
      /is changed here while the hotfix of incident shop\/cart-oom .* stands in .*memory/,
    ],
  ] as const)("and %s is told", async (_, files, code, message) => {
    await using world = await startWorld(BASE);
    await publish(world, APP_TOKEN, carried("256Mi"));
    const pull = await world.open(files);
    const step = await reviewed(world, pull, { publisher: "stanch[bot]", cluster: "prod" });
    expect(step.summary.replaceAll(/[\\\u200b]/g, "")).toMatch(message);
    expect(step.code, step.stdout).toBe(code);
  });

  it("is told beside very much drift; an error where hotfixes did not fit into the report", async () => {
    await using world = await startWorld(BASE);
    const [known] = carried("256Mi").roots;
    if (known === undefined) throw new Error("no root");
    const many = (count: number, change: Partial<DriftItem>) =>
      Array.from({ length: count }, (_, index) => item({ object: { ...CART, name: `other-${index}` }, ...change }));
    const told = (items: readonly DriftItem[]) =>
      publish(
        world,
        APP_TOKEN,
        report({ takenAt: new Date().toISOString(), roots: [{ ...known, items: [...known.items, ...items] }] }),
      );
    await told(many(300, {}));
    const pull = await world.open({ "apps/cart.yaml": cart("192Mi") });
    const inputs = { publisher: "stanch[bot]", cluster: "prod" };
    const step = await reviewed(world, pull, inputs);
    expect(step, step.stdout).toMatchObject({ code: 1, outputs: { result: "problems" } });
    expect(step.summary).toContain("deploying it undoes the fix");
    await told(many(1000, { class: "hotfix" }));
    const lost = await reviewed(world, pull, inputs);
    expect(lost, lost.stdout).toMatchObject({ code: 2, outputs: { result: "error" } });
    expect(lost.summary.replaceAll("\\", "")).toContain("1001 of 1001 did not fit into its report");
  });

  it("is an error where the report cannot be believed", async () => {
    await using world = await startWorld(BASE);
    const pull = await world.open({ "apps/cart.yaml": cart("192Mi") });
    const step = await reviewed(world, pull, { publisher: "stanch[bot]", cluster: "prod" });
    expect(step).toMatchObject({ code: 2, outputs: { result: "error" } });
    expect(step.summary).toContain("Which hotfixes cluster prod carries is not known");
  });

  it("is told from Stanch's open pull requests, too", async () => {
    await using world = await startWorld(BASE);
    await own(world, "256Mi", { "apps/cart.yaml": cart("256Mi") });
    const against = await world.open({ "apps/cart.yaml": cart("64Mi") });
    const step = await reviewed(world, against);
    expect(step.code).toBe(1);
    expect(step.summary.replaceAll(/[\\\u200b]/g, "")).toMatch(
      /something else than incident shop\/cart-oomkilled-1a2b3c4d \(#1\) proposes/,
    );
    const same = await world.open({ "apps/cart.yaml": cart("256Mi") });
    const good = await reviewed(world, same);
    expect(good.code).toBe(0);
    expect(good.summary.replaceAll(/[\\\u200b]/g, "")).toMatch(
      /what the fix of incident shop\/cart-oomkilled-1a2b3c4d \(#1\) says/,
    );
  });
});
