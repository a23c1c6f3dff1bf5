import { createHash } from "node:crypto";
import { describeRef, keyOf } from "../kube/ref.ts";
import { who } from "./item.ts";
import type { DriftClass, DriftItem, DriftReport, RootReport, SourceLine } from "./model.ts";
import { shownText } from "./report-text.ts";

/** GitHub takes 20 runs a file and 25,000 results a run, and shows 5,000. */
const MOST_RUNS = 20;
const MOST_RESULTS = 5000;

const RULES: readonly {
  readonly id: DriftClass;
  readonly text: string;
  readonly level: "error" | "warning" | "note";
}[] = [
  { id: "drift", text: "The cluster is not what Git said when it was deployed.", level: "warning" },
  { id: "missing", text: "Git declares an object that is not there.", level: "warning" },
  { id: "extra", text: "An object is there that its deployer tracks and Git does not declare.", level: "warning" },
  { id: "hotfix", text: "A live change of Stanch that its pull request brings into Git.", level: "note" },
  { id: "conflict", text: "Git and another controller both claim a field.", level: "note" },
];

/**
 * SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/): one run for each repository, because paths are relative to it. What could not
 * be compared is a notification and makes `executionSuccessful` false. Fingerprints hold neither values nor times, so that the same drift
 * is the same alert. Where no line is known, the source's folder stands for it.
 */
export function sarifReport(report: DriftReport): object {
  const byRepository = Map.groupBy(report.roots, ({ repository }) => repository);
  const runs = [...byRepository].slice(0, MOST_RUNS).map(([repository, roots]) => runOf(repository, roots, report));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: runs.length > 0 ? runs : [runOf("", [], report)],
  };
}

function runOf(repository: string, roots: readonly RootReport[], report: DriftReport): object {
  const notifications = [
    ...roots.flatMap(({ id, error }) => (error === undefined ? [] : [`${id} was not compared: ${error}`])),
    ...roots.flatMap(({ items }) => items.filter(({ class: kind }) => kind === "unknown").map(({ text }) => text)),
    ...report.gaps,
  ].map((text) => ({ level: "error", message: { text } }));
  const results = roots.flatMap((root) => root.items.flatMap((item) => resultsOf(root, item))).slice(0, MOST_RESULTS);
  return {
    tool: {
      driver: {
        name: "stanch drift",
        version: report.stanch,
        semanticVersion: report.stanch,
        informationUri: "https://stanch.dev",
        rules: RULES.map(({ id, text, level }) => ({
          id,
          shortDescription: { text },
          defaultConfiguration: { level },
        })),
      },
    },
    automationDetails: { id: `stanch-drift/${report.cluster}/${repository}/` },
    invocations: [
      {
        executionSuccessful: notifications.length === 0,
        endTimeUtc: report.takenAt,
        ...(notifications.length === 0 ? {} : { toolExecutionNotifications: notifications }),
      },
    ],
    columnKind: "utf16CodeUnits",
    results,
  };
}

function resultsOf(root: RootReport, item: DriftItem): object[] {
  const index = RULES.findIndex(({ id }) => id === item.class);
  const rule = RULES[index];
  if (rule === undefined) return [];
  const result = (text: string, path: string, location: SourceLine | undefined): object => ({
    ruleId: rule.id,
    ruleIndex: index,
    level: rule.level,
    message: { text },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(location?.file ?? (root.path === "" ? "." : root.path)) },
          ...(location === undefined ? {} : { region: { startLine: location.line } }),
        },
        logicalLocations: [{ fullyQualifiedName: `${describeRef(item.object)} ${path}`.trim(), kind: "resource" }],
      },
    ],
    partialFingerprints: {
      "stanchDrift/v1": createHash("sha256")
        .update([root.id, keyOf(item.object), item.class, path].join("\0"))
        .digest("hex"),
    },
  });
  if (item.fields.length === 0) return [result(item.text, "", item.location)];
  return item.fields.map(({ text, git, live, by, location }) =>
    result(
      `${describeRef(item.object)} ${text}: Git says ${shownText(git)}, live is ${shownText(live)}; ${by.writer === "unknown" && by.manager === undefined ? "nobody says who wrote it" : `last written by ${who(by)}`}.`,
      text,
      location ?? item.location,
    ),
  );
}
