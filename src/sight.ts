import type { Book } from "./advice/book.ts";
import { changeId } from "./advice/book.ts";
import type { Look } from "./advice/consult.ts";
import type { Seen } from "./advice/converse.ts";
import { hide, isSecret, objectText } from "./advice/object-text.ts";
import type { ToolName } from "./advice/tools.ts";
import { holdsSecrets, isWithheld } from "./advice/withheld.ts";
import { StanchError } from "./errors.ts";
import { diffObjects } from "./gitops/object-diff.ts";
import { formatPath } from "./kube/field-path.ts";
import { describeRef } from "./kube/ref.ts";
import type { Change, Commit, Finding, Json, ObjectRef } from "./model.ts";
import { driftedFields } from "./remedies/drifted-fields.ts";
import { causesOf } from "./remedies/git-history.ts";
import { isRestorable } from "./remedies/relevance.ts";
import type { RemedyContext } from "./remedies/remedy.ts";
import { subjectsOf } from "./remedies/restore-from-git.ts";
import type { Run } from "./run.ts";

const nothing = (text: string): Seen => ({ kind: "none", text });
const CHANGES = 60;

/**
 * What a model may look at for one finding: its own object, what that object's template names (never Secrets), its pods' events and logs,
 * its revisions, and the repository that it comes from. Parameters choose among these, and cannot name anything else.
 */
export function sightOf(finding: Finding, context: RemedyContext, run: Run): Look {
  const subjects = subjectsOf(finding, context).filter((ref) => !isSecret(ref.kind));
  const subject = (input: Readonly<Record<string, unknown>>): ObjectRef | undefined =>
    subjects.find((ref) => ref.kind === input["kind"] && ref.name === input["name"]);
  const looks: Record<ToolName, (input: Readonly<Record<string, unknown>>, book: Book) => Promise<Seen>> = {
    async object(input) {
      const ref = subject(input);
      const live = ref === undefined ? null : context.live(ref);
      return live === null ? nothing(notOurs(subjects)) : { kind: "spec", text: objectText(live) };
    },
    async events() {
      const rows = (context.workload?.events ?? []).map(
        (event) =>
          `${event.lastSeen} ${event.reason} ×${event.count} ${event.on.kind}/${event.on.name}: ${event.message}`,
      );
      return rows.length === 0 ? nothing("There are no warning events.") : { kind: "event", text: rows.join("\n") };
    },
    logs: (input) => logOf(String(input["container"]), input["previous"] === true, finding, context, run),
    async rollout_history() {
      const rows = (context.workload?.revisions ?? []).map(
        (revision) =>
          `${revision.name}: revision ${revision.number}${revision.current ? " (present)" : ""}, made ${revision.createdAt}, ${revision.readyReplicas} of ${revision.replicas} pods ready\n${templateText(revision.template)}`,
      );
      return rows.length === 0 ? nothing("It keeps no revisions.") : { kind: "history", text: rows.join("\n---\n") };
    },
    async rendered_source(input) {
      const ref = subject(input);
      const declared = ref === undefined ? null : await context.declared(ref);
      return declared === null
        ? nothing(`Git does not render it. ${notOurs(subjects)}`)
        : { kind: "git", text: objectText(declared) };
    },
    file: (input) => fileOf(String(input["path"]), finding, run),
    commit_history: (_input, book) => historyOf(subjects, finding, context, book),
  };
  return (name, input, book) => looks[name](input, book);
}

function notOurs(subjects: readonly ObjectRef[]): string {
  return `Only these can be looked at: ${subjects.map((ref) => `${ref.kind} ${ref.name}`).join(", ")}.`;
}

function templateText(template: Json): string {
  const wrapped = { apiVersion: "", kind: "Template", metadata: { name: "" }, template };
  return objectText(wrapped).split("\n").slice(4).join("\n");
}

async function logOf(
  name: string,
  previous: boolean,
  finding: Finding,
  context: RemedyContext,
  run: Run,
): Promise<Seen> {
  const pod = context.workload?.pods.find((candidate) =>
    candidate.containers.some((container) => container.name === name),
  );
  const { logLines, logBytes } = run.config.observe;
  if (pod === undefined || logLines === 0) return nothing(`There is no log of a container ${name}.`);
  const ref = { apiVersion: "v1", kind: "Pod", namespace: finding.workload.namespace, name: pod.name };
  const text = await run.cluster.logs(ref, name, { previous, tailLines: logLines, limitBytes: logBytes });
  return text.trim() === "" ? nothing("The log is empty.") : { kind: "log", text };
}

async function fileOf(path: string, finding: Finding, run: Run): Promise<Seen> {
  if (isWithheld(path)) return nothing("That file may hold secrets and is not shown.");
  if (path.startsWith("/") || path.split("/").includes(".."))
    return nothing("There is no such file in the repository.");
  const found = await run.workbench.find(finding.workload);
  if (!found.found) return nothing("It is not known which repository the object comes from.");
  const text = await found.bench.checkout.read(path).catch((error: unknown) => {
    if (error instanceof StanchError) return null;
    throw error;
  });
  if (text === null) return nothing("There is no such file in the repository.");
  if (holdsSecrets(text)) return nothing("That file may hold secrets and is not shown.");
  return { kind: "git", text };
}

/** Recent commits with an id for every change that may be put back, and what the cluster has otherwise than Git. */
async function historyOf(
  subjects: readonly ObjectRef[],
  finding: Finding,
  context: RemedyContext,
  book: Book,
): Promise<Seen> {
  const rows: string[] = [];
  const told = (changes: readonly Change[], commit?: Commit): string[] =>
    changes
      .filter(({ object, path }) => path.length === 0 || isRestorable(object.kind, path, null))
      .slice(0, CHANGES)
      .map(
        (change) =>
          `  ${changeId(book, change, commit)}: ${describeRef(change.object)} ${formatPath(change.path)}: ${show(change, change.from)} → ${show(change, change.to)}`,
      );
  const state = context.snapshot.refused.find(({ ref }) => describeRef(ref) === describeRef(finding.workload));
  if (state !== undefined) {
    const changes = diffObjects(state.object, state.before).map((change) => ({ ...change, object: state.ref }));
    rows.push(headOf(state.commit), ...told(changes, state.commit));
  }
  for (const ref of subjects) {
    for (const { commit, changes } of await causesOf(ref, finding, context)) {
      const own = told(changes, commit);
      if (own.length > 0) rows.push(headOf(commit), ...own);
    }
    const removed = context.live(ref) === null ? await context.removed(ref) : null;
    if (removed !== null)
      rows.push(
        headOf(removed.commit),
        `  ${changeId(book, { object: ref, path: [], to: removed.before as unknown as Json }, removed.commit)}: took ${describeRef(ref)} out of Git`,
      );
    const live = context.live(ref);
    const declared = live === null ? null : await context.declared(ref);
    const drift = live === null || declared === null ? [] : told(driftedFields(declared, live, ref));
    if (drift.length > 0) rows.push(`The cluster differs from Git in ${describeRef(ref)}:`, ...drift);
  }
  if (rows.length === 0) return nothing("No recent commit changed it, and the cluster has what Git says.");
  return {
    kind: "git",
    text: `Each change is told as it would be put back: present value → earlier value.\n${rows.join("\n")}`,
  };
}

/** Who wrote it is nobody's business there. */
function headOf({ sha, at, subject }: Commit): string {
  return `commit ${sha.slice(0, 10)}, ${at}: ${subject}`;
}

function show({ path }: Change, value: Json | undefined): string {
  if (value === undefined) return "(not set)";
  const last = path.findLast((step) => typeof step === "string");
  const item = path.findLast((step) => typeof step === "object");
  // The variable's own name says what its value is.
  const name = typeof item === "object" && path.at(-1) === "value" ? String(item.value) : String(last ?? "");
  const hidden = hide(value, name);
  const text = typeof hidden === "string" ? hidden : JSON.stringify(hidden);
  return text.length > 400 ? `${text.slice(0, 399)}…` : text;
}
