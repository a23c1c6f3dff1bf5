import { describe, expect, it } from "vitest";
import type { ContainerState, PodState, Snapshot } from "../../src/model.ts";
import { detect } from "../../src/steps/detect.ts";
import {
  ago,
  backOff,
  claim,
  container,
  ended,
  event,
  pod,
  rollingOut,
  service,
  settings,
  snapshot,
  type WorkloadSpec,
  workload,
} from "./snapshot-builder.ts";

/** When what is seen may be acted on: each row differs from its twin in the one thing that is named. */

const crashed = (restarts: number): ContainerState => container({ ...backOff, restarts, last: ended("Error", 1) });
const pulling = (message: string): PodState =>
  pod({ containers: [container({ waiting: { reason: "ErrImagePull", message } })] });
const ripe = (over: WorkloadSpec, shot: Partial<Snapshot> = {}): (string | undefined)[] =>
  detect(snapshot([workload(over)], shot), settings)
    .filter((finding) => finding.unripe === undefined)
    .map((finding) => finding.symptom.kind);
const seen = (over: WorkloadSpec): (string | undefined)[] =>
  detect(snapshot([workload(over)]), settings).map((finding) => finding.symptom.kind);

describe("a crash is acted on", () => {
  it("from the third restart on, and watched before", () => {
    expect(ripe({ pods: [pod({ containers: [crashed(2)] })] })).toEqual([]);
    expect(seen({ pods: [pod({ containers: [crashed(2)] })] })).toEqual(["CrashLoop"]);
    expect(ripe({ pods: [pod({ containers: [crashed(3)] })] })).toEqual(["CrashLoop"]);
  });
});

describe("an image that cannot be pulled", () => {
  const young = { status: rollingOut };
  it("is terminal when the registry says that it is not there: at once, however young the rollout", () => {
    expect(ripe({ ...young, pods: [pulling("manifest for nginx:1.99 not found: manifest unknown")] })).toEqual([
      "ImagePull",
    ]);
  });
  it("is waited for when the registry is busy", () => {
    const busy = (age: string) => ({
      ...young,
      pods: [{ ...pulling("429 Too Many Requests: toomanyrequests"), createdAt: ago(age) }],
    });
    expect(ripe(busy("1m"))).toEqual([]);
    expect(seen(busy("1m"))).toEqual(["ImagePull"]);
    expect(ripe(busy("1h"))).toEqual(["ImagePull"]);
  });
});

describe("a rollout younger than its deadline", () => {
  const starting: WorkloadSpec = {
    container: { readinessProbe: { httpGet: { path: "/", port: 8080 } }, ports: [{ containerPort: 8080 }] },
    pods: [pod({ containers: [container({ ready: false, running: { startedAt: ago("5m") } })] })],
    events: [event("Unhealthy", "Readiness probe failed: connection refused", { count: 9 })],
  };
  it("is left to finish", () => {
    expect(ripe({ ...starting, status: rollingOut })).toEqual([]);
    expect(seen({ ...starting, status: rollingOut })).toEqual(["NotReady"]);
  });
  it("is acted on once it is over", () => {
    expect(ripe(starting)).toEqual(["NotReady"]);
  });
});

describe("a pod without a node", () => {
  const waiting = (since: string): WorkloadSpec => ({
    pods: [
      {
        ...pod({
          phase: "Pending",
          containers: [],
          conditions: [
            { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/3 nodes", since: ago(since) },
          ],
        }),
        node: undefined as never,
      },
    ],
  });
  it("is waited for for five minutes", () => {
    expect(ripe(waiting("4m"))).toEqual([]);
    expect(ripe(waiting("5m"))).toEqual(["Unschedulable"]);
  });
});

describe("batch that is over, or rests", () => {
  const failing = pod({ containers: [crashed(5)] });
  it.each<[string, WorkloadSpec]>([
    [
      "a Job that completed in the end",
      { kind: "Job", status: { failed: 3, conditions: [{ type: "Complete", status: "True" }] }, pods: [failing] },
    ],
    ["a suspended Job", { kind: "Job", spec: { suspend: true }, pods: [failing] }],
    ["a suspended CronJob", { kind: "CronJob", spec: { suspend: true }, pods: [failing] }],
    ["a Job that is being deleted", { kind: "Job", metadata: { deletionTimestamp: ago("1m") }, pods: [failing] }],
  ])("is no finding: %s", (_, over) => expect(seen(over)).toEqual([]));
  it("but one that still fails is", () => expect(seen({ kind: "Job", pods: [failing] })).toEqual(["CrashLoop"]));
});

describe("an object that is being deleted is no finding:", () => {
  const gone = { deletionTimestamp: ago("1m") };
  const kinds = (shot: Partial<Snapshot>): string[] =>
    detect(snapshot([], shot), settings).map((it) => it.symptom.kind);
  const lost = (metadata = {}) => claim({ phase: "Lost", age: "1h", metadata });
  it("a Service", () => {
    expect(kinds({ services: [service()] })).toEqual(["NoEndpoints"]);
    expect(kinds({ services: [service({ metadata: gone })] })).toEqual([]);
  });
  it("a claim", () => {
    expect(kinds({ claims: [lost()] })).toEqual(["ClaimPending"]);
    expect(kinds({ claims: [lost(gone)] })).toEqual([]);
  });
});
