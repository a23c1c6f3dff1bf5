import type { PullRequest } from "../ports.ts";

/** A pull request as GitHub sends it, in a list or alone. */
export interface PullData {
  readonly number: number;
  readonly html_url: string;
  readonly state: string;
  readonly draft?: boolean | undefined;
  readonly title: string;
  readonly body?: string | null;
  readonly merged?: boolean;
  readonly merged_at?: string | null;
  readonly merge_commit_sha?: string | null;
  readonly labels: readonly ({ readonly name?: string | undefined } | string)[];
  readonly user?: { readonly login: string } | null;
  readonly head: { readonly ref: string; readonly sha: string; readonly repo: { readonly id: number } | null };
  readonly base: { readonly ref: string; readonly repo: { readonly id: number } };
}

/** From a branch of the repository itself: a stranger's fork may name its branches as it likes. */
export function isOwn(data: Pick<PullData, "head" | "base">): boolean {
  return data.head.repo?.id === data.base.repo.id;
}

export function pullOf(repository: string, data: PullData): PullRequest {
  // A list has no `merged`.
  const merged = data.merged === true || (data.merged_at !== null && data.merged_at !== undefined);
  return {
    repository,
    number: data.number,
    url: data.html_url,
    branch: data.head.ref,
    base: data.base.ref,
    head: data.head.sha,
    draft: data.draft === true,
    state: data.state === "open" ? "open" : "closed",
    merged,
    ...(merged && data.merged_at ? { mergedAt: data.merged_at } : {}),
    ...(merged && data.merge_commit_sha ? { mergeCommit: data.merge_commit_sha } : {}),
    title: data.title,
    body: data.body ?? "",
    labels: data.labels.map((label) => (typeof label === "string" ? label : (label.name ?? ""))),
    ...(data.user ? { author: data.user.login } : {}),
  };
}
