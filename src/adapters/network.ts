import http from "node:http";
import { BlockList, isIP } from "node:net";
import { messageOf, StanchError } from "../errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Never sent to a proxy, as Go has it; curl and Node have to be told. */
const LOOPBACK = "localhost,127.0.0.1,::1";

/**
 * The proxies of an environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, `ALL_PROXY`; small letters win) in small letters,
 * which is what curl, Go and Node all read. Empty without a proxy.
 */
export function proxiesOf(env: Environment): Record<string, string> {
  const said = (name: string): string | undefined => (env[name] || env[name.toUpperCase()])?.trim() || undefined;
  const proxies = ["http_proxy", "https_proxy", "all_proxy"].flatMap((name) => {
    const value = said(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  if (proxies.length === 0) return {};
  const excluded = said("no_proxy");
  return {
    ...Object.fromEntries(proxies),
    no_proxy: excluded === undefined ? LOOPBACK : excluded === "*" ? "*" : `${excluded},${LOOPBACK}`,
  };
}

/** What git is told of the network: proxies, and authorities beside the machine's (`GIT_SSL_CAINFO`, or else Node's own). */
export function gitNetwork(env: Environment): Record<string, string> {
  return {
    ...proxiesOf(env),
    ...present({
      GIT_SSL_CAINFO: env["GIT_SSL_CAINFO"] || env["NODE_EXTRA_CA_CERTS"],
      GIT_SSL_CAPATH: env["GIT_SSL_CAPATH"],
    }),
  };
}

/** What a program in Go is told of the network: proxies, and authorities (`SSL_CERT_FILE`, or else Node's own). */
export function goNetwork(env: Environment): Record<string, string> {
  return {
    ...proxiesOf(env),
    ...present({
      SSL_CERT_FILE: env["SSL_CERT_FILE"] || env["NODE_EXTRA_CA_CERTS"],
      SSL_CERT_DIR: env["SSL_CERT_DIR"],
    }),
  };
}

/** Lets every `fetch` of this process use the environment's proxies. Throws StanchError `config` for one that is no proxy. */
export function useProxies(env: Environment): void {
  const proxies = proxiesOf(env);
  for (const name of ["http_proxy", "https_proxy"]) if (proxies[name] !== undefined) checkProxy(name, proxies[name]);
  if (proxies["http_proxy"] === undefined && proxies["https_proxy"] === undefined) return;
  // Since Node 24.14; before that NODE_USE_ENV_PROXY=1 does it.
  http.setGlobalProxyFromEnv?.(proxies);
}

/**
 * The proxy for an https address; undefined when it is reached directly. `no_proxy` as Go reads it (golang.org/x/net/http/httpproxy):
 * names with everything below them, addresses, networks (`10.0.0.0/8`), each with or without a port; `*` is everything. The
 * API server of the pod's own cluster is always direct: it is inside, and its address is often forgotten in the list.
 */
export function proxyFor(url: URL, env: Environment): string | undefined {
  const proxies = proxiesOf(env);
  const proxy = proxies["https_proxy"];
  if (proxy === undefined || url.protocol !== "https:") return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (host === env["KUBERNETES_SERVICE_HOST"]?.toLowerCase()) return undefined;
  const port = url.port || "443";
  if ((proxies["no_proxy"] ?? "").split(",").some((entry) => excludes(entry.trim().toLowerCase(), host, port)))
    return undefined;
  checkProxy("https_proxy", proxy);
  return proxy;
}

function excludes(entry: string, host: string, port: string): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  const network = /^(.+)\/(\d{1,3})$/.exec(entry);
  if (network !== null) return inNetwork(network[1] ?? "", Number(network[2]), host);
  const bare = isIP(entry) === 6 ? null : /^(.*?):(\d+)$/.exec(entry);
  if (bare !== null && bare[2] !== port) return false;
  const name = (bare?.[1] ?? entry).replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0) return name === host;
  const below = name.replace(/^\*?\.?/, ".");
  return host.endsWith(below) || (!/^\*?\./.test(name) && host === name);
}

function inNetwork(address: string, prefix: number, host: string): boolean {
  const [family, ofHost] = [isIP(address), isIP(host)];
  if (family === 0 || family !== ofHost || prefix > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(address, prefix, type);
  return list.check(host, type);
}

/** Why a `fetch` failed: "fetch failed" is all that its own error says, and the reason is the innermost cause. */
export function fetchFault(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? fetchFault(cause) : messageOf(error);
}

/** Codes of a handshake that came to no end; certificates are looked at before anything is sent. */
const NO_HANDSHAKE =
  /^(CERT_|CRL_|DEPTH_ZERO_|ERR_TLS_CERT_|ERROR_IN_C|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED|SELF_SIGNED_|UNABLE_TO_|ERR_SSL_(WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL|\w*ALERT_(PROTOCOL_VERSION|HANDSHAKE_FAILURE)|\w*UNRECOGNIZED_NAME))/;

/** Said without a code: Node's own of a handshake, and of what `fetch` or a proxy does not take. */
const NO_CONNECTION = /before secure TLS connection was established|^bad port$|when HTTP Tunneling/;

/** Did a `fetch` fail before there was a connection, so that nothing of the request can have come anywhere? False where that is not known. */
export function neverSent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.cause instanceof Error) return neverSent(error.cause);
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(neverSent);
  const { code = "", syscall } = error as NodeJS.ErrnoException;
  return (
    syscall === "connect" ||
    syscall === "getaddrinfo" ||
    code === "UND_ERR_CONNECT_TIMEOUT" ||
    NO_HANDSHAKE.test(code) ||
    NO_CONNECTION.test(error.message)
  );
}

/** The value may hold a password, so it is not repeated. */
function checkProxy(name: string, value: string): void {
  if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return;
  throw new StanchError("config", `${name.toUpperCase()} is no address of an HTTP proxy`, {
    hint: "write it as http://proxy.example.com:3128; SOCKS is not supported",
  });
}

function present(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ""),
  );
}
