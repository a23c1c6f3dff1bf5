import { readFile } from "node:fs/promises";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { NOTICE_EVENTS } from "../../src/config/notify-section.ts";
import { WebhookPayload } from "../../src/notify/payload.ts";
import { OLD_SECRET, SECRET } from "./told.ts";

const text = await readFile(new URL("../../docs/notifications.md", import.meta.url), "utf8");
const blocks = (language: string): string[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, "g"))].map((match) => match[1] ?? "");

describe("docs/notifications.md", () => {
  it("has configurations that are taken", () => {
    // A chart's values are no configuration.
    const configurations = blocks("yaml").filter((block) => !block.startsWith("# values.yaml"));
    expect(configurations.length).toBeGreaterThan(3);
    for (const block of configurations) expect(parseConfig(block).notify.receivers.length).toBeGreaterThan(0);
  });

  it("shows a payload as the schema has it", () => {
    const payload = blocks("json")
      .map((block) => JSON.parse(block) as object)
      .find((block) => "type" in block);
    expect(WebhookPayload.parse(payload)).toEqual(payload);
  });

  it("names every event", () => {
    for (const event of NOTICE_EVENTS) expect(text).toContain(`\`${event}\``);
  });

  it("verifies by an example that works: what is ours, and nothing else", async () => {
    const [code = ""] = blocks("js");
    const { verify } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
      verify: (headers: object, body: string, secret: string, now?: number) => unknown;
    };
    const body = JSON.stringify({ type: "stanch.test" });
    const now = new Date();
    const sign = (secret: string) => new Webhook(secret).sign("msg_1", now, body);
    const headers = {
      "webhook-id": "msg_1",
      "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
      "webhook-signature": `${sign(OLD_SECRET)} ${sign(SECRET)}`,
    };
    expect(verify(headers, body, SECRET)).toEqual({ type: "stanch.test" });
    expect(verify(headers, body, OLD_SECRET)).toEqual({ type: "stanch.test" });
    expect(verify(headers, `${body} `, SECRET)).toBeNull();
    expect(verify({ ...headers, "webhook-id": "msg_2" }, body, SECRET)).toBeNull();
    expect(verify(headers, body, SECRET, now.getTime() + 301_000)).toBeNull();
    expect(verify({}, body, SECRET)).toBeNull();
    expect(verify({ ...headers, "webhook-signature": "v1,AAAA v2,x" }, body, SECRET)).toBeNull();
  });
});
