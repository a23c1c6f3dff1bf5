import { handOver, isEdited, label, type Place, refOfPull } from "../branch-place.ts";
import type { ImageOrigin, Incident } from "../incident/incident.ts";
import type { IncidentCode, StoredFix } from "../incident/incident-code.ts";
import { unpackEdits } from "../incident/stored-fix.ts";
import type { FileEdit, Finding } from "../model.ts";
import type { Checkout, PullRequest } from "../ports.ts";
import { type CodeReport, formatCodeBody, formatCodeCommit, formatCodeTitle } from "../pull-request/code-body.ts";
import type { Run } from "../run.ts";

/** The label that says in a list who wrote it. */
export const WRITTEN = "written-by-model";

export interface CodeProposal {
  readonly incident: Incident;
  /** With a fix that is not known to be proposed. */
  readonly code: IncidentCode;
  readonly place: Extract<Place, { kind: "new" | "open" }>;
  readonly checkout: Checkout;
  readonly finding: Finding;
  readonly image: string;
  readonly origin?: ImageOrigin;
  /** How the repository was found. */
  readonly how: string;
  /** The check command of the program. */
  readonly command?: readonly string[];
}

/**
 * Opens the draft pull request of a stored fix, or finds the one that a run before a crash has opened. Always a draft, never over a person's
 * commits; what cannot be done now is a sentence, and done by the next run from what is stored. Throws StanchError.
 */
export async function proposeCode(
  request: CodeProposal,
  run: Run,
): Promise<{ readonly incident: Incident; readonly sentence: string }> {
  const { incident, code, place, checkout } = request;
  const { fix } = code;
  if (fix === undefined) return { incident, sentence: "" };
  if (place.kind === "open") return found(incident, code, place.pull, run);

  const edits = await unpackEdits(fix, (file) => checkout.read(file));
  if (edits === null) return outdated(incident, code, run);
  if (run.tally.opened >= run.config.guard.newPullRequests)
    return {
      incident,
      sentence: `The fix of the program waits for the next run: ${run.tally.opened} pull requests were opened in this one.`,
    };
  run.tally.opened += 1;
  const report = reportOf(request, fix, edits, run);
  const expected = await run.codeHost.branchHead(code.repository, place.branch);
  const published = await checkout.publish({
    branch: place.branch,
    message: formatCodeCommit(report),
    edits,
    expected,
  });
  if (!published.pushed && published.reason === "edited")
    return {
      incident,
      sentence: `Branch ${place.branch} of ${code.repository} has commits of a person and no open pull request; it is left as it is. Open one, or delete the branch.`,
    };
  // "Unchanged" is well where a run before a crash has pushed it.
  if (!published.pushed && (published.reason !== "unchanged" || expected === null))
    return {
      incident,
      sentence: `The fix of the program could not be pushed: ${published.message}; the next run tries again.`,
    };
  const pull = await run.codeHost.createPullRequest(code.repository, {
    title: formatCodeTitle(report),
    body: formatCodeBody(report),
    head: place.branch,
    base: checkout.branch,
    draft: true,
    draftOnly: true,
  });
  return found(incident, code, pull, run);
}

/** Written down: from here on it is people's. The fix itself stands in the branch, and goes from the incident. */
async function found(
  incident: Incident,
  { fix: _, ...code }: IncidentCode,
  pull: PullRequest,
  run: Run,
): Promise<{ incident: Incident; sentence: string }> {
  const edited = await isEdited(pull, run);
  const next = await run.store.advance(
    incident,
    incident.status?.phase ?? "Detected",
    `Opened ${pull.url}: a draft fix of the program, written by a model.`,
    { code: { ...code, pullRequest: refOfPull(pull), proposedAt: run.clock.now().toISOString() } },
  );
  if (edited) await handOver(pull, run);
  else await label(pull, [...run.config.pullRequest.labels, WRITTEN], run);
  return { incident: next, sentence: `A draft fix of the program waits for people: ${pull.url}.` };
}

/** Somebody has changed what it edits: it may be mended by now, and the same edits may be wrong. */
async function outdated(
  incident: Incident,
  { fix: _, ...code }: IncidentCode,
  run: Run,
): Promise<{ incident: Incident; sentence: string }> {
  const said = `${code.repository} was changed where the fix edits it, before it could be proposed`;
  const next = await run.store.keep(incident, { code: { ...code, evidence: "", outcome: "none", said } });
  return { incident: next, sentence: `No fix of it is written: ${said}; the next run looks again.` };
}

function reportOf(
  { incident, code, checkout, finding, image, origin, how, command }: CodeProposal,
  fix: StoredFix,
  edits: readonly FileEdit[],
  run: Run,
): CodeReport {
  const { namespace, name } = incident.metadata;
  const issue = incident.status?.issue;
  return {
    marker: { fp: code.fault, evidence: code.evidence, incident: `${namespace}/${name}` },
    workload: finding.workload,
    container: finding.container ?? "",
    seen: finding.summary,
    since: finding.since,
    evidence: finding.evidence.slice(0, 20),
    cluster: run.config.cluster,
    image,
    ...(origin === undefined ? {} : { digest: origin.digest }),
    ...(origin?.revision === undefined ? {} : { revision: origin.revision }),
    how,
    made: fix.base,
    branch: checkout.branch,
    model: code.model,
    cause: fix.cause,
    summary: fix.summary,
    edits,
    citations: fix.citations,
    checks: fix.checks,
    cautions: fix.cautions,
    ...(command === undefined ? {} : { check: { command } }),
    ...(fix.checked === undefined ? {} : { checked: fix.checked }),
    spent: { requests: code.requests, dollars: code.dollars },
    ...(issue?.number === undefined || issue.url === undefined || issue.repository !== code.repository
      ? {}
      : { issue: { repository: issue.repository, number: issue.number, url: issue.url } }),
    version: run.version,
  };
}
