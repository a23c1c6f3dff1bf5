import { readFile } from "node:fs/promises";
import { z } from "zod";
import { messageOf, StanchError } from "../src/errors.ts";
import type { Runner } from "./inputs.ts";

const Sha = z.string().regex(/^[0-9a-f]{40}$/);
const Repository = z.object({ full_name: z.string() });
const PullRequestEvent = z.object({
  repository: z.object({ full_name: z.string(), default_branch: z.string() }),
  pull_request: z.object({
    number: z.number().int().positive(),
    body: z.string().nullable(),
    user: z.object({ login: z.string() }).nullish(),
    // A fork may be gone.
    head: z.object({ sha: Sha, ref: z.string(), repo: Repository.nullable() }),
    base: z.object({ sha: Sha, ref: z.string(), repo: Repository }),
  }),
});

/** The pull request that a workflow runs for. */
export interface PullRequestEvent {
  readonly repository: string;
  readonly number: number;
  readonly body: string;
  /** Login of who opened it; "" when that account is gone. */
  readonly author: string;
  readonly head: { readonly sha: string; readonly branch: string };
  readonly base: { readonly sha: string; readonly branch: string };
  readonly defaultBranch: string;
  /** Its head lies in another repository: the run has no secrets, and a token that may only read. */
  readonly fork: boolean;
}

/** Reads the event's payload. Throws StanchError `config` for what is no pull request. */
export async function readPullRequest({ eventName, eventPath }: Runner): Promise<PullRequestEvent> {
  const hint = "run `mode: review` in a workflow with `on: pull_request`";
  if (!["pull_request", "pull_request_target"].includes(eventName))
    throw new StanchError(
      "config",
      `the workflow was started by ${JSON.stringify(eventName.slice(0, 60))}, which is no pull request`,
      { hint },
    );
  let payload: unknown;
  try {
    payload = JSON.parse(await readFile(eventPath, "utf8"));
  } catch (error) {
    throw new StanchError("config", `the event's payload (GITHUB_EVENT_PATH) cannot be read: ${messageOf(error)}`, {
      hint,
    });
  }
  const parsed = PullRequestEvent.safeParse(payload);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const at = issue?.path.map(String).join(".") ?? "";
    throw new StanchError("config", `the event's payload is none of a pull request: ${at}: ${issue?.message}`, {
      hint,
    });
  }
  const { repository, pull_request: pull } = parsed.data;
  const { head, base } = pull;
  return {
    repository: base.repo.full_name,
    number: pull.number,
    body: pull.body ?? "",
    author: pull.user?.login ?? "",
    head: { sha: head.sha, branch: head.ref },
    base: { sha: base.sha, branch: base.ref },
    defaultBranch: repository.default_branch,
    fork: head.repo?.full_name.toLowerCase() !== base.repo.full_name.toLowerCase(),
  };
}
