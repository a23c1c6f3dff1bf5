/** Why an image cannot be pulled: it is not there, it may not be had, or try again later. */
export type PullCause = "terminal" | "authentication" | "transient";

const RATE_LIMIT = /\b429\b|toomanyrequests|too many requests|rate limit/i;
const AUTHENTICATION =
  /unauthorized|\b401\b|\b403\b|forbidden|denied|no basic auth|authentication required|authorization failed|insufficient_scope/i;
const TERMINAL =
  /\bnot found\b|does not exist|manifest[ _]unknown|name[ _]unknown|no match(?:ing manifest)? for (?:platform|.*manifest)|no matching manifest|invalid reference format|couldn't parse image name|not present with pull policy of never|code = notfound/i;
const TRANSIENT =
  /timeout|timed out|deadline exceeded|connection (?:refused|reset)|no such host|\bEOF\b|\b5\d\d\b|unavailable|temporary|network is unreachable|no route to host|x509|certificate|pull qps exceeded|too many open|no space left/i;

/**
 * Reads the cause from a message of the kubelet or the container runtime (containerd, CRI-O, Docker's wording). Null when
 * it tells none, as "Back-off pulling image" alone does.
 */
export function pullCause(message: string): PullCause | null {
  // Names and addresses may contain any of the words: `acme/unauthorized:503`.
  const text = message.replaceAll(/"[^"]*"/g, " ").replaceAll(/\S*\/\S*/g, " ");
  if (RATE_LIMIT.test(text)) return "transient";
  if (AUTHENTICATION.test(text)) return "authentication";
  // Before "not found": `lookup registry.acme.io: no such host` and `503 … not found` say nothing of the image.
  if (/no such host|\b5\d\d\b/i.test(text)) return "transient";
  if (TERMINAL.test(text)) return "terminal";
  return TRANSIENT.test(text) ? "transient" : null;
}
