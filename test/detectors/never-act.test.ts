import { describe, expect, it } from "vitest";
import { detect } from "../../src/steps/detect.ts";
import {
  ago,
  backOff,
  container,
  ended,
  pod,
  revision,
  settings,
  snapshot,
  type WorkloadSpec,
  workload,
} from "./snapshot-builder.ts";

const crashing = pod({ containers: [container({ ...backOff, last: ended("Error", 1) })] });

function found(over: WorkloadSpec) {
  return detect(snapshot([workload(over)]), settings);
}

it("finds the fault that the cases below take away", () => {
  expect(found({ pods: [crashing] })).toHaveLength(1);
});

describe("nothing is found in", () => {
  it.each<[string, WorkloadSpec]>([
    ["an object that is being deleted", { metadata: { deletionTimestamp: ago("1m") }, pods: [crashing] }],
    ["a workload scaled to zero", { spec: { replicas: 0 }, pods: [crashing] }],
    ["a paused Deployment", { spec: { paused: true }, pods: [crashing] }],
    ["a pod that is being deleted", { pods: [{ ...crashing, deleting: true }] }],
    ["an evicted pod", { pods: [{ ...crashing, phase: "Failed", reason: "Evicted" }] }],
    ["a pod that its node lost", { pods: [{ ...crashing, phase: "Unknown", reason: "NodeLost" }] }],
    ["a pod that was not admitted by its node", { pods: [{ ...crashing, phase: "Failed", reason: "OutOfmemory" }] }],
    [
      "a preempted pod",
      {
        pods: [
          { ...crashing, conditions: [{ type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" }] },
        ],
      },
    ],
    [
      "a pod of an older revision",
      {
        pods: [{ ...crashing, revision: "cart-old" }],
        revisions: [revision("cart-new", 2, true), revision("cart-old", 1, false)],
      },
    ],
    [
      "a workload whose newest template its controller has not seen",
      { pods: [crashing], revisions: [revision("cart-new", 2, false)] },
    ],
    [
      "a pod that completed",
      {
        kind: "Pod",
        pods: [{ ...crashing, phase: "Succeeded", containers: [container({ terminated: ended("Completed", 0) })] }],
      },
    ],
    ["a healthy workload", { pods: [pod()] }],
  ])("%s", (_, over) => expect(found(over)).toEqual([]));
});

it("counts pods of every revision where they are updated only when they are deleted", () => {
  const over: WorkloadSpec = {
    kind: "DaemonSet",
    spec: { updateStrategy: { type: "OnDelete" } },
    pods: [{ ...crashing, revision: "cart-old" }],
    revisions: [revision("cart-new", 2, true), revision("cart-old", 1, false)],
  };
  expect(found(over)).toHaveLength(1);
});

it("throws at nothing odd", () => {
  const odd = workload({ pods: [pod({ containers: [], conditions: [], createdAt: "" })] });
  expect(
    detect(
      snapshot([{ ...odd, object: { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "cart" } } }]),
      settings,
    ),
  ).toEqual([]);
  expect(
    detect(
      snapshot([
        { ...odd, object: { apiVersion: "x/v1", kind: "Widget", metadata: { name: "cart" }, spec: null, status: "?" } },
      ]),
      settings,
    ),
  ).toEqual([]);
});
