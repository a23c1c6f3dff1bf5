import { WebAPIPlatformError, WebClient } from "@slack/web-api";
import type { Delivery, Notice, NoticeThread } from "../model.ts";
import { formatSlack } from "../notify/blocks.ts";
import type { Receiver } from "../ports.ts";
import { boundedFetch, failedDelivery, reasonOf, type Seen } from "./notify-fetch.ts";

export interface SlackOptions {
  readonly name: string;
  readonly apiUrl: string;
  readonly token: string;
  /** Id of the channel. */
  readonly channel: string;
}

/** The thread's first message is gone, or is nothing that may be changed any more: there is no thread. */
const GONE = [
  "thread_not_found",
  "message_not_found",
  "cant_update_message",
  "edit_window_closed",
  "channel_not_found",
];

const HINTS: Readonly<Record<string, string>> = {
  not_in_channel: "invite the app into the channel, or grant chat:write.public",
  channel_not_found: "check `channel`; into a private one the app must be invited",
  is_archived: "the channel is archived; choose another",
  invalid_auth: "the token is not valid; install the app anew and store its bot token",
  not_authed: "the token is not valid; install the app anew and store its bot token",
  token_revoked: "the token was revoked; install the app anew and store its bot token",
  token_expired: "the token expired; turn token rotation off, or store a new one",
  account_inactive: "the app was uninstalled; install it anew",
  missing_scope: "grant the bot scope chat:write and install the app anew",
  restricted_action: "a rule of the workspace keeps the app from posting there",
};

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  setLevel: () => undefined,
  getLevel: () => "error" as never,
  setName: () => undefined,
};

/** Slack by bot token: one thread an incident. The first message says what is so now, the replies what happened. */
export function createSlack({ name, apiUrl, token, channel }: SlackOptions): Receiver {
  const client = (signal: AbortSignal, seen: Seen): WebClient =>
    new WebClient(token, {
      slackApiUrl: apiUrl,
      // Patience is the run's: what fails is tried by the next one.
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      fetch: boundedFetch(signal, seen),
      logger: SILENT,
    });

  async function post(notice: Notice, thread: NoticeThread | undefined, signal: AbortSignal): Promise<Delivery> {
    const seen: Seen = {};
    const { text, blocks } = formatSlack(notice);
    try {
      const message = {
        channel,
        text,
        blocks,
        unfurl_links: false,
        unfurl_media: false,
        metadata: { event_type: "stanch_notice", event_payload: { id: notice.id, event: notice.event } },
      };
      const { chat } = client(signal, seen);
      const answer =
        thread === undefined
          ? await chat.postMessage(message)
          : notice.severity === "critical"
            ? await chat.postMessage({ ...message, thread_ts: thread.ts, reply_broadcast: true })
            : await chat.postMessage({ ...message, thread_ts: thread.ts });
      const made = { channel: answer.channel ?? channel, ts: answer.ts };
      if (thread !== undefined) return { outcome: "sent", thread };
      if (notice.incident === undefined || made.ts === undefined) return { outcome: "sent" };
      return { outcome: "sent", thread: { channel: made.channel, ts: made.ts } };
    } catch (error) {
      if (thread !== undefined && GONE.includes(errorOf(error))) return post(notice, undefined, signal);
      return failedDelivery(withHint(error), seen, signal);
    }
  }

  return {
    name,
    // A thread in another channel is left behind when the configuration names a new one.
    send: (notice, thread, signal) => post(notice, thread?.channel === channel ? thread : undefined, signal),
    async show(notice, thread, signal) {
      if (thread.channel !== channel) return { outcome: "skipped", reason: "its thread is in another channel" };
      const seen: Seen = {};
      const { text, blocks } = formatSlack(notice);
      try {
        await client(signal, seen).chat.update({ channel: thread.channel, ts: thread.ts, text, blocks });
        return { outcome: "sent" };
      } catch (error) {
        if (GONE.includes(errorOf(error)))
          return { outcome: "skipped", reason: `its first message is gone (${errorOf(error)})` };
        return failedDelivery(withHint(error), seen, signal);
      }
    },
    async check(signal) {
      try {
        const answer = await client(signal, {}).auth.test();
        const scopes = answer.response_metadata?.scopes ?? [];
        if (scopes.length > 0 && !scopes.includes("chat:write"))
          return { ok: false, text: "the token lacks the scope chat:write", fix: HINTS["missing_scope"] ?? "" };
        return { ok: true, text: `Slack: ${answer.user ?? "?"} of ${answer.team ?? "?"} may post; channel ${channel}` };
      } catch (error) {
        const hint = HINTS[errorOf(error)];
        return {
          ok: false,
          text: `Slack: ${reasonOf(error, signal)}`,
          fix: hint ?? `check that ${new URL(apiUrl).host} is reachable from here`,
        };
      }
    },
  };
}

/** Slack's own code of an answer that says no; "" for anything else. */
function errorOf(error: unknown): string {
  return error instanceof WebAPIPlatformError ? String(error.data.error).slice(0, 100) : "";
}

function withHint(error: unknown): unknown {
  const said = errorOf(error);
  if (said === "") return error;
  const known = /^[a-z_]{3,60}$/.test(said);
  const hint = HINTS[said];
  return new Error(
    `Slack says ${known ? said : "something that is no answer of its API"}${hint === undefined ? "" : ` (${hint})`}`,
  );
}
