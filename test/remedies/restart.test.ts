import { describe, expect, it } from "vitest";
import { templateDigest } from "../../src/kube/template.ts";
import type { ContainmentRow, Json, PodState, Symptom } from "../../src/model.ts";
import { ago, container, event, pod, revision, type WorkloadSpec, workload } from "../detectors/snapshot-builder.ts";
import { helps, NAMES, refuses, tried, type World } from "./remedy-context.ts";

const symptom: Symptom = { kind: "NotReady", message: "context deadline exceeded" };
const TIMEOUT =
  'Readiness probe failed: Get "http://10.0.0.1:8080/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)';

/** Ready for most of an hour, and not any more. */
const hung = (name: string, over: Partial<PodState> & { readonly for?: string } = {}): PodState =>
  pod({
    name,
    uid: `uid-${name}`,
    containers: [container({ ready: false })],
    conditions: [{ type: "Ready", status: "False", since: ago(over.for ?? "10m") }],
    ...over,
  });

function world(over: WorkloadSpec = {}, more: Partial<World> = {}): World {
  return {
    workload: workload({
      container: { readinessProbe: { httpGet: { port: 8080 } } },
      pods: [hung("cart-1"), pod({ name: "cart-2", uid: "uid-cart-2" })],
      events: [event("Unhealthy", TIMEOUT, { count: 60 })],
      ...over,
    }),
    symptom,
    ...more,
  };
}

const says = (message: string): WorkloadSpec => ({ events: [event("Unhealthy", `Readiness probe ${message}`)] });
const row = (over: Partial<ContainmentRow> = {}): ContainmentRow => ({
  remedy: "restart",
  title: "",
  at: ago("1h"),
  template: "",
  pods: [],
  ...over,
});

describe("restarts", () => {
  it("the pod that was ready and does not answer, and no other", async () => {
    const given = world();
    const planned = await helps("restart", given);
    expect(planned.changes).toEqual([]);
    expect(planned.action).toEqual({ kind: "evict", pods: ["cart-1"] });
    expect(planned.contains).toEqual({ template: templateDigest(given.workload.object), pods: ["uid-cart-1"] });
    expect(planned.reason).toBe(
      "Pod cart-1 was ready with the present template and has not answered its readiness probe for 10m; it has no liveness probe that would restart it. 1 other pod is ready with the same template.",
    );
    expect(planned.offered.at(-1)).toBe("restart");
  });

  it("the one that has hung for longest, though more of them hang", async () => {
    const pods = [hung("cart-1"), hung("cart-2", { for: "20m" }), pod({ name: "cart-3" })];
    const events = ["cart-1", "cart-2"].map((on) => event("Unhealthy", TIMEOUT, { on }));
    expect((await helps("restart", world({ pods, events }))).action).toEqual({ kind: "evict", pods: ["cart-2"] });
  });

  it("one as a trial where none is ready", async () => {
    const planned = await helps("restart", world({ pods: [hung("cart-1")] }));
    expect(planned.reason).toContain("No other pod is ready either, so that this one shows whether a restart helps.");
  });

  it.each([
    ["i/o timeout", "failed: dial tcp 10.0.0.1:8080: i/o timeout"],
    ["nobody listening any more", "failed: dial tcp 10.0.0.1:8080: connect: connection refused"],
    ["a connection that breaks", 'failed: Get "http://10.0.0.1:8080/": EOF'],
    ["a command that does not end", 'failed: command timed out: "/bin/ready" timed out after 1s'],
    ["gRPC", 'failed: timeout: failed to connect service "10.0.0.1:8080" within 1s: context deadline exceeded'],
  ])("after %s", async (_, message) =>
    expect((await helps("restart", world(says(message)))).action).toEqual({ kind: "evict", pods: ["cart-1"] }),
  );

  it("where a liveness probe passes all the time", async () => {
    const probes = { readinessProbe: { httpGet: { port: 8080 } }, livenessProbe: { tcpSocket: { port: 8080 } } };
    expect((await helps("restart", world({ container: probes }))).reason).toContain("its liveness probe passes");
  });

  it("pods of a StatefulSet only where that is wanted", async () => {
    const set = { kind: "StatefulSet" };
    expect(await refuses("restart", world(set))).toMatch(/may hold data.*remedies\.restart\.statefulSets/);
    const settings = { remedies: { restart: { statefulSets: true } } };
    expect((await helps("restart", world(set, { settings }))).action).toEqual({ kind: "evict", pods: ["cart-1"] });
  });

  it("again, while its tries last; what was long ago or another remedy's does not count", async () => {
    const contained = [row(), row(), row({ at: ago("2d") }), row({ remedy: "exec" })];
    await helps("restart", world({}, { contained }));
    expect(await refuses("restart", world({}, { contained: [...contained, row()] }))).toMatch(
      /done 3 times within 24h \(remedies\.contain\); a restart does not last.*developers/,
    );
  });
});

describe("refuses", () => {
  const never = { conditions: [{ type: "Ready", status: "False", since: ago("1h") }] };
  it.each<[string, World, RegExp]>([
    [
      "a pod that never was ready",
      world({ pods: [hung("cart-1", never)] }),
      /nothing shows that pod cart-1 ever worked/,
    ],
    [
      "a pod whose container was started since: the end of the last run says nothing of this one",
      world({
        pods: [hung("cart-1", { containers: [container({ ready: false, running: { startedAt: ago("5m") } })] })],
      }),
      /ever worked/,
    ],
    ["one that may come back", world({ pods: [hung("cart-1", { for: "3m" })] }), /not been ready for 3m.*until 5m/],
    [
      "a program that answers no",
      world(says("failed: HTTP probe failed with statuscode: 503")),
      /answers that it is not ready/,
    ],
    ["a command that says no", world(says("failed: database is down")), /answers that it is not ready/],
    ["without knowing what the probe gets", world({ events: [] }), /nothing tells what the readiness probe/],
    ["by another pod's probe", world({ events: [event("Unhealthy", TIMEOUT, { on: "cart-2" })] }), /nothing tells/],
    [
      "by a liveness probe",
      world({ events: [event("Unhealthy", TIMEOUT.replace("Readiness", "Liveness"))] }),
      /nothing tells/,
    ],
    [
      "by a failure from before",
      world({ events: [event("Unhealthy", TIMEOUT, { first: "30m", last: "20m" })] }),
      /nothing tells/,
    ],
    [
      "what its liveness probe may restart yet",
      world({
        container: {
          readinessProbe: { httpGet: { port: 8080 } },
          livenessProbe: { httpGet: { port: 8080 }, periodSeconds: 120, failureThreshold: 5 },
        },
      }),
      /liveness probe of pod cart-1 may restart it yet/,
    ],
    [
      "while a rollout replaces its pods",
      world({ revisions: [revision("cart-new", 2, true), revision("cart-old", 1, false)] }),
      /a rollout is under way/,
    ],
    [
      "a pod of an older revision",
      world({ pods: [hung("cart-1", { revision: "cart-old" })] }),
      /not of the present revision/,
    ],
    ["one that is being deleted", world({ pods: [hung("cart-1", { deleting: true })] }), /does not run/],
    ["a Pod that nobody makes anew", world({ kind: "Pod" }), /nothing would make a new pod/],
    ["a Job's", world({ kind: "Job" }), /nothing would make a new pod/],
    [
      "another symptom",
      world({}, { symptom: { kind: "LivenessKill", probe: "livenessProbe", message: "" } }),
      /nothing shows/,
    ],
    ["a finding without a container", world({}, { container: null }), /nothing shows/],
    ["where all are ready", world({ pods: [pod()] }), /no pod of it runs without being ready/],
  ])("%s", async (_, given, says) => expect(await refuses("restart", given)).toMatch(says));
});

describe("parameters from elsewhere restart nothing:", () => {
  it.each<[string, { readonly [name: string]: Json }, RegExp]>([
    ["a healthy pod of the workload", { pod: "cart-2" }, /cart-2 is not one that hangs/],
    ["another workload's pod", { pod: "bank-1" }, /bank-1 is not one that hangs/],
    ["many", { pods: ["cart-1", "cart-2"] }, /parameters are wrong/],
    ["a list", { pod: ["cart-1"] }, /parameters are wrong/],
    ["another namespace", { pod: "cart-1", namespace: "kube-system" }, /parameters are wrong/],
    ["nothing", {}, /parameters are wrong/],
  ])("%s", async (_, params, says) => expect(await tried("restart", params, world())).toMatch(says));

  it.each(NAMES)("a pod called %s", async (name) =>
    expect(await tried("restart", { pod: name }, world())).toMatch(/is not one that hangs|parameters are wrong/),
  );

  it("the right pod, when nothing proves it any more", async () =>
    expect(await tried("restart", { pod: "cart-1" }, world({ events: [] }))).toMatch(/nothing tells/));
});
