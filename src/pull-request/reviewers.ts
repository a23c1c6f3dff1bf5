import type { Owners } from "./codeowners.ts";

/** More people than that are nobody in particular. */
const MOST = 10;

/**
 * Who is asked to look at a pull request: the owners of the edited files, then the author of the commit that brought the fault in. Never the
 * one who opens it, and never a bot. Teams by slug, as GitHub takes them; only those of the repository's own organisation can be asked.
 */
export function chooseReviewers(facts: {
  readonly repository: string;
  readonly owners: Owners;
  readonly culprit: string | null;
  readonly self: string | undefined;
}): Owners {
  const organisation = (facts.repository.split("/")[0] ?? "").toLowerCase();
  const teams = facts.owners.teams.flatMap((team) => {
    const [org = "", slug = ""] = team.split("/");
    return org.toLowerCase() === organisation ? [slug] : [];
  });
  // Logins are the same in any case.
  const users = new Map<string, string>();
  for (const login of [...facts.owners.users, ...(facts.culprit === null ? [] : [facts.culprit])])
    if (!users.has(login.toLowerCase())) users.set(login.toLowerCase(), login);
  users.delete((facts.self ?? "").toLowerCase());
  const people = [...users.values()].filter((login) => !login.endsWith("[bot]"));
  return { users: people.slice(0, MOST), teams: [...new Set(teams)].slice(0, MOST) };
}
