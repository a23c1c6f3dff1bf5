import { messageOf, StanchError } from "../errors.ts";
import { redact } from "../redact.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number | undefined>>;
  readonly data?: {
    readonly message?: string;
    readonly errors?: readonly { readonly message?: string; readonly field?: string; readonly code?: string }[];
  };
}

/** A fault of GraphQL comes with an answer of another form, and with status 200. */
const answerOf = (error: unknown): Answer | undefined => {
  const answer = (error as { response?: Answer } | null)?.response;
  return typeof answer?.status === "number" ? answer : undefined;
};

/** The HTTP status of a failed request; 0 when there was no answer (Octokit calls that 500). */
export function statusOf(error: unknown): number {
  const status = answerOf(error)?.status;
  return typeof status === "number" ? status : 0;
}

/** Seconds to wait after a 429 that says nothing but that, as proxies and Enterprise servers send it; null for anything else. */
export function plainLimit(error: unknown): number | null {
  const answer = answerOf(error);
  // What speaks of a secondary limit or carries GitHub's counters was waited for by Octokit already.
  if (answer?.status !== 429 || /secondary rate/i.test(messageOf(error))) return null;
  if (String(answer.headers["x-ratelimit-remaining"] ?? "") === "0") return null;
  const seconds = Number(answer.headers["retry-after"] ?? 10);
  return Number.isFinite(seconds) ? Math.max(1, seconds) : 10;
}

const HINTS: Readonly<Record<number, string>> = {
  401: "the token is wrong or has expired: renew GITHUB_TOKEN",
  403: "the token needs contents: write, pull requests: write and issues: write on this repository; with single sign-on it must be authorised for the organisation",
  404: "the repository does not exist, or the token does not see it",
  409: "the repository is empty, or somebody changed the same thing at the same moment; the next run looks again",
  410: "GitHub has switched this off for the repository: look at its settings",
  422: "GitHub did not accept the request as it is; see its message",
  451: "GitHub has taken the repository offline: take it out of `sources`",
};

/**
 * GitHub's own sentence, and what a person can do about it. No credential is ever in it; the client's error, which holds the
 * whole request and answer, is left behind.
 */
export function translate(
  error: unknown,
  at: { readonly what: string; readonly repository: string; readonly secret: string; readonly app: boolean },
): StanchError {
  if (error instanceof StanchError) return error;
  const status = statusOf(error);
  const answer = answerOf(error);
  const rows = Array.isArray(answer?.data?.errors) ? answer.data.errors : [];
  const said = [
    answer?.data?.message,
    ...rows.map((row) => row.message ?? [row.field, row.code].filter((word) => word !== undefined).join(" ")),
  ]
    .filter((text) => typeof text === "string" && text !== "")
    .join(": ");
  const text = redact(
    (said === "" ? messageOf(error) : said).replaceAll(at.secret === "" ? "\0" : at.secret, "‹token›"),
  ).slice(0, 500);
  const graph = (error as { name?: string } | null)?.name === "GraphqlResponseError";
  const hint = graph ? HINTS[403] : hintFor(text, status, answer, at.app);
  return new StanchError(
    "code-host",
    `cannot ${at.what} in ${at.repository}: ${text}${status === 0 ? "" : ` (${status})`}`,
    hint === undefined ? {} : { hint },
  );
}

function hintFor(text: string, status: number, answer: Answer | undefined, app: boolean): string | undefined {
  const reset = Number(answer?.headers["x-ratelimit-reset"]);
  const usedUp = String(answer?.headers["x-ratelimit-remaining"] ?? "") === "0";
  if (status === 429 || (status === 403 && (/rate limit/i.test(text) || usedUp)))
    return `GitHub's rate limit is used up${usedUp && Number.isFinite(reset) ? ` until ${new Date(reset * 1000).toISOString()}` : ""}; the next run goes on`;
  if (status === 0 && /certificate/i.test(text))
    return "its certificate is not trusted here: set NODE_EXTRA_CA_CERTS to a file with its authority";
  if (status === 0) return "GitHub cannot be reached: check the network, proxy and github.apiUrl";
  if (status >= 500) return "GitHub has a fault of its own; the next run tries again";
  if (/archived/i.test(text)) return "the repository is archived: unarchive it, or take it out of `sources`";
  if (status === 422 && /protected|rule/i.test(text))
    return "a branch protection or ruleset forbids it: let Stanch push branches under its prefix";
  if (app && status === 401)
    return "GitHub does not accept the App's key: check github.appId and STANCH_GITHUB_APP_KEY";
  if (app && status === 403)
    return "the App's installation needs contents: write, pull requests: write and issues: write on this repository";
  if (app && status === 404) return "the repository does not exist, or the App is not installed on it";
  return HINTS[status];
}
