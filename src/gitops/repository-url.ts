/**
 * The repository `owner/name` that a Git address means, when it lies on our code host; or a reason that names the host and
 * nothing else of the address, because people put credentials into it. `hosts`: `host[:port]` of our code host, under all its names.
 */
export function repositoryOf(
  url: unknown,
  hosts: readonly string[],
): { readonly repository: string } | { readonly reason: string } {
  const address = typeof url === "string" ? parse(url.trim()) : null;
  if (address === null) return { reason: "it names no address of a Git repository" };
  const { scheme, host, port, path } = address;
  if (scheme === "oci") return { reason: `it lies in an OCI registry (${shown(host)}) and not in Git` };
  if (!hosts.some((ours) => isSame(address, ours)))
    return {
      reason: `its repository lies on ${shown(host)}${port === "" ? "" : `:${port}`}, and pull requests are opened on ${hosts.join(", ") || "no host"} only`,
    };
  const repository = ownerAndName(path);
  return repository === null
    ? { reason: `its address on ${shown(host)} is not that of one repository (owner/name)` }
    : { repository };
}

interface Address {
  readonly scheme: string;
  readonly host: string;
  /** "" where it is the scheme's own. */
  readonly port: string;
  readonly path: string;
}

const PORTS: Readonly<Record<string, string>> = { http: "80", https: "443", ssh: "22", "git+ssh": "22" };

function parse(text: string): Address | null {
  if (!text.includes("://")) {
    // scp's form, with or without a user: git@github.com:shop/apps.git
    const scp = /^(?:[^/\s]*@)?([\w.-]+|\[[\da-f:]+\]):(?!\/\/)(.+)$/i.exec(text);
    return scp === null ? null : { scheme: "ssh", host: plainHost(scp[1] ?? ""), port: "", path: scp[2] ?? "" };
  }
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const scheme = url.protocol.slice(0, -1).toLowerCase();
  if (!["http", "https", "ssh", "git+ssh", "oci"].includes(scheme) || url.hostname === "") return null;
  return {
    scheme,
    host: plainHost(url.hostname),
    port: url.port === PORTS[scheme] ? "" : url.port,
    path: url.pathname,
  };
}

/** The same machine under its shorter name: a trailing dot and GitHub's two other names mean nothing. */
function plainHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/\.$/, "")
    .replace(/^(?:ssh|www)\.github\.com$/, "github.com");
}

/** SSH has a port of its own, which says nothing about the web address: there only the name counts. */
function isSame({ scheme, host, port }: Address, ours: string): boolean {
  const [, name = "", own = ""] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(ours.trim()) ?? [];
  if (name === "" || plainHost(name) !== host) return false;
  if (scheme === "ssh" || scheme === "git+ssh") return true;
  return port === (own === PORTS[scheme] ? "" : own);
}

function ownerAndName(path: string): string | null {
  const plain = path
    .replace(/^\/+|\/+$/g, "")
    .replace(/\.git$/i, "")
    .replace(/\/+$/, "");
  const parts = plain.split("/");
  return parts.length === 2 && parts.every((part) => /^[\w.-]{1,100}$/.test(part) && !/^\.+$/.test(part))
    ? plain
    : null;
}

/** A host that somebody else wrote, in one line. */
function shown(host: string): string {
  return host.replaceAll(/[^\w.:[\]-]/g, "").slice(0, 100) || "an unnamed host";
}
