import { messageOf, StanchError } from "../errors.ts";
import type { Clock, CodeHost, Log, PullRequest } from "../ports.ts";
import { checkAddress } from "./github-address.ts";
import { statusOf, translate } from "./github-fault.ts";

export type GitHubAuth =
  | { readonly token: string }
  | { readonly appId: string; readonly privateKey: string; readonly installationId?: string };

export interface GitHubOptions {
  readonly apiUrl: string;
  readonly auth: GitHubAuth;
  /** Plain http to other hosts than loopback. */
  readonly allowHttp: boolean;
  /** Milliseconds between two writes. */
  readonly pauseMs: number;
  readonly log: Log;
  readonly clock: Clock;
}

export type GitHub = CodeHost & { gitToken(repository: string): Promise<string> };

/** Seconds that a rate limit may make us wait before it becomes the finding's fault; the next run tries again. */
const PATIENCE_S = 60;

/** GitHub by Octokit, with retry and throttling. Throws StanchError `config` for an unusable address, `code-host` for faults. */
export async function createGitHub(options: GitHubOptions): Promise<GitHub> {
  checkAddress(options);
  const [{ Octokit }, { retry }, { throttling }] = await Promise.all([
    import("@octokit/rest"),
    import("@octokit/plugin-retry"),
    import("@octokit/plugin-throttling"),
  ]);
  const Client = Octokit.plugin(retry, throttling);
  const quiet = (): void => undefined;
  const limited = (kind: string) => (seconds: number, request: object, _client: object, attempt: number) => {
    options.log.warn("rate limit", { kind, seconds, path: (request as { url?: string }).url ?? "" });
    return attempt < 2 && seconds <= PATIENCE_S;
  };
  const make = (auth: Record<string, unknown>) =>
    new Client({
      ...auth,
      baseUrl: options.apiUrl.replace(/\/+$/, ""),
      userAgent: "stanch",
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      // 429 belongs to throttling, which honours its headers.
      retry: { doNotRetry: [400, 401, 403, 404, 409, 410, 422, 429, 451] },
      throttle: {
        onRateLimit: limited("primary"),
        onSecondaryRateLimit: limited("secondary"),
        fallbackSecondaryRateRetryAfter: 10,
      },
    });
  const clients = new Map<string, Promise<InstanceType<typeof Client>>>();
  const clientFor = (repository: string): Promise<InstanceType<typeof Client>> => {
    const key = "token" in options.auth ? "" : (repository.split("/")[0] ?? "");
    let client = clients.get(key);
    if (client === undefined) {
      client =
        "token" in options.auth
          ? Promise.resolve(make({ auth: options.auth.token }))
          : appClient(options.auth, repository, make);
      clients.set(key, client);
    }
    return client;
  };

  let lastWrite = 0;
  type Client = InstanceType<typeof Client>;
  async function call<T>(
    what: string,
    repository: string,
    write: boolean,
    step: (client: Client, at: { owner: string; repo: string }) => Promise<T>,
  ): Promise<T> {
    if ("token" in options.auth && options.auth.token === "")
      throw new StanchError("code-host", `cannot ${what}: there is no GitHub token`, {
        hint: "set GITHUB_TOKEN (contents: write, pull requests: write), or configure a GitHub App",
      });
    const [owner = "", repo = ""] = repository.split("/");
    if (write) {
      const wait = lastWrite + options.pauseMs - options.clock.now().getTime();
      if (wait > 0) await options.clock.sleep(wait);
      lastWrite = options.clock.now().getTime();
    }
    try {
      return await step(await clientFor(repository), { owner, repo });
    } catch (error) {
      throw translate(error, what, repository, "token" in options.auth ? options.auth.token : options.auth.privateKey);
    }
  }

  return {
    check: (repository) =>
      call("look at the repository", repository, false, async (client, at) => {
        const { data } = await client.repos.get(at);
        const login =
          "token" in options.auth
            ? ((await client.users.getAuthenticated().catch(() => null))?.data.login ?? "a token without a user")
            : `app ${options.auth.appId}`;
        return {
          login,
          push: data.permissions?.push ?? !("token" in options.auth),
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
        const own = rows.filter((row) => row.head.ref === branch).toSorted((a, b) => b.number - a.number);
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
        return rows.filter((row) => row.head.ref.startsWith(prefix)).map((row) => pullOf(repository, row));
      }),
    createPullRequest: (repository, request) =>
      call("open the pull request", repository, true, async (client, at) => {
        try {
          return pullOf(repository, (await client.pulls.create({ ...at, ...request })).data);
        } catch (error) {
          // A plan without drafts: say it in the text and open it all the same.
          if (!request.draft || !/draft/i.test(messageOf(error))) throw error;
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
    requestReviewers: (repository, number, logins) =>
      call(
        `ask for a review of #${number}`,
        repository,
        true,
        async (client, at) =>
          void (await client.pulls.requestReviewers({ ...at, pull_number: number, reviewers: [...logins] })),
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
        if ("token" in options.auth) return options.auth.token;
        const { token } = (await client.auth({ type: "installation" })) as { token: string };
        return token;
      }),
  };
}

async function appClient<T>(
  auth: Exclude<GitHubAuth, { token: string }>,
  repository: string,
  make: (auth: Record<string, unknown>) => T,
): Promise<T> {
  const { createAppAuth } = await import("@octokit/auth-app");
  const identity = { appId: auth.appId, privateKey: auth.privateKey.replaceAll("\\n", "\n") };
  let installationId = auth.installationId;
  if (installationId === undefined) {
    const app = make({ authStrategy: createAppAuth, auth: identity }) as {
      apps: { getRepoInstallation(at: { owner: string; repo: string }): Promise<{ data: { id: number } }> };
    };
    const [owner = "", repo = ""] = repository.split("/");
    installationId = String((await app.apps.getRepoInstallation({ owner, repo })).data.id);
  }
  return make({ authStrategy: createAppAuth, auth: { ...identity, installationId } });
}

interface PullData {
  readonly number: number;
  readonly html_url: string;
  readonly state: string;
  readonly draft?: boolean | undefined;
  readonly title: string;
  readonly body?: string | null;
  readonly merged?: boolean;
  readonly merged_at?: string | null;
  readonly merge_commit_sha?: string | null;
  readonly labels: readonly ({ readonly name?: string | undefined } | string)[];
  readonly head: { readonly ref: string; readonly sha: string };
  readonly base: { readonly ref: string };
}

function pullOf(repository: string, data: PullData): PullRequest {
  const merged = data.merged === true || (data.merged_at !== null && data.merged_at !== undefined);
  return {
    repository,
    number: data.number,
    url: data.html_url,
    branch: data.head.ref,
    base: data.base.ref,
    head: data.head.sha,
    draft: data.draft === true,
    state: data.state === "open" ? "open" : "closed",
    merged,
    ...(merged && data.merged_at ? { mergedAt: data.merged_at } : {}),
    ...(merged && data.merge_commit_sha ? { mergeCommit: data.merge_commit_sha } : {}),
    title: data.title,
    body: data.body ?? "",
    labels: data.labels.map((label) => (typeof label === "string" ? label : (label.name ?? ""))),
  };
}
