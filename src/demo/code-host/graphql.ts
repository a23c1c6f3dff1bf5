import type { Answer, Host, Question } from "./answer.ts";
import { nodeId } from "./shapes.ts";

const READY = /^\s*mutation\b[^{]*\{\s*markPullRequestReadyForReview\s*\(\s*input:\s*\{\s*pullRequestId:\s*\$(\w+)/;

/**
 * The one mutation of GitHub's GraphQL API that has no counterpart in REST. Faults come with status 200, as there.
 * https://docs.github.com/en/graphql/reference/mutations#markpullrequestreadyforreview
 */
export function onGraphql({ body, token }: Question, host: Host): Answer {
  if (token === null) return { status: 401, body: { message: "This endpoint requires you to be authenticated." } };
  const variable = READY.exec(String(body["query"]))?.[1];
  if (variable === undefined) return fault("UNKNOWN", "only markPullRequestReadyForReview is served here");
  const id = (body["variables"] as Record<string, unknown> | undefined)?.[variable];
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

function fault(type: string, message: string): Answer {
  return {
    status: 200,
    body: {
      data: { markPullRequestReadyForReview: null },
      errors: [{ type, path: ["markPullRequestReadyForReview"], message }],
    },
  };
}
