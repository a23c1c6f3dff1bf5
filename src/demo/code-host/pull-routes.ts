import { type Answer, type Host, invalid, MOST_BODY, NOT_FOUND, type Question, refuse } from "./answer.ts";
import { git } from "./git-server.ts";
import { issueShape } from "./pull-shapes.ts";
import { commentShape, commitShape, labelShape } from "./shapes.ts";
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
  const names = (key: string): string[] =>
    Array.isArray(body[key]) ? body[key].filter((name): name is string => typeof name === "string") : [];
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
    case "GET pulls/commits": {
      await follow(pull, repository);
      const rows = (
        await git(repository.folder, [
          "log",
          "--reverse",
          "--format=%H%x1f%T%x1f%P%x1f%an%x1f%ae%x1f%aI%x1f%cn%x1f%ce%x1f%cI%x1f%B%x1e",
          `${pull.base}..${pull.headSha}`,
        ])
      )
        .split("\x1e")
        .map((row) => row.trim().split("\x1f"))
        .filter((row) => row.length === 10);
      return {
        status: 200,
        items: rows.map((row) => {
          const [sha = "", tree = "", parents = "", name = "", email = "", date = "", by = "", at = "", when = ""] =
            row;
          return commitShape(
            repository,
            {
              sha,
              tree,
              parents: parents.split(" ").filter((parent) => parent !== ""),
              author: { name, email, date },
              committer: { name: by, email: at, date: when },
              message: row[9] ?? "",
            },
            url,
          );
        }),
      };
    }
    case "PUT pulls/merge":
      return mergePull(pull, repository, login, host.now());
    case "GET issues/comments":
      return { status: 200, items: pull.comments.map((comment) => commentShape(repository, pull, comment, url)) };
    case "POST issues/comments": {
      const text = typeof body["body"] === "string" ? body["body"] : "";
      if ([...text].length > MOST_BODY)
        return invalid("IssueComment", `body is too long (maximum is ${MOST_BODY} characters)`);
      const comment = { id: pull.number * 1000 + pull.comments.length + 1, user: login, body: text, at: host.now() };
      pull.comments.push(comment);
      return { status: 201, body: commentShape(repository, pull, comment, url) };
    }
    case "POST issues/labels":
      pull.labels = [...new Set([...pull.labels, ...names("labels")])];
      return {
        status: 200,
        items: pull.labels.map((name) => labelShape(repository, name, url)),
      };
    case "POST pulls/requested_reviewers":
      pull.reviewers = [...new Set([...pull.reviewers, ...names("reviewers")])];
      return { status: 201, body: await row(pull) };
    default:
      return NOT_FOUND;
  }
}

/** Closes it, as somebody. */
export function close(pull: Pull, login: string, now: string): void {
  pull.state = "closed";
  pull.closedAt = now;
  pull.closedBy = login;
}

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
  if (pull.state === "open") pull.headSha = (await headOf(repository, pull.head)) ?? pull.headSha;
}

/** Head commit of a branch, or null. */
export async function headOf(repository: Repository, branch: string): Promise<string | null> {
  if (branch === "" || branch.startsWith("-")) return null;
  return (
    (
      await git(repository.folder, ["rev-parse", "--verify", "--quiet", `refs/heads/${branch}`]).catch(() => "")
    ).trim() || null
  );
}
