import type { Incident } from "../incident/incident.ts";
import { describeRef } from "../kube/ref.ts";
import type { Change, Commit, Hotfix, PullRequestRef, Verification } from "../model.ts";
import { redact, redactShapes } from "../redact.ts";
import { formatIssueMarker } from "./issue-marker.ts";
import { formatPatch, HIDDEN, hideSecrets } from "./patch.ts";
import { code, fence, plain } from "./quote.ts";
import { andMore, evidenceBlock, field, hashOf, lookup, minute, withinBudget } from "./sections.ts";
import { shorten } from "./title.ts";

/** Git cannot be made to say a change by rule: the change, and why. */
export interface GitMatter {
  readonly kind: "git";
  readonly title: string;
  readonly changes: readonly Change[];
  readonly reason: string;
}

/** The fault is the program's: what runs, and how its repository was found. */
export interface ProgramMatter {
  readonly kind: "program";
  readonly image: string;
  readonly digest?: string;
  /** Commit of the program's own repository, as its image says. */
  readonly revision?: string;
  readonly how: string;
  /** The commit with which this image came to the cluster. */
  readonly arrived?: Commit;
  /** What contains it live, or did for a while; its cause stays. */
  readonly contained?: string;
  /** What was looked at and did not help. */
  readonly refusals: readonly string[];
  /** A model's fix of it, which waits for people or was merged. */
  readonly fix?: PullRequestRef;
}

export interface IssueReport {
  readonly incident: Incident;
  readonly cluster: string;
  readonly matter: GitMatter | ProgramMatter;
  /** The change stands live. */
  readonly live: boolean;
  /** Why it does not. */
  readonly why?: string;
  readonly since: string;
  /** An earlier issue about the same, which was closed as done. */
  readonly earlier?: number;
  readonly silenceDays: number;
  readonly onClose: "undo" | "keep";
  readonly version: string;
}

const PARTS = { patch: 16_000, fields: 40, refusals: 20 } as const;

/** `shop/cart: Container app ends with an error (exit code 1)`, at most 72 characters. */
export function formatIssueTitle(report: IssueReport): string {
  const { incident, matter } = withoutSecrets(report);
  const { workload } = incident.spec;
  const what = matter.kind === "git" ? `Git must say: ${matter.title}` : (incident.status?.summary ?? "");
  const place = workload.namespace === "" ? workload.name : `${workload.namespace}/${workload.name}`;
  return shorten(`${place}: ${what.replace(/\.$/, "")}`);
}

/**
 * The page on which a person finds what only a person can do. As in a pull request, sections stand in order of need, text from outside is
 * quoted, and nothing that looks like a credential is in it.
 */
export function formatIssue(given: IssueReport, fingerprint: string): { readonly body: string; readonly says: string } {
  const report = withoutSecrets(given);
  const { metadata } = report.incident;
  const sections = [
    summary(report),
    ...(report.matter.kind === "git" ? gitSections(report.matter, report) : programSections(report.matter, report)),
    incidentSection(report),
    ...evidence(report),
    footer(report),
  ];
  const text = redactShapes(withinBudget(sections, metadata).join("\n\n").trimEnd());
  const says = saysOf(report);
  const incident = `${metadata.namespace}/${metadata.name}`;
  return { body: `${formatIssueMarker({ fp: fingerprint, incident, says, body: hashOf(text) })}\n${text}\n`, says };
}

/** A value that is a secret by its name is not shown where it stands, nor where a sentence quotes it. */
function withoutSecrets(report: IssueReport): IssueReport {
  const { matter, incident, why } = report;
  if (matter.kind !== "git" || incident.status === undefined) return report;
  const { changes, hidden } = hideSecrets(matter.changes);
  const clean = (text: string): string => hidden.reduce((left, value) => left.replaceAll(value, HIDDEN), text);
  const { status } = incident;
  return {
    ...report,
    matter: { ...matter, changes, title: clean(matter.title), reason: clean(matter.reason) },
    ...(why === undefined ? {} : { why: clean(why) }),
    incident: {
      ...incident,
      status: {
        ...status,
        summary: clean(status.summary),
        ...(status.cause === undefined ? {} : { cause: clean(status.cause) }),
        ...(status.culprit === undefined
          ? {}
          : {
              culprit: {
                ...status.culprit,
                subject: clean(status.culprit.subject),
                author: clean(status.culprit.author),
              },
            }),
        ...(status.plan === undefined ? {} : { plan: { ...status.plan, title: clean(status.plan.title) } }),
        ...(status.verification === undefined
          ? {}
          : { verification: { ...status.verification, seen: clean(status.verification.seen) } }),
        tried: status.tried.map((row) => ({ ...row, title: clean(row.title), result: clean(row.result) })),
        evidence: status.evidence.map((item) => ({ ...item, text: clean(item.text) })),
      },
    },
  };
}

/** What would have to change for the issue to be written anew: not its times, nor the log's last lines. */
function saysOf({ incident, matter, live }: IssueReport): string {
  const about =
    matter.kind === "git"
      ? [matter.title, matter.reason, matter.changes]
      : [
          ...[matter.image, matter.digest, matter.revision, matter.arrived?.sha],
          ...(matter.contained ? ["contained"] : []),
          ...(matter.fix === undefined ? [] : [matter.fix.url]),
        ];
  return hashOf(JSON.stringify([matter.kind, incident.status?.summary, live, about]));
}

function summary(report: IssueReport): string {
  const { incident, matter } = report;
  const { status, spec } = incident;
  const since = report.since === "" ? "" : ` since ${minute(report.since)}`;
  const broke = `**What broke:** ${code(describeRef(spec.workload))}${since}. ${plain(status?.summary ?? "")}`;
  const last =
    matter.kind === "git"
      ? `**Git** ${report.live ? "still says the opposite" : "says what broke it"}, and no rule could correct it: ${plain(matter.reason)}`
      : `**The cause lies in the program:** ${incident.spec.symptom === "CrashLoop" ? "it ends by itself" : "it does not work as its health check needs it"}, and no change of how it is deployed was found that heals it.`;
  const fix =
    matter.kind === "git" || matter.fix === undefined
      ? []
      : [
          `**A fix that a model wrote**, and that nothing proves, is proposed in [#${matter.fix.number}](${matter.fix.url}) of ${code(matter.fix.repository)}: a draft, for you to judge.`,
        ];
  return [broke, liveLine(report), last, ...fix].map((line) => `- ${line}`).join("\n");
}

function liveLine({ incident, live, why, matter }: IssueReport): string {
  if (matter.kind === "program" && matter.contained !== undefined)
    return `**Live:** contained, not healed: ${plain(matter.contained)}.`;
  const hotfix: Hotfix | undefined = incident.status?.hotfix;
  const verification: Verification | undefined = incident.status?.verification;
  if (live && hotfix !== undefined)
    return `**Live:** ${plain(incident.status?.plan?.title ?? "changed")}, applied ${minute(hotfix.appliedAt)}${verification === undefined ? "" : `; ${plain(verification.result)}: ${plain(verification.seen)}`}.`;
  const undone = hotfix?.undoneAt === undefined ? "" : `; what was tried was taken back ${minute(hotfix.undoneAt)}`;
  return `**Live:** nothing stands changed${why === undefined ? "" : `: ${plain(why)}`}${undone}. The workload stays broken until this is done.`;
}

function gitSections(matter: GitMatter, report: IssueReport): string[] {
  const fields = matter.changes.slice(0, PARTS.fields).map(field);
  const more = andMore(matter.changes.length - PARTS.fields, "field");
  const patch = fence(formatPatch(matter.changes), "diff", PARTS.patch);
  const until = report.live
    ? "Until then the next deployment from Git brings the fault back."
    : "Until then the workload stays as it is.";
  return [
    `### The change that a person must make\n\n${patch}\n\n${[...fields, ...more].join("\n")}`,
    `### Why this is no pull request\n\nThe reason: ${plain(matter.reason, 2000)}\n\nStanch opens one only where an edit of a file makes exactly this change in what Git renders.`,
    `### What to do\n\n1. Make what is deployed say the lines with \`+\`, in the source that declares the object.\n2. Deploy it. ${until} Stanch closes this issue when the workload is healthy and nothing is left to do.\n\n${refusal(report)}`,
  ];
}

function programSections(matter: ProgramMatter, report: IssueReport): string[] {
  const facts = [
    `- Image: ${code(matter.image)}`,
    ...(matter.digest === undefined ? [] : [`- Digest: ${code(matter.digest)}`]),
    ...(matter.revision === undefined ? [] : [`- Built from commit: ${code(matter.revision)}`]),
    ...(matter.arrived === undefined
      ? []
      : [
          `- Deployed with: ${code(matter.arrived.sha.slice(0, 10))} ${plain(matter.arrived.subject, 200)} of ${plain(matter.arrived.author, 80)}, ${minute(matter.arrived.at)}`,
        ]),
    `- Found here by: ${plain(matter.how)}`,
  ];
  const looked = matter.refusals.slice(0, PARTS.refusals).map((text) => `- Remedy ${plain(text, 400)}`);
  const more = andMore(matter.refusals.length - PARTS.refusals, "remedy");
  return [
    `### What runs\n\n${facts.join("\n")}`,
    `### What was looked at\n\n${[...(looked.length === 0 ? ["- No remedy is known for this."] : looked), ...more].join("\n")}`,
    `### What to do\n\n1. Look at the end of its log below, and at what changed in the program.\n2. Release a version that runs, and deploy it; or tell what it needs where it is deployed. Stanch closes this issue when the workload is healthy.\n\n${refusal(report)}`,
  ];
}

function refusal({ live, onClose, silenceDays }: IssueReport): string {
  const undone = live && onClose === "undo";
  const then = undone
    ? "the live change is taken back by the next run (closed as completed, it stands until Git says the same)"
    : live
      ? "the live change stays, and Git and the cluster differ"
      : "nothing is changed";
  return `To refuse, close this issue${undone ? " as not planned" : ""}: ${then}, it is not opened again, and the problem is left alone for ${silenceDays} days.`;
}

function incidentSection({ incident, earlier }: IssueReport): string {
  const { status, metadata } = incident;
  const lines = [
    "### Incident",
    "",
    lookup(metadata),
    "",
    `**Cause.** ${plain(redact(status?.cause ?? status?.summary ?? ""), 1500)}`,
  ];
  if (status?.culprit !== undefined) {
    const { sha, subject, author, at } = status.culprit;
    lines.push(
      "",
      `**Brought in by** ${code(sha.slice(0, 10))} ${plain(subject, 200)} of ${plain(author, 80)}, ${minute(at)}.`,
    );
  }
  for (const row of (status?.tried ?? []).slice(-5))
    lines.push("", `**Tried** ${plain(row.title, 200)}, ${minute(row.at)}: ${plain(redact(row.result), 300)}`);
  if (earlier !== undefined)
    lines.push("", `**Before.** #${earlier} was about the same and was closed as done; this began after it.`);
  return lines.join("\n");
}

function evidence({ incident }: IssueReport): string[] {
  const seen = incident.status?.evidence ?? [];
  // It was redacted when it was read; this page goes further than the cluster.
  return seen.length === 0 ? [] : [evidenceBlock(seen.map((item) => ({ ...item, text: redact(item.text) })))];
}

function footer({ incident, cluster, version }: IssueReport): string {
  const { namespace, name } = incident.metadata;
  const times = incident.status?.recurrences ?? 0;
  return `<sub>Stanch ${plain(version)} · cluster ${code(cluster)} · incident ${code(`${namespace}/${name}`)}${times > 0 ? `, came back ${times} time${times === 1 ? "" : "s"}` : ""}</sub>`;
}
