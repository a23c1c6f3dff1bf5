import { type Answer, type Host, invalid, MOST_BODY, type Question, refuse } from "./answer.ts";
import { git, headOf } from "./git-server.ts";
import { close, issueShape, namesIn, onTalk } from "./issue-routes.ts";
import { commitShape } from "./shapes.ts";
import type { Pull, Repository } from "./state.ts";

export interface OnPull {
  readonly question: Question;
  readonly repository: Repository;
  readonly pull: Pull;
  readonly host: Host;
  readonly shape: (pull: Pull) => Promise<unknown>;
  /** As a list has it. */
  readonly row: (pull: Pull) => Promise<unknown>;
  /** `pulls`, `pulls/commits`, `issues/comments`, … */
  readonly part: string;
}

/** Answers what is asked of one pull request. */
export async function onPull({ question, repository, pull, host, shape, row, part }: OnPull): Promise<Answer> {
  const { method, body, token } = question;
  const url = host.url();
  const login = token?.login ?? "";
  switch (`${method} ${part}`) {
    case "GET pulls":
      return { status: 200, body: await shape(pull) };
    case "PATCH pulls": {
      if (typeof body["body"] === "string" && [...body["body"]].length > MOST_BODY)
        return invalid("PullRequest", `body is too long (maximum is ${MOST_BODY} characters)`);
      if (typeof body["title"] === "string") pull.title = body["title"];
      if (typeof body["body"] === "string") pull.body = body["body"];
      if (body["state"] === "closed" && pull.state === "open") close(pull, login, host.now());
      pull.updatedAt = host.now();
      return { status: 200, body: await shape(pull) };
    }
    case "GET issues":
      return { status: 200, body: issueShape(repository, pull, url) };
    case "GET pulls/commits":
      await follow(pull, repository);
      return { status: 200, items: await commitsIn(repository, `${pull.base}..${pull.headSha}`, host) };
    case "PUT pulls/merge":
      return mergePull(pull, repository, login, host.now());
    case "POST pulls/requested_reviewers": {
      const [reviewers, teams] = [namesIn(body, "reviewers"), namesIn(body, "team_reviewers")];
      if (reviewers.includes(pull.user)) return refuse(422, "Review cannot be requested from pull request author.");
      if ([...reviewers, ...teams].some((name) => repository.strangers.has(name))) return refuse(422, NO_COLLABORATOR);
      pull.reviewers = [...new Set([...pull.reviewers, ...reviewers])];
      pull.teams = [...new Set([...pull.teams, ...teams])];
      return { status: 201, body: await row(pull) };
    }
    default:
      return onTalk(question, repository, pull, host, part);
  }
}

const NO_COLLABORATOR =
  "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the repository.";

/** Squash-merges, as a person does with the green button. */
export async function mergePull(pull: Pull, repository: Repository, login: string, now: string): Promise<Answer> {
  if (pull.state !== "open") return refuse(405, "Pull Request is not mergeable");
  if (pull.draft) return refuse(405, "Pull Request is still a draft");
  await follow(pull, repository);
  const tree = (
    await git(repository.folder, ["merge-tree", "--write-tree", pull.base, pull.headSha]).catch(() => "")
  ).trim();
  if (tree === "") return refuse(405, "Merge conflict");
  const who = {
    GIT_AUTHOR_NAME: login,
    GIT_AUTHOR_EMAIL: `${login}@example.com`,
    GIT_COMMITTER_NAME: "GitHub",
    GIT_COMMITTER_EMAIL: "noreply@github.com",
  };
  const head = (
    await git(
      repository.folder,
      ["commit-tree", tree, "-p", `refs/heads/${pull.base}`, "-m", `${pull.title} (#${pull.number})`],
      who,
    )
  ).trim();
  await git(repository.folder, ["update-ref", `refs/heads/${pull.base}`, head]);
  close(pull, login, now);
  pull.mergedAt = now;
  pull.mergeCommit = head;
  return { status: 200, body: { sha: head, merged: true, message: "Pull Request successfully merged" } };
}

/** The head of a pull request is its branch's, for as long as there is one. */
export async function follow(pull: Pull, repository: Repository): Promise<void> {
  if (pull.state === "open") pull.headSha = (await headOf(repository.folder, pull.head)) ?? pull.headSha;
}

/** Commits as GitHub has them, oldest first: of a range, or one of them with `-1`. */
export async function commitsIn(repository: Repository, range: string, host: Host) {
  const format = "--format=%H%x1f%T%x1f%P%x1f%an%x1f%ae%x1f%aI%x1f%cn%x1f%ce%x1f%cI%x1f%B%x1e";
  const rows = (await git(repository.folder, ["log", "--reverse", format, ...range.split(" ")]))
    .split("\x1e")
    .map((row) => row.trim().split("\x1f"))
    .filter((row) => row.length === 10);
  return rows.map((row) => {
    const [sha = "", tree = "", parents = "", name = "", email = "", date = "", by = "", at = "", when = ""] = row;
    const commit = {
      sha,
      tree,
      parents: parents.split(" ").filter((parent) => parent !== ""),
      author: { name, email, date },
      committer: { name: by, email: at, date: when },
      message: row[9] ?? "",
    };
    return commitShape(repository, commit, host.url(), host.accounts);
  });
}
