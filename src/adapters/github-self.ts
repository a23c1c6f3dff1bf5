import { messageOf } from "../errors.ts";
import type { GitHubClient } from "./github-client.ts";
import { statusOf } from "./github-fault.ts";

/**
 * Our own login as it stands at comments, asked once; null where GitHub says it to nobody. Throws for passing faults: not knowing it for a
 * moment would mistake who wrote what, and write everything a second time.
 */
export function selfOf(isApp: boolean): (client: GitHubClient) => Promise<string | null> {
  let known: Promise<string | null> | undefined;
  return (client) => {
    known ??= loginOf(client, isApp).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
}

async function loginOf(client: GitHubClient, isApp: boolean): Promise<string | null> {
  if (isApp) {
    const slug = (await client.apps.getAuthenticated()).data?.slug;
    return slug === undefined ? null : `${slug}[bot]`;
  }
  try {
    return (await client.users.getAuthenticated()).data.login;
  } catch (error) {
    if (statusOf(error) !== 403 || isLimit(error)) throw error;
  }
  // REST says it to no token of an installation, whether a workflow's own or one that was made for another App; GraphQL does.
  try {
    const { viewer } = await client.graphql<{ viewer: { login: string } | null }>("query { viewer { login } }");
    return viewer?.login ?? null;
  } catch (error) {
    if (isGraphRefusal(error)) return null;
    throw error;
  }
}

const isLimit = (error: unknown): boolean => /rate limit|abuse/i.test(messageOf(error));

/** Does GraphQL say no, or is there none? Its own "no" comes with status 200. */
export function isGraphRefusal(error: unknown): boolean {
  if (isLimit(error)) return false;
  return (error as { name?: string } | null)?.name === "GraphqlResponseError" || [403, 404].includes(statusOf(error));
}
