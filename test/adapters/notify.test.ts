import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/clock.ts";
import { createReceivers } from "../../src/adapters/notify.ts";
import { parseConfig } from "../../src/config/load.ts";
import type { Delivery, Notice } from "../../src/model.ts";
import { createCourier } from "../../src/notify/courier.ts";
import { WebhookPayload } from "../../src/notify/payload.ts";
import type { Receiver } from "../../src/ports.ts";
import { CHANNEL, SLACK_TOKEN, startSlack, startWebhook } from "../notify/servers.ts";
import { ENV, keepLog, OLD_SECRET, SECRET, slackReceiver, webhookReceiver } from "../notify/told.ts";

const NOTICE: Notice = {
  id: "msg_0123456789abcdef0123456789abcdef",
  event: "escalated",
  severity: "critical",
  at: "2026-07-01T12:00:00.000Z",
  cluster: "test",
  title: "A person is needed: Deployment shop/app",
  text: "The memory limit was raised twice. A person must look for a leak.",
  incident: {
    namespace: "shop",
    name: "app-oomkilled-01234567",
    uid: "4c1b3f0e-0000-4000-8000-000000000000",
    phase: "Escalated",
    workload: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" },
    symptom: "OOMKilled",
    summary: "Container app is killed for its memory.",
    detectedAt: "2026-07-01T11:00:00.000Z",
    recurrences: 0,
    pullRequest: {
      repository: "acme/shop",
      number: 7,
      url: "https://github.example/acme/shop/pull/7",
      branch: "stanch/x",
      base: "main",
      head: "0".repeat(40),
      draft: false,
    },
  },
  earlier: [],
  lines: [],
  evidence: [],
};

async function make(entry: object, env: Record<string, string> = ENV, notify: object = {}): Promise<Receiver> {
  const config = parseConfig(JSON.stringify({ notify: { ...notify, receivers: [entry] } }));
  const [receiver] = await createReceivers(config, env, systemClock);
  if (receiver === undefined) throw new Error("no receiver");
  return receiver;
}
const soon = (ms = 3000): AbortSignal => AbortSignal.timeout(ms);
const reason = (delivery: Delivery): string => ("reason" in delivery ? delivery.reason : delivery.outcome);

describe("the signed webhook", () => {
  it("is what the Standard Webhooks library verifies, and what the schema says", async () => {
    await using server = await startWebhook();
    const receiver = await make(webhookReceiver(server));
    expect(await receiver.send(NOTICE, undefined, soon())).toEqual({ outcome: "sent" });
    const [request] = server.requests;
    const verified = new Webhook(SECRET).verify(request?.body ?? "", request?.headers ?? {});
    expect(WebhookPayload.parse(verified)).toEqual(verified);
    expect(request?.headers["webhook-id"]).toBe(NOTICE.id);
    expect(request?.headers["content-type"]).toBe("application/json");
    expect(() => new Webhook(OLD_SECRET).verify(request?.body ?? "", request?.headers ?? {})).toThrow(/No matching/);
    expect(() => new Webhook(SECRET).verify(`${request?.body} `, request?.headers ?? {})).toThrow(/No matching/);
  });

  it("is signed with every secret while they are changed, and by the same id each time it is sent", async () => {
    await using server = await startWebhook();
    const receiver = await make(webhookReceiver(server, { secretEnv: ["NEW", "OLD"] }), {
      NEW: `${SECRET}\n`,
      OLD: OLD_SECRET,
    });
    for (let times = 0; times < 2; times += 1) await receiver.send(NOTICE, undefined, soon());
    for (const { body, headers } of server.requests) {
      new Webhook(SECRET).verify(body, headers);
      new Webhook(OLD_SECRET).verify(body, headers);
    }
    expect(server.requests.map(({ headers }) => headers["webhook-id"])).toEqual([NOTICE.id, NOTICE.id]);
  });

  it.each([
    [{ status: 500, body: "x".repeat(2_000_000) }, /^HTTP 500$/],
    [{ status: 410 }, /^HTTP 410: it wants no more/],
    [{ status: 302, headers: { location: "http://169.254.169.254/" } }, /redirect \(302\), which is not followed/],
    [{ status: 401, body: "<html>" }, /^HTTP 401$/],
    ["cut" as const, /fetch failed.*(other side closed|socket hang up|ECONNRESET)/],
    ["hang" as const, /^no answer in time$/],
  ])("says what is wrong: %j", async (fault, sentence) => {
    await using server = await startWebhook();
    server.faults.push(fault);
    const receiver = await make(webhookReceiver(server));
    const delivery = await receiver.send(NOTICE, undefined, soon(500));
    expect(delivery.outcome).toBe("failed");
    expect(reason(delivery)).toMatch(sentence);
    expect(server.requests).toEqual([]);
  });

  it("says how long it asks to be left alone, in seconds or by date, and at most an hour", async () => {
    await using server = await startWebhook();
    const receiver = await make(webhookReceiver(server));
    const asks = async (value: string): Promise<number | undefined> => {
      server.faults.push({ status: 429, headers: { "retry-after": value } });
      const delivery = await receiver.send(NOTICE, undefined, soon());
      return delivery.outcome === "failed" ? delivery.retryAfter : -1;
    };
    expect(await asks("30")).toBe(30_000);
    expect(await asks("999999")).toBe(3_600_000);
    expect(await asks(new Date(Date.now() + 60_000).toUTCString())).toBeGreaterThan(50_000);
    expect(await asks("soon")).toBeUndefined();
    expect(await asks("-5")).toBeUndefined();
  });

  it("is not sent where no TLS can be made, nor over plain http to elsewhere", async () => {
    const plain = createServer((_, response) => response.end("plain"));
    await new Promise<void>((done) => plain.listen(0, "127.0.0.1", done));
    const { port } = plain.address() as AddressInfo;
    const tls = await make({ name: "hook", type: "webhook", url: `https://127.0.0.1:${port}/x` });
    expect(reason(await tls.send(NOTICE, undefined, soon()))).toMatch(/fetch failed.*SSL|packet length|wrong version/i);
    plain.close();
    const elsewhere = await make({ name: "hook", type: "webhook", url: "http://hooks.example/x" });
    expect(reason(await elsewhere.send(NOTICE, undefined, soon()))).toMatch(
      /url is plain http; use https, or set notify\.allowHttp/,
    );
    const nobody = await make({ name: "hook", type: "webhook", url: "http://127.0.0.1:1/x" });
    expect(reason(await nobody.send(NOTICE, undefined, soon()))).toMatch(/ECONNREFUSED|bad port/);
  });

  it.each([
    [{}, /STANCH_WEBHOOK_SECRET is not set; put it into that variable, from a Secret/],
    [{ STANCH_WEBHOOK_SECRET: "secret!" }, /is no Base64.*openssl rand/],
    [{ STANCH_WEBHOOK_SECRET: "whsec_c2hvcnQ=" }, /has 5 bytes instead of 24 to 64/],
  ])("without a good secret it fails with the fix: %j", async (env, sentence) => {
    await using server = await startWebhook();
    const receiver = await make(webhookReceiver(server), env);
    expect(reason(await receiver.send(NOTICE, undefined, soon()))).toMatch(sentence);
    expect((await receiver.check(soon())).ok).toBe(false);
    expect(server.requests).toEqual([]);
  });
});

describe("Slack by bot token", () => {
  it("opens a thread, answers in it, writes its first message anew, and opens another where the first is gone", async () => {
    await using slack = await startSlack();
    const receiver = await make(slackReceiver(slack));
    const first = await receiver.send(NOTICE, undefined, soon());
    const thread = first.outcome === "sent" ? first.thread : undefined;
    expect(thread).toEqual({ channel: CHANNEL, ts: slack.posts[0]?.ts });
    expect(await receiver.send(NOTICE, thread, soon())).toEqual({ outcome: "sent", thread });
    expect(slack.posts[1]).toMatchObject({ thread: thread?.ts, broadcast: true, id: NOTICE.id });
    if (thread === undefined) throw new Error("no thread");
    expect(await receiver.show?.(NOTICE, thread, soon())).toEqual({ outcome: "sent" });
    slack.remove(thread.ts);
    expect(await receiver.show?.(NOTICE, thread, soon())).toMatchObject({ outcome: "skipped" });
    const again = await receiver.send(NOTICE, thread, soon());
    expect(again.outcome === "sent" && again.thread?.ts !== thread.ts).toBe(true);
    expect(slack.problems).toEqual([]);
  });

  it("begins a new thread in a new channel", async () => {
    await using slack = await startSlack();
    const receiver = await make(slackReceiver(slack));
    await receiver.send(NOTICE, { channel: "C0000000000", ts: "1.2" }, soon());
    expect(slack.posts[0]?.thread).toBeUndefined();
  });

  it.each([
    [{ status: 429, headers: { "retry-after": "7" } }, /rate.?limit/i],
    [{ status: 200, body: "<html>proxy</html>" }, /something that is no answer of its API/],
    [{ status: 200, body: '{"ok":false,"error":"is_archived"}' }, /Slack says is_archived \(the channel is archived/],
    [{ status: 200, body: "null" }, /./],
    [{ status: 200, body: '{"ok":false,"error":"<!channel> x"}' }, /something that is no answer/],
    [{ status: 302, headers: { location: "https://evil.example" } }, /redirect/],
    ["hang" as const, /no answer in time/],
  ])("says what is wrong: %j", async (fault, sentence) => {
    await using slack = await startSlack();
    slack.faults.push(fault);
    const delivery = await (await make(slackReceiver(slack))).send(NOTICE, undefined, soon(500));
    expect(delivery.outcome).toBe("failed");
    expect(reason(delivery)).toMatch(sentence);
    expect(reason(delivery)).not.toContain(SLACK_TOKEN);
  });

  it("is sent when Slack says so, also where the answer names no message", async () => {
    await using slack = await startSlack();
    slack.faults.push({ status: 200, body: '{"ok":true}' });
    expect(await (await make(slackReceiver(slack))).send(NOTICE, undefined, soon())).toEqual({ outcome: "sent" });
  });

  it("is checked without sending anything", async () => {
    await using slack = await startSlack();
    expect(await (await make(slackReceiver(slack))).check(soon())).toEqual({
      ok: true,
      text: `Slack: stanch of Acme may post; channel ${CHANNEL}`,
    });
    const wrong = await make(slackReceiver(slack), { STANCH_SLACK_TOKEN: "xoxb-wrong" });
    expect(await wrong.check(soon())).toMatchObject({ ok: false, text: expect.stringMatching(/invalid_auth/) });
    const missing = await make(slackReceiver(slack, { tokenEnv: "OTHER" }));
    expect(await missing.check(soon())).toMatchObject({ ok: false, text: "OTHER is not set" });
    expect(slack.posts).toEqual([]);
  });
});

describe("Slack's incoming webhook", () => {
  const entry = { name: "ops", type: "slack-webhook", urlEnv: "HOOK" };
  it("is told when it answers ok, and never named in what is said of it", async () => {
    await using slack = await startSlack();
    const receiver = await make(entry, { HOOK: slack.hookUrl });
    expect(await receiver.send(NOTICE, undefined, soon())).toEqual({ outcome: "sent" });
    expect(slack.problems).toEqual([]);
    const faults = [
      { status: 404, body: "no_service" },
      { status: 200, body: "<html>" },
      { status: 302, headers: { location: "https://evil.example/x" } },
      { status: 429, headers: { "retry-after": "3" } },
      "cut" as const,
    ];
    const reasons: string[] = [];
    for (const fault of faults) {
      slack.faults.push(fault);
      const delivery = await receiver.send(NOTICE, undefined, soon());
      expect(delivery.outcome).toBe("failed");
      reasons.push(reason(delivery));
    }
    expect(reasons[0]).toMatch(/HTTP 404 no_service \(the webhook is gone/);
    expect(reasons.join("\n")).not.toMatch(/secret|services/);
    const nowhere = await make(entry, { HOOK: "https://127.0.0.1:1/services/T1/B1/secret" });
    expect(reason(await nowhere.send(NOTICE, undefined, soon()))).not.toMatch(/secret/);
    expect((await nowhere.check(soon())).text).not.toMatch(/secret/);
    expect(await receiver.check(soon())).toMatchObject({ ok: true });
    expect(slack.posts).toHaveLength(1);
  });
});

describe("all receivers together", () => {
  it("take no longer of a run than they may, however many hang", async () => {
    await using server = await startWebhook();
    const { log, lines } = keepLog();
    const names = ["a", "b", "c", "d"];
    const receivers = await Promise.all(names.map((name) => make(webhookReceiver(server, { name }))));
    const courier = createCourier({ timeout: 1000, clock: systemClock, log });
    const begun = Date.now();
    for (const receiver of receivers) {
      server.faults.push("hang");
      await courier.deliver([{ receiver, notice: NOTICE, thread: undefined }]);
    }
    expect(Date.now() - begun).toBeLessThan(1500);
    expect(courier.isOpen("e")).toBe(false);
    expect(lines.filter(({ message }) => message.startsWith("the time for notifications"))).toHaveLength(1);
    // One that hangs leaves time for another.
    expect(lines.filter(({ facts }) => facts["reason"] === "no answer in time").length).toBeGreaterThan(1);
  });

  it("wait a moment where a receiver asks for one, and are left alone where it asks for more", async () => {
    await using server = await startWebhook();
    const { log } = keepLog();
    const receiver = await make(webhookReceiver(server));
    const courier = createCourier({ timeout: 10_000, clock: systemClock, log });
    server.faults.push({ status: 429, headers: { "retry-after": "1" } });
    const [done] = await courier.deliver([{ receiver, notice: NOTICE, thread: undefined }]);
    expect(done).toEqual({ outcome: "sent" });
    server.faults.push({ status: 429, headers: { "retry-after": "60" } });
    await courier.deliver([{ receiver, notice: NOTICE, thread: undefined }]);
    expect(courier.isOpen("hook")).toBe(false);
    expect(courier.waits.get("hook")).toBe(60_000);
    expect(server.requests).toHaveLength(1);
  });

  it("may hold one that throws, or that never heard of its time limit", async () => {
    const { log } = keepLog();
    const courier = createCourier({ timeout: 400, clock: systemClock, log });
    const base = { check: async () => ({ ok: true, text: "" }) };
    const answers = await courier.deliver([
      {
        receiver: { ...base, name: "a", send: async () => Promise.reject(new Error("bug")) },
        notice: NOTICE,
        thread: undefined,
      },
      { receiver: { ...base, name: "b", send: () => new Promise(() => undefined) }, notice: NOTICE, thread: undefined },
    ]);
    expect(answers.map(reason)).toEqual(["bug", "no answer in time"]);
  });
});
