import { diffObjects } from "../gitops/object-diff.ts";
import { formatPath } from "../kube/field-path.ts";
import { applyChanges } from "../kube/json-patch.ts";
import { describeRef, sameRef } from "../kube/ref.ts";
import type { Change, Finding, RefusedState } from "../model.ts";
import { describeChanges, fact, show } from "./evidence.ts";
import { isRestorable } from "./relevance.ts";
import { defineRemedy, no, type PlanContext, refuse } from "./remedy.ts";
import { changesOf, fieldsOf, RestoredFields } from "./restored-fields.ts";

/**
 * A manifest that the API server refuses since a commit goes back to what it took before: in the fields that it complains about
 * where that is enough, else in all that the commit changed. Git only: the cluster never took what Git says, and runs what was before.
 */
export const restoreManifest = defineRemedy({
  id: "restore-manifest",
  summary: "Puts a manifest that the API server refuses back to what it was before the commit that broke it.",
  risk: "low",
  reversibility: "inverse",
  params: RestoredFields,
  needs: [],
  async diagnose(finding, context) {
    const state = stateOf(finding, context);
    if (state === undefined) return no("the API server takes what Git says");
    const { commit, object, message } = state;
    const all = restorable(state);
    if (all.length === 0)
      return no(
        `what commit ${commit.sha.slice(0, 7)} changed in it is not restored by rule. A person must correct it`,
      );
    const named = unitsOf(all)
      .filter((unit) => unit.some((change) => isNamed(change, message)))
      .flat();
    const enough = async (changes: readonly Change[]): Promise<boolean> =>
      changes.length > 0 && (await context.refusal(applyChanges(object, changes))) === null;
    const changes = (await enough(named)) ? named : (await enough(all)) ? all : null;
    if (changes === null)
      return no(
        `putting back what commit ${commit.sha.slice(0, 7)} changed would not be enough. A person must correct it`,
      );
    const short = commit.sha.slice(0, 7);
    return {
      applies: true,
      params: { commit: commit.sha, fields: fieldsOf(changes) },
      reason: `Commit ${short} ("${show(commit.subject)}") changed ${describeRef(finding.workload)} (${formatPath(changes[0]?.path ?? [])}); the API server took it as it was before (server-side dry run).`,
      evidence: [
        fact("git", `Commit ${short} by ${commit.author}, "${commit.subject}": ${describeChanges(changes)}`, commit.at),
      ],
      culprit: commit,
    };
  },
  plan({ fields, commit }, finding, context) {
    const state = stateOf(finding, context);
    const changes = changesOf(fields);
    if (state === undefined) return refuse("the API server takes what Git says");
    if (commit === undefined || !state.commit.sha.startsWith(commit))
      return refuse("it is not the commit since which the manifest is refused");
    const known = new Set(restorable(state).map((change) => JSON.stringify(change)));
    const stray = changes.find((change) => !known.has(JSON.stringify(change)));
    if (stray !== undefined) return refuse(`${formatPath(stray.path)} is nothing that the commit changed`);
    return {
      possible: true,
      changes,
      title: `restore ${describeChanges(changes)}`,
      gitOnly: "the cluster never took what Git says, and still runs what was before",
    };
  },
  async origin(_params, finding, context, changes) {
    const state = stateOf(finding, context);
    const refusal = state === undefined ? null : await context.refusal(applyChanges(state.object, changes));
    return refusal === null ? null : `putting that back would not be enough: ${refusal}`;
  },
});

function stateOf(finding: Finding, { snapshot }: PlanContext): RefusedState | undefined {
  return finding.symptom.kind === "ManifestRefused"
    ? snapshot.refused.find((state) => sameRef(state.ref, finding.workload))
    : undefined;
}

function restorable({ ref, object, before, message }: RefusedState): Change[] {
  return diffObjects(object, before)
    .map((change) => ({ ...change, object: ref }))
    .filter(
      (change) => isRestorable(ref.kind, change.path, null) || isVersion(change) || isRefusedField(change, message),
    );
}

/** Paths as the API server says them: `spec.template.spec.containers[0].env[1].value`, `.metadata.annotations.example.com/port`. */
const PATHS = /\b(?:spec|metadata|data)\.[\w.[\]"'=/-]+/g;
/** Who an object is, and who else has a say in its end. */
const IDENTITY = ["name", "namespace", "finalizers", "ownerReferences"];

/**
 * Does the API server's complaint give the very path of the field, or of what it is a part of? Then it may be any field, such as a label. So may
 * one beside it that the complaint calls by its name: `maxUnavailable: may not be 0 when maxSurge is 0`.
 */
export function isRefusedField({ path }: Change, message: string): boolean {
  const fields = path.filter((step): step is string => typeof step === "string");
  if (fields[0] === "metadata" && IDENTITY.includes(fields[1] ?? "")) return false;
  const own = fields.join(".");
  const said = [...message.slice(0, 20_000).matchAll(PATHS)]
    .map(([text]) => text.replaceAll(/\[[^\]]*\]?/g, "").replace(/[^\w]+$/, ""))
    .filter((text) => text.includes("."));
  const beside = fields.slice(0, -1).join(".");
  return said.some(
    (text) =>
      text === own ||
      own.startsWith(`${text}.`) ||
      text.startsWith(`${own}.`) ||
      (fields.length > 2 && text.slice(0, text.lastIndexOf(".")) === beside && isWordOf(message, fields.at(-1) ?? "")),
  );
}

function isWordOf(message: string, word: string): boolean {
  return word !== "" && new RegExp(`(?<![\\w.-])${word.replaceAll(/[^\w]/g, "\\$&")}(?![\\w.-])`).test(message);
}

/** The API version goes back where the cluster does not serve the new one. */
export function isVersion({ path, from, to }: Change): boolean {
  return path.length === 1 && path[0] === "apiVersion" && typeof from === "string" && typeof to === "string";
}

/** Changes that belong together: those within one item of a list, or of one field. */
function unitsOf(changes: readonly Change[]): Change[][] {
  const unitOf = ({ path }: Change): string =>
    JSON.stringify(path.slice(0, path.findLastIndex((step) => typeof step !== "string") + 1 || path.length));
  return [...Map.groupBy(changes, unitOf).values()];
}

/** Does the API server's complaint name the field, or one in it? */
function isNamed(change: Change, message: string): boolean {
  if (isRefusedField(change, message)) return true;
  const { path } = change;
  const fields = path.filter((step): step is string => typeof step === "string");
  const last = fields.at(-1);
  return last !== undefined && new RegExp(`\\b${last.replaceAll(/[^\w]/g, "\\$&")}\\b`).test(message);
}
