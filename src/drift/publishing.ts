import type { Config } from "../config/schema.ts";
import type { Clock, CodeHost, Log, ReviewHost } from "../ports.ts";

/** What publishing works with. */
export interface Publishing {
  readonly codeHost: CodeHost & ReviewHost;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  /** Says what would be published, and writes nothing. */
  readonly dryRun: boolean;
}

/** Published no longer than `drift.refresh` ago. */
export function isFresh(published: string, now: string, { drift }: Pick<Config, "drift">): boolean {
  return Date.parse(now) - Date.parse(published) < drift.refresh;
}

/** May values of fields be shown to whoever reads this repository (`drift.values`)? */
export async function mayShowValues(
  repository: string,
  { codeHost, config }: { readonly codeHost: Pick<CodeHost, "isPublic">; readonly config: Pick<Config, "drift"> },
): Promise<boolean> {
  if (config.drift.values !== "private") return config.drift.values === "always";
  return !(await codeHost.isPublic(repository));
}
