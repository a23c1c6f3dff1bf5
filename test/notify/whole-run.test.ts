import { describe, expect, it } from "vitest";
import { broken, said } from "../pipeline/incident.ts";
import { crashing } from "../pipeline/issues.ts";
import { deployment, makeWorld, virtualClock, type World } from "../pipeline/world.ts";
import { startSlack, startWebhook } from "./servers.ts";
import { keepLog, payloads, runTelling, slackReceiver, story, types, webhookReceiver } from "./told.ts";

const book = (world: World) =>
  (world.cluster.get("stanch.dev/v1alpha1", "Run", "stanch-system", "stanch") as { notified?: object } | undefined)
    ?.notified;

describe.concurrent("of a whole run is told", () => {
  it("in mode observe each finding once, where that is asked for; nothing else is written", async () => {
    await using world = await broken();
    await using hook = await startWebhook();
    const receivers = [webhookReceiver(hook)];
    await runTelling(world, receivers, { mode: "observe" });
    expect(hook.requests).toEqual([]);
    expect(book(world)).toBeUndefined();
    const settings = { mode: "observe", notify: { observe: true } };
    for (let times = 0; times < 3; times += 1) await runTelling(world, receivers, settings);
    expect(types(hook)).toEqual(["finding"]);
    expect(payloads(hook)[0]?.data.lines[0]).toMatch(/^Deployment shop\/app \(OOMKilled\): /);
    // Kept as the definition has it: a field that it does not know would be gone.
    expect(book(world)).toMatchObject({
      receivers: [{ name: "hook" }],
      findings: [{ receiver: "hook", keys: [expect.any(String)] }],
    });
    expect(world.incidents()).toEqual([]);
  }, 180_000);

  it("a storm, as one message, and each of what is left when it is over", async () => {
    const names = ["one", "two"];
    const files = Object.fromEntries(names.map((name) => [`apps/${name}.yaml`, deployment({ name })]));
    await using world = await makeWorld(files, virtualClock());
    await using slack = await startSlack();
    await world.deploy();
    await world.until(() =>
      names.every((name) =>
        JSON.stringify(
          world.cluster.list("v1", "Pod", "shop").filter((pod) => pod.metadata.labels?.["app"] === name),
        ).includes('"restartCount":4'),
      ),
    );
    const receivers = [slackReceiver(slack)];
    for (let times = 0; times < 2; times += 1)
      await runTelling(world, receivers, { guard: { storm: 1, cooldown: "0s" } });
    expect(story(slack.posts)).toEqual(["post Many findings at once"]);
    expect(slack.posts[0]?.blocks.map((block) => block.text?.text ?? "").join("\n")).toMatch(
      /Deployment shop\/one \(OOMKilled\)/,
    );
    expect(book(world)).toMatchObject({ conditions: [{ kind: "storm", runs: 2, told: ["chat"] }] });
    await runTelling(world, receivers);
    expect(slack.posts.filter((post) => post.thread === undefined && post.method === "post")).toHaveLength(3);
    expect(slack.problems).toEqual([]);
  }, 180_000);

  it("that runs fail, by the second of them; and the fault is the run's own as without receivers", async () => {
    await using world = await broken();
    await using hook = await startWebhook();
    const wrap: Parameters<World["run"]>[0] = ({ api, hosts }) => ({
      api: {
        ...api,
        async *list(resource, options) {
          if (resource.kind === "Deployment") throw new Error("the cache is corrupt");
          yield* api.list(resource, options);
        },
      },
      hosts,
    });
    for (let times = 0; times < 3; times += 1)
      await expect(runTelling(world, [webhookReceiver(hook)], {}, { wrap })).rejects.toThrow("the cache is corrupt");
    expect(types(hook)).toEqual(["run-failing"]);
    await runTelling(world, [webhookReceiver(hook)]);
    expect(book(world)).toMatchObject({ conditions: [] });
  }, 180_000);

  it("nothing by a receiver without its secret, and the log says why, once", async () => {
    await using world = await broken();
    const { log, lines } = keepLog();
    const receivers = [{ name: "ops", type: "slack", channel: "C0123456789", tokenEnv: "NOT_SET" }];
    expect(said(await runTelling(world, receivers, {}, { log }))).toEqual(["proposed"]);
    const warnings = lines.filter(({ level }) => level === "warn");
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.facts).toMatchObject({
      receiver: "ops",
      reason: "NOT_SET is not set; put it into that variable, from a Secret",
    });
  }, 180_000);
});

describe("a program that writes what it likes into its log", () => {
  it("mentions nobody, links nowhere and tells no secret, also where evidence is asked for", async () => {
    await using world = await crashing();
    await using slack = await startSlack();
    await using hook = await startWebhook();
    await runTelling(world, [slackReceiver(slack), webhookReceiver(hook)], { notify: { evidence: true } });
    expect(story(slack.posts)[0]).toBe("post A person is needed");
    expect(slack.problems).toEqual([]);
    expect(JSON.stringify(slack.posts)).toContain("cannot reach the database");
    for (const text of [JSON.stringify(slack.posts), JSON.stringify(payloads(hook))])
      expect(text).not.toMatch(/hunter2|ghp_|abcdefghijklmnopqrstuvwxyz012345/);
  }, 180_000);
});
