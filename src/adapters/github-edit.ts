import type { WrittenIssue } from "../ports.ts";
import type { GitHubClient } from "./github-client.ts";
import { issueOf } from "./github-issue.ts";
import { isGraphRefusal } from "./github-self.ts";

/** REST does not say who edited an issue. https://docs.github.com/en/graphql/reference/objects#issue */
const ASK =
  "query ($owner: String!, $name: String!, $number: Int!) { repository(owner: $owner, name: $name) { issue(number: $number) { body lastEditedAt editor { __typename login } } } }";

interface Edit {
  readonly body: string;
  readonly lastEditedAt: string | null;
  /** Null also for an account that is gone. */
  readonly editor: { readonly __typename: string; readonly login: string } | null;
}

/** The issue with its body as it is now and, of the same moment, who wrote that. */
export async function writtenIssue(
  client: GitHubClient,
  at: { readonly owner: string; readonly repo: string },
  repository: string,
  row: Parameters<typeof issueOf>[1],
): Promise<WrittenIssue> {
  const issue = issueOf(repository, row);
  try {
    const asked = { owner: at.owner, name: at.repo, number: row.number };
    const said = await client.graphql<{ repository: { issue: Edit | null } | null }>(ASK, asked);
    const edit = said.repository?.issue;
    return edit
      ? { ...issue, body: edit.body, writtenBy: writerOf(edit, issue.author) }
      : { ...issue, writtenBy: null };
  } catch (error) {
    if (isGraphRefusal(error)) return { ...issue, writtenBy: null };
    throw error;
  }
}

function writerOf({ lastEditedAt, editor }: Edit, author: string): string | null {
  if (editor === null) return lastEditedAt === null ? author : null;
  // GraphQL calls an App by its slug, as a person could be called; elsewhere it has a suffix that no person can have.
  return editor.__typename === "Bot" ? `${editor.login.replace(/\[bot\]$/, "")}[bot]` : editor.login;
}
