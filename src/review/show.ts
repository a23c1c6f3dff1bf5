import { cleaned } from "../drift/shown.ts";
import { formatPath } from "../kube/field-path.ts";
import { describeRef } from "../kube/ref.ts";
import type { Change, Json } from "../model.ts";
import { code } from "../pull-request/quote.ts";
import { redact, redactShapes } from "../redact.ts";
import type { Effect, Review } from "./model.ts";

const FIELDS = 12;
/** Letters of one value. */
const VALUE = 160;

/** One object in Markdown: what happens to it, and its fields. */
export function showEffect(effect: Effect): string {
  const { object, kind, changes, because, rollout } = effect;
  const title = `**${kind}** ${code(describeRef(object))}`;
  const tail =
    kind === "replaced"
      ? `: ${code(because ?? "")} cannot be changed in place; the object must be deleted and made anew`
      : kind === "deleted"
        ? ": it goes from Git, and from the cluster where the deployer prunes"
        : rollout
          ? ": its pods are started anew"
          : "";
  const rows = changes.slice(0, FIELDS).map((change) => `  - ${showChange(change)}`);
  const more = changes.length - FIELDS;
  if (more > 0) rows.push(`  - *and ${more} more field${more === 1 ? "" : "s"}*`);
  return [`- ${title}${tail}`, ...rows].join("\n");
}

/** A review for machines, with fields as they may be shown: whoever reads the file need not have seen the diff. */
export function shownReview(review: Review) {
  const environments = review.environments.map(({ effects, ...environment }) => ({
    ...environment,
    effects: effects.map(({ changes, ...effect }) => ({
      ...effect,
      changes: changes.map((change) => ({
        path: change.path,
        text: formatPath(change.path),
        shown: showChange(change),
      })),
    })),
  }));
  return { ...review, environments };
}

/** One field in Markdown: from → to. Values of Secrets, and what looks like one, are never shown. */
export function showChange(change: Change): string {
  const path = code(formatPath(change.path), 240);
  if (change.object.kind === "Secret") return `${path}: *changes (secret)*`;
  return `${path}: ${showValue(change, change.from)} → ${showValue(change, change.to)}`;
}

function showValue({ path }: Change, value: Json | undefined): string {
  if (value === undefined) return "*(not set)*";
  // What is added as a whole names its secrets within: a new `env`, a new container, `--password` before its value.
  const text = typeof value === "string" ? value : JSON.stringify(cleaned(path, value));
  if (text.includes("\n")) return `*text of ${text.trimEnd().split("\n").length} lines*`;
  const named = path.flatMap((step) => (typeof step === "object" ? [String(step.value)] : [String(step)]));
  const key = named.findLast((name) => !/^(value|\d+)$/.test(name)) ?? "";
  // A name that says what it is tells more than the value does.
  const secret = typeof value === "string" && redact(`${key}=${text}`) !== `${key}=${text}`;
  return secret ? "*(not shown)*" : code(redactShapes(text), VALUE);
}
