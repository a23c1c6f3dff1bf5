import { messageOf } from "../errors.ts";
import type { CodeHost, Issue } from "../ports.ts";
import type { GitHubCall } from "./github-client.ts";
import { statusOf } from "./github-fault.ts";
import { selfOf } from "./github-self.ts";

/** An issue as GitHub sends it, in a list or alone. */
interface IssueData {
  readonly number: number;
  readonly html_url: string;
  readonly state: string;
  readonly state_reason?: string | null;
  readonly title: string;
  readonly body?: string | null;
  readonly user: { readonly login: string } | null;
  readonly closed_at: string | null;
  readonly closed_by?: { readonly login: string } | null;
  /** Every pull request is an issue, too. */
  readonly pull_request?: object;
}

const REASONS = ["completed", "not_planned", "duplicate"] as const;
/** Pages of somebody's issues that are looked through for one that is meant: a tracker may be older than us. */
export const MOST_PAGES = 20;

export function issueOf(repository: string, data: IssueData): Issue {
  const reason = REASONS.find((known) => known === data.state_reason);
  return {
    repository,
    number: data.number,
    url: data.html_url,
    title: data.title,
    body: data.body ?? "",
    author: data.user?.login ?? "",
    state: data.state === "open" ? "open" : "closed",
    ...(reason === undefined ? {} : { reason }),
    ...(data.closed_at === null ? {} : { closedAt: data.closed_at }),
    ...(data.closed_by ? { closedBy: data.closed_by.login } : {}),
  };
}

type IssueCalls = Pick<CodeHost, "findIssue" | "issue" | "createIssue" | "updateIssue" | "authorOf" | "isPublic">;

/** The half of the code host that is about issues, and who is who. */
export function issueCalls(call: GitHubCall, isApp: boolean): IssueCalls {
  const self = selfOf(isApp);

  return {
    findIssue: (repository, isMeant) =>
      call("look for an issue", repository, false, async (client, at) => {
        const login = await self(client);
        const asked = { ...at, state: "all" as const, per_page: 100, ...(login === null ? {} : { creator: login }) };
        let page = 0;
        for await (const { data } of client.paginate.iterator(client.issues.listForRepo, asked)) {
          // `creator` is a filter that some hosts ignore, and anybody can copy a marker. No person has the name of a bot.
          const isOwn = (author: string): boolean => (login === null ? author.endsWith("[bot]") : author === login);
          const found = data.find(
            (row) => row.pull_request === undefined && isOwn(row.user?.login ?? "") && isMeant(row.body ?? ""),
          );
          // A list does not always say who closed it.
          if (found !== undefined)
            return issueOf(repository, (await client.issues.get({ ...at, issue_number: found.number })).data);
          page += 1;
          if (page >= MOST_PAGES) break;
        }
        return null;
      }),
    issue: (repository, number) =>
      call(`read issue #${number}`, repository, false, async (client, at) => {
        try {
          return issueOf(repository, (await client.issues.get({ ...at, issue_number: number })).data);
        } catch (error) {
          // 410 is also said of a repository whose issues are switched off.
          if (statusOf(error) === 410 && /deleted/i.test(messageOf(error))) return null;
          throw error;
        }
      }),
    createIssue: (repository, { title, body, labels }) =>
      call("open an issue", repository, true, async (client, at) => {
        const asked = { ...at, title, body, labels: [...labels], request: { retries: 0 } };
        return issueOf(repository, (await client.issues.create(asked)).data);
      }),
    updateIssue: (repository, number, change) =>
      call(`update issue #${number}`, repository, true, async (client, at) => {
        const reason = change.state === "closed" ? { state_reason: "completed" as const } : {};
        const { data } = await client.issues.update({ ...at, issue_number: number, ...change, ...reason });
        return issueOf(repository, data);
      }),
    isPublic: (repository) =>
      call("look at the repository", repository, false, async (client, at) => {
        const { data } = await client.repos.get(at);
        return !data.private;
      }),
    authorOf: (repository, sha) =>
      call(`look up commit ${sha.slice(0, 10)}`, repository, false, async (client, at) => {
        const { author } = (await client.repos.getCommit({ ...at, ref: sha, per_page: 1 })).data;
        const login = author !== null && "login" in author ? author.login : undefined;
        const isBot = author !== null && "type" in author && author.type === "Bot";
        return login === undefined || isBot || login.endsWith("[bot]") ? null : login;
      }),
  };
}
