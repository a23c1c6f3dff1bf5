import { messageOf } from "../errors.ts";
import type { Delivery } from "../model.ts";
import { redact } from "../redact.ts";

/** An answer is read up to here; nothing in it is needed beyond. */
const MOST_BYTES = 64 * 1024;
/** What a receiver asks us to wait at most. */
const MOST_WAIT = 3_600_000;

/** The last answer's status and what it says about trying again, in milliseconds. */
export interface Seen {
  status?: number;
  retryAfter?: number;
}

/**
 * `fetch` for receivers: within `signal`, redirects are not followed (they would lead where the configuration does not), and no more of an answer is
 * read than is of use.
 */
export function boundedFetch(signal: AbortSignal, seen: Seen = {}): typeof fetch {
  return async (input, init) => {
    const signals = init?.signal ? [signal, init.signal] : [signal];
    const response = await fetch(input, { ...init, redirect: "manual", signal: AbortSignal.any(signals) });
    seen.status = response.status;
    const wait = retryAfterOf(response.headers.get("retry-after"));
    if (wait !== undefined) seen.retryAfter = wait;
    const body = await readSome(response);
    // A redirect that is not followed is no answer, whatever the libraries make of it.
    if (response.status >= 300 && response.status < 400)
      throw new Error(`it answers with a redirect (${response.status}), which is not followed`);
    const empty = [101, 204, 205].includes(response.status);
    const { status, statusText, headers } = response;
    return new Response(empty ? null : body, { status, statusText, headers: withoutEncoding(headers) });
  };
}

/** The body was decoded already. */
function withoutEncoding(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of ["content-encoding", "content-length"]) kept.delete(name);
  return kept;
}

async function readSome(response: Response): Promise<string> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    text += decoder.decode(value, { stream: true });
    if (size < MOST_BYTES) continue;
    await reader.cancel().catch(() => undefined);
    return text;
  }
}

/** Milliseconds of `Retry-After` (seconds or a date, RFC 9110); undefined when it says nothing of use. */
function retryAfterOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, MOST_WAIT) : undefined;
}

/** A fault as a failed delivery. Neither the address, which may be a secret, nor a token is in the reason. */
export function failedDelivery(error: unknown, seen: Seen, signal: AbortSignal): Delivery & { outcome: "failed" } {
  const retryAfter = seen.retryAfter === undefined ? {} : { retryAfter: seen.retryAfter };
  return { outcome: "failed", reason: reasonOf(error, signal), ...retryAfter };
}

export function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "no answer in time";
  const chain: string[] = [];
  for (
    let at: unknown = error;
    at instanceof Error && chain.length < 4;
    at = (at as { original?: unknown }).original ?? at.cause
  ) {
    const code = (at as NodeJS.ErrnoException).code;
    const said = at instanceof AggregateError && at.message === "" ? String(code ?? "unreachable") : messageOf(at);
    if (said !== "" && !chain.some((other) => other.includes(said))) chain.push(said);
  }
  const text = (chain.length === 0 ? messageOf(error) : chain.join(": ")).replaceAll(
    /https?:\/\/[^\s"')]+/gi,
    "(address)",
  );
  return redact(text).slice(0, 300);
}

/** Why an address may not be used; undefined: it may. `http` is for this machine, or where it is allowed. */
export function addressProblem(address: string, allowHttp: boolean): string | undefined {
  if (!URL.canParse(address)) return "is no URL";
  const { protocol, hostname, username, password } = new URL(address);
  if (protocol !== "http:" && protocol !== "https:") return "is no http or https URL";
  if (username !== "" || password !== "") return "holds a user and password, which are not sent";
  const loopback = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  return protocol === "https:" || loopback || allowHttp
    ? undefined
    : "is plain http; use https, or set notify.allowHttp";
}

/** Does anything answer HTTP where an address leads? Asks its origin only, without the path that may be a secret. */
export async function reach(address: string, signal: AbortSignal): Promise<string | null> {
  const seen: Seen = {};
  try {
    await boundedFetch(signal, seen)(new URL(address).origin, { method: "HEAD" });
    return null;
  } catch (error) {
    return seen.status === undefined ? reasonOf(error, signal) : null;
  }
}
