import { messageOf, StanchError } from "../errors.ts";
import { entriesFor } from "../gitops/configured-source.ts";
import { isOwnRepository } from "../gitops/own-repository.ts";
import type { Incident, IncidentIssue, IncidentStatus } from "../incident/incident.ts";
import type { Issue } from "../ports.ts";
import { isOwnClosing, RETURN } from "../pull-request/closing.ts";
import { formatIssue, formatIssueTitle, type IssueReport, type ProgramMatter } from "../pull-request/issue.ts";
import { issueFingerprint, parseIssue } from "../pull-request/issue-marker.ts";
import type { Run } from "../run.ts";

export interface ReportRequest {
  readonly incident: Incident;
  /** Where it is reported; absent: the one repository that the configuration names for the incident's objects. */
  readonly repository?: string | undefined;
  /** Git cannot be made to say the incident's plan, and why; or what is known of a program that is at fault itself. */
  readonly matter: { readonly kind: "git"; readonly reason: string } | ProgramMatter;
  /** The change stands live. */
  readonly live: boolean;
  /** Why it does not. */
  readonly why?: string | undefined;
  /** When the symptom began. */
  readonly since?: string;
}

/** What comes of it for the incident: its phase, a sentence (or "") and what is recorded. Never a fault. */
export interface Reported {
  readonly phase: "Escalated" | "Silenced";
  readonly sentence: string;
  readonly more: Partial<IncidentStatus>;
}

/**
 * Tells a person what only a person can do, in the repository where it is done: one issue a problem, found again by its hidden marker, and
 * written anew only when it would say something else. An issue that a person closed is a no. Where none can be opened, that is a sentence.
 */
export async function reportIssue(request: ReportRequest, run: Run): Promise<Reported> {
  const { incident, matter } = request;
  const known = incident.status?.issue;
  // While an issue is open, what else is found out of the same problem belongs there.
  const open = known?.number !== undefined && known.closedAt === undefined ? known.repository : undefined;
  const repository = open ?? request.repository ?? repositoryOf(incident, run);
  if (!run.config.issues.enabled || repository === undefined) return { phase: "Escalated", sentence: "", more: {} };
  const reason = (matter.kind === "git" ? matter.reason : matter.how).slice(0, 1000);
  const wish: IncidentIssue = { repository, about: matter.kind, reason };
  try {
    // Where a program's fault is told was weighed before.
    if (open === undefined && matter.kind === "git" && !(await isOwnRepository(repository, run)))
      return {
        phase: "Escalated",
        sentence: `No issue tells of it in ${repository}: the configuration does not name it, and this account may not push to it.`,
        more: {},
      };
    return await report(request, wish, run);
  } catch (error) {
    if (error instanceof StanchError && error.code === "lease") throw error;
    const hint = error instanceof StanchError && error.hint !== undefined ? ` (${error.hint})` : "";
    run.log.warn("issue not opened", { repository, incident: incident.metadata.name, error: messageOf(error) });
    return {
      phase: "Escalated",
      sentence: `No issue tells of it in ${repository}: ${messageOf(error)}${hint}.`,
      more: { issue: open === undefined ? wish : (known ?? wish) },
    };
  }
}

async function report(request: ReportRequest, wish: IncidentIssue, run: Run): Promise<Reported> {
  const { incident, matter } = request;
  const { repository } = wish;
  const fingerprint = issueFingerprint(run.config.cluster, incident.spec.fingerprint);
  const known = incident.status?.issue;
  const number = known?.repository === repository ? known.number : undefined;
  const found =
    number === undefined
      ? await run.codeHost.findIssue(repository, (body) => parseIssue(body).marker?.fp === fingerprint)
      : await run.codeHost.issue(repository, number);
  if (found === null && number !== undefined)
    return refused(request, { ...wish, number }, `#${number} was deleted`, run);

  const facts = factsOf(request, run);
  if (found === null || (found.state === "closed" && isOver(found, request))) {
    const count = (run.tally.issues ?? 0) + 1;
    if (count > run.config.issues.perRun) {
      const sentence = `The issue waits for the next run: ${run.config.issues.perRun} were opened in this one.`;
      return { phase: "Escalated", sentence, more: { issue: wish } };
    }
    run.tally.issues = count;
    const told = found === null ? facts : { ...facts, earlier: found.number };
    const { body } = formatIssue(told, fingerprint);
    const labels = run.config.issues.labels;
    return reported(wish, await run.codeHost.createIssue(repository, { title: formatIssueTitle(told), body, labels }));
  }

  const { body, says } = formatIssue(facts, fingerprint);
  const text = { title: formatIssueTitle(facts), body };
  if (found.state === "closed") {
    if (!isOwnClosing(found, await run.codeHost.comments(repository, found.number)))
      return refused(
        request,
        linked(wish, found),
        `#${found.number} was closed by ${found.closedBy ?? "a person"}`,
        run,
      );
    await run.codeHost.comment(repository, found.number, RETURN);
    return reported(wish, await run.codeHost.updateIssue(repository, found.number, { ...text, state: "open" }));
  }
  const { marker, untouched } = parseIssue(found.body);
  // A person's words stay.
  if (untouched && marker?.says !== says) await run.codeHost.updateIssue(repository, found.number, text);
  return reported({ ...wish, about: matter.kind }, found);
}

/** Closed as done, and this began only afterwards: another time, and another issue. A change that was refused stays refused. */
function isOver({ reason, closedAt }: Issue, { matter, since }: ReportRequest): boolean {
  return matter.kind === "program" && reason === "completed" && Date.parse(since ?? "") > Date.parse(closedAt ?? "");
}

function reported(wish: IncidentIssue, issue: Issue): Reported {
  return { phase: "Escalated", sentence: `Reported in ${issue.url}.`, more: { issue: linked(wish, issue) } };
}

/** A person said no. What stands live is dealt with by the follow-up of the next run, which finds the closed issue in the incident. */
function refused({ incident, live }: ReportRequest, issue: IncidentIssue, what: string, run: Run): Reported {
  const { hotfix } = incident.status ?? {};
  if (live && hotfix !== undefined && hotfix.undoneAt === undefined)
    return { phase: "Escalated", sentence: `${what}. The next run deals with the live change.`, more: { issue } };
  const now = run.clock.now();
  const silencedUntil = new Date(now.getTime() + run.config.followUp.silence).toISOString();
  return {
    phase: "Silenced",
    sentence: `${what}: a person said no. The problem is left alone until ${silencedUntil.slice(0, 10)}.`,
    more: { silencedUntil, issue: { ...issue, closedAt: now.toISOString() } },
  };
}

const linked = (wish: IncidentIssue, { number, url }: Issue): IncidentIssue => ({ ...wish, number, url });

function factsOf(request: ReportRequest, run: Run): IssueReport {
  const { incident, matter, live, why } = request;
  const { config, version } = run;
  const plan = incident.status?.plan;
  return {
    incident,
    cluster: config.cluster,
    matter: matter.kind === "git" ? { ...matter, title: plan?.title ?? "", changes: plan?.changes ?? [] } : matter,
    live,
    ...(why === undefined ? {} : { why }),
    since: request.since ?? incident.status?.detectedAt ?? "",
    silenceDays: Math.max(1, Math.round(config.followUp.silence / 86_400_000)),
    onClose: config.pullRequest.onClose,
    version,
  };
}

/** The one repository that the configuration names for the incident's objects: where the object would have to stand. */
function repositoryOf({ spec, status }: Incident, run: Run): string | undefined {
  const changed = (status?.plan?.changes ?? []).map((change) => change.object);
  const names = [...changed, spec.workload].flatMap((ref) =>
    entriesFor(ref, run.config.sources).map((entry) => entry.repository),
  );
  const [only, other] = new Set(names);
  return other === undefined ? only : undefined;
}

/** Puts a sentence behind a text of which an incident keeps so many letters: it is the text that is cut. */
export function withSentence(text: string, sentence: string, most = 1000): string {
  if (sentence === "") return text;
  const left = Math.max(0, most - sentence.length - 1);
  return `${text.length > left ? `${text.slice(0, Math.max(0, left - 1))}…` : text} ${sentence}`;
}
