import { messageOf, StanchError } from "../errors.ts";
import type { CodeHost, ReviewHost } from "../ports.ts";
import { createClients, type GitHubCall, type GitHubOptions, PATIENCE_S } from "./github-client.ts";
import { plainLimit, statusOf, translate } from "./github-fault.ts";
import { issueCalls } from "./github-issue.ts";
import { isOwn, pullOf } from "./github-pull.ts";
import { reviewCalls } from "./github-review.ts";

export type GitHub = CodeHost & ReviewHost & { gitToken(repository: string): Promise<string> };

/** GitHub by Octokit, with retry and throttling. Throws StanchError `config` for an unusable address, `code-host` for faults. */
export async function createGitHub(options: GitHubOptions): Promise<GitHub> {
  const clients = await createClients(options);
  const { auth, clock } = options;
  const secret = "token" in auth ? auth.token : auth.privateKey;

  let lastWrite = 0;
  const call: GitHubCall = async (what, repository, write, step) => {
    if (secret === "")
      throw new StanchError("code-host", `cannot ${what} in ${repository}: there is no GitHub token`, {
        hint: "set GITHUB_TOKEN (contents: write, pull requests: write), or configure a GitHub App",
      });
    const [owner = "", repo = ""] = repository.split("/");
    if (write) {
      const wait = lastWrite + options.pauseMs - clock.now().getTime();
      if (wait > 0) await clock.sleep(wait);
      lastWrite = clock.now().getTime();
    }
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await step(await clients.for(repository), { owner, repo });
      } catch (error) {
        const seconds = plainLimit(error);
        if (seconds === null || seconds > PATIENCE_S || attempt > 2)
          throw translate(error, { what, repository, secret, app: !("token" in auth) });
        options.log.warn("rate limit", { kind: "plain", seconds, path: "" });
        await clock.sleep(seconds * 1000);
      }
    }
  };

  return {
    ...issueCalls(call, !("token" in auth)),
    ...reviewCalls(call, !("token" in auth), options.login),
    check: (repository) =>
      call("look at the repository", repository, false, async (client, at) => {
        const { data } = await client.repos.get(at);
        if ("appId" in auth) {
          // A repository's `permissions` are a user's; an App's stand on its installation.
          const { permissions } = (await client.auth({ type: "installation" })) as {
            permissions?: Record<string, string>;
          };
          const push = permissions?.["contents"] === "write" && permissions["pull_requests"] === "write";
          return {
            login: `app ${auth.appId}`,
            push,
            defaultBranch: data.default_branch,
            archived: data.archived === true,
            checks: permissions?.["checks"] === "write",
          };
        }
        const user = await client.users.getAuthenticated().catch(() => null);
        return {
          login: user?.data.login ?? "a token without a user",
          push: data.permissions?.push === true,
          defaultBranch: data.default_branch,
          archived: data.archived === true,
        };
      }),
    pullRequests: (repository, branch) =>
      call("list pull requests", repository, false, async (client, at) => {
        const rows = await client.paginate(client.pulls.list, {
          ...at,
          head: `${at.owner}:${branch}`,
          state: "all",
          per_page: 100,
        });
        // `head` is a filter that some hosts ignore.
        const own = rows.filter((row) => isOwn(row) && row.head.ref === branch).toSorted((a, b) => b.number - a.number);
        return Promise.all(
          own.map(async (row) => pullOf(repository, (await client.pulls.get({ ...at, pull_number: row.number })).data)),
        );
      }),
    pullRequest: (repository, number) =>
      call(`read pull request #${number}`, repository, false, async (client, at) => {
        const { data } = await client.pulls.get({ ...at, pull_number: number });
        const pull = pullOf(repository, data);
        if (pull.state === "open" || pull.merged) return pull;
        const issue = await client.issues.get({ ...at, issue_number: number }).catch(() => null);
        const closedBy = issue?.data.closed_by?.login;
        return closedBy === undefined ? pull : { ...pull, closedBy };
      }),
    openPullRequests: (repository, prefix) =>
      call("list pull requests", repository, false, async (client, at) => {
        const rows = await client.paginate(client.pulls.list, { ...at, state: "open", per_page: 100 });
        return rows
          .filter((row) => isOwn(row) && row.head.ref.startsWith(prefix))
          .map((row) => pullOf(repository, row));
      }),
    createPullRequest: (repository, { draftOnly = false, ...request }) =>
      call("open the pull request", repository, true, async (client, at) => {
        try {
          return pullOf(repository, (await client.pulls.create({ ...at, ...request })).data);
        } catch (error) {
          // An answer that was lost on its way, or another run: what was to be made is there.
          if (statusOf(error) === 422 && /already exists/i.test(messageOf(error))) {
            const { data } = await client.pulls.list({
              ...at,
              head: `${at.owner}:${request.head}`,
              base: request.base,
              state: "open",
            });
            const made = data.find(
              (row) => isOwn(row) && row.head.ref === request.head && row.base.ref === request.base,
            );
            if (made !== undefined) return pullOf(repository, made);
          }
          // A plan without drafts: say it in the text and open it all the same.
          if (!request.draft || draftOnly || !/draft/i.test(messageOf(error))) throw error;
          return pullOf(repository, (await client.pulls.create({ ...at, ...request, draft: false })).data);
        }
      }),
    updatePullRequest: (repository, number, change) =>
      call(`update pull request #${number}`, repository, true, async (client, at) =>
        pullOf(repository, (await client.pulls.update({ ...at, pull_number: number, ...change })).data),
      ),
    commitsOf: (repository, number) =>
      call(`read the commits of #${number}`, repository, false, async (client, at) => {
        const rows = await client.paginate(client.pulls.listCommits, { ...at, pull_number: number, per_page: 100 });
        return rows.map((row) => ({
          sha: row.sha,
          author: row.commit.author?.email ?? "",
          committer: row.commit.committer?.email ?? "",
          message: row.commit.message,
        }));
      }),
    comment: (repository, number, body) =>
      call(
        `comment on #${number}`,
        repository,
        true,
        async (client, at) => void (await client.issues.createComment({ ...at, issue_number: number, body })),
      ),
    comments: (repository, number) =>
      call(`read the comments of #${number}`, repository, false, async (client, at) => {
        const rows = await client.paginate(client.issues.listComments, { ...at, issue_number: number, per_page: 100 });
        return rows.map((row) => ({ author: row.user?.login ?? "", body: row.body ?? "" }));
      }),
    addLabels: (repository, number, labels) =>
      call(
        `label #${number}`,
        repository,
        true,
        async (client, at) =>
          void (
            labels.length > 0 && (await client.issues.addLabels({ ...at, issue_number: number, labels: [...labels] }))
          ),
      ),
    removeLabel: (repository, number, name) =>
      call(`take a label off #${number}`, repository, true, async (client, at) => {
        await client.issues.removeLabel({ ...at, issue_number: number, name }).catch((error: unknown) => {
          if (statusOf(error) !== 404) throw error;
        });
      }),
    // REST has no call for it. https://docs.github.com/en/graphql/reference/mutations#markpullrequestreadyforreview
    markReady: (repository, number) =>
      call(`mark #${number} ready for review`, repository, true, async (client, at) => {
        const { data } = await client.pulls.get({ ...at, pull_number: number });
        if (data.draft !== true) return;
        await client.graphql(
          "mutation ($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft } } }",
          { id: data.node_id },
        );
      }),
    requestReviewers: (repository, number, { users, teams }) =>
      call(
        `ask for a review of #${number}`,
        repository,
        true,
        async (client, at) =>
          void (await client.pulls.requestReviewers({
            ...at,
            pull_number: number,
            reviewers: [...users],
            team_reviewers: [...teams],
          })),
      ),
    branchHead: (repository, branch) =>
      call(`look at branch ${branch}`, repository, false, async (client, at) => {
        try {
          return (await client.git.getRef({ ...at, ref: `heads/${branch}` })).data.object.sha;
        } catch (error) {
          if (statusOf(error) === 404) return null;
          throw error;
        }
      }),
    deleteBranch: (repository, branch) =>
      call(
        `delete branch ${branch}`,
        repository,
        true,
        async (client, at) => void (await client.git.deleteRef({ ...at, ref: `heads/${branch}` })),
      ),
    gitToken: (repository) =>
      call("get a token for git", repository, false, async (client) => {
        if ("token" in auth) return auth.token;
        const { token } = (await client.auth({ type: "installation" })) as { token: string };
        return token;
      }),
  };
}
