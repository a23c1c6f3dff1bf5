/** How programs say that a name does not resolve: libc, musl, BusyBox, Go, Node, Java, Python, Ruby, .NET, nginx, MySQL. */
const SIGNS =
  /getaddrinfo|no such host|UnknownHostException|bad address|(?:not|cannot|can't|failed to|unable to|couldn't) (?:be )?(?:resolve|translate host name)|unknown (?:mysql server )?host|host not found|name or service not known|name does not resolve|name resolution|nodename nor servname provided|ENOTFOUND|EAI_AGAIN|NXDOMAIN/gi;

const HOST = "([a-z0-9][a-z0-9._-]{0,252})";
const QUOTE = "[\"'`(]?";
/** Where in such a sentence the host stands. */
const PLACES = [
  `(?:translate host name|ENOTFOUND|EAI_AGAIN|NXDOMAIN|lookup|can't find|UnknownHostException|bad address|resolve (?:host|hostname|address|name)|resolve|unknown host|mysql server host|in upstream|getaddrinfo for)[: ]{0,2}${QUOTE}${HOST}`,
  `${HOST}["'\`)]?(?::\\d{1,5})?["'\`)]?[:.,;]? {0,2}(?:\\[[^\\]]{0,20}\\] ?)?(?:name or service not known|name does not resolve|temporary failure in name|nodename nor|could not be resolved|no such host|NXDOMAIN)`,
  `(?:connecting|connect|connection|dial tcp|host|hostname|server|address|to|at)[:= ]{1,2}${QUOTE}${HOST}`,
  `://(?:[^\\s/@]{0,100}@)?${HOST}`,
  `${HOST}:\\d{2,5}(?!\\d)`,
].map((source) => new RegExp(source, "gi"));

/** As much as is looked at around a sign, and as many signs: a log's line may have sixteen thousand letters. */
const AROUND = 200;
const MOST = 30;

/**
 * Names that texts call in one breath with "does not resolve", in lower case and without a final dot. More of them than one may stand
 * there.
 */
export function unresolvedIn(texts: readonly string[]): string[] {
  const windows = texts.flatMap((text) =>
    [...text.matchAll(SIGNS)]
      .slice(-MOST)
      .map(({ index, 0: sign }) =>
        text.slice(Math.max(0, index - AROUND), index + sign.length + AROUND).replaceAll(/\s/g, " "),
      ),
  );
  const hosts = windows.flatMap((window) =>
    PLACES.flatMap((place) =>
      [...window.matchAll(place)].map((match) => (match[1] ?? "").toLowerCase().replace(/[._-]+$/, "")),
    ),
  );
  return [...new Set(hosts)].filter((host) => host !== "");
}
