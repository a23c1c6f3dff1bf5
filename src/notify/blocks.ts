import type { KnownBlock } from "@slack/web-api";
import { describeRef } from "../kube/ref.ts";
import type { Notice } from "../model.ts";

/**
 * Slack's limits (docs.slack.dev/reference/block-kit/blocks): 50 blocks a message, 150 characters a header, 3,000 a section, 10 elements a
 * context. A message whose blocks hold more than about 13,000 characters together is refused as well (`msg_blocks_too_long`).
 */
const HEADER = 150;
const SECTION = 2900;
const TOTAL = 10_000;
const URL_LENGTH = 2000;

const MARKS = { info: "ℹ️", warning: "⚠️", critical: "🚨" } as const;

/** A message for Slack. `text` is what a notification on a phone shows, and what is read aloud. */
export interface SlackMessage {
  readonly text: string;
  readonly blocks: KnownBlock[];
}

/**
 * A notice as Block Kit. Text from outside stands in `plain_text` objects, where Slack reads no markup at all; where it has to stand in mrkdwn,
 * everything that could become a mention, a link or markup is taken apart.
 */
export function formatSlack(notice: Notice): SlackMessage {
  const { title, text, incident, earlier, lines, evidence, severity, cluster } = notice;
  const mark = notice.event === "resolved" ? "✅" : MARKS[severity];
  const blocks: KnownBlock[] = [
    { type: "header", text: { type: "plain_text", text: cut(`${mark} ${inert(title)}`, HEADER), emoji: true } },
  ];
  let left = TOTAL;
  const say = (said: string): void => {
    const shown = cut(inert(said).trim(), Math.min(SECTION, left));
    if (shown === "") return;
    left -= shown.length;
    blocks.push({ type: "section", text: { type: "plain_text", text: shown, emoji: false } });
  };
  say(text);
  if (incident?.cause !== undefined && incident.cause !== text) say(`Cause: ${incident.cause}`);
  else if (incident !== undefined && incident.summary !== text) say(incident.summary);
  if (lines.length > 0) say(lines.map((line) => `• ${line}`).join("\n"));
  if (earlier.length > 0)
    say(`Before:\n${earlier.map((step) => `• ${step.at.slice(11, 16)} UTC ${step.text}`).join("\n")}`);
  const links = linksOf(notice);
  if (links !== "") blocks.push({ type: "section", text: { type: "mrkdwn", text: links, verbatim: true } });
  for (const quoted of evidence) {
    const shown = cut(inert(quoted).trim(), Math.min(600, left));
    if (shown === "") continue;
    left -= shown.length;
    blocks.push({
      type: "rich_text",
      elements: [{ type: "rich_text_preformatted", elements: [{ type: "text", text: shown }] }],
    });
  }
  const place = incident === undefined ? "" : ` · incident ${incident.namespace}/${incident.name}`;
  blocks.push({
    type: "context",
    elements: [{ type: "plain_text", text: cut(inert(`Stanch · cluster ${cluster}${place}`), 500), emoji: false }],
  });
  return { text: cut(mrkdwn(`${title}: ${text}`), 1000), blocks };
}

/** Pull request and issue as links that say where they lead; only what is an address of the web. */
function linksOf({ incident }: Notice): string {
  const { pullRequest, issue, codeFix } = incident ?? {};
  const found = [
    pullRequest === undefined
      ? ""
      : link(pullRequest.url, `Pull request ${pullRequest.repository}#${pullRequest.number}`),
    issue === undefined ? "" : link(issue.url, `Issue ${issue.repository}#${issue.number}`),
    codeFix === undefined ? "" : link(codeFix.url, `Draft fix ${codeFix.repository}#${codeFix.number}`),
    incident === undefined ? "" : `\`${mrkdwn(`stanch incidents ${incident.namespace}/${incident.name}`)}\``,
  ];
  const shown = found.filter((it) => it !== "").join("  ·  ");
  return incident === undefined || incident.workload.name === ""
    ? shown
    : `${shown}  ·  ${mrkdwn(describeRef(incident.workload))}`;
}

function link(url: string, label: string): string {
  if (!URL.canParse(url)) return "";
  const { protocol, href } = new URL(url);
  if (!/^https?:$/.test(protocol) || href.length > URL_LENGTH) return "";
  return `<${href.replaceAll("&", "&amp;").replaceAll("<", "%3C").replaceAll(">", "%3E").replaceAll("|", "%7C")}|${mrkdwn(label)}>`;
}

/** Text from outside inside mrkdwn: what Slack says must be escaped, and nothing that it would turn into a link, a mention or markup. */
export function mrkdwn(text: string): string {
  return inert(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/[*_~`]/g, "$&\u200b");
}

/** No address and no name that Slack might make a link or a mention of: a letter without width stands between. */
function inert(text: string): string {
  return text
    .replaceAll(/(?!\n)[\p{Cc}\p{Cf}]/gu, "")
    .replaceAll("://", ":\u200b//")
    .replaceAll(/\bwww\./gi, "$&\u200b")
    .replaceAll(/@(?=\w)/g, "@\u200b");
}

/** At most so many UTF-16 units, which is how Slack's limits are counted at worst; no pair is torn apart. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, Math.max(0, most - 1)).replace(/[\ud800-\udbff]$/, "")}…`;
}
