import { describe, expect, it, vi } from "vitest";
import { PATIENCE, REPOSITORY, type Step, startWorld, type World } from "./runner.ts";
import { application, deployment, ENV_FROM, KUSTOMIZE, service } from "./trees.ts";

vi.setConfig(PATIENCE);

const CART = "base/cart.yaml";
const good = { [CART]: deployment("cart", { env: ENV_FROM, memory: "256Mi" }) };

async function reviewed(
  world: World,
  files: Readonly<Record<string, string | null>>,
  inputs: Readonly<Record<string, string>> = {},
): Promise<Step> {
  const pull = await world.open(files);
  const workspace = await world.checkout(pull.merge);
  return world.step({ mode: "review", ...inputs }, { event: pull.event, sha: pull.merge, workspace });
}

const bodies = (world: World, number = 1): string[] =>
  (world.host.pulls(REPOSITORY).find((pull) => pull.number === number)?.comments ?? []).map(({ body }) => body);

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

describe("a pull request from a fork", () => {
  it("gets its summary and annotations and no comment, with a token that may only read", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const reading = "ghs-fork-token-0123456789abcdef";
    world.host.addToken(reading, { login: "github-actions[bot]", permission: "read", app: "github-actions" });
    const pull = await world.open({ "base/service.yaml": service("cart", "htpp") }, { fork: true });
    const workspace = await world.checkout(pull.merge);
    const step = await world.step(
      { mode: "review", token: reading, "fail-on": "problems" },
      { event: pull.event, sha: pull.merge, workspace },
    );
    expect(step).toMatchObject({ code: 1, outputs: { result: "problems" } });
    expect(step.summary).toContain("sends to the port named htpp");
    expect(step.commands.find(({ name }) => name === "notice")?.message).toContain("from a fork");
    expect(world.host.requests.filter(({ method, path }) => method !== "GET" && /comments/.test(path))).toEqual([]);
  });

  it("keeps its result where the comment is refused", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const reading = "ghs-dependabot-token-0123456789";
    world.host.addToken(reading, { login: "github-actions[bot]", permission: "read", app: "github-actions" });
    const pull = await world.open(good);
    const workspace = await world.checkout(pull.merge);
    const step = await world.step(
      { mode: "review", token: reading },
      { event: pull.event, sha: pull.merge, workspace },
    );
    expect(step).toMatchObject({ code: 0, outputs: { result: "clean" } });
    expect(step.commands.find(({ name }) => name === "notice")?.message).toContain("pull-requests: write");
  });
});

describe("the comment", () => {
  it("is found again behind more comments than a page holds, and nobody else's is touched", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const pull = await world.open(good);
    const workspace = await world.checkout(pull.merge);
    const forged = "<!-- stanch review v1 review 1/1 -->\nmine";
    world.host.comment(REPOSITORY, pull.number, { as: "mallory", body: forged });
    for (let index = 0; index < 130; index += 1)
      world.host.comment(REPOSITORY, pull.number, { as: "ada", body: `No ${index}` });
    const step = () => world.step({ mode: "review" }, { event: pull.event, sha: pull.merge, workspace });
    await step();
    for (let index = 0; index < 40; index += 1)
      world.host.comment(REPOSITORY, pull.number, { as: "ada", body: `More ${index}` });
    await step();
    const all = bodies(world);
    expect(all.filter((body) => body.startsWith("<!-- stanch review"))).toHaveLength(2);
    expect(all).toContain(forged);
    expect(all).toHaveLength(1 + 130 + 1 + 40);
  });

  it("is cut into parts within GitHub's limits, and what is left over is deleted", async () => {
    const many = (memory: string): string =>
      Array.from({ length: 60 }, (_, index) => deployment(`cart-${index}-${"long".repeat(12)}`, { memory })).join(
        "---\n",
      );
    const folders = Object.fromEntries(
      Array.from({ length: 14 }, (_, index) => [`apps/a${index}/all.yaml`, many("128Mi")]),
    );
    await using world = await startWorld(folders);
    const more = Object.fromEntries(Object.keys(folders).map((file) => [file, many("256Mi")]));
    const pull = await world.open(more, { branch: "big" });
    const step = async (it: typeof pull) =>
      world.step({ mode: "review" }, { event: it.event, sha: it.merge, workspace: await world.checkout(it.merge) });
    const first = await step(pull);
    expect(first.outputs["result"]).toBe("clean");
    const parts = bodies(world);
    expect(parts.length).toBeGreaterThan(1);
    for (const [index, body] of parts.entries()) {
      expect(body.startsWith(`<!-- stanch review v1 review ${index + 1}/${parts.length} -->`)).toBe(true);
      expect([...body].length).toBeLessThan(65_536);
      expect(body.match(/<details/g)?.length ?? 0).toBe(body.match(/<\/details>/g)?.length ?? 0);
    }
    expect(Buffer.byteLength(first.summary)).toBeLessThan(1024 * 1024);
    const small = await world.open(
      { ...folders, "apps/a0/all.yaml": many("256Mi").replace("256Mi", "512Mi") },
      { branch: "big" },
    );
    await step(small);
    expect(bodies(world)).toHaveLength(1);
  });

  it("quotes hostile names: no mention, no markup, no workflow command", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const evil = (text: string): string => JSON.stringify(text);
    const value = "x\n::error file=a::pwned\n##[error]pwned\n::add-mask::main @octocat <img src=x> fixes #1";
    const step = await reviewed(world, {
      "base/settings.yaml": `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  annotations:\n    ${evil(`::warning::${value}`)}: "@octocat ::error::y"\ndata:\n  level: ${evil(value)}\n  one: "::error::pwned @octocat <b> ##[add-mask]x"\n`,
      "plain/##[error]pwn/@octocat <img>.yaml": `${service("x::error::y", "@octocat ::error::\u202e##[error]z")}---\n${deployment("x::error::y")}`,
    });
    expect(step.code).toBe(0);
    // All that the runner takes for a command was written as one by us.
    expect(step.commands.filter(({ name }) => !["debug", "notice", "warning", "error"].includes(name))).toEqual([]);
    for (const { name, properties } of step.commands)
      if (name !== "debug") expect(properties["title"]).toMatch(/^Stanch/);
    const [comment = ""] = bodies(world);
    const spans = comment.replaceAll(/(`+)[^`][\s\S]*?\1(?!`)/g, "‹code›");
    expect(spans).not.toMatch(/(?<![\w\u200b])@octocat/);
    expect(spans).not.toMatch(/<(?!\/?(?:details(?: open)?|summary|sub)>|!-- stanch)/);
    expect(comment).not.toMatch(/^::/m);
  });

  it("shows no value of a Secret, and none that looks like one", async () => {
    const secret = (value: string): string =>
      `apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: ${value}\n`;
    const env = (value: string): string =>
      `${ENV_FROM}          env:\n            - name: DB_PASSWORD\n              value: ${value}\n`;
    await using world = await startWorld({
      ...KUSTOMIZE,
      "base/kustomization.yaml": "resources: [cart.yaml, service.yaml, settings.yaml, secret.yaml]\n",
      "base/secret.yaml": secret("first-hunter2"),
      [CART]: deployment("cart", { env: env("first-hunter2") }),
    });
    const step = await reviewed(world, {
      "base/secret.yaml": secret("second-hunter3"),
      [CART]: deployment("cart", { env: env("second-hunter3") }),
    });
    expect(step.summary).toContain("*changes (secret)*");
    const { readFile } = await import("node:fs/promises");
    const everything = [
      step.stdout,
      step.stderr,
      step.summary,
      ...bodies(world),
      await readFile(step.outputs["report"] ?? "", "utf8"),
    ].join("\n");
    expect(everything).not.toMatch(/hunter/);
  });
});

describe("faults of GitHub", () => {
  it("waits for a rate limit, and says an error where it lasts: never that all is well", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const pull = await world.open(good);
    const workspace = await world.checkout(pull.merge);
    const step = () => world.step({ mode: "review" }, { event: pull.event, sha: pull.merge, workspace });
    world.host.faults.add({
      path: /\/pulls$/,
      method: "GET",
      status: 429,
      headers: { "retry-after": "1" },
      body: { message: "API rate limit exceeded" },
    });
    expect(await step()).toMatchObject({ code: 0, outputs: { result: "clean" } });
    world.host.faults.add({
      path: /\/pulls$/,
      method: "GET",
      status: 403,
      times: 50,
      headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "99999999999" },
      body: { message: "API rate limit exceeded" },
    });
    const limited = await step();
    expect(limited).toMatchObject({ code: 2, outputs: { result: "error" } });
    expect(limited.summary).toContain("Stanch's open pull requests cannot be listed");
  });

  it("keeps a review whose comment is lost half-way, and completes it the next time", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const pull = await world.open(good);
    const workspace = await world.checkout(pull.merge);
    const step = () => world.step({ mode: "review" }, { event: pull.event, sha: pull.merge, workspace });
    world.host.faults.add({ path: /comments$/, method: "POST", status: 502, times: 20 });
    const lost = await step();
    expect(lost).toMatchObject({ code: 0, outputs: { result: "clean" } });
    expect(lost.commands.some(({ message }) => message.includes("The comment could not be written"))).toBe(true);
    world.host.faults.clear();
    await step();
    expect(bodies(world)).toHaveLength(1);
  });
});

describe("wrong input", () => {
  it.each([
    [{ mode: "reviw" }, /input `mode` is "reviw".*did you mean review\?/],
    [{ mode: "" }, /input `mode` is not set/],
    [{ mode: "review", "fail-on": "always" }, /input `fail-on` is "always".*use drift, problems, error, never/],
    [{ mode: "review", comment: "yes" }, /input `comment` is "yes".*use true or false/],
    [{ mode: "review", "comment-name": "a b" }, /input `comment-name`/],
    [{ mode: "drift", "max-age": "1 day" }, /input `max-age` is "1 day".*90m, 24h or 7d/],
    [{ mode: "drift" }, /input `publisher` is not set.*my-stanch\[bot\]/],
    [{ mode: "drift", publisher: "a b" }, /input `publisher` is "a b"/],
    [{ mode: "review", "github-api-url": "nowhere" }, /input `github-api-url`/],
  ])("%j is an error that names the input and the fix", async (inputs, message) => {
    await using world = await startWorld({ "a.yaml": "a: 1\n" });
    const step = await world.step(inputs);
    expect(step).toMatchObject({ code: 2, outputs: { result: "error" } });
    expect(step.commands.filter(({ name }) => name === "error").map((command) => command.message)).toEqual([
      expect.stringMatching(message),
    ]);
  });

  it.each([
    ["no JSON", "{", "pull_request", /payload \(GITHUB_EVENT_PATH\) cannot be read/],
    ["no pull request", {}, "pull_request", /is none of a pull request: repository/],
    [
      "another event",
      {},
      "push",
      /started by "push", which is no pull request → run `mode: review` in a workflow with `on: pull_request`/,
    ],
    [
      "a strange commit",
      {
        repository: { full_name: "a/b", default_branch: "main" },
        pull_request: {
          number: 1,
          body: null,
          head: { sha: "--upload-pack=evil", ref: "x", repo: null },
          base: { sha: "x", ref: "main", repo: { full_name: "a/b" } },
        },
      },
      "pull_request",
      /none of a pull request: pull_request\.head\.sha/,
    ],
  ])("a payload with %s is an error", async (_, event, eventName, message) => {
    await using world = await startWorld({ "a.yaml": "a: 1\n" });
    const step = await world.step({ mode: "review" }, { event, eventName });
    expect(step).toMatchObject({ code: 2, outputs: { result: "error" } });
    expect(step.commands.find(({ name }) => name === "error")?.message).toMatch(message);
  });

  it("names a configuration that is not there, or is wrong", async () => {
    await using world = await startWorld({ ...KUSTOMIZE, "stanch.yaml": "sorces: []\n" });
    const none = await reviewed(world, good, { config: "ops/stanch.yaml" });
    expect(none.commands.find(({ name }) => name === "error")?.message).toMatch(
      /input `config`: there is no file ops\/stanch.yaml in the base/,
    );
    const wrong = await reviewed(world, good);
    expect(wrong.commands.find(({ name }) => name === "error")?.message).toMatch(
      /unknown key "sorces"; did you mean "sources"/,
    );
  });
});
