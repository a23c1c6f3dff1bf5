import { formatPath } from "../kube/field-path.ts";
import { describeRef } from "../kube/ref.ts";
import type { Change } from "../model.ts";

/** Conventional subject, then object, old → new, and the incident. */
export function formatCommitMessage(parts: {
  readonly title: string;
  readonly changes: readonly Change[];
  readonly incident: string;
  readonly cluster: string;
  readonly culprit?: string;
}): string {
  const show = (value: unknown): string => {
    const text = value === undefined ? "(not set)" : typeof value === "string" ? value : JSON.stringify(value);
    return text.length > 200 ? `${text.slice(0, 199)}…` : text;
  };
  const lines = parts.changes.map(
    (change) => `${describeRef(change.object)} ${formatPath(change.path)}: ${show(change.from)} -> ${show(change.to)}`,
  );
  const trailers = [
    `Stanch-Incident: ${parts.cluster}/${parts.incident}`,
    ...(parts.culprit === undefined ? [] : [`Fixes-Commit: ${parts.culprit}`]),
  ];
  return `${parts.title}\n\n${lines.join("\n")}\n\n${trailers.join("\n")}\n`.replaceAll(/(?!\n)\p{Cc}/gu, "");
}
