import { describe, expect, it } from "vitest";
import { crashLoop } from "../../src/detectors/crash-loop.ts";
import { oomKilled } from "../../src/detectors/oom-killed.ts";
import {
  ago,
  backOff,
  container,
  ended,
  event,
  pod,
  rollingOut,
  settings,
  snapshot,
  type WorkloadSpec,
  workload,
} from "./snapshot-builder.ts";

const LIMITED = { resources: { limits: { memory: "64Mi" }, requests: { memory: "32Mi" } } };

function oom(over: WorkloadSpec) {
  return oomKilled.detect(snapshot([workload({ container: LIMITED, ...over })]), settings);
}

function crash(over: WorkloadSpec) {
  return crashLoop.detect(snapshot([workload(over)]), settings);
}

describe("oom-killed", () => {
  it.each([
    ["waiting in back-off", container({ ...backOff, last: ended("OOMKilled", 137) })],
    ["just ended", container({ terminated: ended("OOMKilled", 137), restarts: 0 })],
    [
      "running between two kills",
      container({ running: { startedAt: ago("10s") }, restarts: 3, last: ended("OOMKilled", 137) }),
    ],
    ["with another exit code", container({ ...backOff, last: ended("OOMKilled", 1) })],
    ["an init container", container({ ...backOff, init: true, last: ended("OOMKilled", 137) })],
  ])("finds a container %s", (_, state) => {
    const [found, ...rest] = oom({ pods: [pod({ containers: [state] })] });
    expect(rest).toEqual([]);
    expect(found).toMatchObject({
      container: "app",
      symptom: { kind: "OOMKilled", limit: "64Mi", request: "32Mi" },
      pods: 1,
    });
    expect(found?.unripe).toBeUndefined();
    expect(found?.evidence[0]).toMatchObject({ id: "e1", kind: "status" });
  });

  it("leaves the limit out where there is none, so that nobody sizes it", () => {
    const [found] = oom({
      container: {},
      pods: [pod({ containers: [container({ ...backOff, last: ended("OOMKilled", 137) })] })],
    });
    expect(found?.symptom).toEqual({ kind: "OOMKilled" });
  });

  it("waits for a second kill when the container runs again", () => {
    const [found] = oom({ pods: [pod({ containers: [container({ restarts: 1, last: ended("OOMKilled", 137) })] })] });
    expect(found?.unripe).toContain("once");
  });

  it.each([
    ["ran well ever since", container({ restarts: 2, last: ended("OOMKilled", 137, { at: "20m" }) })],
    ["was killed otherwise", container({ ...backOff, last: ended("Error", 137) })],
    ["ended otherwise since", container({ restarts: 5, terminated: ended("Error", 1), last: ended("OOMKilled", 137) })],
    ["is healthy", container()],
  ])("says nothing of a container that %s", (_, state) => {
    expect(oom({ pods: [pod({ containers: [state] })] })).toEqual([]);
  });

  it("makes one finding of fifty pods", () => {
    const pods = Array.from({ length: 50 }, (_, index) =>
      pod({ name: `cart-${index}`, containers: [container({ ...backOff, last: ended("OOMKilled", 137) })] }),
    );
    const found = oom({ pods });
    expect(found.map((finding) => finding.pods)).toEqual([50]);
  });
});

describe("crash-loop", () => {
  it.each([
    ["Error", 1, undefined, "application", 1],
    ["Error", 255, undefined, "application", 255],
    ["Error", 127, undefined, "command", 127],
    ["Error", 126, undefined, "command", 126],
    ["StartError", 128, undefined, "command", 128],
    ["ContainerCannotRun", 127, undefined, "command", 127],
    ["Error", 137, undefined, "killed", 137],
    ["Error", 139, undefined, "fault", 139],
    ["Error", 134, undefined, "fault", 134],
    ["Error", 143, undefined, "terminated", 143],
    ["Completed", 0, undefined, "completed", 0],
    ["Error", 0, 11, "fault", 0],
  ] as const)("classes reason %s, exit code %d, signal %s as %s", (reason, exitCode, signal, exit, told) => {
    const [found] = crash({
      pods: [
        pod({
          containers: [
            container({ ...backOff, last: ended(reason, exitCode, signal === undefined ? {} : { signal }) }),
          ],
        }),
      ],
    });
    expect(found).toMatchObject({
      container: "app",
      symptom: { kind: "CrashLoop", exit, exitCode: told, init: false },
    });
    expect(found?.unripe).toBeUndefined();
  });

  it.each(["RunContainerError", "CreateContainerError"])(
    "takes %s for a container that cannot be started, ripe at once on a young rollout",
    (reason) => {
      const message =
        'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/no/such": stat /no/such: no such file or directory: unknown';
      const [found] = crash({
        status: rollingOut,
        pods: [pod({ containers: [container({ waiting: { reason, message } })] })],
      });
      expect(found).toMatchObject({ symptom: { kind: "CrashLoop", exit: "command", exitCode: 128, message } });
      expect(found?.unripe).toBeUndefined();
    },
  );

  it("takes runAsNonRoot for a container that cannot be started", () => {
    const message = 'container has runAsNonRoot and image will run as root (pod: "cart-1_shop(uid)", container: app)';
    const [found] = crash({
      pods: [
        pod({
          phase: "Pending",
          containers: [container({ waiting: { reason: "CreateContainerConfigError", message } })],
        }),
      ],
    });
    expect(found).toMatchObject({ symptom: { kind: "CrashLoop", exit: "command", message } });
  });

  it("sees a crash between back-offs, and an init container", () => {
    const between = crash({
      pods: [
        pod({ containers: [container({ running: { startedAt: ago("1s") }, restarts: 3, last: ended("Error", 2) })] }),
      ],
    });
    expect(between[0]).toMatchObject({ symptom: { exit: "application", exitCode: 2 } });
    const init = crash({
      podSpec: { initContainers: [{ name: "setup" }] },
      pods: [
        pod({
          phase: "Pending",
          containers: [
            container({ name: "setup", init: true, ...backOff, last: ended("Error", 1) }),
            container({ waiting: { reason: "PodInitializing", message: "" } }),
          ],
        }),
      ],
    });
    expect(init).toHaveLength(1);
    expect(init[0]).toMatchObject({ container: "setup", symptom: { init: true } });
  });

  it.each([
    ["after two restarts", container({ ...backOff, restarts: 2, last: ended("Error", 1) }), "2 times"],
    [
      "after a long life",
      container({ running: { startedAt: ago("1m") }, restarts: 7, last: ended("Error", 1, { ran: "3h" }) }),
      "no loop yet",
    ],
    [
      "that has outlived its last run",
      container({ running: { startedAt: ago("9m") }, restarts: 7, last: ended("Error", 1, { at: "9m" }) }),
      "recovered",
    ],
  ])("waits with a container %s", (_, state, word) => {
    const [found] = crash({ pods: [pod({ containers: [state] })] });
    expect(found?.unripe).toContain(word);
  });

  it.each([
    ["a healthy container", container()],
    ["a crash long ago", container({ restarts: 9, last: ended("Error", 1, { at: "20m" }) })],
    ["an init container that is done", container({ init: true, ready: true, terminated: ended("Completed", 0) })],
    ["an out-of-memory kill", container({ ...backOff, last: ended("OOMKilled", 137) })],
    [
      "a missing ConfigMap",
      container({ waiting: { reason: "CreateContainerConfigError", message: 'configmap "settings" not found' } }),
    ],
    [
      "a missing key",
      container({
        waiting: { reason: "CreateContainerConfigError", message: "couldn't find key a in ConfigMap shop/settings" },
      }),
    ],
    [
      "a cache that is not yet filled",
      container({
        waiting: {
          reason: "CreateContainerConfigError",
          message: "failed to sync configmap cache: timed out waiting for the condition",
        },
      }),
    ],
    ["a container that is created", container({ waiting: { reason: "ContainerCreating", message: "" } })],
    ["a node that was restarted", container({ restarts: 5, last: ended("Unknown", 255) })],
  ])("says nothing of %s", (_, state) => {
    expect(crash({ pods: [pod({ containers: [state] })] })).toEqual([]);
  });

  it("redacts what the program wrote, and keeps the end of a long message", () => {
    const [found] = crash({
      pods: [
        pod({
          containers: [
            container({
              ...backOff,
              last: ended("Error", 1, { message: `${"x ".repeat(400)}password=hunter22\u0007\u202e\nlast words` }),
            }),
          ],
        }),
      ],
    });
    const text = JSON.stringify(found);
    expect(text).not.toContain("hunter22");
    expect(text).toContain("last words");
    expect(found?.evidence.every((item) => item.text.length <= 300 && !/[\p{Cc}\p{Cf}]/u.test(item.text))).toBe(true);
  });

  it("adds the back-off event and dates the finding from the pod's own start", () => {
    const [found] = crash({
      pods: [pod({ createdAt: ago("30m"), containers: [container({ ...backOff, last: ended("Error", 1) })] })],
      events: [event("BackOff", "Back-off restarting failed container app in pod cart-1_shop(uid)", { count: 9 })],
    });
    expect(found?.since).toBe(ago("30m"));
    expect(found?.evidence.map((item) => item.text).join()).toContain("BackOff on Pod cart-1, 9 times");
  });
});

describe("crash-loop of Jobs", () => {
  const FAILED = {
    conditions: [
      {
        type: "Failed",
        status: "True",
        reason: "BackoffLimitExceeded",
        message: "Job has reached the specified backoff limit",
        lastTransitionTime: ago("3h"),
      },
    ],
  };
  const failedPod = (name: string, over = {}) =>
    pod({
      name,
      phase: "Failed",
      restartPolicy: "Never",
      createdAt: ago("3h"),
      containers: [container({ terminated: ended("Error", 4, { at: "3h" }) })],
      ...over,
    });

  it("reports a Job by its condition, with the container that failed", () => {
    const [found, ...rest] = crash({
      kind: "Job",
      status: FAILED,
      pods: [failedPod("job-aaaaa"), failedPod("job-bbbbb")],
    });
    expect(rest).toEqual([]);
    expect(found).toMatchObject({ container: "app", symptom: { exit: "application", exitCode: 4 }, pods: 2 });
    expect(found?.unripe).toBeUndefined();
  });

  it("names the container that ended by itself and not the one that was stopped with it", () => {
    const both = [
      container({ name: "proxy", terminated: ended("Error", 143, { at: "3h" }) }),
      container({ terminated: ended("Error", 3, { at: "3h" }) }),
    ];
    const found = crash({ kind: "Job", status: FAILED, pods: [failedPod("job-aaaaa", { containers: both })] });
    expect(found.map((finding) => finding.container)).toEqual(["app"]);
  });

  it("reports a Job whose pods are gone", () => {
    const [found] = crash({
      kind: "Job",
      status: {
        conditions: [
          {
            type: "Failed",
            status: "True",
            reason: "PodFailurePolicy",
            message: "Container app for pod shop/j-1 failed with exit code 42 matching FailJob rule at index 0",
          },
        ],
      },
    });
    expect(found).toMatchObject({ container: "app", symptom: { exitCode: 42 } });
  });

  it("does not count `status.failed`: failures may still be made good", () => {
    const [found] = crash({ kind: "Job", status: { failed: 1, active: 1 }, pods: [failedPod("job-aaaaa")] });
    expect(found?.unripe).toContain("1 time");
    expect(
      crash({
        kind: "Job",
        status: { failed: 2, succeeded: 1, conditions: [{ type: "Complete", status: "True" }] },
        pods: [failedPod("job-aaaaa")],
      }),
    ).toEqual([]);
    expect(crash({ kind: "Job", spec: { suspend: true }, pods: [failedPod("job-aaaaa")] })).toEqual([]);
  });

  it("takes one failed run of a CronJob for a slip and two in a row for a fault", () => {
    const run = (stamp: string, minutes: string, over = {}) =>
      failedPod(`cron-${stamp}-aaaaa`, { createdAt: ago(minutes), ...over });
    expect(crash({ kind: "CronJob", pods: [run("2", "1m")] })[0]?.unripe).toContain("1 time");
    expect(crash({ kind: "CronJob", pods: [run("2", "1m"), run("1", "2m")] })[0]?.unripe).toBeUndefined();
    // A run that has begun does not hide the failure before it, one that succeeded ends it.
    expect(
      crash({
        kind: "CronJob",
        pods: [pod({ name: "cron-3-aaaaa", createdAt: ago("5s") }), run("2", "1m"), run("1", "2m")],
      }),
    ).toHaveLength(1);
    expect(
      crash({
        kind: "CronJob",
        pods: [
          run("3", "1m", { phase: "Succeeded", containers: [container({ terminated: ended("Completed", 0) })] }),
          run("2", "2m"),
          run("1", "3m"),
        ],
      }),
    ).toEqual([]);
    expect(crash({ kind: "CronJob", spec: { suspend: true }, pods: [run("2", "1m"), run("1", "2m")] })).toEqual([]);
  });
});
