import { expect, it } from "vitest";
import { planFrom } from "../../src/incident/plan-of.ts";

it("a later run still knows that a model chose the plan, and of a rule's plan nothing of the kind", () => {
  const plan = { remedy: "correct-image", params: {}, reason: "r", risk: "low", title: "t", changes: [] };
  const incident = (by: object) =>
    ({
      metadata: { namespace: "shop", name: "web" },
      spec: { workload: {}, symptom: "ImagePull" },
      status: { phase: "Verified", plan: { ...plan, ...by } },
    }) as unknown as Parameters<typeof planFrom>[0];
  expect(planFrom(incident({ by: "model" })).choice.by).toBe("model");
  expect(planFrom(incident({})).choice).not.toHaveProperty("by");
});
