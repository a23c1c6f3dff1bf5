import { Webhook } from "standardwebhooks";
import { payloadOf } from "../notify/payload.ts";
import type { Clock, Receiver } from "../ports.ts";
import { version } from "../version.ts";
import { boundedFetch, failedDelivery, reach, type Seen } from "./notify-fetch.ts";

export interface WebhookOptions {
  readonly name: string;
  readonly url: string;
  /** Signing secrets; each signs, so that a receiver may change from one to the next. */
  readonly secrets: readonly string[];
  readonly clock: Clock;
}

/** A generic webhook, signed as Standard Webhooks 1.0 says (github.com/standard-webhooks/standard-webhooks). */
export function createWebhook({ name, url, secrets, clock }: WebhookOptions): Receiver {
  const signers = secrets.map((secret) => new Webhook(secret));
  return {
    name,
    async send(notice, _thread, signal) {
      const seen: Seen = {};
      try {
        const body = JSON.stringify(payloadOf(notice));
        const now = clock.now();
        const response = await boundedFetch(signal, seen)(url, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            "user-agent": `stanch/${version}`,
            "webhook-id": notice.id,
            "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
            "webhook-signature": signers.map((signer) => signer.sign(notice.id, now, body)).join(" "),
          },
          body,
        });
        if (response.ok) return { outcome: "sent" };
        const gone = response.status === 410 ? ": it wants no more; take the receiver out of the configuration" : "";
        return failedDelivery(new Error(`HTTP ${response.status}${gone}`), seen, signal);
      } catch (error) {
        return failedDelivery(error, seen, signal);
      }
    },
    async check(signal) {
      const problem = await reach(url, signal);
      const count = `${signers.length} signing secret${signers.length === 1 ? "" : "s"}`;
      return problem === null
        ? { ok: true, text: `webhook at ${new URL(url).host} is reachable; ${count}` }
        : {
            ok: false,
            text: `webhook at ${new URL(url).host}: ${problem}`,
            fix: "check the address, proxy and certificates",
          };
    },
  };
}

/** Why a text is no signing secret; undefined: it is one. Standard Webhooks asks for 24 to 64 random bytes in Base64. */
export function secretProblem(secret: string): string | undefined {
  const bare = secret.replace(/^whsec_/, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(bare) || bare.length % 4 !== 0) return "is no Base64 (`whsec_…`)";
  const bytes = Buffer.from(bare, "base64").length;
  return bytes < 24 || bytes > 64 ? `has ${bytes} bytes instead of 24 to 64` : undefined;
}
