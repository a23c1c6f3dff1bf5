import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newIncident } from "../../src/incident/incident.ts";
import { formatSlack } from "../../src/notify/blocks.ts";
import { noticeOf, noticeOfMany } from "../../src/notify/notice.ts";
import { payloadOf } from "../../src/notify/payload.ts";
import { problemsOf } from "./servers.ts";

const HOSTILE = [
  "<!channel> <!here> <@U123> <#C123> <!subteam^S1> @here @channel @everyone",
  "<https://evil.example/login|Sign in> https://evil.example www.evil.example evil.example",
  "*bold* _it_ ~gone~ `code` ```block``` > quote &lt;!channel&gt; &amp;",
  "\u001b[31mred\u0000\u0007\u202egnirts\u200b\r\nnew line\n::set-output name=x::y",
  "password=hunter2 token ghp_abcdefghijklmnopqrstuvwxyz0123456789 xoxb-1234567890-abcdefghij",
  "😀".repeat(3000),
  "x".repeat(100_000),
  ":tada: {} \" \\ ' </script>",
].join("\n");

function notice(text: string, evidence = true) {
  const fresh = newIncident(
    {
      detector: "crash-loop",
      workload: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" },
      symptom: { kind: "CrashLoop", exit: "application", exitCode: 1, init: false },
      summary: text,
      evidence: Array.from({ length: 20 }, (_, index) => ({ id: `e${index}`, kind: "log" as const, text })),
      since: "2026-07-01T10:00:00Z",
      pods: 1,
      fingerprint: "0123456789abcdef",
    },
    new Date("2026-07-01T10:00:00Z"),
  );
  if (fresh.status === undefined) throw new Error("no status");
  const incident = {
    ...fresh,
    status: {
      ...fresh.status,
      cause: `because ${text}`,
      pullRequest: {
        repository: "acme/shop",
        number: 1,
        url: "https://github.example/acme/shop/pull/1",
        branch: "b",
        base: "main",
        head: "0",
        draft: false,
      },
      issue: { repository: "acme/shop", number: 2, url: "javascript:alert(1)", about: "git" as const, reason: text },
    },
  };
  const milestone = (index: number) => ({
    key: `k${index}`,
    event: "escalated" as const,
    severity: "critical" as const,
    at: "2026-07-01T10:00:00.000Z",
    text,
    standing: true,
  });
  const covers = Array.from({ length: 15 }, (_, index) => milestone(index));
  const main = covers.at(-1);
  if (main === undefined) throw new Error("no milestone");
  return noticeOf(incident, { main, covers }, { cluster: "test", evidence });
}

/** Slack reads no markup in these, and makes no link of an address that is taken apart. */
const readable = (blocks: readonly object[]): string => JSON.stringify(blocks);

describe("a message for Slack", () => {
  it("stays within Slack's limits and means nothing but its text, whatever others wrote", () => {
    const made = notice(HOSTILE);
    const { text, blocks } = formatSlack(made);
    expect(problemsOf(text, blocks as never)).toEqual([]);
    expect(text).not.toMatch(/<|@here|@channel|https:\/\/evil/);
    expect(readable(blocks)).not.toMatch(/hunter2|ghp_|xoxb-|javascript:/);
    expect(readable(blocks)).toContain("<https://github.example/acme/shop/pull/1|Pull request acme/shop#1>");
    // What is not ours stands in objects in which nothing is markup.
    const mrkdwn = readable(blocks.filter((block) => JSON.stringify(block).includes('"mrkdwn"')));
    expect(mrkdwn).not.toMatch(/evil|channel|because/);
  });

  it("holds no evidence unless it is asked for", () => {
    expect(readable(formatSlack(notice("ERROR at start", false)).blocks)).not.toContain("rich_text");
    const quoted = formatSlack(notice("ERROR at start")).blocks.filter((block) => block.type === "rich_text");
    expect(quoted).toHaveLength(5);
  });

  it("does so for any text at all", () => {
    const bad = fc.constantFrom(
      "<!channel>",
      "<",
      ">",
      "&",
      "@here",
      "https://a.example",
      "`",
      "```",
      "*",
      "\u0000",
      "\u202e",
      "\ud83d",
      "😀",
      "\n",
      "|",
      "://",
    );
    const any = fc
      .array(fc.oneof(bad, fc.string({ unit: "binary", maxLength: 30 })), { maxLength: 200 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(any, (text) => {
        const said = formatSlack(notice(text));
        expect(problemsOf(said.text, said.blocks as never)).toEqual([]);
        const many = formatSlack(
          noticeOfMany({
            key: ["x"],
            event: "storm",
            severity: "critical",
            at: "2026-07-01T10:00:00Z",
            cluster: "test",
            title: `t${text}`,
            text: `x${text}`,
            lines: Array(300).fill(text),
          }),
        );
        expect(problemsOf(many.text, many.blocks as never)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe("the payload of a webhook", () => {
  it("is bounded and redacted, and names no branch", () => {
    const body = JSON.stringify(payloadOf(notice(HOSTILE)));
    expect(body.length).toBeLessThan(20_000);
    expect(body).not.toMatch(/hunter2|ghp_|xoxb-|"branch"|\\u0000|\\u001b/);
    expect(JSON.parse(body)).toMatchObject({
      type: "stanch.escalated",
      data: { schema: "stanch.dev/notification/v1" },
    });
  });
});
