import { describe, expect, it } from "vitest";
import type { Json, NamespaceLimits, Workload } from "../../src/model.ts";
import { type WorkloadSpec, workload } from "../detectors/snapshot-builder.ts";
import { APP, helps, NAMES, onWorkload, refuses, tried, type World } from "./remedy-context.ts";

const MI = 2 ** 20;

function killed(
  resources: { readonly [field: string]: Json } = { limits: { memory: "64Mi" } },
  over: WorkloadSpec = {},
  limits: NamespaceLimits | null = {},
): Workload {
  return { ...workload({ container: { resources }, ...over }), ...(limits === null ? {} : { limits }) };
}

function world(over: Partial<World> = {}): World {
  return { workload: killed(), symptom: { kind: "OOMKilled", limit: "64Mi" }, registry: {}, ...over };
}

describe("raises", () => {
  it("the limit by the step, and nothing else", async () => {
    const given = world();
    const planned = await helps("raise-memory-limit", given);
    expect(planned.changes).toEqual([
      onWorkload(given.workload, [...APP, "resources", "limits", "memory"], "64Mi", "128Mi"),
    ]);
    expect(planned.title).toBe("raise memory limit of app 64Mi → 128Mi");
    expect(planned.gitOnly).toBeUndefined();
    expect(planned.offered).toEqual(["raise-memory-limit"]);
  });

  it("the request with it where it equals the limit, so that the QoS class stays", async () => {
    const given = world({ workload: killed({ limits: { memory: "64Mi" }, requests: { memory: "65536Ki" } }) });
    expect((await helps("raise-memory-limit", given)).changes).toEqual([
      onWorkload(given.workload, [...APP, "resources", "limits", "memory"], "64Mi", "128Mi"),
      onWorkload(given.workload, [...APP, "resources", "requests", "memory"], "65536Ki", "128Mi"),
    ]);
  });

  it("the request only as far as the LimitRange's ratio asks", async () => {
    const given = world({
      workload: killed({ limits: { memory: "64Mi" }, requests: { memory: "32Mi" } }, {}, { maxRatio: 2 }),
    });
    expect((await helps("raise-memory-limit", given)).changes.slice(1)).toEqual([
      onWorkload(given.workload, [...APP, "resources", "requests", "memory"], "32Mi", "64Mi"),
    ]);
  });

  it("to the ceiling where the step would pass it", async () => {
    const given = world({ settings: { remedies: { memory: { ceiling: "100Mi" } } } });
    expect((await helps("raise-memory-limit", given)).changes.map((change) => change.to)).toEqual(["100Mi"]);
  });

  it("in Git only where the object cannot be changed", async () => {
    const given = world({ workload: killed({ limits: { memory: "64Mi" } }, { kind: "Job" }) });
    expect((await helps("raise-memory-limit", given)).gitOnly).toMatch(/the pod template of Job shop\/cart.*made anew/);
  });
});

describe("refuses, and says what a person must do,", () => {
  it.each<[string, Partial<World>, RegExp]>([
    ["without a limit", { symptom: { kind: "OOMKilled" } }, /node ran out of memory\. Set requests and limits/],
    ["another symptom", { symptom: { kind: "NotReady", message: "" } }, /only a container that is killed/],
    ["without a container", { container: null }, /only a container that is killed/],
    ["after as many raises as are allowed", { raises: 2 }, /raised 2 times.*leak\. A person must look at the program/],
    [
      "at the ceiling",
      { settings: { remedies: { memory: { ceiling: "64Mi" } } } },
      /has reached the ceiling 64Mi\. A person must decide/,
    ],
    [
      "where limits and quotas could not be read",
      { workload: killed(undefined, {}, null) },
      /could not be read; grant list on limitranges and resourcequotas/,
    ],
    [
      "beyond the LimitRange",
      { workload: killed(undefined, {}, { maxMemoryBytes: 100 * MI }) },
      /128Mi is more than the LimitRange allows.*100Mi.*A person must raise it there/,
    ],
    [
      "beyond the largest node",
      { workload: { ...killed(), largestNodeBytes: 96 * MI } },
      /128Mi is more than any node has \(96Mi\)/,
    ],
    [
      "beyond what is left of the quota, for all replicas together",
      { workload: killed(undefined, { spec: { replicas: 3 } }, { quotaLimitsLeftBytes: 191 * MI }) },
      /191Mi of memory limits left, and 192Mi more are needed\. A person must raise the quota/,
    ],
    ["a limit that is no quantity", { symptom: { kind: "OOMKilled", limit: "lots" } }, /lots is no quantity/],
  ])("%s", async (_, over, says) => expect(await refuses("raise-memory-limit", world(over))).toMatch(says));

  it("fits exactly what is left of the quota", async () => {
    const fits = killed(undefined, { spec: { replicas: 3 } }, { quotaLimitsLeftBytes: 192 * MI });
    await expect(helps("raise-memory-limit", world({ workload: fits }))).resolves.toBeDefined();
  });
});

describe("parameters from elsewhere change nothing:", () => {
  it.each<[string, { readonly [name: string]: Json }, RegExp]>([
    ["another container", { container: "sidecar", memory: "128Mi" }, /there is no container sidecar/],
    ["less memory", { container: "app", memory: "32Mi" }, /32Mi is no raise of 64Mi/],
    ["the same memory in other words", { container: "app", memory: "65536Ki" }, /no raise of 64Mi/],
    ["more than four times as much", { container: "app", memory: "257Mi" }, /more than four times 64Mi/],
    ["a huge number", { container: "app", memory: "9e99" }, /more than four times|beyond the ceiling|no raise/],
    ["an endless number", { container: "app", memory: "9".repeat(32) }, /more than four times|beyond the ceiling/],
    ["a negative number", { container: "app", memory: "-128Mi" }, /no raise/],
    ["no number", { container: "app", memory: "$(cat /etc/passwd)" }, /no raise/],
    ["a number that is no text", { container: "app", memory: 134217728 }, /parameters are wrong/],
    ["an empty text", { container: "app", memory: "" }, /parameters are wrong/],
    ["nothing", {}, /parameters are wrong/],
    ["a path", { container: "app", memory: "128Mi", path: ["spec", "replicas"] }, /parameters are wrong: .*path/],
    [
      "another object",
      { container: "app", memory: "128Mi", object: { kind: "Secret", name: "x" } },
      /parameters are wrong: .*object/,
    ],
  ])("%s", async (_, params, says) => expect(await tried("raise-memory-limit", params, world())).toMatch(says));

  it.each(NAMES)("a container called %s", async (container) =>
    expect(await tried("raise-memory-limit", { container, memory: "128Mi" }, world())).toMatch(
      /there is no container|parameters are wrong/,
    ),
  );

  it("beyond a ceiling that is lower than four times as much", async () =>
    expect(
      await tried(
        "raise-memory-limit",
        { container: "app", memory: "128Mi" },
        world({ settings: { remedies: { memory: { ceiling: "100Mi" } } } }),
      ),
    ).toMatch(/beyond the ceiling 100Mi/));

  it("a limit that went away in the meantime", async () =>
    expect(
      await tried("raise-memory-limit", { container: "app", memory: "128Mi" }, world({ workload: killed({}) })),
    ).toMatch(/has no memory limit/));
});
