import type { Log } from "../../src/ports.ts";
import type { RunReport } from "../../src/run.ts";
import type { World } from "../pipeline/world.ts";
import { CHANNEL, type EmbeddedSlack, SLACK_TOKEN, type SlackPost, type WebhookServer } from "./servers.ts";

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
export const OLD_SECRET = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
export const ENV = { STANCH_SLACK_TOKEN: SLACK_TOKEN, STANCH_WEBHOOK_SECRET: SECRET };

export const slackReceiver = (slack: EmbeddedSlack, more: object = {}) => ({
  name: "chat",
  type: "slack",
  channel: CHANNEL,
  apiUrl: slack.apiUrl,
  ...more,
});
export const webhookReceiver = (server: WebhookServer, more: object = {}) => ({
  name: "hook",
  type: "webhook",
  url: server.url,
  ...more,
});

export interface Lines {
  readonly log: Log;
  readonly lines: { readonly level: string; readonly message: string; readonly facts: Record<string, unknown> }[];
}

/** A log that keeps what is said. */
export function keepLog(): Lines {
  const lines: Lines["lines"] = [];
  const say = (level: string) => (message: string, facts?: Record<string, unknown>) =>
    void lines.push({ level, message, facts: facts ?? {} });
  return {
    lines,
    log: { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error"), progress: () => undefined },
  };
}

/** One run that tells these receivers. */
export function runTelling(
  world: World,
  receivers: readonly object[],
  settings: object = {},
  options: { readonly dryRun?: boolean; readonly log?: Log; readonly wrap?: Parameters<World["run"]>[0] } = {},
): Promise<RunReport> {
  const { notify, ...rest } = settings as { notify?: object };
  return world.run(
    options.wrap,
    { ...rest, notify: { ...notify, receivers } },
    { dryRun: options.dryRun === true, env: ENV, ...(options.log === undefined ? {} : { log: options.log }) },
  );
}

/** `post Hotfix applied`, `reply Merged`, `update Resolved`. */
export const story = (posts: readonly SlackPost[]): string[] =>
  posts.map((post) => {
    const kind = post.method === "post" && post.thread !== undefined ? "reply" : post.method;
    return `${kind} ${headingOf(post)}`;
  });
export const headingOf = (post: SlackPost): string => /^\S+ ([^:]+)/.exec(post.blocks[0]?.text?.text ?? "")?.[1] ?? "";

export interface Payload {
  readonly type: string;
  readonly timestamp: string;
  readonly data: {
    readonly id: string;
    readonly severity: string;
    readonly text: string;
    readonly earlier: readonly { readonly event: string }[];
    readonly lines: readonly string[];
    readonly evidence: readonly string[];
    readonly incident?: { readonly phase: string; readonly pullRequest?: { readonly url: string } };
  };
}
export const payloads = (server: WebhookServer): Payload[] =>
  server.requests.map(({ body }) => JSON.parse(body) as Payload);
export const types = (server: WebhookServer): string[] =>
  payloads(server).map(({ type }) => type.replace("stanch.", ""));
