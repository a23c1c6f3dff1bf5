import type { Pull, Repository, Token } from "./state.ts";

/** Objects as GitHub's REST API has them, with the fields that clients read. */
export function userShape(login: string, url: string) {
  return {
    login,
    id: [...login].reduce((sum, letter) => sum * 31 + (letter.codePointAt(0) ?? 0), 7) % 1_000_000,
    type: login.endsWith("[bot]") ? "Bot" : "User",
    url: `${url}/users/${login}`,
    html_url: `${url}/${login}`,
    site_admin: false,
  };
}

export function repositoryShape(repository: Repository, url: string, token: Token | null) {
  const [owner = "", name = ""] = repository.fullName.split("/");
  const rank = token === null ? 0 : { read: 1, write: 2, admin: 3 }[token.permission];
  return {
    id: 1,
    name,
    full_name: repository.fullName,
    owner: userShape(owner, url),
    private: true,
    html_url: `${url}/${repository.fullName}`,
    clone_url: `${url}/${repository.fullName}.git`,
    url: `${url}/repos/${repository.fullName}`,
    default_branch: repository.branch,
    archived: repository.archived,
    disabled: false,
    fork: false,
    permissions: { pull: rank >= 1, push: rank >= 2, admin: rank >= 3, triage: rank >= 1, maintain: rank >= 3 },
  };
}

export function pullShape(repository: Repository, pull: Pull, url: string, baseSha: string) {
  const address = `${url}/repos/${repository.fullName}`;
  const end = (ref: string, sha: string) => ({
    ref,
    sha,
    label: `${repository.fullName.split("/")[0]}:${ref}`,
    repo: { full_name: repository.fullName, id: 1, name: repository.fullName.split("/")[1] },
    user: userShape(repository.fullName.split("/")[0] ?? "", url),
  });
  return {
    id: 1000 + pull.number,
    number: pull.number,
    url: `${address}/pulls/${pull.number}`,
    html_url: `${url}/${repository.fullName}/pull/${pull.number}`,
    state: pull.state,
    locked: false,
    draft: pull.draft,
    title: pull.title,
    body: pull.body,
    user: userShape(pull.user, url),
    labels: pull.labels.map((name, index) => ({
      id: index + 1,
      name,
      color: "ededed",
      default: false,
      description: null,
    })),
    requested_reviewers: pull.reviewers.map((login) => userShape(login, url)),
    head: end(pull.head, pull.headSha),
    base: end(pull.base, baseSha),
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    merged_at: pull.mergedAt,
    merged: pull.mergedAt !== null,
    mergeable: pull.state === "open" ? true : null,
    merge_commit_sha: pull.mergeCommit,
    comments: pull.comments.length,
  };
}

export function commentShape(repository: Repository, comment: Pull["comments"][number], url: string) {
  return {
    id: comment.id,
    body: comment.body,
    user: userShape(comment.user, url),
    created_at: comment.at,
    updated_at: comment.at,
    html_url: `${url}/${repository.fullName}/issues#issuecomment-${comment.id}`,
  };
}
