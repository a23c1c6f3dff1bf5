import type { Answer, Host, Question } from "./answer.ts";
import { nodeId } from "./shapes.ts";

const READY = /^\s*mutation\b[^{]*\{\s*markPullRequestReadyForReview\s*\(\s*input:\s*\{\s*pullRequestId:\s*\$(\w+)/;
const VIEWER = /^\s*query\s*\{\s*viewer\s*\{\s*login\s*\}\s*\}\s*$/;
const EDITOR =
  /^\s*query\b[^{]*\{\s*repository\(owner: \$owner, name: \$name\)\s*\{\s*issue\(number: \$number\)\s*\{\s*body lastEditedAt editor \{ __typename login \}\s*\}/;

/**
 * What of GitHub's GraphQL API has no counterpart in REST. Faults come with status 200, as there.
 * https://docs.github.com/en/graphql/reference/mutations#markpullrequestreadyforreview
 */
export function onGraphql({ body, token }: Question, host: Host): Answer {
  if (token === null) return { status: 401, body: { message: "This endpoint requires you to be authenticated." } };
  const query = String(body["query"]);
  const variables = (body["variables"] ?? {}) as Record<string, unknown>;
  // Unlike `GET /user`, it is said to an installation's token, too: as the App's bot.
  if (VIEWER.test(query)) return { status: 200, body: { data: { viewer: { login: token.login } } } };
  if (EDITOR.test(query)) return editor(variables, host);
  const variable = READY.exec(query)?.[1];
  if (variable === undefined) return fault("UNKNOWN", "this query is not served here");
  const id = variables[variable];
  for (const repository of host.repositories.values()) {
    const pull = repository.pulls.find(({ number }) => nodeId(`PullRequest:${repository.fullName}:${number}`) === id);
    if (pull === undefined) continue;
    if (token.permission === "read" || repository.archived)
      return fault("FORBIDDEN", "Resource not accessible by personal access token");
    pull.draft = false;
    pull.updatedAt = host.now();
    return { status: 200, body: { data: { markPullRequestReadyForReview: { pullRequest: { isDraft: false } } } } };
  }
  return fault("NOT_FOUND", `Could not resolve to a node with the global id of '${String(id)}'`);
}

/** https://docs.github.com/en/graphql/reference/objects#issue */
function editor({ owner, name, number }: Record<string, unknown>, host: Host): Answer {
  const repository = host.repositories.get(`${String(owner)}/${String(name)}`.toLowerCase());
  if (repository === undefined)
    return refused(
      { repository: null },
      ["repository"],
      `Could not resolve to a Repository with the name '${String(owner)}/${String(name)}'.`,
    );
  const issue = repository.issues.find((one) => one.number === number);
  if (issue === undefined)
    return refused(
      { repository: { issue: null } },
      ["repository", "issue"],
      `Could not resolve to an Issue with the number of ${String(number)}.`,
    );
  const { body, edited } = issue;
  const said = { body, lastEditedAt: edited?.at ?? null, editor: edited === undefined ? null : actor(edited.by) };
  return { status: 200, body: { data: { repository: { issue: said } } } };
}

/** GraphQL's actors have no suffix: what they are stands beside their name. */
function actor(login: string): object {
  const slug = /^(.+)\[bot\]$/.exec(login)?.[1];
  return slug === undefined ? { __typename: "User", login } : { __typename: "Bot", login: slug };
}

function fault(type: string, message: string): Answer {
  return refused({ markPullRequestReadyForReview: null }, ["markPullRequestReadyForReview"], message, type);
}

function refused(data: object, path: readonly string[], message: string, type = "NOT_FOUND"): Answer {
  return { status: 200, body: { data, errors: [{ type, path, message }] } };
}
