import { StanchError } from "../errors.ts";

export interface PushgatewayOptions {
  readonly url: string;
  /** Grouping key, in order, with `job` first. */
  readonly group: Readonly<Record<string, string>>;
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  readonly signal: AbortSignal;
}

/**
 * Pushes a text exposition to a Prometheus Pushgateway. `replace`: all that the group says (PUT); otherwise only the metrics that it names
 * (POST). Throws StanchError `config` or what `fetch` throws. prom-client's own push is not used: it neither ends with a deadline nor
 * bounds what it reads.
 */
export async function pushExposition(text: string, replace: boolean, options: PushgatewayOptions): Promise<void> {
  const { url, token, username, password, signal } = options;
  const credentials =
    token !== undefined
      ? `Bearer ${token}`
      : username !== undefined
        ? `Basic ${Buffer.from(`${username}:${password ?? ""}`).toString("base64")}`
        : undefined;
  if (credentials !== undefined && /[^\x20-\x7e]/.test(credentials))
    throw new StanchError("config", "the Pushgateway's token holds a character that HTTP does not take", {
      hint: "set it again, without line breaks: a Secret made from a file often ends with one",
    });
  const answer = await fetch(`${url.replace(/\/+$/, "")}/metrics${groupPath(options.group)}`, {
    method: replace ? "PUT" : "POST",
    headers: {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
      "user-agent": "stanch",
      ...(credentials === undefined ? {} : { authorization: credentials }),
    },
    body: text,
    // A receiver that sends credentials elsewhere is none.
    redirect: "error",
    signal,
  });
  if (answer.ok) return void (await answer.body?.cancel());
  throw new StanchError("cluster", `the Pushgateway answered ${answer.status}: ${await startOf(answer)}`);
}

/** `/job/stanch/cluster/prod`; a value that a path cannot hold is sent in base64, as the Pushgateway takes it. */
export function groupPath(group: Readonly<Record<string, string>>): string {
  return Object.entries(group)
    .map(([label, value]) =>
      value === "" || value.includes("/")
        ? `/${label}@base64/${Buffer.from(value).toString("base64url") || "="}`
        : `/${label}/${encodeURIComponent(value)}`,
    )
    .join("");
}

/** The first letters of an answer, however long it is. */
async function startOf(answer: Response): Promise<string> {
  const reader = answer.body?.getReader();
  if (reader === undefined) return "";
  let text = "";
  const decoder = new TextDecoder();
  while (text.length < 300) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 300);
}
