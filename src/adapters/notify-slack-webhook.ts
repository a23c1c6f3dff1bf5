import { IncomingWebhook, IncomingWebhookHTTPError } from "@slack/webhook";
import { formatSlack } from "../notify/blocks.ts";
import type { Receiver } from "../ports.ts";
import { boundedFetch, failedDelivery, reach, type Seen } from "./notify-fetch.ts";

/** Slack's incoming webhook: a message each, without threads. Its address is its secret. */
export function createSlackWebhook({ name, url }: { readonly name: string; readonly url: string }): Receiver {
  return {
    name,
    async send(notice, _thread, signal) {
      const seen: Seen = {};
      try {
        const webhook = new IncomingWebhook(url, { fetch: boundedFetch(signal, seen), retryConfig: { retries: 0 } });
        const { text, blocks } = formatSlack(notice);
        const answer = await webhook.send({ text, blocks, unfurl_links: false, unfurl_media: false });
        // Slack answers `ok`; a proxy's page in its place means that nothing arrived.
        if (answer.text.trim() === "ok") return { outcome: "sent" };
        return { outcome: "failed", reason: "the answer is not Slack's `ok`" };
      } catch (error) {
        return failedDelivery(explained(error), seen, signal);
      }
    },
    async check(signal) {
      const problem = await reach(url, signal);
      if (problem !== null)
        return { ok: false, text: `Slack webhook: ${problem}`, fix: "check the address, proxy and certificates" };
      return {
        ok: true,
        text: `Slack webhook is reachable; whether it is valid tells \`stanch notify --test ${name}\``,
      };
    },
  };
}

function explained(error: unknown): unknown {
  if (!(error instanceof IncomingWebhookHTTPError)) return error;
  const { statusCode, body } = error;
  const said = /^[a-z_]{3,60}$/.test(body.trim()) ? ` ${body.trim()}` : "";
  const gone = [403, 404, 410].includes(statusCode) ? " (the webhook is gone or disabled; make a new one)" : "";
  return new Error(`HTTP ${statusCode}${said}${gone}`);
}
