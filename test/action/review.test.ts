import { describe, expect, it, vi } from "vitest";
import { bodies, CART, good, reviewed } from "./reviewed.ts";
import { PATIENCE, REPOSITORY, startWorld } from "./runner.ts";
import { application, deployment, ENV_FROM, KUSTOMIZE, service } from "./trees.ts";

vi.setConfig(PATIENCE);

describe("a review of a good pull request", () => {
  it("says what changes in every environment, fails nothing, comments once and is silent when nothing is new", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const pull = await world.open(good);
    const workspace = await world.checkout(pull.merge);
    const step = () =>
      world.step({ mode: "review", "fail-on": "problems" }, { event: pull.event, sha: pull.merge, workspace });
    const first = await step();
    expect(first).toMatchObject({ code: 0, outputs: { result: "clean", count: "0", drifted: "false" } });
    expect(first.summary).toContain("Merging this changes 2 objects in 2 environments. No new problem was found.");
    expect(first.summary).toContain("**changed** `Deployment shop/cart`: its pods are started anew");
    expect(first.summary).toContain(
      "`spec.template.spec.containers[name=app].resources.limits.memory`: `128Mi` → `256Mi`",
    );
    const [comment = ""] = bodies(world);
    expect(comment).toMatch(/^<!-- stanch review v1 review 1\/1 -->\n### Stanch: what merging this does/);
    const writes = (): number =>
      world.host.requests.filter(({ method, path }) => method !== "GET" && /comments/.test(path)).length;
    const before = writes();
    await step();
    expect(writes()).toBe(before);
    expect(bodies(world)).toHaveLength(1);
  });

  it("writes no comment to say nothing, and turns an earlier one into an all-clear", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const pull = await world.open({ "README.md": "Hello\n" });
    const step = async (it: typeof pull) =>
      world.step({ mode: "review" }, { event: it.event, sha: it.merge, workspace: await world.checkout(it.merge) });
    expect(await step(pull)).toMatchObject({ code: 0, outputs: { result: "clean" } });
    expect(bodies(world)).toEqual([]);
    const changed = await world.open(good, { branch: "change-1" });
    expect(changed.number).toBe(pull.number);
    await step(changed);
    expect(bodies(world)[0]).toContain("256Mi");
    const back = await world.open({ [CART]: KUSTOMIZE[CART] ?? "" }, { branch: "change-1" });
    await step(back);
    expect(bodies(world)).toHaveLength(1);
    expect(bodies(world)[0]).toContain(
      `✅ Nothing that is rendered changes, and nothing is wrong with it, as of ${back.merge.slice(0, 10)}`,
    );
  });

  it("takes roots from the Applications that lie in the repository, and only those that name its branch", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const url = `${world.host.url}/${REPOSITORY}.git`;
    await world.host.commit(
      REPOSITORY,
      "main",
      {
        "apps/shop.yaml": application(url),
        "apps/other.yaml": application(url, "other", "overlays/staging").replace(
          "targetRevision: main",
          "targetRevision: next",
        ),
      },
      { message: "Applications" },
    );
    const step = await reviewed(world, good);
    expect(step.summary).toContain("<summary>overlays/prod (Application argocd/shop): 1 changed</summary>");
    expect(step.summary).toContain("<summary>overlays/staging: 1 changed</summary>");
  });

  it("sees what a change of the Application itself does to what it deploys", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const text = application(`${world.host.url}/${REPOSITORY}.git`);
    await world.host.commit(REPOSITORY, "main", { "apps/shop.yaml": text }, { message: "Application" });
    const step = await reviewed(world, {
      "apps/shop.yaml": text.replace("    path:", "    kustomize: { images: [ghcr.io/acme/cart:1.5.0] }\n    path:"),
    });
    expect(step).toMatchObject({ code: 0, outputs: { result: "clean" } });
    expect(step.summary).toContain("`ghcr.io/acme/cart:1.4.2` → `ghcr.io/acme/cart:1.5.0`");
    expect(step.summary).toContain("**changed** `Application argocd/shop`");
    expect(step.summary).not.toContain("overlays/staging: 1 changed");
  });

  it("looks only at the folders that `roots` names, and refuses one that is none", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const only = await reviewed(world, good, { roots: "overlays/pr*" });
    expect(only.summary).toContain("overlays/prod");
    expect(only.summary).not.toContain("overlays/staging");
    const wrong = await reviewed(world, good, { roots: "overlays/prodd" });
    expect(wrong).toMatchObject({ code: 2, outputs: { result: "error" } });
    expect(wrong.commands.find(({ name }) => name === "error")?.message).toMatch(
      /roots: "overlays\/prodd" is no folder that is deployed from this repository → known are: overlays\/prod, overlays\/staging/,
    );
  });
});

describe("a review of a harmful pull request", () => {
  it("tells what breaks, marks the lines, fails when it is told to, and passes when it is told so", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const files = {
      "base/kustomization.yaml": "resources: [cart.yaml, service.yaml]\n",
      "base/settings.yaml": null,
      [CART]: deployment("cart", { env: ENV_FROM, memory: "32Mi", port: 9090 }).replace("name: http\n", "name: web\n"),
      "base/service.yaml": service("cart", "http", "app: kart"),
    };
    const step = await reviewed(world, files, { "fail-on": "problems" });
    expect(step).toMatchObject({ code: 1, outputs: { result: "problems" } });
    for (const text of [
      "**deleted** `ConfigMap shop/settings`",
      "needs ConfigMap shop/settings, which this pull request takes out of Git",
      "requests more memory than its limit allows",
      "asks the port named http, which the container does not have",
      "selects app=kart, which no pods in Git have; Deployment cart has app=cart",
    ])
      expect(step.summary).toContain(text);
    const marked = step.commands.filter(({ name }) => name === "error" || name === "warning");
    expect(marked.map(({ properties }) => `${properties["file"]}:${properties["line"]}`)).toEqual(
      expect.arrayContaining(["base/cart.yaml:23", "base/cart.yaml:26", "base/cart.yaml:31", "base/service.yaml:6"]),
    );
    const pull = await world.open(files);
    const workspace = await world.checkout(pull.merge);
    const soft = await world.step({ mode: "review" }, { event: pull.event, sha: pull.merge, workspace });
    expect(soft).toMatchObject({ code: 0, outputs: { result: "problems" } });
  });

  it("blames nobody for what was wrong before, and says what is solved", async () => {
    const old = { ...KUSTOMIZE, "base/service.yaml": service("cart", "htpp") };
    await using world = await startWorld(old);
    const same = await reviewed(world, good, { "fail-on": "problems" });
    expect(same).toMatchObject({ code: 0, outputs: { result: "clean", count: "0" } });
    expect(same.summary).toContain("2 problems that the base has as well");
    const solved = await reviewed(world, { "base/service.yaml": service("cart") });
    expect(solved.summary).toContain("✅ 2 problems that the base has are solved.");
  });

  it("says what must be made anew, because the API server would not change it", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const text = deployment("cart", { env: ENV_FROM, labels: "app: basket" }).replace(
      "      app: cart\n",
      "      app: basket\n",
    );
    const step = await reviewed(world, { [CART]: text, "base/service.yaml": service("cart", "http", "app: basket") });
    expect(step.summary).toContain(
      "**replaced** `Deployment shop/cart`: `spec.selector.matchLabels.app` cannot be changed in place",
    );
  });

  it("says what does not render any more, as a problem; and what never did, as an error", async () => {
    await using world = await startWorld({
      ...KUSTOMIZE,
      "overlays/broken/kustomization.yaml": "resources: [none.yaml]\n",
    });
    const mine = await reviewed(
      world,
      { "base/kustomization.yaml": "resources: [cart.yaml, gone.yaml]\n" },
      { "fail-on": "problems" },
    );
    expect(mine).toMatchObject({ code: 1, outputs: { result: "problems" } });
    expect(mine.summary).toContain("❌ `overlays/prod` (with this pull request)");
    const old = await reviewed(world, { "overlays/broken/kustomization.yaml": "resources: [neither.yaml]\n" });
    expect(old).toMatchObject({ code: 2, outputs: { result: "error" } });
    const repaired = await reviewed(world, { "overlays/broken/kustomization.yaml": "resources: [../../base]\n" });
    expect(repaired).toMatchObject({ code: 0, outputs: { result: "clean" } });
    expect(repaired.summary).toContain("which repairs it: what it changes cannot be told");
    expect(old.summary).toContain("did not before this pull request either");
    expect(old.summary).toContain("**Not everything could be looked at.**");
  });

  it("renders no remote base of a pull request, and runs no plugin of it", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const step = await reviewed(world, {
      "overlays/prod/kustomization.yaml": `resources: [../../base, "${world.host.url}/acme/evil.git?ref=main"]\n`,
      "overlays/staging/kustomization.yaml": "resources: [../../base]\ntransformers: [run.yaml]\n",
      "overlays/staging/run.yaml":
        "apiVersion: x/v1\nkind: Run\nmetadata:\n  name: run\n  annotations:\n    config.kubernetes.io/function: |\n      exec: { path: ./run.sh }\n",
      "overlays/staging/run.sh": "#!/bin/sh\ntouch /tmp/stanch-was-run\n",
    });
    expect(step.outputs["result"]).toBe("problems");
    expect(step.summary).toContain("Stanch renders without network");
    expect(world.host.requests.filter(({ path }) => path.includes("evil"))).toEqual([]);
  });
});

describe("what a review compares", () => {
  it("works without a merge commit, with all of history, and without a checkout", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const pull = await world.open(good);
    // The base went on.
    await world.host.commit(
      REPOSITORY,
      "main",
      { "base/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  level: debug\n" },
      { message: "Debug" },
    );
    for (const workspace of [
      await world.checkout(pull.head, { depth: 0 }),
      await world.checkout(pull.head),
      undefined,
    ]) {
      const step = await world.step(
        { mode: "review" },
        { event: pull.event, sha: pull.head, ...(workspace === undefined ? {} : { workspace }) },
      );
      expect(step.outputs["result"], step.stdout).toBe("clean");
      expect(step.summary).toContain("`128Mi` → `256Mi`");
      expect(step.summary).not.toContain("level");
    }
  });

  it("says how to check out when the base is neither there nor to be had", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const pull = await world.open(good);
    const workspace = await world.checkout(pull.merge);
    world.host.faults.add({ path: /git-upload-pack/, status: 403, times: 100 });
    const step = await world.step({ mode: "review", token: "" }, { event: pull.event, sha: pull.merge, workspace });
    expect(step).toMatchObject({ code: 2, outputs: { result: "error" } });
    expect(step.commands.find(({ name }) => name === "error")?.message).toMatch(
      /is not in the checkout and cannot be fetched.*fetch-depth: 0/,
    );
  });

  it("does not use what a step before it left in the workspace's configuration", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const pull = await world.open({ ...good, ".gitattributes": "* filter=evil\n" });
    const workspace = await world.checkout(pull.merge, { depth: 0 });
    const { appendFile, mkdir, writeFile, stat } = await import("node:fs/promises");
    const mark = `${world.folder}/was-run`;
    await appendFile(
      `${workspace}/.git/config`,
      `[filter "evil"]\n\tsmudge = touch ${mark}\n[core]\n\tfsmonitor = touch ${mark}\n`,
    );
    await mkdir(`${workspace}/.git/hooks`, { recursive: true });
    await writeFile(`${workspace}/.git/hooks/post-checkout`, `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    const step = await world.step({ mode: "review" }, { event: pull.event, sha: pull.merge, workspace });
    expect(step.outputs["result"]).toBe("clean");
    await expect(stat(mark)).rejects.toThrow("ENOENT");
  });
});
