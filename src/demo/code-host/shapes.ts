import type { Repository, Talk, Token } from "./state.ts";

/** Objects as GitHub's REST API has them, with everything that its OpenAPI description requires. */

export const idOf = (text: string): number =>
  [...text].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_000_007, 7);
export const nodeId = (text: string): string => Buffer.from(text).toString("base64");
const urls = (base: string, names: string): Record<string, string> =>
  Object.fromEntries(names.split(" ").map((name) => [`${name}_url`, `${base}/${name}`]));

export function userShape(login: string, url: string) {
  const api = `${url}/users/${encodeURIComponent(login)}`;
  return {
    ...urls(api, "avatar events followers following gists organizations received_events repos starred subscriptions"),
    login,
    id: idOf(login),
    node_id: nodeId(`User:${login}`),
    gravatar_id: "",
    type: login.endsWith("[bot]") ? "Bot" : "User",
    url: api,
    html_url: `${url}/${encodeURIComponent(login)}`,
    site_admin: false,
  };
}

/** A team of an organisation, which is known by its slug. */
export function teamShape(organisation: string, slug: string, url: string) {
  const api = `${url}/organizations/${idOf(organisation)}/team/${idOf(slug)}`;
  return {
    id: idOf(slug),
    node_id: nodeId(`Team:${slug}`),
    name: slug,
    slug,
    description: null,
    privacy: "closed",
    notification_setting: "notifications_enabled",
    permission: "push",
    url: api,
    html_url: `${url}/orgs/${organisation}/teams/${slug}`,
    members_url: `${api}/members{/member}`,
    repositories_url: `${api}/repos`,
    type: "organization",
    parent: null,
  };
}

/** The user that a token belongs to, as `GET /user` has it. */
export function ownShape(login: string, url: string) {
  return {
    ...userShape(login, url),
    name: login,
    company: null,
    blog: null,
    location: null,
    email: null,
    hireable: null,
    bio: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: EPOCH,
    updated_at: EPOCH,
  };
}

const EPOCH = "2024-01-01T00:00:00Z";

export function repositoryShape(repository: Repository, url: string, token: Token | null) {
  const [owner = "", name = ""] = repository.fullName.split("/");
  const rank = token === null ? 0 : { read: 1, write: 2, admin: 3 }[token.permission];
  const api = `${url}/repos/${repository.fullName}`;
  const open = [...repository.pulls, ...repository.issues].filter((talk) => talk.state === "open").length;
  const zero = "forks forks_count stargazers_count watchers watchers_count network_count subscribers_count size";
  return {
    ...urls(
      api,
      "archive assignees blobs branches collaborators comments commits compare contents contributors deployments downloads events forks git_commits git_refs git_tags hooks issue_comment issue_events issues keys labels languages merges milestones notifications pulls releases stargazers statuses subscribers subscription tags teams trees",
    ),
    ...Object.fromEntries(zero.split(" ").map((key) => [key, 0])),
    id: idOf(repository.fullName),
    node_id: nodeId(`Repository:${repository.fullName}`),
    name,
    full_name: repository.fullName,
    owner: userShape(owner, url),
    private: !repository.public,
    visibility: repository.public ? "public" : "private",
    html_url: `${url}/${repository.fullName}`,
    clone_url: `${url}/${repository.fullName}.git`,
    git_url: `git:${url.replace(/^\w+:/, "")}/${repository.fullName}.git`,
    ssh_url: `git@${new URL(url).hostname}:${repository.fullName}.git`,
    svn_url: `${url}/${repository.fullName}`,
    mirror_url: null,
    url: api,
    description: null,
    homepage: null,
    language: null,
    license: null,
    default_branch: repository.branch,
    archived: repository.archived,
    disabled: false,
    fork: false,
    has_issues: !repository.noIssues,
    has_projects: false,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    has_downloads: true,
    open_issues: open,
    open_issues_count: open,
    pushed_at: EPOCH,
    created_at: EPOCH,
    updated_at: EPOCH,
    permissions: { pull: rank >= 1, push: rank >= 2, admin: rank >= 3, triage: rank >= 1, maintain: rank >= 3 },
  };
}

export function labelShape(repository: Repository, name: string, url: string) {
  return {
    id: idOf(name),
    node_id: nodeId(`Label:${name}`),
    url: `${url}/repos/${repository.fullName}/labels/${encodeURIComponent(name)}`,
    name,
    color: "ededed",
    default: false,
    description: "",
  };
}

export function commentShape(repository: Repository, talk: Talk, comment: Talk["comments"][number], url: string) {
  const part = "head" in talk ? "pull" : "issues";
  const api = `${url}/repos/${repository.fullName}/issues`;
  return {
    id: comment.id,
    node_id: nodeId(`IssueComment:${comment.id}`),
    url: `${api}/comments/${comment.id}`,
    issue_url: `${api}/${talk.number}`,
    html_url: `${url}/${repository.fullName}/${part}/${talk.number}#issuecomment-${comment.id}`,
    body: comment.body,
    user: userShape(comment.user, url),
    author_association: "CONTRIBUTOR",
    created_at: comment.at,
    updated_at: comment.edited ?? comment.at,
  };
}

export interface CommitRow {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: { readonly name: string; readonly email: string; readonly date: string };
  readonly committer: { readonly name: string; readonly email: string; readonly date: string };
  readonly message: string;
}

export function commitShape(
  repository: Repository,
  row: CommitRow,
  url: string,
  accounts: ReadonlyMap<string, string> = new Map(),
) {
  const account = (email: string) => {
    const login = accounts.get(email);
    return login === undefined ? null : userShape(login, url);
  };
  const api = `${url}/repos/${repository.fullName}`;
  const web = `${url}/${repository.fullName}/commit`;
  return {
    sha: row.sha,
    node_id: nodeId(`Commit:${row.sha}`),
    url: `${api}/commits/${row.sha}`,
    html_url: `${web}/${row.sha}`,
    comments_url: `${api}/commits/${row.sha}/comments`,
    commit: {
      url: `${api}/git/commits/${row.sha}`,
      message: row.message,
      author: row.author,
      committer: row.committer,
      tree: { sha: row.tree, url: `${api}/git/trees/${row.tree}` },
      comment_count: 0,
    },
    // An address that belongs to no account has none.
    author: account(row.author.email),
    committer: account(row.committer.email),
    parents: row.parents.map((sha) => ({ sha, url: `${api}/commits/${sha}`, html_url: `${web}/${sha}` })),
  };
}
