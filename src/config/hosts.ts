import type { Config } from "./schema.ts";

/** Names (`host[:port]`) under which the code host's repositories are reached by Git and by people. */
export function hostsOf({ apiUrl, hosts }: Pick<Config["github"], "apiUrl" | "hosts">): readonly string[] {
  const { hostname, host } = new URL(apiUrl);
  // GitHub serves Git over SSH on the HTTPS port, too, under a name of its own.
  return [...(hostname === "api.github.com" ? ["github.com", "ssh.github.com"] : [host]), ...hosts];
}
