import { describe, expect, it, vi } from "vitest";
import { bodies, CART, good, reviewed } from "./reviewed.ts";
import { PATIENCE, REPOSITORY, startWorld } from "./runner.ts";
import { deployment, ENV_FROM, KUSTOMIZE, service } from "./trees.ts";

vi.setConfig(PATIENCE);

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

  it("stays one with the token of another App, which may not ask who it is", async () => {
    await using world = await startWorld(KUSTOMIZE);
    const token = "ghs-my-app-token-0123456789abcdef";
    world.host.addToken(token, { login: "my-app[bot]", permission: "write", app: "my-app" });
    for (const files of [good, { ...good, "base/service.yaml": service("cart", "htpp") }]) {
      const pull = await world.open(files, { branch: "change" });
      const workspace = await world.checkout(pull.merge);
      await world.step({ mode: "review", token }, { event: pull.event, sha: pull.merge, workspace });
    }
    expect(bodies(world)).toEqual([expect.stringContaining("htpp")]);
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
