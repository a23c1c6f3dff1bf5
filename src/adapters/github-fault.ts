import { messageOf, StanchError } from "../errors.ts";

/** The HTTP status of a failed request; 0 when there was no answer. */
export function statusOf(error: unknown): number {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === "number" ? status : 0;
}

/** GitHub's own sentence, and what a person can do about it. The token is never in it. */
export function translate(error: unknown, what: string, repository: string, secret: string): StanchError {
  if (error instanceof StanchError) return error;
  const status = statusOf(error);
  const answer = (
    error as {
      response?: {
        headers?: Record<string, string | undefined>;
        data?: { message?: string; errors?: { message?: string }[] };
      };
    }
  ).response;
  const said = [
    answer?.data?.message,
    ...(Array.isArray(answer?.data?.errors) ? answer.data.errors.map((row) => row.message) : []),
  ]
    .filter((text) => text !== undefined && text !== "")
    .join(": ");
  const text = (said === "" ? messageOf(error) : said)
    .replaceAll(secret === "" ? "\0" : secret, "‹token›")
    .slice(0, 500);
  const reset = Number(answer?.headers?.["x-ratelimit-reset"]);
  const limited =
    status === 429 ||
    (status === 403 && (/rate limit/i.test(text) || answer?.headers?.["x-ratelimit-remaining"] === "0"));
  const hints: Record<number, string> = {
    401: "the token is wrong or has expired: renew GITHUB_TOKEN",
    403: "the token needs contents: write, pull requests: write and issues: write on this repository; with single sign-on it must be authorised for the organisation",
    404: "the repository does not exist, or the token does not see it",
    422: "GitHub did not accept the request as it is; see its message",
  };
  const hint = limited
    ? `GitHub's rate limit is used up${Number.isFinite(reset) ? ` until ${new Date(reset * 1000).toISOString()}` : ""}; the next run goes on`
    : (hints[status] ??
      (status >= 500
        ? "GitHub has a fault of its own; the next run tries again"
        : status === 0
          ? "GitHub cannot be reached: check the network, proxy and github.apiUrl"
          : undefined));
  return new StanchError("code-host", `cannot ${what} in ${repository}: ${text}${status === 0 ? "" : ` (${status})`}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}
