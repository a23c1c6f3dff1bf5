import { labelShape, nodeId, repositoryShape, teamShape, userShape } from "./shapes.ts";
import type { Pull, Repository } from "./state.ts";

/** A pull request as a list has it: without `merged` and without counts. */
export function pullRow(repository: Repository, pull: Pull, url: string, baseSha: string) {
  const api = `${url}/repos/${repository.fullName}`;
  const [owner = ""] = repository.fullName.split("/");
  const self = `${api}/pulls/${pull.number}`;
  const issue = `${api}/issues/${pull.number}`;
  const html = `${url}/${repository.fullName}/pull/${pull.number}`;
  const statuses = `${api}/statuses/${pull.headSha}`;
  const end = (ref: string, sha: string) => ({
    ref,
    sha,
    label: `${owner}:${ref}`,
    repo: repositoryShape(repository, url, null),
    user: userShape(owner, url),
  });
  const links = {
    comments: `${issue}/comments`,
    commits: `${self}/commits`,
    statuses,
    html,
    issue,
    review_comments: `${self}/comments`,
    review_comment: `${api}/pulls/comments{/number}`,
    self,
  };
  return {
    id: 1000 + pull.number,
    node_id: nodeId(`PullRequest:${repository.fullName}:${pull.number}`),
    number: pull.number,
    url: self,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: issue,
    comments_url: links.comments,
    commits_url: links.commits,
    statuses_url: statuses,
    review_comments_url: links.review_comments,
    review_comment_url: links.review_comment,
    _links: Object.fromEntries(Object.entries(links).map(([key, href]) => [key, { href }])),
    state: pull.state,
    locked: false,
    active_lock_reason: null,
    draft: pull.draft,
    title: pull.title,
    body: pull.body,
    user: userShape(pull.user, url),
    assignee: null,
    assignees: [],
    milestone: null,
    author_association: "CONTRIBUTOR",
    auto_merge: null,
    labels: pull.labels.map((name) => labelShape(repository, name, url)),
    requested_reviewers: pull.reviewers.map((login) => userShape(login, url)),
    requested_teams: pull.teams.map((slug) => teamShape(owner, slug, url)),
    head: end(pull.head, pull.headSha),
    base: end(pull.base, baseSha),
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommit,
  };
}

/** A pull request alone. */
export function pullShape(repository: Repository, pull: Pull, url: string, baseSha: string) {
  const merged = pull.mergedAt !== null;
  return {
    ...pullRow(repository, pull, url, baseSha),
    merged,
    mergeable: pull.state === "open" ? true : null,
    mergeable_state: pull.state === "open" ? "clean" : "unknown",
    rebaseable: null,
    merged_by: merged && pull.closedBy !== null ? userShape(pull.closedBy, url) : null,
    comments: pull.comments.length,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: 1,
    additions: 1,
    deletions: 1,
    changed_files: 1,
  };
}
