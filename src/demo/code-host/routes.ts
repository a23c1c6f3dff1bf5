import { randomBytes } from "node:crypto";
import { type Answer, FORBIDDEN, type Host, invalid, MOST_BODY, NOT_FOUND, type Question, refuse } from "./answer.ts";
import { appShape, GRANTED, installationShape } from "./app-shapes.ts";
import { onChecks } from "./check-routes.ts";
import { git, headOf } from "./git-server.ts";
import { onGraphql } from "./graphql.ts";
import { nextNumber, onComment, onIssue, onIssues, takeLabel } from "./issue-routes.ts";
import { commitsIn, follow, onPull } from "./pull-routes.ts";
import { pullRow, pullShape } from "./pull-shapes.ts";
import { nodeId, ownShape, repositoryShape } from "./shapes.ts";
import type { Pull, Repository } from "./state.ts";

/** Answers a REST call. */
export async function answer(question: Question, host: Host): Promise<Answer> {
  const { method, path, token } = question;
  if (path === "/user") {
    if (token === null) return refuse(401, "Requires authentication");
    // An installation is no user.
    return token.app === undefined
      ? { status: 200, body: ownShape(token.login, host.url()) }
      : refuse(403, "Resource not accessible by integration");
  }
  if (path === "/app")
    return isJwt(question.authorization)
      ? { status: 200, body: appShape(host) }
      : refuse(401, "A JSON web token could not be decoded");
  if (method === "POST" && /^\/(?:api\/)?graphql$/.test(path)) return onGraphql(question, host);
  const installation = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(path);
  if (installation !== null && method === "POST") return installationToken(question, host);
  const match = /^\/repos\/([\w.-]+\/[\w.-]+)(\/.*)?$/.exec(path);
  const repository = match?.[1] === undefined ? undefined : host.repositories.get(match[1].toLowerCase());
  const rest = match?.[2] ?? "";
  if (repository !== undefined && rest === "/installation")
    return isJwt(question.authorization)
      ? { status: 200, body: installationShape(repository, host) }
      : refuse(401, "A JSON web token could not be decoded");
  // Private repositories do not exist for those who may not see them.
  if (repository === undefined || token === null) return NOT_FOUND;
  if (method !== "GET" && token.permission === "read") return FORBIDDEN;
  if (method !== "GET" && repository.archived) return refuse(403, "Repository was archived so is read-only.");
  return inRepository(question, rest, repository, host);
}

async function inRepository(question: Question, rest: string, repository: Repository, host: Host): Promise<Answer> {
  const { method, query, body, token } = question;
  const url = host.url();
  const shaped = (how: typeof pullShape | typeof pullRow) => async (pull: Pull) => {
    await follow(pull, repository);
    return how(repository, pull, url, (await headOf(repository.folder, pull.base)) ?? "");
  };
  const shape = shaped(pullShape);
  const row = shaped(pullRow);
  if (rest === "" && method === "GET") return { status: 200, body: repositoryShape(repository, url, token) };
  // Clients send a ref as one part of the path: `heads%2Fstanch%2Fprod%2F…`.
  const ref = /^\/git\/refs?\/heads\/(.+)$/.exec(rest.replaceAll(/%2f/gi, "/"));
  if (ref?.[1] !== undefined) return onRef(method, decodeURIComponent(ref[1]), repository, url);
  if (rest === "/pulls" && method === "GET") {
    const state = query.get("state") ?? "open";
    const head = query.get("head")?.split(":").at(-1);
    const rows = repository.pulls
      .filter((pull) => (state === "all" || pull.state === state) && (head === undefined || pull.head === head))
      .toReversed();
    return { status: 200, items: await Promise.all(rows.map(row)) };
  }
  if (rest === "/pulls" && method === "POST") return createPull(body, repository, host, token?.login ?? "", shape);
  if (rest === "/issues") return onIssues(question, repository, host);
  const comment = /^\/issues\/comments\/(\d+)$/.exec(rest)?.[1];
  if (comment !== undefined) return onComment(question, repository, Number(comment), host);
  const check = await onChecks(question, rest, repository, host);
  if (check !== null) return check;
  const commit = /^\/commits\/([0-9a-f]{7,40})$/.exec(rest)?.[1];
  if (commit !== undefined && method === "GET") {
    const [found] = await commitsIn(repository, `-1 ${commit}`, host).catch(() => []);
    return found === undefined
      ? refuse(422, `No commit found for SHA: ${commit}`)
      : { status: 200, body: { ...found, files: [] } };
  }
  const labelled = /^\/issues\/(\d+)\/labels\/([^/]+)$/.exec(rest);
  if (labelled !== null && method === "DELETE")
    return takeLabel(repository, Number(labelled[1]), decodeURIComponent(labelled[2] ?? ""), url);
  const one = /^\/(pulls|issues)\/(\d+)(\/[\w/]+)?$/.exec(rest);
  const pull = one === null ? undefined : repository.pulls.find((candidate) => candidate.number === Number(one[2]));
  const part = one === null ? "" : `${one[1]}${one[3] ?? ""}`;
  const issue = repository.issues.find((candidate) => candidate.number === Number(one?.[2]));
  if (issue !== undefined && part.startsWith("issues")) return onIssue(question, repository, issue, host, part);
  if (pull === undefined) return NOT_FOUND;
  return onPull({ question, repository, pull, host, shape, row, part });
}

async function onRef(method: string, branch: string, repository: Repository, url: string): Promise<Answer> {
  const head = await headOf(repository.folder, branch);
  if (head === null) return method === "DELETE" ? refuse(422, "Reference does not exist") : NOT_FOUND;
  if (method === "GET")
    return {
      status: 200,
      body: {
        ref: `refs/heads/${branch}`,
        node_id: nodeId(`Ref:${branch}`),
        url: `${url}/repos/${repository.fullName}/git/refs/heads/${branch}`,
        object: { type: "commit", sha: head, url: `${url}/repos/${repository.fullName}/git/commits/${head}` },
      },
    };
  if (method !== "DELETE") return NOT_FOUND;
  for (const pull of repository.pulls) if (pull.head === branch) await follow(pull, repository);
  await git(repository.folder, ["update-ref", "-d", `refs/heads/${branch}`]);
  return { status: 204 };
}

async function createPull(
  body: Record<string, unknown>,
  repository: Repository,
  host: Host,
  login: string,
  shape: (pull: Pull) => Promise<unknown>,
): Promise<Answer> {
  const [title, text, head, base] = ["title", "body", "head", "base"].map((key) =>
    typeof body[key] === "string" ? body[key] : "",
  );
  if (title === "" || title === undefined)
    return refuse(422, "Validation Failed", [{ resource: "PullRequest", field: "title", code: "missing_field" }]);
  if ([...(text ?? "")].length > MOST_BODY)
    return refuse(422, "Validation Failed", [
      {
        resource: "PullRequest",
        code: "custom",
        field: "body",
        message: `body is too long (maximum is ${MOST_BODY} characters)`,
      },
    ]);
  const branch = (head ?? "").split(":").at(-1) ?? "";
  const sha = await headOf(repository.folder, branch);
  if (sha === null)
    return refuse(422, "Validation Failed", [{ resource: "PullRequest", field: "head", code: "invalid" }]);
  const target = await headOf(repository.folder, base ?? "");
  if (target === null)
    return refuse(422, "Validation Failed", [{ resource: "PullRequest", field: "base", code: "invalid" }]);
  if (repository.pulls.some((pull) => pull.state === "open" && pull.head === branch && pull.base === base))
    return invalid("PullRequest", `A pull request already exists for ${repository.fullName.split("/")[0]}:${branch}.`);
  if ((await git(repository.folder, ["rev-list", "--count", `${target}..${sha}`])).trim() === "0")
    return invalid("PullRequest", `No commits between ${base} and ${branch}`);
  const now = host.now();
  const pull: Pull = {
    number: nextNumber(repository),
    title,
    body: text ?? "",
    state: "open",
    draft: body["draft"] === true,
    head: branch,
    base: base ?? "",
    headSha: sha,
    user: login,
    createdAt: now,
    updatedAt: now,
    mergedAt: null,
    closedAt: null,
    closedBy: null,
    mergeCommit: null,
    labels: [],
    reviewers: [],
    teams: [],
    comments: [],
  };
  repository.pulls.push(pull);
  return { status: 201, body: await shape(pull) };
}

function installationToken(question: Question, host: Host): Answer {
  if (!isJwt(question.authorization)) return refuse(401, "A JSON web token could not be decoded");
  const token = `ghs_${randomBytes(18).toString("hex")}`;
  host.tokens.set(token, { login: "stanch[bot]", permission: "write", app: "stanch" });
  return {
    status: 201,
    body: {
      token,
      expires_at: new Date(Date.now() + 3_600_000).toISOString(),
      permissions: GRANTED,
      repository_selection: "selected",
    },
  };
}

function isJwt(authorization: string): boolean {
  return /^bearer eyJ[\w-]+\.[\w-]+\.[\w-]+$/i.test(authorization);
}
