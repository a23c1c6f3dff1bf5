import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatCodeBranch } from "../../src/pull-request/branch-name.ts";
import {
  type CodeReport,
  formatCodeBody,
  formatCodeCommit,
  formatCodeTitle,
} from "../../src/pull-request/code-body.ts";
import { formatCodeMarker, parseCodeMarker } from "../../src/pull-request/code-marker.ts";
import { parseMarker } from "../../src/pull-request/marker.ts";
import { proseOf, WORKLOAD } from "./report-example.ts";

const MARKER = { fp: "a".repeat(16), evidence: "b".repeat(16), incident: "shop/cart-crashloop-1" };

/** A report in which everything that others write says this. */
function report(text: string, more: Partial<CodeReport> = {}): CodeReport {
  return {
    marker: MARKER,
    workload: WORKLOAD,
    container: text,
    seen: text,
    since: "2026-01-01T00:00:00Z",
    evidence: [{ id: "e1", kind: "log", text }],
    cluster: "prod",
    image: text,
    digest: text,
    revision: text,
    how: text,
    made: "c".repeat(40),
    branch: text,
    model: text,
    cause: text,
    summary: text,
    edits: [{ file: "main.go", before: "a\n", after: `${text}\n` }],
    citations: [{ id: text, quote: text }],
    checks: [{ id: "quotes", passed: true, text }],
    cautions: [text],
    check: { command: ["go", text] },
    checked: { ran: true, exit: 1, timedOut: false, output: `${text}end`, ms: 1500 },
    spent: { requests: 2, dollars: 0.5 },
    version: "test",
    ...more,
  };
}

/** What is no text of anybody's. */
const PLAIN: Partial<CodeReport> = {
  container: "app",
  image: "example.com/cart:1",
  digest: "sha256:1",
  revision: "c".repeat(40),
  how: "`apps` of the configuration",
  branch: "main",
  model: "claude-opus-5-5",
  check: { command: ["go"] },
  edits: [{ file: "a", before: "", after: "x\n" }],
};

const hostile = fc
  .array(
    fc.constantFrom(
      ...[
        "@octocat",
        "fixes #1",
        "closes GH-7",
        "`",
        "```",
        "````\n",
        "</details>",
        "<!--",
        "-->",
        "[x](http://evil.example)",
      ],
      ...["http://evil.example", "www.evil.example", "\n# Heading", "\n> quote", "|", "\\", "\n\n", "\u202e", "\u0000"],
      ...["\nStanch-Incident: other/x/y", "\nCo-authored-by: Eve <eve@example.com>", "\n::add-mask::x", "a", " "],
      ...[formatCodeMarker(MARKER), "github.com/acme/shop/issues/3"],
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((words) => words.join(""));

const LIVE = [
  /(?<![\w/])@[A-Za-z0-9]/,
  /#\d/,
  /\bGH-\d/i,
  /(?<!\\)\]\(/,
  /:\/\//,
  /\bwww\.[A-Za-z]/i,
  /\bgithub\.com/i,
];

describe("the pull request of a model's fix", () => {
  it("says first who wrote it, whatever is quoted, and nothing quoted acts", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const body = formatCodeBody(report(text));
        const [first, ...rest] = body.split("\n");
        expect(first).toBe(formatCodeMarker(MARKER));
        expect(rest[0]).toBe("> [!WARNING]");
        expect(rest[1]).toMatch(/^> \*\*A model wrote this code\*\*/);
        const prose = proseOf(rest.join("\n"));
        for (const pattern of LIVE) expect(prose).not.toMatch(pattern);
        expect(prose.split("\n").filter((line) => /^ {0,3}#/.test(line))).toEqual([
          "### The change",
          "### What was checked",
          "### What runs",
          "### To judge it",
        ]);
        expect(prose.match(/<\/?details>/g)).toEqual(["<details>", "</details>", "<details>", "</details>"]);
      }),
      { numRuns: 200 },
    );
  });

  it("has a commit that pings nobody, closes nothing, and whose trailers are ours", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const message = formatCodeCommit(report(text));
        for (const line of [message, formatCodeTitle(report(text))]) {
          expect(line).not.toMatch(/(?<!\w)@\w/);
          expect(line).not.toMatch(/#\d|\bGH-\d|\bgithub\.com/i);
        }
        expect(message.match(/^Stanch-Incident: .*$/gm)).toEqual(["Stanch-Incident: prod/shop/cart-crashloop-1"]);
        expect(message.match(/^Written-By-Model: /gm)).toHaveLength(1);
        expect(message).not.toMatch(/^Co-authored-by/m);
      }),
      { numRuns: 200 },
    );
  });

  it("shows no credential that a log, a check or the model says", () => {
    const secret = "token=ghp_abcdefghijklmnopqrstuvwxyz0123456789 password: hunter2-very-secret";
    const body = formatCodeBody(report(secret, PLAIN));
    expect(body).not.toMatch(/ghp_|hunter2/);
    expect(formatCodeCommit(report(secret, PLAIN))).not.toMatch(/ghp_|hunter2/);
  });

  it.each<[string, Partial<CodeReport>, RegExp]>([
    [
      "passed",
      { checked: { ran: true, exit: 0, timedOut: false, output: "", ms: 12_345 } },
      /`go x` \*\*passed\*\* after 12\.3 s, .*wrote nothing/,
    ],
    ["failed", {}, /\*\*failed with exit status 1\*\*/],
    [
      "took too long",
      { checked: { ran: true, exit: null, timedOut: true, output: "z", ms: 1 } },
      /was ended because its time was over/,
    ],
    [
      "was killed",
      { checked: { ran: true, exit: null, timedOut: false, output: "z", ms: 1 } },
      /was ended by a signal/,
    ],
    [
      "could not be run",
      { checked: { ran: false, reason: "bwrap is not installed" } },
      /\*\*Nothing was run:\*\* `go x`: bwrap is not installed/,
    ],
  ])("says of the check command that it %s", (_, more, said) => {
    expect(formatCodeBody(report("x", more))).toMatch(said);
  });

  it("shows the end of a long output, and keeps within what GitHub takes", () => {
    const output = `${"noise ".repeat(20_000)}\nFAIL: the last line`;
    const body = formatCodeBody(
      report("x".repeat(30_000), { checked: { ran: true, exit: 1, timedOut: false, output, ms: 1 } }),
    );
    expect([...body].length).toBeLessThan(65_536);
    expect(body).toContain("FAIL: the last line");
  });

  it("has a marker that manifests' readers do not take for theirs, and only in the first line", () => {
    const line = formatCodeMarker(MARKER);
    expect(parseCodeMarker(`${line}\ntext`)).toEqual(MARKER);
    expect(parseMarker(line)).toBeNull();
    expect(parseCodeMarker(`text\n${line}`)).toBeNull();
    expect(parseCodeMarker(line.replace("a".repeat(16), "zz"))).toBeNull();
  });

  it("has a branch that names the program and no workload", () => {
    const parts = { prefix: "stanch", cluster: "prod", fingerprint: "1a2b3c4d5e6f7081", round: 1 };
    expect(formatCodeBranch({ ...parts, program: "Cart_API" })).toBe("stanch/prod/code-cart-api-1a2b3c4d");
    expect(formatCodeBranch({ ...parts, program: "x".repeat(300), round: 2 })).toMatch(/^.{119,120}$/);
    expect(formatCodeBranch({ ...parts, program: "cart", round: 2 })).toMatch(/-1a2b3c4d-2$/);
  });
});
