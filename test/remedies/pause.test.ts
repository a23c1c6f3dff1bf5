import { describe, expect, it } from "vitest";
import { Config } from "../../src/config/schema.ts";
import { templateDigest } from "../../src/kube/template.ts";
import type { ContainmentRow, Json, KubeObject, PodState, Symptom } from "../../src/model.ts";
import { writeRights } from "../../src/remedies/rights.ts";
import { ago, container, ended, pod, revision, type WorkloadSpec, workload } from "../detectors/snapshot-builder.ts";
import { helps, NAMES, refuses, tried, type World } from "./remedy-context.ts";

const symptom: Symptom = { kind: "CrashLoop", exit: "application", exitCode: 1, init: false };
const OLD = revision("cart-old", 1, false, { replicas: 2, readyReplicas: 2 });
const NEW = revision("cart-new", 2, true);
const PROBE = { readinessProbe: { httpGet: { port: 8080 } } };

/** Of the new revision: it runs for seconds, and ends. */
const crashing = (over: Partial<PodState> = {}): PodState =>
  pod({
    containers: [
      container({
        restarts: 4,
        waiting: { reason: "CrashLoopBackOff", message: "" },
        last: ended("Error", 1, { ran: "20s" }),
      }),
    ],
    conditions: [{ type: "Ready", status: "False", since: ago("1h") }],
    ...over,
  });

function world(over: WorkloadSpec = {}, more: Partial<World> = {}): World {
  return { workload: workload({ pods: [crashing()], revisions: [NEW, OLD], ...over }), symptom, ...more };
}

const run = (job: string, at: string): PodState =>
  pod({
    name: `${job}-abcde`,
    createdAt: ago(at),
    phase: "Failed",
    restartPolicy: "Never",
    containers: [container({ terminated: ended("Error", 1) })],
  });
const cronJob = (over: WorkloadSpec = {}, settings: object = { remedies: { pause: { cronJobs: true } } }): World =>
  world(
    { kind: "CronJob", revisions: [], pods: [run("cart-3", "1m"), run("cart-2", "2m"), run("cart-1", "3m")], ...over },
    { settings },
  );

const declared = (spec: { readonly [field: string]: Json }, kind = "Deployment"): KubeObject => ({
  apiVersion: kind === "CronJob" ? "batch/v1" : "apps/v1",
  kind,
  metadata: { name: "cart", namespace: "shop" },
  spec,
});

describe("pauses", () => {
  it("a rollout that takes serving pods away, and nothing else", async () => {
    const given = world();
    const planned = await helps("pause", given);
    expect(planned.changes).toEqual([{ object: given.workload.ref, path: ["spec", "paused"], to: true }]);
    expect(planned.contains).toEqual({ template: templateDigest(given.workload.object), pods: [] });
    expect(planned.title).toBe("pause the rollout, while 2 pods of an earlier revision still serve");
    expect(planned.reason).toMatch(/new pod cart-1 ends again and again, and counts as available in between/);
    expect(planned.offered).toContain("pause");
  });

  it("one whose readiness probe passes before the pod crashes", async () => {
    const flapping = crashing({ conditions: [{ type: "Ready", status: "False", since: ago("1m") }] });
    await helps("pause", world({ container: PROBE, pods: [flapping] }));
    const up = crashing({ containers: [container({ restarts: 4, last: ended("Error", 1, { ran: "20s" }) })] });
    await helps("pause", world({ container: PROBE, pods: [up] }));
  });

  it("one whose pods run for longer than they must to count as available", async () => {
    await helps("pause", world({ spec: { minReadySeconds: 10 } }));
    expect(await refuses("pause", world({ spec: { minReadySeconds: 30 } }))).toMatch(/never count as available/);
  });

  it("suspends a CronJob only where that is wanted", async () => {
    const planned = await helps("pause", cronJob({ spec: { suspend: false } }));
    expect(planned.changes).toMatchObject([{ path: ["spec", "suspend"], from: false, to: true }]);
    expect(await refuses("pause", cronJob({}, {}))).toMatch(
      /remedies\.pause\.cronJobs says so: a job that is not run is harm/,
    );
    const two = [
      run("cart-3", "1m"),
      run("cart-2", "2m"),
      pod({ name: "cart-1-abcde", createdAt: ago("3m"), phase: "Succeeded" }),
    ];
    expect(await refuses("pause", cronJob({ pods: two }))).toMatch(
      /2 of its last runs failed; it is suspended after 3/,
    );
  });

  it("where Git says nothing of it, or could not be asked", async () => {
    await helps("pause", world({}, { declared: [declared({ replicas: 2 })] }));
  });

  it("once with one template", async () => {
    const row = (template: string): ContainmentRow => ({
      remedy: "pause",
      title: "",
      at: ago("9d"),
      template,
      pods: [],
    });
    const given = world();
    await helps("pause", world({}, { contained: [row("another")] }));
    const contained = [row(templateDigest(given.workload.object))];
    expect(await refuses("pause", world({}, { contained }))).toMatch(/paused with this template before/);
  });

  it("needs the right to CronJobs only where it may suspend them", () => {
    const rights = (cronJobs: boolean) =>
      writeRights(Config.parse({ mode: "remediate", remedies: { enabled: ["pause"], pause: { cronJobs } } }))
        .filter(({ verb }) => verb === "patch")
        .map(({ resource }) => resource);
    expect(rights(false)).toEqual(["deployments"]);
    expect(rights(true)).toEqual(["deployments", "cronjobs"]);
  });
});

describe("refuses", () => {
  it.each<[string, World, RegExp]>([
    [
      "where no old pod serves",
      world({ revisions: [NEW, { ...OLD, readyReplicas: 0 }] }),
      /no pod of an earlier revision serves/,
    ],
    ["a first rollout", world({ revisions: [NEW] }), /no pod of an earlier revision serves/],
    [
      "pods that never were ready: such a rollout stops by itself",
      world({ container: PROBE }),
      /never count as available/,
    ],
    [
      "pods of which an init container fails",
      world({}, { symptom: { ...symptom, init: true } as Symptom }),
      /never count as available/,
    ],
    [
      "pods beside whose container another is not ready",
      world({
        pods: [crashing({ containers: [...crashing().containers, container({ name: "proxy", ready: false })] })],
      }),
      /never count as available/,
    ],
    ["an old pod that crashes", world({ pods: [crashing({ revision: "cart-old" })] }), /never count as available/],
    ["Recreate", world({ spec: { strategy: { type: "Recreate" } } }), /Recreate/],
    [
      "an end for another reason",
      world({}, { symptom: { ...symptom, exit: "killed" } as Symptom }),
      /not end by its own fault/,
    ],
    [
      "a command that is not there",
      world({}, { symptom: { ...symptom, exit: "command" } as Symptom }),
      /not end by its own fault/,
    ],
    ["another symptom", world({}, { symptom: { kind: "NotReady", message: "" } }), /not end by its own fault/],
    ["a StatefulSet", world({ kind: "StatefulSet" }), /a StatefulSet cannot be paused/],
    ["a Job", world({ kind: "Job" }), /a Job cannot be paused/],
  ])("%s", async (_, given, says) => expect(await refuses("pause", given)).toMatch(says));

  it("what Git says itself", async () => {
    const given = world({}, { declared: [declared({ paused: false })] });
    expect(await tried("pause", {}, given)).toMatch(/Git says spec\.paused itself/);
  });

  it("what is paused already", async () =>
    expect(await tried("pause", {}, world({ spec: { paused: true } }))).toMatch(/paused already/));
});

describe("parameters from elsewhere pause nothing:", () => {
  it.each<[string, { readonly [name: string]: Json }]>([
    ["another workload", { name: "bank" }],
    ["another namespace", { namespace: "kube-system" }],
    ["another field", { path: ["spec", "replicas"], to: 0 }],
    ...NAMES.map((name): [string, { readonly [name: string]: Json }] => [
      name,
      { [name === "__proto__" ? "x" : name]: true },
    ]),
  ])("%s", async (_, params) => expect(await tried("pause", params, world())).toMatch(/parameters are wrong/));

  it("none, where nothing proves it", async () =>
    expect(await tried("pause", {}, world({ revisions: [NEW] }))).toMatch(/no pod of an earlier/));
});
