import type { Comment, ReviewHost } from "../ports.ts";

export type StickyHost = Pick<
  ReviewHost,
  "allComments" | "createComment" | "updateComment" | "deleteComment" | "login"
>;

export interface Sticky {
  readonly repository: string;
  readonly number: number;
  /** Tells the comments of one workflow from another's: letters, digits, dashes. */
  readonly name: string;
  /** What is to stand there, part by part; empty: there is nothing to say. */
  readonly parts: readonly string[];
  /** What an earlier comment is turned into when there is nothing to say any more. */
  readonly clean: string;
}

export interface StickyResult {
  readonly written: number;
  readonly deleted: number;
  /** Of the first part. */
  readonly url?: string;
}

/**
 * Brings our comments up to date: those of this name that we wrote ourselves are rewritten where they say something else, missing ones are
 * written, what is left over is deleted. None is written to say nothing. Who else writes our marker writes a comment of their own.
 */
export async function stick(host: StickyHost, sticky: Sticky): Promise<StickyResult> {
  const { repository, number, name } = sticky;
  const login = await host.login(repository);
  const own = (await host.allComments(repository, number))
    .filter(({ author, bot, body }) => isOurs(author, bot, login) && isMarked(body, name))
    .toSorted((a, b) => partOf(a.body) - partOf(b.body) || a.id - b.id);
  const wanted = sticky.parts.length > 0 ? sticky.parts : own.length > 0 ? [sticky.clean] : [];
  const bodies = wanted.map((text, index) => `${marker(name, index + 1, wanted.length)}\n${text}\n`);
  let written = 0;
  let url: string | undefined;
  for (const [index, body] of bodies.entries()) {
    const known = own[index];
    if (known === undefined) {
      const made: Comment = await host.createComment(repository, number, body);
      url ??= made.url;
      written += 1;
      continue;
    }
    url ??= known.url;
    // The web interface and GitHub itself may turn line ends around.
    if (known.body.replaceAll("\r\n", "\n").trimEnd() === body.trimEnd()) continue;
    await host.updateComment(repository, known.id, body);
    written += 1;
  }
  const left = own.slice(bodies.length);
  for (const { id } of left) await host.deleteComment(repository, id);
  return { written, deleted: left.length, ...(url === undefined ? {} : { url }) };
}

function marker(name: string, part: number, of: number): string {
  return `<!-- stanch review v1 ${name} ${part}/${of} -->`;
}

function isMarked(body: string, name: string): boolean {
  return (
    body.startsWith(`<!-- stanch review v1 ${name} `) &&
    /^<!-- stanch review v1 [\w-]+ \d+\/\d+ -->(?:\r?\n|$)/.test(body)
  );
}

function partOf(body: string): number {
  return Number(/^<!-- stanch review v1 [\w-]+ (\d+)\//.exec(body)?.[1] ?? 0);
}

function isOurs(author: string, bot: boolean, login: string): boolean {
  const bare = (name: string): string => name.toLowerCase().replace(/\[bot\]$/, "");
  // An App and a person may have the same name.
  return bare(author) === bare(login) && bot === login.toLowerCase().endsWith("[bot]");
}
