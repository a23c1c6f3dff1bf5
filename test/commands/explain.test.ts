import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answering, type MessagesApi, startMessagesApi } from "../model/messages-api.ts";
import { deployment, makeWorld, virtualClock, type World } from "../pipeline/world.ts";
import { command, flagsFor, program } from "./command.ts";

/** One incident that a model was asked about by `stanch run`, with its recorded exchange. */
let api: MessagesApi;
let world: World;
let folder: string;
let at: Awaited<ReturnType<typeof flagsFor>>;

beforeAll(async () => {
  api = await startMessagesApi();
  folder = await mkdtemp(join(tmpdir(), "stanch-model-"));
  world = await makeWorld(
    { "apps/tagged.yaml": deployment({ name: "tagged", image: "example.com/tagged:stabl" }) },
    virtualClock(),
  );
  at = await flagsFor(world, { model: { enabled: true, baseUrl: api.url, record: folder, timeout: "2s", prose: "" } });
  await world.deploy();
  await world.until(() => JSON.stringify(world.cluster.list("v1", "Pod", "shop")).includes("ImagePullBackOff"));
}, 30_000);
afterAll(async () => {
  await at.close();
  await world[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const name = () => world.incidents()[0]?.metadata.name ?? "";
const recording = async () => join(folder, (await readdir(folder))[0] ?? "");
const withKey = () => ({ ...at.flags, env: { ...at.flags.env, ANTHROPIC_API_KEY: "key-of-a-test" } });

describe("stanch run with model.enabled", () => {
  it("without a key works by rules, and says so", async () => {
    const { code, error } = await command("run", at.flags);
    expect(code).toBe(3);
    expect(error).toContain("model.enabled is set, but ANTHROPIC_API_KEY is not");
    expect(api.bodies).toEqual([]);
    expect((await command("explain", at.flags, [name()])).out).toContain("What the model says:\n  It was not asked.");
  });

  it("with a key asks, proposes and records", async () => {
    api.script([
      { thinking: true, calls: [{ name: "commit_history", input: {} }] },
      answering(
        { remedy: "correct-image", container: "app", image: "example.com/tagged:stable" },
        [{ id: "summary", quote: "example.com/tagged:stabl" }],
        "The tag is mistyped.",
      ),
    ]);
    const { out, error } = await command("run", { ...withKey(), output: "json" });
    expect(JSON.parse(out)).toMatchObject({ outcomes: [{ kind: "proposed" }], model: { requests: 2 } });
    expect(error).not.toContain("key-of-a-test");
    const text = await readFile(await recording(), "utf8");
    expect(text).not.toContain("key-of-a-test");
    expect(JSON.parse(text)).toMatchObject({ version: 1, model: "claude-opus-5-5" });
  });
});

describe("stanch explain", () => {
  it("tells what rules and the model said, with the checks and the cost", async () => {
    const { out, code } = await command("explain", at.flags, [name()]);
    expect(code).toBe(0);
    expect(out).toContain("No rule proves a remedy");
    expect(out).toMatch(/claude-opus-5-5, .*: it chose correct-image: correct image of app/);
    expect(out).toContain("Its reading, which nothing proves: The tag is mistyped.");
    expect(out).toMatch(/passed {2}cites: 1 cited, all of them shown/);
    expect(out).toMatch(/2 requests, \d+ tokens in .*\$0\.\d{4}/);
  });

  it("--replay goes through the recording again, without a call and without a cluster", async () => {
    const before = api.bodies.length;
    const { out, code } = await command("explain", { env: {}, replay: await recording() });
    expect(code).toBe(0);
    expect(out).toContain("It looked at commit_history {}");
    expect(out).toContain("Gone through again, without a call:\n  It chose correct-image.");
    expect(api.bodies.length).toBe(before);
  });

  it("NAME --replay plans it against the cluster as it is, through the guards, and writes nothing", async () => {
    const [before, from] = [api.bodies.length, world.cluster.requests.length];
    const { out, code } = await command("explain", { ...withKey(), replay: await recording() }, [name()]);
    expect(out).toMatch(
      /With the cluster as it is now:\n {2}correct image of app .*: in Git only, because a model chose this remedy/,
    );
    expect(code).toBe(0);
    expect(api.bodies.length).toBe(before);
    const writes = world.cluster.requests
      .slice(from)
      .filter((row) => !["GET", "HEAD"].includes(row.method) && !row.path.includes("selfsubjectaccessreviews"));
    expect(writes).toEqual([]);
  });

  it("an answer that was tampered with does not pass: its choice must be one of those that were allowed, and cite what was shown", async () => {
    const given = JSON.parse(await readFile(await recording(), "utf8"));
    const file = join(folder, "tampered.txt");
    for (const [from, to, says] of [
      ["correct-image", "raise-memory-limit", /a remedy that it may not choose/],
      ["summary", "secret", /cites something that was not shown/],
    ] as const) {
      const forged = structuredClone(given);
      forged.replies[1].reply.text = forged.replies[1].reply.text.replace(from, to);
      await writeFile(file, JSON.stringify(forged));
      const { out, code } = await command("explain", { env: {}, replay: file });
      expect(out).toMatch(says);
      expect(code).toBe(3);
    }
    await writeFile(file, JSON.stringify({ ...given, replies: [] }));
    expect((await command("explain", { env: {}, replay: file })).out).toContain("the recording ends here");
    await rm(file);
  });

  it.each<[string, string | null, RegExp]>([
    ["that is not there", null, /cannot be read/],
    ["that is no JSON", "hello", /is no JSON/],
    ["of another form", "{}", /the recorded exchange is wrong: version/],
  ])("a file %s is named", async (_, text, says) => {
    const file = join(folder, "wrong.txt");
    if (text !== null) await writeFile(file, text);
    const { code, error } = await command("explain", { env: {}, replay: file });
    expect([code, error]).toEqual([2, expect.stringMatching(says)]);
    await rm(file, { force: true });
  });

  it("needs a name or a file, and is in the help", async () => {
    expect((await command("explain", { env: {} })).error).toContain(
      "explain needs the name of an incident, or --replay FILE",
    );
    expect((await program(["help", "explain"])).out).toContain("--replay");
  });
});

describe("stanch doctor", () => {
  it("says what asking a model lacks", async () => {
    expect((await command("doctor", at.flags)).out).toContain("model.enabled is set, but ANTHROPIC_API_KEY is not");
    expect((await command("doctor", withKey())).out).toMatch(
      /ok {4}model .*claude-opus-5-5, at most \$2 a run and \$10 a day; what it chooses is proposed in Git only/,
    );
  });
});
