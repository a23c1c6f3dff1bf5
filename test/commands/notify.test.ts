import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/clock.ts";
import { createReceivers } from "../../src/adapters/notify.ts";
import { checkReceivers } from "../../src/commands/check-receivers.ts";
import { parseConfig } from "../../src/config/load.ts";
import { readRights } from "../../src/remedies/rights.ts";
import { startSlack, startWebhook } from "../notify/servers.ts";
import { ENV, slackReceiver, webhookReceiver } from "../notify/told.ts";
import { command } from "./command.ts";

let folder: string;
let config: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stanch-notify-"));
  config = join(folder, "stanch.yaml");
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const configure = (receivers: object[]): Promise<void> => writeFile(config, JSON.stringify({ notify: { receivers } }));

describe("stanch notify --test", () => {
  it("sends a message that says that it is a test, and nothing in a dry run", async () => {
    await using slack = await startSlack();
    await using hook = await startWebhook();
    await configure([slackReceiver(slack), webhookReceiver(hook)]);
    expect(await command("notify", { config, test: "chat", env: ENV, "dry-run": true })).toMatchObject({
      code: 0,
      out: "Would send a test message to chat.\n",
    });
    expect(slack.posts).toEqual([]);
    expect(await command("notify", { config, test: "chat", env: ENV })).toMatchObject({
      code: 0,
      out: "Sent to chat.\n",
    });
    expect(slack.posts[0]?.text).toMatch(/^Test message of Stanch: This is a test of the receiver chat/);
    expect(slack.problems).toEqual([]);
    expect(await command("notify", { config, test: "hook", env: ENV })).toMatchObject({ code: 0 });
    expect(JSON.parse(hook.requests[0]?.body ?? "{}")).toMatchObject({ type: "stanch.test" });
  });

  it("says what is wrong, and what to do", async () => {
    await using slack = await startSlack();
    await configure([slackReceiver(slack), { name: "owners", type: "github" }]);
    expect(await command("notify", { config, test: "chat", env: {} })).toMatchObject({
      code: 1,
      out: "Not sent to chat: STANCH_SLACK_TOKEN is not set; put it into that variable, from a Secret\n",
    });
    slack.faults.push({ status: 200, body: '{"ok":false,"error":"not_in_channel"}' });
    expect((await command("notify", { config, test: "chat", env: ENV })).out).toMatch(
      /Slack says not_in_channel \(invite the app into the channel/,
    );
    expect(await command("notify", { config, test: "chatt", env: ENV })).toMatchObject({
      code: 2,
      error: expect.stringMatching(/did you mean --test chat\?/),
    });
    expect(await command("notify", { config, env: ENV })).toMatchObject({
      code: 2,
      error: expect.stringMatching(/receivers: chat, owners/),
    });
    expect(await command("notify", { config, test: "owners", env: ENV })).toMatchObject({
      code: 2,
      error: expect.stringMatching(/nowhere to try that/),
    });
  });
});

describe("stanch doctor", () => {
  it("checks each receiver without sending anything", async () => {
    await using slack = await startSlack();
    await using hook = await startWebhook();
    const settings = parseConfig(
      JSON.stringify({
        notify: {
          receivers: [
            slackReceiver(slack),
            webhookReceiver(hook),
            { name: "gone", type: "webhook", url: "http://127.0.0.1:1/x" },
            { name: "bare", type: "slack-webhook" },
            { name: "owners", type: "github" },
          ],
        },
      }),
    );
    const lines = await checkReceivers(settings, await createReceivers(settings, ENV, systemClock));
    expect(lines.map(({ ok }) => ok)).toEqual([true, true, false, false, true, true]);
    expect(lines[0]?.text).toBe("chat: Slack: stanch of Acme may post; channel C0123456789");
    expect(lines[3]).toMatchObject({
      text: "bare: STANCH_SLACK_WEBHOOK_URL is not set",
      fix: "put it into that variable, from a Secret",
    });
    for (const line of lines.filter(({ ok }) => !ok)) expect(line.fix).not.toBe("");
    expect(slack.posts).toEqual([]);
    // What answers a question about its origin was sent no event.
    expect(hook.requests.every(({ body }) => body === "")).toBe(true);
  });
});

describe("rights", () => {
  const runs = (settings: object): string[] =>
    readRights(parseConfig(JSON.stringify(settings)))
      .filter(({ resource }) => resource === "runs")
      .map(({ verb }) => verb);
  it("to keep what was told are there in mode observe only where it tells", () => {
    expect(runs({ mode: "observe" })).toEqual([]);
    expect(runs({ mode: "observe", notify: { observe: true } })).toEqual(["get", "create", "update"]);
    expect(runs({ mode: "propose" })).toEqual(["get", "create", "update"]);
  });
});
