/** What a text may hold, counted: an edit that makes the number larger (or smaller) brings it in (or takes it out). */
export interface Addition {
  readonly id: string;
  /** A sentence without a full stop, after "it " or of its own. */
  readonly text: string;
  readonly pattern: RegExp;
  /** Is it the rise or the fall of the number that counts? */
  readonly when: "more" | "fewer";
  /** Counted in files of tests alone. */
  readonly tests?: true;
}

const more = (id: string, text: string, pattern: RegExp): Addition => ({ id, text, pattern, when: "more" });

/** What no edit may bring in or take out: a fix of a fault does not need it, and an attack does. */
export const REFUSED: readonly Addition[] = [
  more(
    "program",
    "it starts another program",
    /\b(?:child_process|execSync|execFile(?:Sync)?|spawnSync|subprocess|popen|os\.system|os\/exec|exec\.Command|getRuntime\(\)|ProcessBuilder|Process\.Start|shell_exec|passthru|proc_open|pcntl_exec|std::process|posix_spawn\w*|execv\w*|pty\.spawn|Open3|Bun\.spawn|Deno\.(?:run|Command))\b|(?<![.\w])(?:system|spawn)\s*\(|`\s*(?:sh|bash|curl|wget|rm|nc)\s/gi,
  ),
  more(
    "eval",
    "it runs text as code, or takes objects out of untrusted text",
    /(?<![.\w])(?:eval|exec|execfile|__import__|loadstring|unserialize)\s*\(|\bnew\s+Function\b|\bvm\.(?:run|Script|compile)|\b(?:instance|class|module)_eval\b|\bpickle\.loads?\b|\bmarshal\.loads?\b|\byaml\.(?:unsafe_)?load\s*\(|\bObjectInputStream\b|\bBinaryFormatter\b|\bimportlib\b|\bctypes\b|\bdlopen\b|["']plugin["']|\bLD_PRELOAD\b|\bset(?:Timeout|Interval)\s*\(\s*["'`]/gi,
  ),
  more(
    "download",
    "it calls a shell or a program that downloads",
    /\b(?:curl|wget)\b|Invoke-(?:WebRequest|Expression)|\/bin\/(?:ba|z|da)?sh\b|\b(?:ba|z)?sh\s+-c\b|\/dev\/tcp\//gi,
  ),
  more(
    "tls",
    "it turns off or bends how the other side of a connection is checked",
    /rejectUnauthorized|InsecureSkipVerify|verify\s*=\s*False|verify_ssl|CERT_NONE|_create_unverified_context|NODE_TLS_REJECT_UNAUTHORIZED|ServerCertificate\w*Callback|DangerousAccept\w*|TrustAll\w*|ALLOW_ALL_HOSTNAME_VERIFIER|NoopHostnameVerifier|check_hostname|VERIFY_NONE|SSL_VERIFY\w*|danger_accept_invalid\w*|HostnameVerifier|strictSSL|X509TrustManager/gi,
  ),
  more(
    "machine",
    "it reads what tells a program who it is in the cluster or cloud",
    /169\.254\.169\.254|metadata\.google\.internal|\/var\/run\/secrets|serviceaccount\/token|\/etc\/(?:passwd|shadow)|\/proc\/self|\.aws\/credentials|\.ssh\/|\.kube\/config|docker\.sock/gi,
  ),
  more(
    "blob",
    "it brings in a long text that nobody can read",
    /[A-Za-z0-9+/=_-]{80,}|(?:\\x[0-9a-fA-F]{2}){8,}|(?:\\u[0-9a-fA-F]{4}){8,}/g,
  ),
  more(
    "skipped-test",
    "it turns a test off",
    /\b(?:it|test|describe|context|suite)\.(?:skip|only|todo|failing)\b|\bx(?:it|describe|test|context)\s*\(|\bf(?:it|describe)\s*\(|\bt\.Skip\w*\s*\(|@(?:Ignore|Disabled|Tag)\b|\bpytest\.(?:mark\.(?:skip|xfail)|skip)|\bunittest\.skip|\bskipTest\b|#\[ignore|\[(?:Ignore|Skip)\b|Skip\s*=\s*"/g,
  ),
  {
    id: "removed-test",
    text: "it takes a test away",
    pattern:
      /\b(?:it|test|specify|scenario)\s*\(|\bfunc\s+(?:Test|Fuzz|Example)\w*|\bdef\s+test_?\w*|@(?:Parameterized)?Test\b|#\[(?:tokio::)?test\]|\[(?:Fact|Theory|Test|TestMethod)\b|\bit\s+["']/g,
    when: "fewer",
    tests: true,
  },
  {
    id: "removed-assertion",
    text: "it takes an assertion of a test away",
    pattern: /\bexpect\w*\s*\(|\bassert\w*\b|\brequire\.\w+\(t\b|\bt\.(?:Error|Fatal)\w*\(|\bshould\b/g,
    when: "fewer",
    tests: true,
  },
];

/** What a reviewer should look at first. */
export const TOLD: readonly Addition[] = [
  more(
    "network",
    "it makes a network call that was not there",
    /\bfetch\s*\(|\baxios\b|\bXMLHttpRequest\b|\bhttps?\.(?:Get|Post|Do|NewRequest\w*|get|request)\s*\(|\brequests\.\w+\s*\(|\burllib\w*\b|\bnet\.(?:Dial\w*|connect|createConnection)\b|\bHttpClient\b|\bWebSocket\b|\bnew\s+Socket\b|\bsocket\.\w+\(|\bUrlFetch\w*/g,
  ),
  more(
    "files",
    "it writes or removes files",
    /\bunlink\w*\b|\brmSync\b|\brmdir\w*\b|\bos\.(?:Remove\w*|WriteFile|Create|remove|rmdir|chmod|Chmod)\b|\brmtree\b|\bwriteFile\w*\b|\bFiles\.(?:write|delete)\w*|\bFile\.(?:delete|write)\w*|\bopen\s*\([^)\n]{0,200}["'][wa]b?["']/g,
  ),
  more(
    "environment",
    "it reads a variable of the environment",
    /\bprocess\.env\b|\bos\.(?:Getenv|LookupEnv|environ|getenv)\b|\bENV\[|\bSystem\.getenv\b|\benv::var\b|\bGetEnvironmentVariable\b/g,
  ),
  more(
    "silence",
    "it may silence a fault in the place of mending it",
    /\bexcept\b[^\n:]{0,80}:\s*(?:#[^\n]*\n\s*)?pass\b|\bcatch\s*(?:\([^)\n]{0,80}\)\s*)?\{\s*\}|\b_\s*=\s*err\b|\brescue\s*(?:nil\b|$|=>)|\bcontextlib\.suppress\b|\.catch\s*\(\s*\(?\w*\)?\s*=>\s*(?:\{\s*\}|null|undefined)|\brecover\(\)|\bexcept\s*(?:Exception|BaseException)?\s*:|\bcatch\s*\(\s*(?:final\s+)?(?:Exception|Throwable)\b/gm,
  ),
  more(
    "suppressed",
    "it tells a compiler or linter to look away",
    /eslint-disable|@ts-(?:ignore|nocheck|expect-error)|#\s*noqa|#\s*type:\s*ignore|\bnolint\b|@SuppressWarnings|#\[allow\(|\bpylint:\s*disable|\bbiome-ignore|#pragma warning disable|rubocop:disable/g,
  ),
  more(
    "load",
    "it loads code by a name that is known at run time only",
    /\b(?:import|require)\s*\(\s*(?!["'`][\w@./-]+["'`]\s*\))/g,
  ),
  {
    id: "checks",
    text: "it takes a check away, by its name",
    pattern: /\b\w*(?:auth|permission|verif|validat|csrf|sanitiz|escape|allowed|forbidden)\w*/gi,
    when: "fewer",
  },
];

const TESTS =
  /(?:^|\/)(?:tests?|__tests__|specs?|testing)\/|[._-](?:[Tt]est|[Ss]pec)s?\.\w+$|(?:^|\/)test_[^/]*$|[a-z0-9]Tests?\.\w+$/;

/** Is a file one of tests, by its name? */
export const isTest = (path: string): boolean => TESTS.test(path);

/** Of a list, what an edit of a file brings in or takes out. */
export function additionsIn(
  list: readonly Addition[],
  edit: { readonly file: string; readonly before: string; readonly after: string },
): readonly Addition[] {
  return list.filter(({ pattern, when, tests }) => {
    if (tests === true && !isTest(edit.file)) return false;
    const difference = countOf(pattern, edit.after) - countOf(pattern, edit.before);
    return when === "more" ? difference > 0 : difference < 0;
  });
}

function countOf(pattern: RegExp, text: string): number {
  return text.match(pattern)?.length ?? 0;
}
