import { formatPath } from "../kube/field-path.ts";
import type { Change, Json } from "../model.ts";

/** What a GitOps object deploys, and from where; never with which credentials, and whose rights. */
const DEPLOYS: Readonly<Record<string, readonly string[]>> = {
  // A project says what may be deployed: it goes back only where the one that is named does not exist.
  Application: ["source", "sources", "destination", "project"],
  HelmRelease: ["chart", "chartRef", "values", "valuesFrom", "targetNamespace", "dependsOn"],
  Kustomization: ["path", "sourceRef", "patches", "images", "components", "postBuild", "targetNamespace", "dependsOn"],
  GitRepository: ["url", "ref"],
  OCIRepository: ["url", "ref"],
  HelmRepository: ["url", "type"],
};

/** May such a field of `spec` be put back where the object cannot deploy? */
export const isDeployed = (kind: string, field: string): boolean => DEPLOYS[kind]?.includes(field) === true;

/** The words of Go's network stack and of servers that are there and do not answer now. */
const OUTAGE =
  /i\/o timeout|deadline exceeded|connection (refused|reset|timed out)|handshake timeout|unexpected EOF|network is unreachable|server misbehaving|temporary failure|too many requests|\b(429|50[0234])\b/i;
/** helm waits for what it installs: that takes too long when the values are wrong. */
const OF_THE_RELEASE = /^Helm \w+ failed/;

/**
 * May a change be why an engine cannot deploy? Not where a server is away, unless the change leads to another server; and a project, only
 * where the message is about it. `message`: the engine's own.
 */
export function mayStopSync({ path, from, to }: Change, message: string): boolean {
  const [, field] = path;
  if (field === "project") return /\bproject\b.*\bnot exist/i.test(message);
  if (!OUTAGE.test(message) || OF_THE_RELEASE.test(message)) return true;
  return /(^|\.)(url|repoURL)$/.test(formatPath(path)) && hostOf(from) !== hostOf(to);
}

/** `https://github.com/acme/shop` and `ssh://git@github.com:22/acme/shop` → their hosts with ports. */
function hostOf(url: Json | undefined): string {
  return typeof url === "string" && URL.canParse(url) ? new URL(url).host : String(url);
}
