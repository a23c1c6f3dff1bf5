import { generateKeyPairSync, randomBytes } from "node:crypto";
import { git } from "./git-server.ts";
import { commentShape, pullShape, repositoryShape, userShape } from "./shapes.ts";
import type { Pull, Repository, Token } from "./state.ts";

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
}

export interface Host {
  readonly url: () => string;
  readonly repositories: Map<string, Repository>;
  readonly tokens: Map<string, Token>;
  readonly now: () => string;
}

export const refuse = (status: number, message: string, errors?: readonly unknown[]): Answer => ({ status, body: { message, ...(errors === undefined ? {} : { errors }), documentation_url: "https://docs.github.com/rest", status: String(status) } });
const invalid = (resource: string, message: string): Answer => refuse(422, "Validation Failed", [{ resource, code: "custom", message }]);
const NOT_FOUND = refuse(404, "Not Found");
const FORBIDDEN = refuse(403, "Resource not accessible by personal access token");
const MOST_BODY = 65_536;

/** Answers a REST call. */
export async function answer(question: Question, host: Host): Promise<Answer> {
  const { method, path, token } = question;
  if (path === "/user") return token === null ? refuse(401, "Requires authentication") : { status: 200, body: userShape(token.login, host.url()) };
  const installation = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(path);
  if (installation !== null && method === "POST") return installationToken(question, host);
  const match = /^\/repos\/([\w.-]+\/[\w.-]+)(\/.*)?$/.exec(path);
  const repository = match?.[1] === undefined ? undefined : host.repositories.get(match[1].toLowerCase());
  const rest = match?.[2] ?? "";
  if (repository !== undefined && rest === "/installation") return isJwt(question.authorization) ? { status: 200, body: { id: 4242, app_id: 7, app_slug: "stanch" } } : refuse(401, "A JSON web token could not be decoded");
  // Private repositories do not exist for those who may not see them.
  if (repository === undefined || token === null) return NOT_FOUND;
  if (method !== "GET" && token.permission === "read") return FORBIDDEN;
  if (method !== "GET" && repository.archived) return refuse(403, "Repository was archived so is read-only.");
  return inRepository(question, rest, repository, host);
}

async function inRepository(question: Question, rest: string, repository: Repository, host: Host): Promise<Answer> {
  const { method, query, body, token } = question;
  const url = host.url();
  const shape = async (pull: Pull) => {
    await follow(pull, repository);
    return pullShape(repository, pull, url, (await headOf(repository, pull.base)) ?? "");
  };
  if (rest === "" && method === "GET") return { status: 200, body: repositoryShape(repository, url, token) };
  const ref = /^\/git\/(ref|refs)\/heads\/(.+)$/.exec(rest);
  if (ref?.[2] !== undefined) return onRef(method, decodeURIComponent(ref[2]), repository, url);
  if (rest === "/pulls" && method === "GET") {
    const state = query.get("state") ?? "open";
    const head = query.get("head")?.split(":").at(-1);
    const rows = repository.pulls.filter((pull) => (state === "all" || pull.state === state) && (head === undefined || pull.head === head)).toReversed();
    return { status: 200, items: await Promise.all(rows.map(shape)) };
  }
  if (rest === "/pulls" && method === "POST") return createPull(body, repository, host, token?.login ?? "", shape);
  const one = /^\/(pulls|issues)\/(\d+)(\/[\w/]+)?$/.exec(rest);
  const pull = one === null ? undefined : repository.pulls.find((candidate) => candidate.number === Number(one[2]));
  if (one === null || pull === undefined) return NOT_FOUND;
  return onPull({ question, repository, pull, host, shape, part: `${one[1]}${one[3] ?? ""}` });
}

async function onRef(method: string, branch: string, repository: Repository, url: string): Promise<Answer> {
  const head = await headOf(repository, branch);
  if (head === null) return method === "DELETE" ? refuse(422, "Reference does not exist") : NOT_FOUND;
  if (method === "GET") return { status: 200, body: { ref: `refs/heads/${branch}`, node_id: "", url: `${url}/repos/${repository.fullName}/git/refs/heads/${branch}`, object: { type: "commit", sha: head, url: "" } } };
  if (method !== "DELETE") return NOT_FOUND;
  for (const pull of repository.pulls) if (pull.head === branch) await follow(pull, repository);
  await git(repository.folder, ["update-ref", "-d", `refs/heads/${branch}`]);
  return { status: 204 };
}

async function createPull(body: Record<string, unknown>, repository: Repository, host: Host, login: string, shape: (pull: Pull) => Promise<unknown>): Promise<Answer> {
  const [title, text, head, base] = ["title", "body", "head", "base"].map((key) => (typeof body[key] === "string" ? body[key] : ""));
  if (title === "" || title === undefined) return refuse(422, "Validation Failed", [{ resource: "PullRequest", field: "title", code: "missing_field" }]);
  if ([...(text ?? "")].length > MOST_BODY) return refuse(422, "Validation Failed", [{ resource: "PullRequest", code: "custom", field: "body", message: `body is too long (maximum is ${MOST_BODY} characters)` }]);
  const branch = (head ?? "").split(":").at(-1) ?? "";
  const sha = await headOf(repository, branch);
  if (sha === null) return refuse(422, "Validation Failed", [{ resource: "PullRequest", field: "head", code: "invalid" }]);
  const target = await headOf(repository, base ?? "");
  if (target === null) return refuse(422, "Validation Failed", [{ resource: "PullRequest", field: "base", code: "invalid" }]);
  if (repository.pulls.some((pull) => pull.state === "open" && pull.head === branch && pull.base === base)) return invalid("PullRequest", `A pull request already exists for ${repository.fullName.split("/")[0]}:${branch}.`);
  if ((await git(repository.folder, ["rev-list", "--count", `${target}..${sha}`])).trim() === "0") return invalid("PullRequest", `No commits between ${base} and ${branch}`);
  const now = host.now();
  const pull: Pull = { number: repository.pulls.length + 1, title, body: text ?? "", state: "open", draft: body["draft"] === true, head: branch, base: base ?? "", headSha: sha, user: login, createdAt: now, updatedAt: now, mergedAt: null, closedAt: null, closedBy: null, mergeCommit: null, labels: [], reviewers: [], comments: [] };
  repository.pulls.push(pull);
  return { status: 201, body: await shape(pull) };
}

interface OnPull {
  readonly question: Question;
  readonly repository: Repository;
  readonly pull: Pull;
  readonly host: Host;
  readonly shape: (pull: Pull) => Promise<unknown>;
  /** `pulls`, `pulls/commits`, `issues/comments`, … */
  readonly part: string;
}

async function onPull({ question, repository, pull, host, shape, part }: OnPull): Promise<Answer> {
  const { method, body, token } = question;
  const url = host.url();
  const login = token?.login ?? "";
  const names = (key: string): string[] => (Array.isArray(body[key]) ? body[key].filter((name): name is string => typeof name === "string") : []);
  switch (`${method} ${part}`) {
    case "GET pulls":
      return { status: 200, body: await shape(pull) };
    case "PATCH pulls": {
      if (typeof body["body"] === "string" && [...body["body"]].length > MOST_BODY) return invalid("PullRequest", `body is too long (maximum is ${MOST_BODY} characters)`);
      if (typeof body["title"] === "string") pull.title = body["title"];
      if (typeof body["body"] === "string") pull.body = body["body"];
      if (body["state"] === "closed" && pull.state === "open") close(pull, login, host.now());
      pull.updatedAt = host.now();
      return { status: 200, body: await shape(pull) };
    }
    case "GET issues":
      return { status: 200, body: { id: 1000 + pull.number, number: pull.number, title: pull.title, body: pull.body, state: pull.state, user: userShape(pull.user, url), closed_by: pull.closedBy === null ? null : userShape(pull.closedBy, url), labels: [], comments: pull.comments.length, pull_request: {}, created_at: pull.createdAt, updated_at: pull.updatedAt, closed_at: pull.closedAt } };
    case "GET pulls/commits": {
      await follow(pull, repository);
      const rows = (await git(repository.folder, ["log", "--reverse", "--format=%H%x1f%an%x1f%ae%x1f%cn%x1f%ce%x1f%aI%x1f%B%x1e", `${pull.base}..${pull.headSha}`])).split("\x1e").map((row) => row.trim().split("\x1f")).filter((row) => row.length === 7);
      return { status: 200, items: rows.map(([sha, name, email, committer, address, date, message]) => ({ sha, commit: { message, author: { name, email, date }, committer: { name: committer, email: address, date } }, author: null, committer: null, parents: [] })) };
    }
    case "PUT pulls/merge":
      return mergePull(pull, repository, login, host.now());
    case "GET issues/comments":
      return { status: 200, items: pull.comments.map((comment) => commentShape(repository, comment, url)) };
    case "POST issues/comments": {
      const text = typeof body["body"] === "string" ? body["body"] : "";
      if ([...text].length > MOST_BODY) return invalid("IssueComment", `body is too long (maximum is ${MOST_BODY} characters)`);
      const comment = { id: pull.number * 1000 + pull.comments.length + 1, user: login, body: text, at: host.now() };
      pull.comments.push(comment);
      return { status: 201, body: commentShape(repository, comment, url) };
    }
    case "POST issues/labels":
      pull.labels = [...new Set([...pull.labels, ...names("labels")])];
      return { status: 200, items: pull.labels.map((name, index) => ({ id: index + 1, name, color: "ededed", default: false, description: null })) };
    case "POST pulls/requested_reviewers":
      pull.reviewers = [...new Set([...pull.reviewers, ...names("reviewers")])];
      return { status: 201, body: await shape(pull) };
    default:
      return NOT_FOUND;
  }
}

export function close(pull: Pull, login: string, now: string): void {
  pull.state = "closed";
  pull.closedAt = now;
  pull.closedBy = login;
}

/** Squash-merges, as a person does with the green button. */
export async function mergePull(pull: Pull, repository: Repository, login: string, now: string): Promise<Answer> {
  if (pull.state !== "open") return refuse(405, "Pull Request is not mergeable");
  if (pull.draft) return refuse(405, "Pull Request is still a draft");
  await follow(pull, repository);
  const tree = (await git(repository.folder, ["merge-tree", "--write-tree", pull.base, pull.headSha]).catch(() => "")).trim();
  if (tree === "") return refuse(405, "Merge conflict");
  const who = { GIT_AUTHOR_NAME: login, GIT_AUTHOR_EMAIL: `${login}@example.com`, GIT_COMMITTER_NAME: "GitHub", GIT_COMMITTER_EMAIL: "noreply@github.com" };
  const head = (await git(repository.folder, ["commit-tree", tree, "-p", `refs/heads/${pull.base}`, "-m", `${pull.title} (#${pull.number})`], who)).trim();
  await git(repository.folder, ["update-ref", `refs/heads/${pull.base}`, head]);
  close(pull, login, now);
  pull.mergedAt = now;
  pull.mergeCommit = head;
  return { status: 200, body: { sha: head, merged: true, message: "Pull Request successfully merged" } };
}

/** The head of a pull request is its branch's, for as long as there is one. */
async function follow(pull: Pull, repository: Repository): Promise<void> {
  if (pull.state === "open") pull.headSha = (await headOf(repository, pull.head)) ?? pull.headSha;
}

async function headOf(repository: Repository, branch: string): Promise<string | null> {
  if (branch === "" || branch.startsWith("-")) return null;
  return (await git(repository.folder, ["rev-parse", "--verify", "--quiet", `refs/heads/${branch}`]).catch(() => "")).trim() || null;
}

function installationToken(question: Question, host: Host): Answer {
  if (!isJwt(question.authorization)) return refuse(401, "A JSON web token could not be decoded");
  const token = `ghs_${randomBytes(18).toString("hex")}`;
  host.tokens.set(token, { login: "stanch[bot]", permission: "write" });
  return { status: 201, body: { token, expires_at: new Date(Date.now() + 3_600_000).toISOString(), permissions: { contents: "write", pull_requests: "write" }, repository_selection: "selected" } };
}

function isJwt(authorization: string): boolean {
  return /^bearer eyJ[\w-]+\.[\w-]+\.[\w-]+$/i.test(authorization);
}

/** A key pair for a GitHub App. */
export function appKey(): string {
  return generateKeyPairSync("rsa", { modulusLength: 2048, privateKeyEncoding: { type: "pkcs8", format: "pem" }, publicKeyEncoding: { type: "spki", format: "pem" } }).privateKey;
}
