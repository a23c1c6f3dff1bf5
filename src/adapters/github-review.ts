import type { Comment, ReviewHost } from "../ports.ts";
import { checkCalls } from "./github-check.ts";
import type { GitHubCall } from "./github-client.ts";
import { writtenIssue } from "./github-edit.ts";
import { statusOf } from "./github-fault.ts";
import { MOST_PAGES } from "./github-issue.ts";
import { selfOf } from "./github-self.ts";
import { cutTo } from "./github-text.ts";

/** A comment as GitHub sends it, in a list or alone. */
interface CommentData {
  readonly id: number;
  readonly html_url: string;
  readonly body?: string | undefined;
  readonly user: { readonly login: string; readonly type?: string } | null;
  readonly performed_via_github_app?: object | null | undefined;
  readonly created_at: string;
  readonly updated_at: string;
}

const ROLES: readonly string[] = ["admin", "maintain", "write", "triage", "read", "none"];
/** What a comment may hold, in letters. */
const MOST_COMMENT = 65_536;

/**
 * The half of the code host that drift, reviews and chat stand on. `unnamed`: the login of an installation's token where GitHub says it to
 * nobody.
 */
export function reviewCalls(call: GitHubCall, isApp: boolean, unnamed = "github-actions[bot]"): ReviewHost {
  const self = selfOf(isApp);

  return {
    ...checkCalls(call, isApp, async (client) => (await self(client)) ?? unnamed),
    publishStatus: (repository, { sha, context, state, description, url }) =>
      call(`set the status ${context}`, repository, true, async (client, at) => {
        const wanted = { context: cutTo(context, 255), state, description: cutTo(description, 140) };
        // Newest first. A commit takes a thousand of one context and no more.
        const { data } = await client.repos.listCommitStatusesForRef({ ...at, ref: sha, per_page: 100 });
        const last = data.find((row) => isSame(row.context, wanted.context));
        const says =
          last?.state === state && last.description === wanted.description && last.target_url === (url ?? null);
        if (says) return;
        await client.repos.createCommitStatus({
          ...at,
          sha,
          ...wanted,
          ...(url === undefined ? {} : { target_url: url }),
        });
      }),
    recentCommits: (repository, ref, limit) =>
      call(`list the commits of ${ref}`, repository, false, async (client, at) => {
        const { data } = await client.repos.listCommits({
          ...at,
          sha: ref,
          per_page: Math.min(100, Math.max(1, limit)),
        });
        return data.map((row) => row.sha);
      }),
    issueBy: (repository, login, isMeant) =>
      call("look for an issue", repository, false, async (client, at) => {
        const asked = { ...at, state: "all" as const, per_page: 100, creator: login };
        let page = 0;
        for await (const { data } of client.paginate.iterator(client.issues.listForRepo, asked)) {
          const found = data.find(
            (row) => row.pull_request === undefined && isSame(row.user?.login, login) && isMeant(row.body ?? ""),
          );
          if (found !== undefined) return writtenIssue(client, at, repository, found);
          page += 1;
          if (page >= MOST_PAGES) break;
        }
        return null;
      }),
    allComments: (repository, number, since) =>
      call(`read the comments of #${number}`, repository, false, async (client, at) => {
        const rows = await client.paginate(client.issues.listComments, {
          ...at,
          issue_number: number,
          per_page: 100,
          ...(since === undefined ? {} : { since }),
        });
        return rows.map(commentOf).toSorted((a, b) => a.createdAt.localeCompare(b.createdAt) || a.id - b.id);
      }),
    createComment: (repository, number, body) =>
      call(`comment on #${number}`, repository, true, async (client, at) => {
        const asked = { ...at, issue_number: number, body: cutTo(body, MOST_COMMENT), request: { retries: 0 } };
        return commentOf((await client.issues.createComment(asked)).data);
      }),
    updateComment: (repository, id, body) =>
      call(`change comment ${id}`, repository, true, async (client, at) => {
        await client.issues.updateComment({ ...at, comment_id: id, body: cutTo(body, MOST_COMMENT) });
      }),
    deleteComment: (repository, id) =>
      call(`delete comment ${id}`, repository, true, async (client, at) => {
        try {
          await client.issues.deleteComment({ ...at, comment_id: id });
        } catch (error) {
          // It is gone, which was all that was wanted.
          if (statusOf(error) !== 404) throw error;
        }
      }),
    permissionOf: (repository, login) =>
      call(`look at the rights of ${login}`, repository, false, async (client, at) => {
        try {
          const { data } = await client.repos.getCollaboratorPermissionLevel({ ...at, username: login });
          // An organisation names roles as it likes; `permission` says what such a role stands on.
          if (data.role_name === data.permission || isNarrower(data.role_name, data.permission)) return data.role_name;
          return ROLES.includes(data.permission) ? data.permission : "none";
        } catch (error) {
          if (statusOf(error) === 404) return "none";
          throw error;
        }
      }),
    login: (repository) =>
      call("ask who we are", repository, false, async (client) => {
        return (await self(client)) ?? unnamed;
      }),
  };
}

/** The five roles that GitHub itself knows, and what `permission` says of each. */
const STANDS_ON: Readonly<Record<string, string>> = {
  admin: "admin",
  maintain: "write",
  write: "write",
  triage: "read",
  read: "read",
  none: "none",
};

const isNarrower = (role: string, permission: string): boolean => STANDS_ON[role] === permission;
const isSame = (one: string | undefined, other: string): boolean => one?.toLowerCase() === other.toLowerCase();

function commentOf(data: CommentData): Comment {
  const author = data.user?.login ?? "";
  return {
    id: data.id,
    url: data.html_url,
    author,
    bot:
      data.user?.type === "Bot" ||
      author.endsWith("[bot]") ||
      (data.performed_via_github_app !== undefined && data.performed_via_github_app !== null),
    body: data.body ?? "",
    createdAt: data.created_at,
    updatedAt: data.updated_at,
  };
}
