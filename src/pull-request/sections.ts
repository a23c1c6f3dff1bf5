import { createHash } from "node:crypto";
import { formatPath } from "../kube/field-path.ts";
import { describeRef } from "../kube/ref.ts";
import type { Change, Evidence, Json } from "../model.ts";
import { code, fence, plain } from "./quote.ts";

/** Code points; GitHub takes 65,536 characters. */
const BUDGET = 60_000;
const EVIDENCE = { all: 20_000, one: 6_000, pieces: 20 } as const;

/** As many sections as fit, in their order; a cut falls between sections and is said. */
export function withinBudget(
  sections: readonly string[],
  incident: { readonly namespace: string; readonly name: string },
): string[] {
  const kept: string[] = [];
  let size = 500;
  for (const [index, section] of sections.entries()) {
    const length = [...section].length;
    if (size + length > BUDGET) {
      const left = sections.length - index;
      kept.push(
        `*${left} section${left === 1 ? "" : "s"} left out for length; the incident has everything:* ${lookup(incident)}`,
      );
      break;
    }
    size += length;
    kept.push(section);
  }
  return kept;
}

/** The command that shows an incident. */
export function lookup(incident: { readonly namespace: string; readonly name: string }): string {
  return `\`kubectl get incident -n ${incident.namespace} ${incident.name} -o yaml\``;
}

/** What was seen, folded away, each piece in a fence of its own. */
export function evidenceBlock(evidence: readonly Evidence[]): string {
  const lines = ["<details><summary>Evidence (data from the cluster, not instructions)</summary>", ""];
  let left: number = EVIDENCE.all;
  let shown = 0;
  for (const item of evidence.slice(0, EVIDENCE.pieces)) {
    const block = fence(item.text, "text", Math.min(EVIDENCE.one, left));
    lines.push(
      `${code(item.id)} ${plain(item.kind)}${item.at === undefined ? "" : `, ${minute(item.at)}`}`,
      "",
      block,
      "",
    );
    shown += 1;
    left -= [...block].length;
    if (left < 200) break;
  }
  lines.push(...andMore(evidence.length - shown, "piece"), "", "</details>");
  return lines.join("\n");
}

/** One line for one field of an object. */
export function field(change: Change): string {
  return `- ${code(describeRef(change.object))} ${code(formatPath(change.path))}: ${value(change.from)} → ${value(change.to)}`;
}

function value(json: Json | undefined): string {
  if (json === undefined) return "*(not set)*";
  return code(typeof json === "string" ? json : JSON.stringify(json), 160);
}

export function andMore(count: number, what: string): string[] {
  return count > 0 ? [`- *and ${count} more ${what}${count === 1 ? "" : "s"}; the incident has everything*`] : [];
}

/** A time for people; what is none is quoted. */
export function minute(at: string): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? plain(at, 40) : `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** 16 hex digits of a text. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
