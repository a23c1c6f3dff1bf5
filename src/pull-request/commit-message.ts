import { formatPath } from "../kube/field-path.ts";
import { describeRef } from "../kube/ref.ts";
import type { Change } from "../model.ts";
import { redactShapes } from "../redact.ts";
import { quiet } from "./quote.ts";

/** Conventional subject, then object, old → new, and the incident. */
export function formatCommitMessage(parts: {
  readonly title: string;
  readonly changes: readonly Change[];
  readonly incident: string;
  readonly cluster: string;
  readonly culprit?: string;
}): string {
  const show = (value: unknown): string => {
    if (value === undefined) return "(not set)";
    // A line break in a value must not start a line, or a trailer, of its own.
    const text = typeof value === "string" && !/\p{Cc}/u.test(value) ? value : JSON.stringify(value);
    return text.length > 200 ? `${[...text].slice(0, 199).join("")}…` : text;
  };
  const lines = parts.changes.map((change) =>
    // In this order: what stands for a credential ends where a mention may begin.
    quiet(
      redactShapes(
        `${describeRef(change.object)} ${formatPath(change.path)}: ${show(change.from)} -> ${show(change.to)}`,
      ),
    ),
  );
  const trailers = [
    `Stanch-Incident: ${parts.cluster}/${parts.incident}`,
    ...(parts.culprit === undefined ? [] : [`Fixes-Commit: ${parts.culprit}`]),
  ];
  return `${[quiet(redactShapes(parts.title)), lines.join("\n"), trailers.join("\n")].filter((part) => part !== "").join("\n\n")}\n`;
}
