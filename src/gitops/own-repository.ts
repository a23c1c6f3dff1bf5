import type { Config } from "../config/schema.ts";
import type { CodeHost } from "../ports.ts";

interface Doors {
  readonly config: Pick<Config, "sources" | "apps">;
  readonly codeHost: Pick<CodeHost, "check">;
}

/**
 * Is a repository one that this installation works on: named by the configuration, or one that the account may push to? What an Application or
 * a GitRepository deploys from is often somebody else's, and there everybody reads.
 */
export async function isOwnRepository(repository: string, { config, codeHost }: Doors): Promise<boolean> {
  const { sources, apps } = config;
  const same = (entry: { readonly repository: string }): boolean =>
    entry.repository.toLowerCase() === repository.toLowerCase();
  if ([...sources, ...apps].some(same)) return true;
  const { push, archived } = await codeHost.check(repository);
  return push && !archived;
}
