import type { ReceiverEntry } from "../config/notify-section.ts";
import { messageOf, StanchError } from "../errors.ts";
import type { Delivery, Notice, ObjectRef } from "../model.ts";
import type { Receiver } from "../ports.ts";
import { CODEOWNERS, type Owners, ownersOf, parseCodeowners } from "../pull-request/codeowners.ts";
import { plain } from "../pull-request/quote.ts";
import { chooseReviewers } from "../pull-request/reviewers.ts";
import type { Run } from "../run.ts";

/** What people are called for; anything else they are told by the pull request itself. */
export const CALLS = ["escalated", "expiring"] as const;

type MentionContext = Pick<Run, "codeHost" | "workbench" | "store">;

/**
 * Calls the code owners of the changed files, in the pull request or issue of the incident: when a person is needed, and when its hotfix is about to be
 * taken back. Each reason once, also after a crash: the comment says which it is. Owners come from the branch that is merged into, so that no pull
 * request chooses who is called by itself.
 */
export function createMention({ name }: ReceiverEntry, context: MentionContext): Receiver {
  return {
    name,
    send: async (notice) => {
      try {
        return await mention(notice, context);
      } catch (error) {
        const hint = error instanceof StanchError && error.hint !== undefined ? ` (${error.hint})` : "";
        return { outcome: "failed", reason: `${messageOf(error)}${hint}` };
      }
    },
    check: async () => ({ ok: true, text: "GitHub mentions; the token is checked with the repositories" }),
  };
}

async function mention(notice: Notice, { codeHost, workbench, store }: MentionContext): Promise<Delivery> {
  const { incident, id } = notice;
  if (incident === undefined || !CALLS.some((event) => event === notice.event))
    return skipped("nobody is called for that");
  const source = (await store.get(incident.namespace, incident.name))?.status?.source;
  const target = await targetOf(notice, { codeHost });
  if ("reason" in target) return skipped(target.reason);
  const { repository, number } = target;
  const place = source === undefined ? await folderOf(incident.workload, workbench) : { ...source, base: undefined };
  if (place === null || place.repository.toLowerCase() !== repository.toLowerCase())
    return skipped("no file of its repository is known that it comes from");
  const base = target.base ?? place.base;
  const files = place.locations.map(fileOf).filter((file) => file !== "" && !file.includes("\0"));
  const { login } = await codeHost.check(repository);
  const checkout = await workbench.open(repository, base);
  let text: string | null = null;
  for (const file of CODEOWNERS) text ??= await checkout.read(file);
  const people = chooseReviewers({
    repository,
    owners: ownersOf(files, parseCodeowners(text ?? "")),
    culprit: null,
    self: login,
  });
  const names = namesOf(repository, people);
  if (names.length === 0) return skipped("its files have no code owners who could be called");
  const marker = `<!-- stanch mention v1 ${id} -->`;
  const said = await codeHost.comments(repository, number);
  if (said.some(({ author, body }) => author.toLowerCase() === login.toLowerCase() && body.startsWith(marker)))
    return skipped("it was said before");
  await codeHost.comment(repository, number, `${marker}\n${names.join(" ")}: ${plain(notice.text, 1200)}`);
  return { outcome: "sent" };
}

interface Place {
  readonly repository: string;
  readonly base: string | undefined;
  readonly locations: readonly string[];
}

/** Where no file could be found to change, those are called who own the folder that the workload is deployed from. */
async function folderOf(workload: ObjectRef, workbench: MentionContext["workbench"]): Promise<Place | null> {
  const found = await workbench.find(workload).catch(() => null);
  if (found === null || !found.found) return null;
  const { repository, branch, path } = found.bench.source;
  return { repository, base: branch, locations: [path === "." ? "manifest" : `${path}/manifest`] };
}

type Target = { readonly repository: string; readonly number: number; readonly base: string | undefined };

async function targetOf(
  { incident }: Notice,
  { codeHost }: Pick<MentionContext, "codeHost">,
): Promise<Target | { readonly reason: string }> {
  const { pullRequest, issue } = incident ?? {};
  if (pullRequest === undefined)
    return issue === undefined
      ? { reason: "there is no pull request and no issue" }
      : { repository: issue.repository, number: issue.number, base: undefined };
  const { repository, number } = pullRequest;
  const pull = await codeHost.pullRequest(repository, number);
  if (pull.draft) return { reason: `#${number} is a draft` };
  if (pull.state === "closed" && !pull.merged) return { reason: `#${number} was closed` };
  return { repository, number, base: pull.base };
}

function namesOf(repository: string, { users, teams }: Owners): string[] {
  const organisation = repository.split("/")[0] ?? "";
  return [...users.map((login) => `@${login}`), ...teams.map((slug) => `@${organisation}/${slug}`)];
}

/** `apps/cart.yaml` of `apps/cart.yaml:12 (manifest)`. */
const fileOf = (location: string): string => location.replace(/:\d+ \(.*\)$/s, "");

const skipped = (reason: string): Delivery => ({ outcome: "skipped", reason });
