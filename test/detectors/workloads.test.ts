import { describe, expect, it } from "vitest";
import { claimPending } from "../../src/detectors/claim-pending.ts";
import { noEndpoints } from "../../src/detectors/no-endpoints.ts";
import { podsRefused } from "../../src/detectors/pods-refused.ts";
import { rolloutStuck } from "../../src/detectors/rollout-stuck.ts";
import { unschedulable } from "../../src/detectors/unschedulable.ts";
import {
  ago,
  claim,
  container,
  event,
  pod,
  revision,
  rollingOut,
  service,
  settings,
  snapshot,
  type WorkloadSpec,
  workload,
} from "./snapshot-builder.ts";

const DEADLINE = {
  replicas: 2,
  updatedReplicas: 1,
  conditions: [
    {
      type: "Progressing",
      status: "False",
      reason: "ProgressDeadlineExceeded",
      message: 'ReplicaSet "cart-new" has timed out progressing.',
      lastTransitionTime: ago("3m"),
    },
  ],
};
const TWO = [revision("cart-new", 2, true), revision("cart-old", 1, false, { readyReplicas: 3 })];

describe("rollout-stuck", () => {
  const stuck = (over: WorkloadSpec) => rolloutStuck.detect(snapshot([workload(over)]), settings);
  const waiting = pod({ ready: false, containers: [container({ ready: false })] });

  it("finds a Deployment that exceeded its deadline, and counts what still serves", () => {
    const [found] = stuck({ status: DEADLINE, pods: [waiting], revisions: TWO });
    expect(found).toMatchObject({ symptom: { kind: "RolloutStuck", oldReady: 3 }, since: ago("3m"), pods: 1 });
    expect(found?.unripe).toBeUndefined();
  });

  it.each([
    ["is under way", { status: rollingOut, pods: [waiting], revisions: TWO }],
    ["is done", { pods: [pod()] }],
    [
      "has just become healthy",
      { status: { ...DEADLINE, replicas: 1, updatedReplicas: 1, availableReplicas: 1 }, pods: [pod()] },
    ],
    ["is paused", { spec: { paused: true }, status: DEADLINE, pods: [waiting] }],
  ])("says nothing of a rollout that %s", (_, over) => expect(stuck(over)).toEqual([]));

  it("finds a StatefulSet whose new pod is not ready while old ones serve, once it is old enough", () => {
    const pods = [waiting, pod({ name: "cart-0", revision: "cart-old" })];
    const revisions = (createdAt: string) => [
      revision("cart-new", 2, true, { createdAt }),
      revision("cart-old", 1, false),
    ];
    expect(stuck({ kind: "StatefulSet", pods, revisions: revisions(ago("11m")) })[0]).toMatchObject({
      symptom: { oldReady: 1 },
    });
    expect(stuck({ kind: "StatefulSet", pods, revisions: revisions(ago("9m")) })).toEqual([]);
    expect(
      stuck({
        kind: "StatefulSet",
        pods: [pod(), pod({ name: "cart-0", revision: "cart-old" })],
        revisions: revisions(ago("11m")),
      }),
    ).toEqual([]);
  });

  it("finds a pod whose volume cannot be mounted, without waiting for a deadline", () => {
    const creating = pod({
      phase: "Pending",
      ready: false,
      containers: [container({ waiting: { reason: "ContainerCreating", message: "" } })],
    });
    const failed = (message: string, first = "10m") =>
      stuck({
        status: rollingOut,
        pods: [creating],
        revisions: TWO,
        events: [event("FailedMount", message, { on: creating.name, first })],
      });
    const message = 'MountVolume.SetUp failed for volume "host" : hostPath type check failed: /x is not a directory';
    const [found] = failed(message);
    expect(found).toMatchObject({ symptom: { kind: "RolloutStuck", message, oldReady: 3 }, since: ago("10m") });
    expect(found?.unripe).toBeUndefined();
    expect(failed(message, "1m")[0]?.unripe).toMatch(/The mount fails since 60s/);
    // A ConfigMap that is not there is another finding, and one that is mounted by now is none.
    expect(failed('MountVolume.SetUp failed for volume "c" : configmap "c" not found')).toEqual([]);
    expect(
      stuck({ status: rollingOut, pods: [pod()], revisions: TWO, events: [event("FailedMount", message)] }),
    ).toEqual([]);
  });

  it("finds a pod that an older, broken revision left behind in a StatefulSet, and offers no revision to go back to", () => {
    const left = pod({
      name: "cart-1",
      revision: "cart-broken",
      phase: "Pending",
      ready: false,
      containers: [container({ waiting: { reason: "ImagePullBackOff", message: "" } })],
    });
    const revisions = [revision("cart-new", 3, true), revision("cart-broken", 2, false)];
    const pods = [pod({ name: "cart-0" }), left];
    const [found] = stuck({ kind: "StatefulSet", pods, revisions });
    expect(found).toMatchObject({ symptom: { kind: "RolloutStuck", oldReady: 0 }, pods: 1 });
    expect(found?.summary).toContain("Pod cart-1");
    expect(found?.unripe).toBeUndefined();
    expect(
      stuck({
        kind: "StatefulSet",
        pods: [
          pod({ name: "cart-0" }),
          { ...left, conditions: [{ type: "Ready", status: "False", since: ago("10s") }] },
        ],
        revisions,
      })[0]?.unripe,
    ).toContain("10s");
    expect(stuck({ kind: "StatefulSet", pods, revisions, spec: { podManagementPolicy: "Parallel" } })).toEqual([]);
    expect(
      stuck({
        kind: "StatefulSet",
        pods,
        revisions,
        spec: { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } },
      }),
    ).toEqual([]);
    expect(
      stuck({ kind: "StatefulSet", pods: [pod({ name: "cart-0" }), { ...left, deleting: true }], revisions }),
    ).toEqual([]);
    expect(stuck({ kind: "Deployment", pods, revisions })).toEqual([]);
  });
});

describe("pods-refused", () => {
  const NONE = { replicas: 0, updatedReplicas: 0, readyReplicas: 0 };
  const refused = (message: string, over: WorkloadSpec & { readonly first?: string } = {}) => {
    const { first = "10m", ...rest } = over;
    return podsRefused.detect(
      snapshot([
        workload({
          status: NONE,
          events: [
            event("FailedCreate", `Error creating: ${message}`, {
              kind: "ReplicaSet",
              on: "cart-new",
              count: 9,
              first,
            }),
          ],
          ...rest,
        }),
      ]),
      settings,
    );
  };

  it.each([
    'pods "cart-new-" is forbidden: error looking up service account shop/robot: serviceaccount "robot" not found',
    'pods "cart-new-x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
    'admission webhook "policy.acme.io" denied the request: no label team',
    'pods "cart-new-x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
  ])("finds %s at once", (message) => {
    const [found] = refused(message, { first: "5s" });
    expect(found?.symptom).toEqual({ kind: "PodsRefused", message });
    expect(found?.unripe).toBeUndefined();
  });

  it.each([
    'pods "cart-new-x" is forbidden: exceeded quota: team, requested: limits.memory=2Gi, used: limits.memory=7Gi, limited: limits.memory=8Gi',
    'Internal error occurred: failed calling webhook "policy.acme.io": failed to call webhook: Post "https://policy.acme.svc:443/": context deadline exceeded',
  ])("waits with %s", (message) => {
    expect(refused(message, { first: "1m" })[0]?.unripe).toContain("may pass");
    expect(refused(message, { first: "6m" })[0]?.unripe).toBeUndefined();
  });

  it("reads the Deployment's condition when the events have expired", () => {
    const conditions = [
      {
        type: "ReplicaFailure",
        status: "True",
        reason: "FailedCreate",
        message: 'serviceaccount "robot" not found',
        lastTransitionTime: ago("3h"),
      },
    ];
    expect(refused("", { status: { ...NONE, conditions }, events: [] })[0]).toMatchObject({
      since: ago("3h"),
      symptom: { message: 'serviceaccount "robot" not found' },
    });
  });

  it.each<[string, WorkloadSpec]>([
    ["all pods are there", { status: { replicas: 1, updatedReplicas: 1 } }],
    [
      "an old revision was refused",
      { events: [event("FailedCreate", "Error creating: forbidden", { kind: "ReplicaSet", on: "cart-old" })] },
    ],
    [
      "it was long ago",
      {
        events: [
          event("FailedCreate", "Error creating: forbidden", { kind: "ReplicaSet", on: "cart-new", last: "2h" }),
        ],
      },
    ],
    [
      "the namespace is being terminated",
      {
        events: [
          event(
            "FailedCreate",
            'Error creating: pods "x" is forbidden: unable to create new content in namespace shop because it is being terminated',
            { kind: "ReplicaSet", on: "cart-new" },
          ),
        ],
      },
    ],
    ["nothing was refused", { events: [] }],
  ])("says nothing when %s", (_, over) => expect(refused("forbidden", over)).toEqual([]));
});

describe("unschedulable", () => {
  const unplaced = (since: string, reason = "Unschedulable", over = {}) => {
    const { node: _, ...base } = pod({
      phase: "Pending",
      ready: false,
      containers: [],
      conditions: [
        {
          type: "PodScheduled",
          status: "False",
          reason,
          message: "0/3 nodes are available: 3 Insufficient memory.",
          since: ago(since),
        },
      ],
      ...over,
    });
    return unschedulable.detect(snapshot([workload({ pods: [base, { ...base, name: "cart-2" }] })]), settings);
  };

  it("finds pods that wait for a node too long, as one finding", () => {
    const found = unplaced("6m");
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      pods: 2,
      symptom: { kind: "Unschedulable", message: "0/3 nodes are available: 3 Insufficient memory." },
    });
    expect(found[0]?.unripe).toBeUndefined();
  });

  it("waits for a node that may be on its way", () => expect(unplaced("1m")[0]?.unripe).toContain("5m"));
  it("says nothing of a gated pod", () => expect(unplaced("6m", "SchedulingGated")).toEqual([]));
  it("says nothing of a scheduled one", () =>
    expect(unschedulable.detect(snapshot([workload({ pods: [pod()] })]), settings)).toEqual([]));

  it("finds a pod at which no scheduler looks", () => {
    const { node: _, ...unbound } = pod({
      phase: "Pending",
      ready: false,
      containers: [],
      conditions: [],
      createdAt: ago("6m"),
    });
    const of = (schedulerName: string, over: object = {}) =>
      unschedulable.detect(
        snapshot([workload({ podSpec: { schedulerName }, pods: [{ ...unbound, ...over }] })]),
        settings,
      );
    expect(of("my-schedular")).toMatchObject([
      { symptom: { message: 'no scheduler has looked at it; it asks for scheduler "my-schedular"' } },
    ]);
    expect(of("my-schedular")[0]?.unripe).toBeUndefined();
    expect(of("my-schedular", { createdAt: ago("1m") })[0]?.unripe).toMatch(/counts after 5m/);
    expect(
      of("my-schedular", { conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] }),
    ).toEqual([]);
    expect(of("my-schedular", { node: "n1" })).toEqual([]);
    expect(of("default-scheduler")).toEqual([]);
  });
});

describe("claim-pending", () => {
  const NO_CLASS = event("ProvisioningFailed", 'storageclass.storage.k8s.io "nope" not found', {
    kind: "PersistentVolumeClaim",
    on: "data",
  });
  const WAITS = event("WaitForFirstConsumer", "waiting for first consumer to be created before binding", {
    kind: "PersistentVolumeClaim",
    on: "data",
  });
  const pending = (over: Parameters<typeof claim>[0], workloads = [workload()]) =>
    claimPending.detect(snapshot(workloads, { claims: [claim(over)] }), settings);

  it("finds a class that does not exist at once", () => {
    const [found] = pending({ age: "10s", storageClass: "nope", events: [NO_CLASS] });
    expect(found).toMatchObject({
      workload: { kind: "PersistentVolumeClaim", name: "data" },
      symptom: { kind: "ClaimPending", message: 'storageclass.storage.k8s.io "nope" not found' },
    });
    expect(found?.unripe).toBeUndefined();
  });

  it("waits with a claim that is only being provisioned", () => {
    const failing = event("ProvisioningFailed", "rpc error: code = ResourceExhausted", {
      kind: "PersistentVolumeClaim",
      on: "data",
    });
    expect(pending({ age: "1m", events: [failing] })[0]?.unripe).toContain("5m");
    expect(pending({ age: "6m", events: [failing] })[0]?.unripe).toBeUndefined();
    expect(pending({ age: "6m" })[0]?.unripe).toBeUndefined();
  });

  it("finds a lost claim at once", () => expect(pending({ age: "10s", phase: "Lost" })[0]?.unripe).toBeUndefined());

  it.each([
    ["that waits for its first consumer", { events: [WAITS] }],
    ["that is bound", { phase: "Bound" }],
    ["that is being deleted", { metadata: { deletionTimestamp: ago("1m") } }],
  ])("says nothing of a claim %s", (_, over) => expect(pending(over)).toEqual([]));

  it("does not exempt a waiting claim whose class does not exist", () =>
    expect(pending({ events: [WAITS, NO_CLASS] })).toHaveLength(1));

  it("gives claims that a StatefulSet made to the StatefulSet, as one finding", () => {
    const set = workload({
      kind: "StatefulSet",
      name: "db",
      spec: { volumeClaimTemplates: [{ metadata: { name: "data" } }] },
    });
    const claims = ["data-db-0", "data-db-1", "data-db-x"].map((name) => claim({ name, events: [NO_CLASS] }));
    const found = claimPending.detect(snapshot([set], { claims }), settings);
    expect(found.map((finding) => finding.workload.name)).toEqual(["db", "data-db-x"]);
  });
});

describe("no-endpoints", () => {
  const empty = (over: Parameters<typeof service>[0] = {}, workloads = [workload()]) =>
    noEndpoints.detect(snapshot(workloads, { services: [service(over)] }), settings);

  it("finds a selector that matches no pod", () => {
    const [found] = empty();
    expect(found).toMatchObject({ workload: { kind: "Service", name: "cart" }, symptom: { kind: "NoEndpoints" } });
    expect(found?.symptom.kind === "NoEndpoints" && found.symptom.message).toContain("app=cartt");
    expect(found?.unripe).toBeUndefined();
  });

  it("waits with a Service that was made or changed just now", () => {
    expect(empty({ metadata: { creationTimestamp: ago("1m") } })[0]?.unripe).toContain("5m");
    expect(empty({ metadata: { managedFields: [{ manager: "kubectl", time: ago("1m") }] } })[0]?.unripe).toContain(
      "5m",
    );
    expect(
      empty({ metadata: { managedFields: [{ manager: "lb", time: ago("1m"), subresource: "status" }] } })[0]?.unripe,
    ).toBeUndefined();
  });

  it.each([
    ["that pods match, ready or not", { matching: 2 }],
    ["that is headless", { spec: { clusterIP: "None" } }],
    ["that is external", { spec: { type: "ExternalName" } }],
    ["without a selector", { spec: { selector: {} } }],
    ["that is being deleted", { metadata: { deletionTimestamp: ago("1m") } }],
    ["whose workload is known to have trouble of its own", { spec: { selector: { app: "cart" } } }],
  ])("says nothing of a Service %s", (_, over) => expect(empty(over)).toEqual([]));
});
