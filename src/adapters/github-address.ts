import { StanchError } from "../errors.ts";

/** Git's remote of a repository: it follows from the REST API's address. */
export function gitRemote(apiUrl: string, repository: string): string {
  const url = new URL(apiUrl);
  const host = url.hostname === "api.github.com" ? "github.com" : url.host;
  const path = url.pathname.replace(/\/api\/v3\/?$/, "").replace(/\/+$/, "");
  return `${url.protocol}//${host}${path}/${repository}.git`;
}

/** Names (`host[:port]`) under which the code host's repositories are reached by Git. */
export function hostsOf(apiUrl: string): readonly string[] {
  const { hostname, host } = new URL(apiUrl);
  // GitHub serves Git over SSH on the HTTPS port, too, under a name of its own.
  return hostname === "api.github.com" ? ["github.com", "ssh.github.com"] : [host];
}

/** Refuses an address that would send the token unencrypted. Throws StanchError `config`. */
export function checkAddress(options: { readonly apiUrl: string; readonly allowHttp: boolean }): void {
  const url = new URL(options.apiUrl);
  if (url.username !== "" || url.password !== "")
    throw new StanchError("config", `github.apiUrl names a user or password; the configuration is no place for them`, {
      hint: `write ${url.origin}${url.pathname}, and put the token into GITHUB_TOKEN`,
    });
  const loopback = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url.protocol === "https:" || (url.protocol === "http:" && (loopback || options.allowHttp))) return;
  throw new StanchError("config", `github.apiUrl ${url.origin} would send the token unencrypted`, {
    hint: "use https, or set github.allowHttp when you know what you do",
  });
}
