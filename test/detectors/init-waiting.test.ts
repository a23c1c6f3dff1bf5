import { describe, expect, it } from "vitest";
import type { ContainerState } from "../../src/model.ts";
import { detect } from "../../src/steps/detect.ts";
import { ago, container, pod, settings, snapshot, type WorkloadSpec, workload } from "./snapshot-builder.ts";

const init = (over: Partial<ContainerState> = {}): ContainerState =>
  container({ name: "wait-for-db", init: true, ready: false, running: { startedAt: ago("6m") }, ...over });
const waits = container({ waiting: { reason: "PodInitializing", message: "" } });
const of = (first: ContainerState, over: WorkloadSpec = {}) =>
  detect(
    snapshot([workload({ pods: [pod({ phase: "Pending", ready: false, containers: [first, waits] })], ...over })]),
    settings,
  ).filter(({ detector }) => detector === "init-waiting");

describe("init-waiting", () => {
  it("is an init container that runs on and on", () => {
    expect(of(init())).toMatchObject([
      { container: "wait-for-db", symptom: { kind: "InitWaiting" }, since: ago("6m"), pods: 1 },
    ]);
    expect(of(init())[0]?.unripe).toBeUndefined();
  });

  it("is not ripe before `detect.pending`", () => {
    expect(of(init({ running: { startedAt: ago("2m") } }))[0]?.unripe).toBe("It runs since 2m; it counts after 5m.");
  });

  it.each<[string, ContainerState, WorkloadSpec]>([
    ["one that is done", init({ terminated: { reason: "Completed", exitCode: 0 } }), {}],
    ["a sidecar", init(), { podSpec: { initContainers: [{ name: "wait-for-db", restartPolicy: "Always" }] } }],
    ["a Job's", init(), { kind: "Job" }],
    ["a workload that is scaled to zero", init(), { spec: { replicas: 0 } }],
  ])("is not %s", (_, first, over) => {
    const { running: _running, ...ended } = first;
    expect(of(first.terminated === undefined ? first : ended, over)).toEqual([]);
  });
});
