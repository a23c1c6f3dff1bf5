import { unresolvedIn } from "../kube/unresolved.ts";
import type { Finding } from "../model.ts";

/** Names that a finding's log says do not resolve. One means something only where a variable of the container names the same host. */
export function unresolvedHosts(finding: Finding): string[] {
  return unresolvedIn([
    ...finding.evidence.filter((item) => item.kind === "log").map((item) => item.text),
    ...("message" in finding.symptom && finding.symptom.message !== undefined ? [finding.symptom.message] : []),
  ]);
}
