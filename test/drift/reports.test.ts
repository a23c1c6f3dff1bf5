import { describe, expect, it } from "vitest";
import { exitCode } from "../../src/commands/drift.ts";
import { endOf } from "../../src/drift/end.ts";
import type { DriftItem, DriftReport, RootReport } from "../../src/drift/model.ts";
import { markdownReport } from "../../src/drift/report-markdown.ts";
import { sarifReport } from "../../src/drift/report-sarif.ts";
import { textReport } from "../../src/drift/report-text.ts";

const HOSTILE = "</details> @everyone #1 [x](https://evil.example) `tick` ::error::x \u202e";
const item = (more: Partial<DriftItem> = {}): DriftItem => ({
  object: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" },
  class: "drift",
  text: "One field is not what Git said.",
  fields: [
    {
      path: ["spec", "replicas"],
      text: "spec.replicas",
      git: { value: 1 },
      live: { value: 2 },
      by: { writer: "person", manager: "kubectl-edit", at: "2026-01-01T00:00:00Z" },
      location: { file: "apps/my app.yaml", line: 7 },
    },
  ],
  more: 0,
  folded: 0,
  ...more,
});
const root = (more: Partial<RootReport> = {}): RootReport => ({
  id: "acme/shop:apps@main",
  repository: "acme/shop",
  branch: "main",
  path: "apps",
  tool: "plain",
  owner: { kind: "configuration" },
  deployed: "1".repeat(40),
  head: "2".repeat(40),
  compared: 3,
  inSync: 2,
  items: [item()],
  ...more,
});
const report = (more: Partial<DriftReport> = {}): DriftReport => ({
  version: 1,
  cluster: "prod",
  takenAt: "2026-01-01T00:00:00Z",
  stanch: "0.1.0",
  mode: "client",
  roots: [root()],
  gaps: [],
  hidden: [],
  ...more,
});
const of = (kind: DriftItem["class"]): DriftReport => report({ roots: [root({ items: [item({ class: kind })] })] });

describe("how a report ends", () => {
  it.each([
    ["drift", "drift", 3, 0],
    ["missing", "drift", 3, 0],
    ["extra", "drift", 3, 0],
    ["unknown", "error", 1, 1],
    ["hotfix", "pending", 0, 0],
    ["pending", "pending", 0, 0],
    ["conflict", "clean", 0, 0],
    ["suspended", "clean", 0, 0],
  ] as const)("%s is %s", (kind, end, code, errorsOnly) => {
    expect(endOf(of(kind))).toBe(end);
    expect([exitCode(end, "drift"), exitCode(end, "error"), exitCode(end, "never")]).toEqual([code, errorsOnly, 0]);
  });

  it("an error is worse than drift, wherever it stands", () => {
    expect(endOf(report({ gaps: ["not seen"] }))).toBe("error");
    expect(endOf(report({ roots: [root(), root({ error: "cannot be rendered", items: [] })] }))).toBe("error");
  });
});

describe("text", () => {
  it("names object, field, values, writer and line", () => {
    const text = textReport(report());
    expect(text).toContain("DRIFT     Deployment shop/app: One field is not what Git said.");
    expect(text).toContain(
      "spec.replicas: Git 1, live 2; kubectl-edit (a person) at 2026-01-01T00:00:00Z  apps/my app.yaml:7",
    );
    expect(text).toMatch(/3 objects of 1 source compared \(client mode\): 1 drift\.\n$/);
  });

  it("an error never reads like a clean cluster, and neither does nothing at all", () => {
    expect(textReport(report({ roots: [root({ error: "boom", items: [], compared: 0, inSync: 0 })] }))).toMatch(
      /NOT COMPARED {2}boom[\s\S]*1 source could not be compared/,
    );
    expect(textReport(report({ roots: [] }))).toBe("Nothing was compared: no source is known.\n");
    expect(textReport(report({ roots: [root({ items: [], inSync: 3 })] }))).toContain("all as Git says");
  });

  it("seals are shown as such", () => {
    const sealed = item({
      fields: [
        {
          path: ["data", "x"],
          text: "data.x",
          git: { hash: "0123456789abcdef" },
          live: { cut: "aaaa…" },
          by: { writer: "unknown" },
        },
      ],
    });
    expect(textReport(report({ roots: [root({ items: [sealed] })] }))).toContain(
      "data.x: Git ‹sealed 01234567›, live aaaa…; nobody says who",
    );
  });
});

describe("Markdown", () => {
  it("holds what strangers wrote in spans, pings nobody and links nowhere of theirs", () => {
    const hostile = item({
      object: { apiVersion: "v1", kind: "ConfigMap", namespace: HOSTILE, name: HOSTILE },
      text: HOSTILE,
      fields: [
        {
          path: ["data", HOSTILE],
          text: HOSTILE,
          live: { value: HOSTILE },
          by: { writer: "unknown", manager: HOSTILE },
        },
      ],
      pullRequest: { number: 1, url: "javascript:alert(1)" },
    });
    const text = markdownReport(
      report({
        roots: [root({ id: HOSTILE, items: [hostile] }), root({ error: HOSTILE, items: [] })],
        hidden: [{ rule: HOSTILE, count: 1 }],
        gaps: [HOSTILE],
      }),
    );
    const outside = text.replaceAll(/(`+)[\s\S]*?\1/g, "");
    expect(outside).not.toMatch(/@everyone|\]\(https:\/\/evil|::error|javascript:/);
    expect(outside).not.toContain("\u202e");
    expect(outside.match(/<\/details>/g)).toHaveLength(1);
  });

  it("is bounded, cuts between objects and counts what it leaves out", () => {
    const many = report({ roots: [root({ items: Array.from({ length: 3000 }, () => item()) })] });
    const text = markdownReport(many, 5000);
    expect([...text].length).toBeLessThanOrEqual(5000);
    expect(text).toMatch(/\*\d+ more entries left out for length/);
    expect([...markdownReport(many)].length).toBeLessThanOrEqual(60_000);
  });
});

describe("SARIF", () => {
  interface Sarif {
    version: string;
    $schema: string;
    runs: {
      tool: { driver: { name: string; rules: { id: string }[] } };
      automationDetails: { id: string };
      invocations: { executionSuccessful: boolean; toolExecutionNotifications?: { message: { text: string } }[] }[];
      results: {
        ruleId: string;
        ruleIndex: number;
        level: string;
        message: { text: string };
        locations: { physicalLocation: { artifactLocation: { uri: string }; region?: { startLine: number } } }[];
        partialFingerprints: Record<string, string>;
      }[];
    }[];
  }
  const made = (given: DriftReport): Sarif => sarifReport(given) as Sarif;

  it("has the shape of 2.1.0, with the line and a rule for each result", () => {
    const { version, $schema, runs } = made(report());
    expect([version, $schema]).toEqual(["2.1.0", "https://json.schemastore.org/sarif-2.1.0.json"]);
    const [run] = runs;
    const [result] = run?.results ?? [];
    expect(run?.tool.driver.rules[result?.ruleIndex ?? -1]?.id).toBe(result?.ruleId);
    expect(result?.locations[0]?.physicalLocation).toEqual({
      artifactLocation: { uri: "apps/my%20app.yaml" },
      region: { startLine: 7 },
    });
    expect(run?.automationDetails.id).toBe("stanch-drift/prod/acme/shop/");
    expect(run?.invocations[0]?.executionSuccessful).toBe(true);
  });

  it("fingerprints stay when values, times and lines change, and differ by field, object and class", () => {
    const prints = (given: DriftReport): string[] =>
      made(given).runs.flatMap(({ results }) =>
        results.map(({ partialFingerprints }) => partialFingerprints["stanchDrift/v1"] ?? ""),
      );
    const field = item().fields[0];
    if (field === undefined) throw new Error("no field");
    const again = item({
      fields: [{ ...field, live: { value: 9 }, by: { writer: "unknown" }, location: { file: "x", line: 1 } }],
    });
    const [first] = prints(report());
    expect(
      prints(report({ takenAt: "2027-01-01T00:00:00Z", roots: [root({ items: [again], head: "3".repeat(40) })] })),
    ).toEqual([first]);
    const others = [
      item({ class: "hotfix" }),
      item({ fields: [{ ...field, text: "spec.x" }] }),
      item({ object: { ...item().object, name: "b" } }),
      item({ class: "missing", fields: [] }),
    ];
    expect(
      new Set([first, ...others.flatMap((each) => prints(report({ roots: [root({ items: [each] })] })))]).size,
    ).toBe(5);
  });

  it("what could not be compared is an error of the run, and is no result", () => {
    const { runs } = made(
      report({
        gaps: ["a gap"],
        roots: [
          root({ error: "boom", items: [] }),
          root({ items: [item({ class: "unknown", fields: [], text: "not read" })] }),
        ],
      }),
    );
    expect(runs[0]?.results).toEqual([]);
    expect(runs[0]?.invocations[0]?.executionSuccessful).toBe(false);
    expect(runs[0]?.invocations[0]?.toolExecutionNotifications?.map(({ message }) => message.text)).toEqual([
      "acme/shop:apps@main was not compared: boom",
      "not read",
      "a gap",
    ]);
  });

  it("is one run for each repository, and valid without any", () => {
    expect(made(report({ roots: [root(), root({ repository: "acme/other" })] })).runs).toHaveLength(2);
    expect(made(report({ roots: [] })).runs).toHaveLength(1);
  });
});
