/** What Stanch says when it closes an issue of its own. */
export const CLOSING = "The incident is resolved, and nothing is left to do here. Closing.";

/** What it says when it opens such an issue again. */
export const RETURN = "The problem is back. Opening this again.";

/**
 * Did Stanch close an issue itself? Its account may be a person's, too, so it counts what was said last: a person who closes it says
 * neither sentence.
 */
export function isOwnClosing(
  issue: { readonly author: string; readonly closedBy?: string },
  comments: readonly { readonly author: string; readonly body: string }[],
): boolean {
  const said = comments.filter((comment) => comment.author === issue.author).map((comment) => comment.body.trim());
  return issue.closedBy === issue.author && said.findLast((text) => text === CLOSING || text === RETURN) === CLOSING;
}
