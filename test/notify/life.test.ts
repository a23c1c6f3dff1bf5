import { describe, expect, it } from "vitest";
import { broken, phases, said } from "../pipeline/incident.ts";
import { REPOSITORY } from "../pipeline/world.ts";
import { startSlack, startWebhook } from "./servers.ts";
import { keepLog, payloads, runTelling, slackReceiver, story, types, webhookReceiver } from "./told.ts";

describe.concurrent("an incident is told", () => {
  it("in one thread through its whole life, whose first message says what is so now; and each step is an event of the webhook", async () => {
    await using world = await broken();
    await using slack = await startSlack();
    await using hook = await startWebhook();
    const receivers = [slackReceiver(slack), webhookReceiver(hook)];
    await runTelling(world, receivers);
    expect(story(slack.posts)).toEqual([
      "post Hotfix applied",
      "reply Pull request opened",
      "update Pull request opened",
    ]);
    await runTelling(world, receivers);
    expect(slack.posts).toHaveLength(3);
    await world.clock.sleep(3_600_000);
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    for (let round = 0; round < 3; round += 1) {
      await runTelling(world, receivers);
      await world.deploy();
      await world.clock.sleep(60_000);
    }
    expect(phases(world)).toEqual(["Resolved"]);
    expect(slack.problems).toEqual([]);
    const [first] = slack.posts;
    expect(slack.posts.filter((post) => post.method === "post" && post.thread === undefined)).toEqual([first]);
    for (const post of slack.posts.slice(1)) expect(post.thread ?? post.ts).toBe(first?.ts);
    expect(story(slack.posts).at(-1)).toBe("update Resolved");
    expect(types(hook)).toEqual(["hotfix-applied", "pull-request-opened", "merged", "resolved"]);
    expect(payloads(hook)[1]?.data.incident?.pullRequest?.url).toMatch(/\/acme\/shop\/pull\/1$/);
    expect(new Set(payloads(hook).map(({ data }) => data.id)).size).toBe(4);
    // The whole ledger is a few lines.
    expect(JSON.stringify(world.incidents()[0]?.status?.notified).length).toBeLessThan(1500);
  }, 180_000);

  it("in a thread whose first message is brought up to date by the next run where that failed, and in a new one where it is gone", async () => {
    await using world = await broken();
    await using slack = await startSlack();
    const receivers = [slackReceiver(slack)];
    slack.faults.push("none", "none", { status: 500 });
    await runTelling(world, receivers);
    expect(story(slack.posts)).toEqual(["post Hotfix applied", "reply Pull request opened"]);
    await runTelling(world, receivers);
    expect(story(slack.posts).slice(2)).toEqual(["update Pull request opened"]);
    slack.remove(slack.posts[0]?.ts ?? "");
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    await world.deploy();
    for (let round = 0; round < 3; round += 1) {
      await runTelling(world, receivers);
      await world.clock.sleep(60_000);
    }
    expect(phases(world)).toEqual(["Resolved"]);
    expect(story(slack.posts).slice(3)).toEqual(["post Merged", "reply Resolved", "update Resolved"]);
    expect(slack.posts.at(-1)?.ts).toBe(slack.posts[3]?.ts);
  }, 180_000);

  it("as soon as its cause is treated, and not at the end of the run", async () => {
    await using world = await broken();
    await using hook = await startWebhook();
    let atEnd = -1;
    const settings = { history: 5 };
    const wrap: Parameters<typeof world.run>[0] = ({ api, hosts }) => ({
      api: {
        ...api,
        // Reading all incidents again is the last thing that a run does for its receivers.
        async *list(resource, options) {
          if (resource.kind === "Incident") atEnd = hook.requests.length;
          yield* api.list(resource, options);
        },
      },
      hosts,
    });
    await runTelling(world, [webhookReceiver(hook)], settings, { wrap });
    expect(atEnd).toBe(2);
    expect(types(hook)).toEqual(["hotfix-applied", "pull-request-opened"]);
  }, 180_000);

  it("again when it was told before a crash, with the same id, at most once, and never not at all", async () => {
    // Each write of the incident while it is told, and each message.
    for (const place of [0, 1, 2, 3]) {
      await using world = await broken();
      await using hook = await startWebhook();
      const receivers = [webhookReceiver(hook)];
      let writes = 0;
      let died = (): void => undefined;
      const death = new Promise<"died">((resolve) => {
        died = () => resolve("died");
      });
      const ended = runTelling(
        world,
        receivers,
        {},
        {
          wrap: ({ api, hosts }) => ({
            api: {
              ...api,
              replace: (object, options) => {
                const told = (object["status"] as { notified?: unknown } | undefined)?.notified !== undefined;
                if (told && writes++ >= place) {
                  died();
                  return new Promise(() => undefined);
                }
                return api.replace(object, options);
              },
            },
            hosts,
          }),
        },
      ).then(() => "finished");
      const how = await Promise.race([ended, death]);
      expect(how, `place ${place}`).toBe(place < 3 ? "died" : "finished");
      await world.clock.sleep(180_000);
      await runTelling(world, receivers);
      const ids = payloads(hook).map(({ data }) => data.id);
      expect(new Set(types(hook))).toEqual(new Set(["hotfix-applied", "pull-request-opened"]));
      expect(new Set(ids).size).toBe(2);
      expect(ids.length).toBeLessThanOrEqual(3);
      await runTelling(world, receivers);
      expect(hook.requests).toHaveLength(ids.length);
    }
  }, 300_000);

  it("again when the answer was lost on its way, with the same id", async () => {
    await using world = await broken();
    await using hook = await startWebhook();
    hook.faults.push("lost");
    await runTelling(world, [webhookReceiver(hook)]);
    expect(hook.requests).toHaveLength(1);
    await runTelling(world, [webhookReceiver(hook)]);
    const [first, second] = payloads(hook);
    expect(second?.data.id).toBe(first?.data.id);
    expect(types(hook)).toEqual(["hotfix-applied", "hotfix-applied", "pull-request-opened"]);
  }, 180_000);

  it("to the one that is there when the other is down, and to that one later; the run is the same", async () => {
    await using world = await broken();
    await using slack = await startSlack();
    await using hook = await startWebhook();
    const { log, lines } = keepLog();
    slack.faults.push({ status: 503, body: "<html>down</html>" });
    const receivers = [slackReceiver(slack), webhookReceiver(hook)];
    expect(said(await runTelling(world, receivers, {}, { log }))).toEqual(["proposed"]);
    expect(types(hook)).toEqual(["hotfix-applied", "pull-request-opened"]);
    expect(slack.posts).toEqual([]);
    // One line in the log, and no second try.
    expect(slack.requests).toBe(1);
    expect(lines.filter(({ level, message }) => level === "warn" && message.startsWith("receiver"))).toHaveLength(1);
    await runTelling(world, receivers);
    expect(story(slack.posts)).toEqual([
      "post Hotfix applied",
      "reply Pull request opened",
      "update Pull request opened",
    ]);
    expect(hook.requests).toHaveLength(2);
  }, 180_000);

  it("to one that was away for an hour as the state that it is in by then, with what came before", async () => {
    await using world = await broken();
    await using hook = await startWebhook();
    hook.faults.push({ status: 500 });
    await runTelling(world, [webhookReceiver(hook)]);
    expect(hook.requests).toEqual([]);
    await world.clock.sleep(3_600_000);
    await runTelling(world, [webhookReceiver(hook)]);
    expect(types(hook)).toEqual(["pull-request-opened"]);
    expect(payloads(hook)[0]?.data.earlier.map(({ event }) => event)).toEqual(["hotfix-applied"]);
    await runTelling(world, [webhookReceiver(hook)]);
    expect(hook.requests).toHaveLength(1);
  }, 180_000);

  it("not while another program of the same cluster writes over it, and once when it has", async () => {
    await using world = await broken();
    await using hook = await startWebhook();
    let others = 0;
    const wrap: Parameters<typeof world.run>[0] = ({ api, hosts }) => ({
      api: {
        ...api,
        async replace(object, options) {
          const told = (object["status"] as { notified?: unknown } | undefined)?.notified !== undefined;
          if (object.kind === "Incident" && told && others < 2) {
            others += 1;
            const found = await world.store.get("shop", object.metadata.name);
            if (found !== null) await world.store.keep(found, { lastSeenAt: world.clock.now().toISOString() });
          }
          return api.replace(object, options);
        },
      },
      hosts,
    });
    await runTelling(world, [webhookReceiver(hook)], {}, { wrap });
    expect(others).toBe(2);
    await runTelling(world, [webhookReceiver(hook)]);
    expect(types(hook)).toEqual(["hotfix-applied", "pull-request-opened"]);
  }, 180_000);
});

describe.concurrent("nothing is told", () => {
  it("where the cluster's definition is too old to keep what was told: that is said once, and every run says it", async () => {
    await using world = await broken();
    await using hook = await startWebhook();
    const { log, lines } = keepLog();
    const wrap: Parameters<typeof world.run>[0] = ({ api, hosts }) => ({
      api: {
        ...api,
        // What an API server does with a field that it does not know.
        replace: (object, options) => {
          const { status } = object as { status?: { notified?: unknown } };
          const { notified: _, ...rest } = status ?? {};
          return api.replace(
            object.kind === "Incident" && status !== undefined ? { ...object, status: rest } : object,
            options,
          );
        },
      },
      hosts,
    });
    const report = await runTelling(world, [webhookReceiver(hook)], {}, { wrap, log });
    expect(said(report)).toEqual(["proposed"]);
    expect(hook.requests).toEqual([]);
    const said2 = lines.filter(({ message }) => message === "notifications failed");
    expect(said2).toHaveLength(1);
    expect(said2[0]?.facts["hint"]).toMatch(/kubectl apply --server-side -f deploy\/crd\.yaml/);
  }, 180_000);

  it("in a dry run, which says what it would tell", async () => {
    await using world = await broken();
    await using hook = await startWebhook();
    await world.run();
    const { log, lines } = keepLog();
    await world.clock.sleep(25 * 3_600_000);
    await runTelling(world, [webhookReceiver(hook)], {}, { dryRun: true, log });
    expect(hook.requests).toEqual([]);
    expect(lines.filter(({ message }) => message === "would tell").map(({ facts }) => facts["event"])).toEqual([
      "waiting",
    ]);
    expect(world.incidents()[0]?.status?.notified).toBeUndefined();
  }, 180_000);

  it("of what was over before the receiver was there", async () => {
    await using world = await broken();
    await using hook = await startWebhook();
    await world.run();
    await world.clock.sleep(60_000);
    await runTelling(world, [webhookReceiver(hook)]);
    expect(hook.requests).toEqual([]);
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    await runTelling(world, [webhookReceiver(hook)]);
    await world.clock.sleep(60_000);
    await runTelling(world, [webhookReceiver(hook)]);
    expect(types(hook)).toEqual(["merged", "resolved"]);
  }, 180_000);
});
