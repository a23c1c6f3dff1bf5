import { describe, expect, it } from "vitest";
import type { Change } from "../../src/model.ts";
import { formatBody } from "../../src/pull-request/body.ts";
import type { PullRequestReport } from "../../src/pull-request/report.ts";
import { FINGERPRINT, proseOf, reportWith, WORKLOAD } from "./report-example.ts";

const LIMIT = 65_536;
const HEADS = ["### The change", "### Proof", "### Blast radius", "### To refuse", "### Incident report"];
const bodyOf = (more: Partial<PullRequestReport>, text = "short"): string =>
  formatBody(reportWith(text, more), FINGERPRINT);
const lines = (count: number, text = "x".repeat(80)): string =>
  Array.from({ length: count }, (_, index) => `${index} ${text}`).join("\n");

describe("the budget of a body", () => {
  const change: Change = { object: WORKLOAD, path: ["spec"], from: "x".repeat(5000), to: "y".repeat(5000) };
  it.each<[string, Partial<PullRequestReport>]>([
    ["a huge diff", { edits: [{ file: "a.yaml", before: "", after: lines(20_000) }] }],
    ["a huge diff in one line", { edits: [{ file: "a.yaml", before: "", after: "x".repeat(300_000) }] }],
    [
      "many files",
      { edits: Array.from({ length: 400 }, (_, n) => ({ file: `${n}.yaml`, before: "a\n", after: lines(9) })) },
    ],
    ["huge logs", { evidence: Array.from({ length: 20 }, (_, n) => ({ id: `E${n}`, kind: "log", text: lines(400) })) }],
    ["logs of four-byte letters", { evidence: [{ id: "E1", kind: "log", text: "🚀".repeat(70_000) }] }],
    ["logs of backticks", { evidence: [{ id: "E1", kind: "log", text: "`".repeat(70_000) }] }],
    ["many fields", { changes: Array.from({ length: 1000 }, () => change) }],
    [
      "a long timeline",
      { timeline: Array.from({ length: 400 }, () => ({ at: "x", phase: "Detected", text: lines(20) })) },
    ],
    [
      "a repository full of roots",
      {
        proof: {
          checks: [],
          complete: true,
          blast: Array.from({ length: 500 }, (_, n) => ({ root: `r${n}`, objects: Array(200).fill("o".repeat(300)) })),
          rootsChecked: 500,
          tools: [],
        },
      },
    ],
  ])("%s leaves every section standing", (_, more) => {
    const body = bodyOf(more);
    expect([...body].length).toBeLessThanOrEqual(LIMIT);
    const prose = proseOf(body);
    expect(prose.split("\n").filter((line) => line.startsWith("#"))).toEqual(HEADS);
    expect(prose.match(/<\/?details>/g) ?? []).toHaveLength(more.evidence?.length === 0 ? 0 : 2);
    expect(prose).toContain("<sub>Stanch");
  });

  it("counts what it leaves out", () => {
    const body = bodyOf({ edits: [{ file: "a.yaml", before: "", after: lines(20_000) }] });
    expect(body).toMatch(/… 19\d{3} more lines/);
    const many = bodyOf({
      evidence: Array.from({ length: 20 }, (_, n) => ({ id: `E${n}`, kind: "log", text: lines(400) })),
    });
    expect(many).toMatch(/and \d+ more pieces; the incident has everything/);
  });

  it("cuts between sections when all is too much, and says where the rest is", () => {
    const text = "&".repeat(3000);
    const body = bodyOf({
      cause: text,
      reason: text,
      edits: [{ file: "a.yaml", before: "", after: lines(2000) }],
      evidence: Array.from({ length: 20 }, (_, n) => ({ id: `E${n}`, kind: "log" as const, text: lines(400) })),
      timeline: Array.from({ length: 40 }, () => ({ at: "x", phase: "Detected" as const, text })),
    });
    expect([...body].length).toBeLessThanOrEqual(LIMIT);
    expect(() => proseOf(body)).not.toThrow();
    expect(body).toMatch(
      /sections? left out for length; the incident has everything:\* `kubectl get incident -n shop /,
    );
  });
});

describe("what a body says", () => {
  it("has in its first lines what broke, what was done, what merging does", () => {
    const [, broke = "", done = "", merging = ""] = bodyOf({ title: "raise memory limit 64Mi → 128Mi" }).split("\n");
    expect(broke).toContain(
      "**What broke:** `Deployment shop/cart` since 2026-01-02 03:04 UTC. short (and 2 more findings",
    );
    expect(done).toContain(
      "**Live:** raise memory limit 64Mi → 128Mi, applied 2026-01-02 03:05 UTC; recovered: short.",
    );
    expect(merging).toContain("**Merging** makes Git say what the cluster already runs");
  });

  it("says when nothing was changed live, and why", () => {
    const { live: _, ...report } = reportWith("short", { gitOnly: "the field cannot be changed" });
    const body = formatBody(report, FINGERPRINT);
    expect(body).toContain("**Live:** nothing was changed: the field cannot be changed. The workload stays broken");
    expect(body).toContain("Close this pull request: nothing is changed");
  });

  it("says what closing it does, by configuration", () => {
    expect(bodyOf({ onClose: "undo" })).toContain("the live change is taken back by the next run");
    expect(bodyOf({ onClose: "keep" })).toContain("the live change stays, and Git and the cluster differ");
  });

  it("shows the diff, and a draft by its missing proof", () => {
    const body = bodyOf({ edits: [{ file: "apps/a.yaml", before: "memory: 64Mi\n", after: "memory: 128Mi\n" }] });
    expect(body).toContain(
      "```diff\n--- apps/a.yaml\n+++ apps/a.yaml\n@@ -1,1 +1,1 @@\n-memory: 64Mi\n+memory: 128Mi\n```",
    );
    expect(body).toContain("**Not everything is proved: this is a draft.");
  });
});
