import { expect, it } from "vitest";
import { helmCandidates } from "../../src/gitops/helm-candidates.ts";
import type { KubeObject, Source } from "../../src/model.ts";

it("a template's line that would take for ever is passed over, the others are not", async () => {
  const object = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "web" };
  const file = "chart/templates/web.yaml";
  const text = `mode: a${" ".repeat(400_000)}x\nmode: a\n`;
  const source = { id: "x", path: "chart", tool: "helm" } as unknown as Source;
  const aim = {
    change: { object, path: ["data", "mode"], from: "a", to: "b" },
    target: { ...object, metadata: { name: "web" }, data: { mode: "a" } } as unknown as KubeObject,
    source,
    read: async () => text,
  };
  const lines: number[] = [];
  const inputs = { values: [], defaults: undefined, templates: [file], files: new Set([file]) };
  for await (const { result } of helmCandidates(aim, inputs)) if (result.ok) lines.push(result.line);
  expect(lines).toEqual([2]);
}, 5000);
