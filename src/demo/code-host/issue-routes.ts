import { type Answer, type Host, invalid, MOST_BODY, NOT_FOUND, type Question, refuse } from "./answer.ts";
import { commentShape, labelShape, nodeId, userShape } from "./shapes.ts";
import type { Issue, Pull, Repository, Talk } from "./state.ts";

const GONE = refuse(410, "Issues are disabled for this repo");
const REASONS: readonly unknown[] = ["completed", "not_planned", "duplicate", "reopened"];

/** Answers `/issues` of a repository: its issues and, as on GitHub, its pull requests. */
export function onIssues(question: Question, repository: Repository, host: Host): Answer {
  const { method, query } = question;
  if (method === "GET") return repository.noIssues ? NOT_FOUND : list(query, repository, host.url());
  if (method !== "POST") return NOT_FOUND;
  return repository.noIssues ? GONE : create(question, repository, host);
}

/** Answers what is asked of one issue: `issues`, `issues/comments`, `issues/labels`. */
export function onIssue(question: Question, repository: Repository, issue: Issue, host: Host, part: string): Answer {
  if (repository.noIssues) return GONE;
  const { method, body, token } = question;
  const login = token?.login ?? "";
  switch (`${method} ${part}`) {
    case "GET issues":
      return { status: 200, body: issueShape(repository, issue, host.url()) };
    case "PATCH issues": {
      const fault = faultOf(body);
      if (fault !== null) return fault;
      if (typeof body["title"] === "string") issue.title = body["title"];
      if (typeof body["body"] === "string") rewrite(issue, login, body["body"], host.now());
      if (body["state"] === "closed" && issue.state === "open") {
        close(issue, login, host.now());
        issue.reason = "completed";
      }
      if (body["state"] === "open" && issue.state === "closed")
        Object.assign(issue, { state: "open", closedAt: null, closedBy: null, reason: "reopened" });
      if (REASONS.includes(body["state_reason"])) issue.reason = body["state_reason"] as Issue["reason"];
      issue.updatedAt = host.now();
      return { status: 200, body: issueShape(repository, issue, host.url()) };
    }
    default:
      return onTalk(question, repository, issue, host, part);
  }
}

/** Comments and labels, which issues and pull requests have alike. */
export function onTalk(question: Question, repository: Repository, talk: Talk, host: Host, part: string): Answer {
  const { method, body, token } = question;
  const url = host.url();
  switch (`${method} ${part}`) {
    case "GET issues/comments": {
      const since = Date.parse(question.query.get("since") ?? "") || 0;
      const rows = talk.comments.filter((comment) => Date.parse(comment.edited ?? comment.at) >= since);
      return { status: 200, items: rows.map((comment) => commentShape(repository, talk, comment, url)) };
    }
    case "POST issues/comments": {
      const text = typeof body["body"] === "string" ? body["body"] : "";
      const fault = commentFault(text);
      if (fault !== null) return fault;
      const comment = addComment(talk, token?.login ?? "", text, host.now());
      return { status: 201, body: commentShape(repository, talk, comment, url) };
    }
    case "POST issues/labels":
      talk.labels = [...new Set([...talk.labels, ...namesIn(body, "labels")])];
      return { status: 200, items: talk.labels.map((name) => labelShape(repository, name, url)) };
    default:
      return NOT_FOUND;
  }
}

/** Takes a label off an issue or pull request. Answers those that are left. */
export function takeLabel(repository: Repository, number: number, label: string, url: string): Answer {
  const talk = [...repository.issues, ...repository.pulls].find((one) => one.number === number);
  if (talk === undefined) return NOT_FOUND;
  if (!talk.labels.includes(label)) return refuse(404, "Label does not exist");
  talk.labels = talk.labels.filter((name) => name !== label);
  return { status: 200, items: talk.labels.map((name) => labelShape(repository, name, url)) };
}

/** Answers what is asked of one comment by its id: only its author and those who may write change or delete it. */
export function onComment(question: Question, repository: Repository, id: number, host: Host): Answer {
  const { method, body } = question;
  for (const talk of [...repository.issues, ...repository.pulls]) {
    const index = talk.comments.findIndex((comment) => comment.id === id);
    const comment = talk.comments[index];
    if (comment === undefined) continue;
    if (method === "DELETE") {
      talk.comments.splice(index, 1);
      return { status: 204 };
    }
    if (method === "PATCH") {
      const text = typeof body["body"] === "string" ? body["body"] : "";
      const fault = commentFault(text);
      if (fault !== null) return fault;
      comment.body = text;
      comment.edited = host.now();
    } else if (method !== "GET") return NOT_FOUND;
    return { status: 200, body: commentShape(repository, talk, comment, host.url()) };
  }
  return NOT_FOUND;
}

export function addComment(talk: Talk, user: string, body: string, at: string): Talk["comments"][number] {
  const id = Math.max(talk.number * 1000, ...talk.comments.map((known) => known.id)) + 1;
  const comment = { id, user, body, at };
  talk.comments.push(comment);
  talk.updatedAt = at;
  return comment;
}

function commentFault(text: string): Answer | null {
  if (text === "")
    return refuse(422, "Validation Failed", [{ resource: "IssueComment", field: "body", code: "missing_field" }]);
  return [...text].length > MOST_BODY
    ? invalid("IssueComment", `body is too long (maximum is ${MOST_BODY} characters)`)
    : null;
}

/** Changes its text, as somebody. The same text is no edit. */
export function rewrite(issue: Issue, login: string, body: string, now: string): void {
  if (issue.body === body) return;
  issue.body = body;
  issue.edited = { by: login, at: now };
}

/** Closes it, as somebody. */
export function close(talk: Talk, login: string, now: string): void {
  talk.state = "closed";
  talk.closedAt = now;
  talk.closedBy = login;
}

/** The texts of a list in a request's body. */
export function namesIn(body: Record<string, unknown>, key: string): string[] {
  return Array.isArray(body[key]) ? body[key].filter((name): name is string => typeof name === "string") : [];
}

function list(query: URLSearchParams, repository: Repository, url: string): Answer {
  const state = query.get("state") ?? "open";
  const creator = query.get("creator")?.toLowerCase();
  const labels = query.get("labels")?.split(",") ?? [];
  const rows = [...repository.issues, ...repository.pulls]
    .filter((talk) => state === "all" || talk.state === state)
    .filter((talk) => creator === undefined || talk.user.toLowerCase() === creator)
    .filter((talk) => labels.every((label) => talk.labels.includes(label)))
    .toSorted((a, b) => b.number - a.number);
  return { status: 200, items: rows.map((talk) => issueShape(repository, talk, url)) };
}

function create({ body, token }: Question, repository: Repository, host: Host): Answer {
  const { title } = body;
  if (typeof title !== "string" || title === "")
    return refuse(422, "Validation Failed", [{ resource: "Issue", field: "title", code: "missing_field" }]);
  const fault = faultOf(body);
  if (fault !== null) return fault;
  const now = host.now();
  const issue: Issue = {
    number: nextNumber(repository),
    title,
    body: typeof body["body"] === "string" ? body["body"] : "",
    state: "open",
    reason: null,
    user: token?.login ?? "",
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    closedBy: null,
    labels: namesIn(body, "labels"),
    comments: [],
  };
  repository.issues.push(issue);
  return { status: 201, body: issueShape(repository, issue, host.url()) };
}

function faultOf(body: Record<string, unknown>): Answer | null {
  const { title, body: text } = body;
  if (typeof title === "string" && [...title].length > 256)
    return invalid("Issue", "title is too long (maximum is 256 characters)");
  return typeof text === "string" && [...text].length > MOST_BODY
    ? invalid("Issue", `body is too long (maximum is ${MOST_BODY} characters)`)
    : null;
}

/** Issues and pull requests are counted together. */
export function nextNumber(repository: Repository): number {
  return repository.pulls.length + repository.issues.length + 1;
}

/** An issue, and the issue that every pull request is. */
export function issueShape(repository: Repository, talk: Issue | Pull, url: string) {
  const api = `${url}/repos/${repository.fullName}`;
  const issue = `${api}/issues/${talk.number}`;
  const pull = "head" in talk ? talk : null;
  const html = `${url}/${repository.fullName}/${pull === null ? "issues" : "pull"}/${talk.number}`;
  return {
    id: 1000 + talk.number,
    node_id: nodeId(`Issue:${talk.number}`),
    number: talk.number,
    url: issue,
    repository_url: api,
    labels_url: `${issue}/labels{/name}`,
    comments_url: `${issue}/comments`,
    events_url: `${issue}/events`,
    html_url: html,
    title: talk.title,
    body: talk.body,
    state: talk.state,
    state_reason: "reason" in talk ? talk.reason : null,
    locked: false,
    user: userShape(talk.user, url),
    assignee: null,
    assignees: [],
    milestone: null,
    author_association: "CONTRIBUTOR",
    closed_by: talk.closedBy === null ? null : userShape(talk.closedBy, url),
    labels: talk.labels.map((name) => labelShape(repository, name, url)),
    comments: talk.comments.length,
    ...(pull === null
      ? {}
      : {
          pull_request: {
            url: `${api}/pulls/${talk.number}`,
            html_url: html,
            diff_url: `${html}.diff`,
            patch_url: `${html}.patch`,
            merged_at: pull.mergedAt,
          },
        }),
    created_at: talk.createdAt,
    updated_at: talk.updatedAt,
    closed_at: talk.closedAt,
  };
}
