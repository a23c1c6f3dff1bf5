import { expect, it } from "vitest";
import { raisesOf } from "../../src/incident/raises.ts";

type Status = Parameters<typeof raisesOf>[0];
const row = (remedy: string, result: string, at: string) => ({ remedy, title: "", result, at });
const PLAN = { remedy: "raise-memory-limit" } as NonNullable<Status["plan"]>;

it.each<[string, Partial<Status>, readonly string[]]>([
  ["nothing", {}, []],
  [
    "what held live, and nothing that did not",
    {
      tried: [
        row("raise-memory-limit", "recovered: ready", "3"),
        row("raise-memory-limit", "not-recovered: killed", "4"),
        row("rollback", "recovered: ready", "5"),
      ],
    },
    ["3"],
  ],
  [
    "what was before it came back",
    { raised: ["1", "2"], tried: [row("raise-memory-limit", "recovered", "3")] },
    ["1", "2", "3"],
  ],
  ["a merge alone, once it is over", { phase: "Resolved", plan: PLAN, mergedAt: "3" }, ["3"]],
  [
    "a merge of what was tried live no second time",
    { phase: "Resolved", plan: PLAN, mergedAt: "4", tried: [row("raise-memory-limit", "recovered", "3")] },
    ["3"],
  ],
  [
    "the merge of before no more, once it is open again",
    { phase: "Detected", plan: PLAN, mergedAt: "3", raised: ["3"] },
    ["3"],
  ],
  [
    "no merge of something else",
    { phase: "Resolved", plan: { remedy: "rollback" } as NonNullable<Status["plan"]>, mergedAt: "3" },
    [],
  ],
])("counts %s", (_, status, expected) => {
  expect(raisesOf({ phase: "Detected", tried: [], ...status })).toEqual(expected);
});

it("keeps the newest twenty", () => {
  const raised = Array.from({ length: 30 }, (_, index) => `${index}`);
  expect(raisesOf({ phase: "Detected", tried: [], raised })).toEqual(raised.slice(10));
});
