import { expect, it } from "vitest";
import { scaleTarget } from "../../src/kube/failing.ts";

const scaler = (scaleTargetRef: object) => ({
  apiVersion: "autoscaling/v2",
  kind: "HorizontalPodAutoscaler",
  metadata: { name: "web", namespace: "shop" },
  spec: { scaleTargetRef },
});

it("an autoscaler's target is a workload, whatever it says", () => {
  expect(scaleTarget(scaler({ apiVersion: "apps/v1", kind: "Deployment", name: "web" }))).toEqual({
    apiVersion: "apps/v1",
    kind: "Deployment",
    namespace: "shop",
    name: "web",
  });
  for (const target of [{ apiVersion: "v1", kind: "Secret", name: "web" }, { kind: "Rollout", name: "web" }, {}])
    expect(scaleTarget(scaler(target))).toBeNull();
});
