import { withoutHeaders } from "./redact/headers.ts";
import { withoutNamed } from "./redact/named.ts";
import { looksRandom } from "./redact/random.ts";
import { SAYS } from "./redact/span.ts";

/**
 * Takes out what looks like a secret, before text from the cluster (logs, events) goes anywhere: incident, pull request,
 * log. Rules go from certain shapes to suspicious ones; a rule too many costs a word, a rule too few a credential. Time grows with the text's
 * length and no faster, whatever stands in it.
 */
export function redact(text: string): string {
  let out = withoutHeaders(redactShapes(text), /^(?:set-)?cookie$/i);
  for (const [pattern, replacement] of RULES) out = out.replaceAll(pattern, replacement);
  out = withoutNamed(out);
  return out.replaceAll(/[A-Za-z0-9+/_=-]{24,}/g, (word) => (looksRandom(word) ? "‹redacted›" : word));
}

/**
 * Takes out only what has the certain shape of a credential: for text that quotes manifests, where a key called `secretName` is
 * what the text is about.
 */
export function redactShapes(text: string): string {
  let out = text;
  for (const [pattern, replacement] of SHAPES) out = out.replaceAll(pattern, replacement);
  return withoutHeaders(out, /(?:^|[_-])authorization$/i);
}

/** Repetitions that can begin anywhere are bounded, or begin where nothing of theirs stands before: a long line of letters costs no more than another. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [
    /-----BEGIN [A-Z0-9 ]{0,60}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(-----END [A-Z0-9 ]{0,60}PRIVATE KEY(?: BLOCK)?-----|$)/g,
    "‹redacted private key›",
  ],
  [/\beyJ[\w-]{8,2000}\.[\w-]{8,}\.[\w-]*/g, "‹redacted token›"],
  [
    /\b(gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|xapp-[\w-]{10,}|sk-[\w-]{16,}|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{30,}|npm_[A-Za-z0-9]{30,}|(?:sk|pk|rk)_(?:live|test)_\w{8,}|SG\.[\w-]{10,}\.[\w-]{10,}|dop_v1_\w{20,}|hv[sbr]\.[\w-]{20,}|ya29\.[\w-]{20,}|EAACEdEose0cBA\w+)/g,
    "‹redacted token›",
  ],
  [/\b(?:hooks\.slack\.com\/services|discord(?:app)?\.com\/api\/webhooks)\/[^\s"'<>]+/gi, "‹redacted webhook›"],
  // scheme://user:password@host, with an @ in the password.
  [/(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@"'<>]{0,200}):(?!‹)[^\s/"'<>]+@/gi, "$1:‹redacted›@"],
  // https://TOKEN@host: nobody but git is a mere user there.
  [/(?<![a-z0-9+.-])(https?:\/\/)(?!git@|‹)[^\s:/@?#"'<>]+@(?=[\w[])/gi, "$1‹redacted›@"],
  // Go's MySQL: user:password@tcp(host).
  [/(?<![\w.-])([\w.-]{1,64}:)(?!‹)[^\s"']{1,200}?(@(?:tcp[46]?|udp|unix|cloudsql\w{0,20})\()/g, "$1‹redacted›$2"],
  // A signature that opens a storage account.
  [/([?&](?:amp;)?sig=)(?!‹)[^\s&"'<>]+/gi, "$1‹redacted›"],
  [/\b(bearer)\s{1,20}(?!(?:authentication|authorization|credentials?|tokens?)\b)[\w.~+/-]{8,}=*/gi, "$1 ‹redacted›"],
];

const SENTENCE =
  "(?:used|needed|mounted|immutable|deprecated|ignored|found|given|stored|read|generated|created|deleted|updated|changed|rotated|malformed|unsupported|in|of|from|for|on|at|by|to|the|an?|already|still|only|also|being|never|longer|shorter)\\b(?!-)";

const RULES: readonly (readonly [RegExp, string])[] = [
  // How people write to each other: "the password is …"; and no sentence about it.
  [
    new RegExp(
      `\\b(pass(?:word|phrase|code)?|secret|token|key|credentials?)(\\s{1,20}(?:is|was|are)\\s{1,20})(?!${SAYS}|${SENTENCE})["'\`]?(?!‹)[^\\s"'\`,;]{4,}`,
      "gi",
    ),
    "$1$2‹redacted›",
  ],
  // Command lines: `curl -u user:SECRET`, `mysql -pSECRET`, `redis-cli -a SECRET`.
  [
    /(?<=^|[\s"'`,[])(-u|--user|--proxy-user)(["']?(?:\s{1,20}|,\s{0,20}|=)["']?)(?!\d+:\d)([^\s:"'‹]{1,100}:)(?!‹)[^\s"'`]+/gm,
    "$1$2$3‹redacted›",
  ],
  [
    /(?<![\w-])((?:mysql|mariadb)[\w-]{0,20}["']?(?=[\s"',])[^\n|;&]{0,300}?[\s"'`]-p)(?!‹)[^\s"'`]{3,}/g,
    "$1‹redacted›",
  ],
  [
    /(?<![\w-])((?:sshpass|mongo(?:sh|dump|restore|export|import)?|docker login|podman login|helm registry login)["']?(?=[\s"',])[^\n|;&]{0,300}?[\s"'`]-p["']?[\s,]{0,5}["']?)(?![‹-])[^\s"'`,]{3,}/g,
    "$1‹redacted›",
  ],
  [
    /(?<![\w-])((?:redis-cli["']?(?=[\s"',])[^\n|;&]{0,300}?[\s"'`]-a|ldap\w{1,10}["']?(?=[\s"',])[^\n|;&]{0,300}?[\s"'`]-w)["']?[\s,]{1,5}["']?)(?![‹-])[^\s"'`,]{3,}/g,
    "$1‹redacted›",
  ],
];
