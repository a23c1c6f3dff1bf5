import type { ReceiverEntry } from "../config/notify-section.ts";
import type { Config } from "../config/schema.ts";
import type { Clock, Receiver } from "../ports.ts";
import { addressProblem } from "./notify-fetch.ts";

type Env = Readonly<Record<string, string | undefined>>;
type Made = Receiver | { readonly missing: string; readonly fix: string };

/**
 * The configured receivers but for `github`, which is told through the code host. Secrets come from the environment. One that lacks something is there
 * all the same, and says so wherever it is used: no receiver is worth stopping a run for.
 */
export async function createReceivers(config: Config, env: Env, clock: Clock): Promise<Receiver[]> {
  const entries = config.notify.receivers.filter((entry) => entry.type !== "github");
  return Promise.all(
    entries.map(async (entry) => {
      const made = await create(entry, { env, clock, allowHttp: config.notify.allowHttp });
      return "missing" in made ? withoutMeans(entry.name, made) : made;
    }),
  );
}

async function create(
  entry: ReceiverEntry,
  { env, clock, allowHttp }: { readonly env: Env; readonly clock: Clock; readonly allowHttp: boolean },
): Promise<Made> {
  const { name } = entry;
  // A Secret made from a file often ends with a line break.
  const read = (variable: string): string => env[variable]?.trim() ?? "";
  const unset = (variable: string): Made => ({
    missing: `${variable} is not set`,
    fix: `put it into that variable, from a Secret`,
  });

  if (entry.type === "slack") {
    const apiUrl = entry.apiUrl ?? "https://slack.com/api/";
    const problem = addressProblem(apiUrl, allowHttp);
    if (problem !== undefined) return { missing: `apiUrl ${problem}`, fix: "correct it in the configuration" };
    const variable = entry.tokenEnv ?? "STANCH_SLACK_TOKEN";
    const token = read(variable);
    if (token === "") return unset(variable);
    if (!/^[\x21-\x7e]+$/.test(token))
      return { missing: `${variable} is no token`, fix: "store the bot token (xoxb-…) alone" };
    const { createSlack } = await import("./notify-slack.ts");
    return createSlack({ name, apiUrl, token, channel: entry.channel ?? "" });
  }
  const variable = entry.urlEnv ?? (entry.type === "slack-webhook" ? "STANCH_SLACK_WEBHOOK_URL" : undefined);
  const url = variable === undefined ? (entry.url ?? "") : read(variable);
  if (url === "" && variable !== undefined) return unset(variable);
  const problem = addressProblem(url, allowHttp);
  if (problem !== undefined) return { missing: `${variable ?? "url"} ${problem}`, fix: "correct the address" };
  if (entry.type === "slack-webhook") {
    const { createSlackWebhook } = await import("./notify-slack-webhook.ts");
    return createSlackWebhook({ name, url });
  }
  const { createWebhook, secretProblem } = await import("./notify-webhook.ts");
  const secrets: string[] = [];
  for (const one of entry.secretEnv ?? ["STANCH_WEBHOOK_SECRET"]) {
    const secret = read(one);
    if (secret === "") return unset(one);
    const wrong = secretProblem(secret);
    if (wrong !== undefined)
      return { missing: `${one} ${wrong}`, fix: 'make one: echo "whsec_$(openssl rand -base64 32)"' };
    secrets.push(secret);
  }
  return createWebhook({ name, url, secrets, clock });
}

function withoutMeans(name: string, { missing, fix }: { readonly missing: string; readonly fix: string }): Receiver {
  return {
    name,
    send: async () => ({ outcome: "failed", reason: `${missing}; ${fix}` }),
    check: async () => ({ ok: false, text: missing, fix }),
  };
}
