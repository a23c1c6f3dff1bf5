import { formatPath } from "../kube/field-path.ts";
import type { ObjectRef } from "../model.ts";
import type { Difference } from "./compare.ts";
import type { Verdict } from "./judge.ts";
import type { Attribution, DriftClass, DriftField, DriftItem } from "./model.ts";
import type { Seal } from "./secret.ts";
import { shownValue } from "./shown.ts";

/** Fields of one object that are told one by one. */
const MOST_FIELDS = 40;

/** Worst first. */
export const ORDER: readonly DriftClass[] = [
  "unknown",
  "missing",
  "drift",
  "extra",
  "hotfix",
  "conflict",
  "pending",
  "suspended",
  "in-sync",
];

/** By its fields a review sees that a pull request takes a hotfix back; there are few of them. */
export function isHotfix({ class: kind }: DriftItem): boolean {
  return kind === "hotfix";
}

/** The first of a list, and the hotfixes of the rest. */
export function withHotfixes(items: readonly DriftItem[], most: number): readonly DriftItem[] {
  return [...items.slice(0, most), ...items.slice(most).filter(isHotfix)];
}

export function itemOf(object: ObjectRef, verdict: Verdict, seal: Seal): DriftItem {
  const fields = verdict.differences.slice(0, MOST_FIELDS).map((difference) => fieldOf(difference, seal));
  const { hotfix } = verdict;
  return {
    object,
    class: verdict.class,
    text: sentence(verdict),
    fields,
    more: verdict.differences.length - fields.length,
    folded: verdict.folded,
    ...(hotfix === undefined ? {} : { incident: hotfix.incident }),
    ...(hotfix?.pullRequest === undefined ? {} : { pullRequest: hotfix.pullRequest }),
  };
}

export function plainItem(object: ObjectRef, kind: DriftClass, text: string): DriftItem {
  return { object, class: kind, text, fields: [], more: 0, folded: 0 };
}

function fieldOf({ path, git, live, by }: Difference, seal: Seal): DriftField {
  return {
    path,
    text: formatPath(path),
    ...(git === undefined ? {} : { git: shownValue(path, git, seal) }),
    ...(live === undefined ? {} : { live: shownValue(path, live, seal) }),
    by,
  };
}

function sentence({ class: kind, reason, differences, hotfix }: Verdict): string {
  if (reason !== undefined) return upper(`${reason}.`);
  const fields = differences.length === 1 ? "one field" : `${differences.length} fields`;
  const one = differences.length === 1;
  switch (kind) {
    case "drift":
      return upper(`${fields} ${one ? "is" : "are"} not what Git said when it was deployed: ${writers(differences)}.`);
    case "hotfix":
      return upper(
        `${fields} ${one ? "was" : "were"} changed by Stanch for incident ${hotfix?.incident.name ?? "?"}; ${
          hotfix?.pullRequest === undefined
            ? "no pull request is open yet"
            : `pull request #${hotfix.pullRequest.number} makes Git say the same`
        }.`,
      );
    case "pending":
      return upper(`the head of the branch says something else for ${fields}, and it is not deployed yet.`);
    case "conflict":
      return upper(
        `Git and ${writers(differences)} both claim ${fields}: leave ${one ? "it" : "them"} out of Git, or ignore ${one ? "it" : "them"}.`,
      );
    default:
      return upper(`${fields} ${one ? "differs" : "differ"}.`);
  }
}

function writers(differences: readonly Difference[]): string {
  return [...new Set(differences.map(({ by }) => who(by)))].join(", ");
}

/** `kubectl-edit (a person)`. */
export function who({ writer, manager }: Attribution): string {
  const role: Readonly<Record<Attribution["writer"], string>> = {
    stanch: "Stanch",
    person: "a person",
    autoscaler: "an autoscaler",
    controller: "a controller",
    webhook: "a webhook",
    deployer: "the deployer's tool",
    unknown: "nobody says who",
  };
  return manager === undefined ? role[writer] : `${manager} (${writer === "unknown" ? "not known" : role[writer]})`;
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
