import type { Repository, Token } from "./state.ts";

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Record<string, unknown>;
  readonly token: Token | null;
  readonly authorization: string;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  /** A list: the server pages it. */
  readonly items?: readonly unknown[];
  /** Under which key a page of it stands, beside `total_count`; absent: the answer is the list. */
  readonly key?: string;
}

export interface Host {
  readonly url: () => string;
  readonly repositories: Map<string, Repository>;
  readonly tokens: Map<string, Token>;
  /** Login of the account that an address of a commit belongs to. */
  readonly accounts: Map<string, string>;
  readonly now: () => string;
}

/** An error as GitHub words it. */
export const refuse = (status: number, message: string, errors?: readonly unknown[]): Answer => ({
  status,
  body: {
    message,
    ...(errors === undefined ? {} : { errors }),
    documentation_url: "https://docs.github.com/rest",
    status: String(status),
  },
});
export const invalid = (resource: string, message: string): Answer =>
  refuse(422, "Validation Failed", [{ resource, code: "custom", message }]);
export const NOT_FOUND = refuse(404, "Not Found");
export const FORBIDDEN = refuse(403, "Resource not accessible by personal access token");
export const MOST_BODY = 65_536;
