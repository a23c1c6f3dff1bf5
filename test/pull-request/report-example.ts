import type { ObjectRef } from "../../src/model.ts";
import type { PullRequestReport } from "../../src/pull-request/report.ts";

export const WORKLOAD: ObjectRef = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
export const FINGERPRINT = "0123456789abcdef";

/** A report whose every piece of text from outside is `text`. */
export function reportWith(text: string, more: Partial<PullRequestReport> = {}): PullRequestReport {
  const commit = {
    sha: "a".repeat(40),
    author: text,
    email: "x@example.com",
    at: "2026-01-02T03:04:05Z",
    subject: text,
  };
  const change = {
    object: WORKLOAD,
    path: ["spec", { by: "name", value: text }, "memory"],
    from: text,
    to: { [text]: text },
  };
  return {
    incident: {
      namespace: "shop",
      name: "cart-oomkilled-1a2b3c4d",
      detectedAt: "2026-01-02T03:04:05Z",
      recurrences: 1,
    },
    cluster: "prod",
    finding: {
      detector: "containers",
      workload: WORKLOAD,
      container: "app",
      symptom: { kind: "OOMKilled" },
      summary: text,
      evidence: [],
      since: "2026-01-02T03:04:05Z",
      pods: 1,
      fingerprint: FINGERPRINT,
    },
    covers: 2,
    cause: text,
    reason: text,
    title: text,
    remedy: "raise-memory-limit",
    changes: [change],
    culprit: commit,
    blame: [{ location: { change, file: `apps/${text.replaceAll("\n", "")}.yaml`, line: 3, via: "manifest" }, commit }],
    live: { appliedAt: "2026-01-02T03:05:05Z", verification: { result: "recovered", seen: text, seconds: 20 } },
    cautions: [],
    edits: [{ file: "apps/cart.yaml", before: `a: 1\nb: ${text}\n`, after: `a: 2\nb: ${text}\n` }],
    proof: {
      checks: [
        { id: "P1", result: "passed", text },
        { id: "P2", result: "not-run", text },
      ],
      complete: false,
      blast: [{ root: text, objects: [text, text] }],
      rootsChecked: 2,
      tools: [text],
    },
    evidence: [
      { id: "E1", kind: "log", text, at: "2026-01-02T03:04:05Z" },
      { id: "E2", kind: "event", text },
    ],
    timeline: [{ at: "2026-01-02T03:04:05Z", phase: "Detected", text }],
    onClose: "undo",
    silenceDays: 14,
    version: "0.1.0",
    revision: "b".repeat(40),
    ...more,
  };
}

/** What Markdown takes for text, and not for code: without fenced blocks and code spans, as CommonMark delimits them. */
export function proseOf(markdown: string): string {
  const lines: string[] = [];
  let fence = 0;
  for (const line of markdown.split("\n")) {
    const ticks = /^ {0,3}(`{3,})([^`]*)$/.exec(line);
    if (fence === 0 && ticks !== null) fence = ticks[1]?.length ?? 0;
    else if (fence > 0 && ticks !== null && (ticks[1]?.length ?? 0) >= fence && ticks[2]?.trim() === "") fence = 0;
    else if (fence === 0) lines.push(line);
  }
  if (fence > 0) throw new Error("a fence is left open");
  return lines.map(withoutSpans).join("\n");
}

function withoutSpans(line: string): string {
  let out = "";
  for (let at = 0; at < line.length; ) {
    if (line[at] === "\\") {
      out += line.slice(at, at + 2);
      at += 2;
      continue;
    }
    const run = /^`+/.exec(line.slice(at))?.[0];
    if (run === undefined) {
      out += line[at];
      at += 1;
      continue;
    }
    const end = new RegExp(`(?<!\`)${run}(?!\`)`).exec(line.slice(at + run.length));
    if (end === null) throw new Error(`a code span is left open: ${line.slice(at, at + 60)}`);
    at += run.length + end.index + run.length;
    out += "‹code›";
  }
  return out;
}
