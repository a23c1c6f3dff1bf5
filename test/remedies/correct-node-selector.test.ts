import { describe, expect, it } from "vitest";
import type { Json, NodeState, Symptom } from "../../src/model.ts";
import { workload } from "../detectors/snapshot-builder.ts";
import { helps, NAMES, onWorkload, refuses, tried, type World } from "./remedy-context.ts";

const unschedulable: Symptom = { kind: "Unschedulable", message: "0/2 nodes are available" };

function node(name: string, labels: Record<string, string>, over: Partial<NodeState> = {}): NodeState {
  return {
    name,
    labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", ...labels },
    allocatable: { cpu: "4", memory: "8Gi" },
    taints: [],
    unschedulable: false,
    ...over,
  };
}

function world(
  nodeSelector: Json,
  nodes: readonly NodeState[],
  over: Partial<World> & { readonly podSpec?: { readonly [field: string]: Json } } = {},
): World {
  const { podSpec, ...rest } = over;
  return {
    workload: workload({ podSpec: { nodeSelector, ...podSpec } }),
    container: null,
    symptom: unschedulable,
    snapshot: { nodes },
    ...rest,
  };
}

const POOLS = [node("n1", { pool: "general" }), node("n2", { pool: "memory" })];

describe("points", () => {
  it("a value to the one that it is a typo of", async () => {
    const given = world({ pool: "genreal" }, POOLS);
    const planned = await helps("correct-node-selector", given);
    expect(planned.changes).toEqual([onWorkload(given.workload, ["nodeSelector", "pool"], "genreal", "general")]);
    expect(planned.title).toBe("point node selector pool genreal → general");
    expect(planned.reason).toBe("No node has the label pool=genreal; it is a typo of general.");
    expect(planned.risk).toBe("high");
    expect(planned.gitOnly).toBeUndefined();
    expect(planned.offered).toEqual(["correct-node-selector"]);
  });

  it("a value to the only one that nodes have, in Git only, whatever the configured risk", async () => {
    const given = world({ environment: "production-gpu" }, [
      node("n1", { environment: "production" }),
      node("n2", { environment: "production" }),
    ]);
    const planned = await helps("correct-node-selector", given);
    expect(planned.changes).toEqual([
      onWorkload(given.workload, ["nodeSelector", "environment"], "production-gpu", "production"),
    ]);
    expect(planned.reason).toMatch(/the only value that nodes have for it is production\.$/);
    expect(planned.gitOnly).toMatch(/does not say that production is meant; whoever merges it does/);
  });

  it("a CronJob's, where its template is", async () => {
    const given = world({ pool: "genreal" }, POOLS, {
      workload: workload({ kind: "CronJob", podSpec: { nodeSelector: { pool: "genreal" } } }),
    });
    const planned = await helps("correct-node-selector", given);
    expect(planned.changes[0]?.path.slice(0, 4)).toEqual(["spec", "jobTemplate", "spec", "template"]);
  });
});

describe("a fact of a machine is no choice:", () => {
  it.each([
    ["kubernetes.io/arch", "arm64", "amd64"],
    ["kubernetes.io/arch", "amd46", "amd64"],
    ["beta.kubernetes.io/arch", "arm64", "amd64"],
    ["kubernetes.io/os", "windows", "linux"],
    ["kubernetes.io/os", "liunx", "linux"],
    ["kubernetes.io/hostname", "node-a1", "node-b1"],
    ["topology.kubernetes.io/zone", "eu-west-1a", "eu-west-1b"],
    ["topology.kubernetes.io/region", "eu-west-1", "eu-north-1"],
    ["failure-domain.beta.kubernetes.io/zone", "zone-one", "zone-onee"],
    ["node.kubernetes.io/instance-type", "m5.large", "m5.xlarge"],
    ["node-role.kubernetes.io/control-plane", "true", ""],
    ["node-restriction.kubernetes.io/tenant", "alpha-one", "alphas-one"],
    ["karpenter.sh/capacity-type", "on-demand", "spot"],
    ["topology.ebs.csi.aws.com/zone", "eu-west-1a", "eu-west-1b"],
    ["zone", "alpha-one", "alphas-one"],
  ])("%s=%s is not made %s", async (key, asked, has) => {
    const given = world({ [key]: asked }, [node("n1", { [key]: has })]);
    expect(await refuses("correct-node-selector", given)).toMatch(/A person must/);
    expect(await tried("correct-node-selector", { key, value: has }, given)).toMatch(/A person must/);
  });
});

describe("refuses, and says what a person must do,", () => {
  it.each<[string, World, RegExp]>([
    ["nodes have the label", world({ pool: "general" }, POOLS), /nodes have every label of its node selector/],
    ["nothing is selected", world({}, POOLS), /nodes have every label/],
    ["nodes cannot be read", world({ pool: "genreal" }, []), /nodes cannot be read; grant list on nodes/],
    [
      "no node has the label at all",
      world({ disk: "ssd" }, POOLS),
      /no node has a label disk\. A person must label nodes, or say where it should run/,
    ],
    [
      "several labels are not met",
      world({ pool: "genreal", disk: "ssd" }, POOLS),
      /no node has pool=genreal nor disk=ssd\. A person must say where it should run/,
    ],
    [
      "there are several values and none is near",
      world({ pool: "gpu" }, POOLS),
      /no node has pool=gpu; there are general, memory\. A person must say where it should run/,
    ],
    [
      "a yes is asked for and there is only a no",
      world({ gpu: "true" }, [node("n1", { gpu: "false" })]),
      /no node has gpu=true; there are false\. A person must say/,
    ],
    [
      "only a letter parts two teams",
      world({ team: "team-a" }, [node("n1", { team: "team-b" }), node("n2", { team: "team-x" })]),
      /there are team-b, team-x/,
    ],
    [
      "the node that is meant is cordoned",
      world({ pool: "genreal" }, [node("n1", { pool: "general" }, { unschedulable: true }), node("n2", { pool: "x" })]),
      /every node with pool=general is cordoned, or of another operating system/,
    ],
    [
      "the node that is meant runs Windows",
      world({ pool: "genreal" }, [node("n1", { pool: "general", "kubernetes.io/os": "windows" })]),
      /cordoned, or of another operating system/,
    ],
    [
      "pods for Windows would meet Linux",
      world({ pool: "genreal" }, POOLS, { podSpec: { os: { name: "windows" } } }),
      /cordoned, or of another operating system/,
    ],
    [
      "it is about something else",
      { ...world({ pool: "genreal" }, POOLS), symptom: { kind: "OOMKilled" } },
      /no pod waits for a node/,
    ],
    [
      "a label is called like a part of the language",
      world({ constructor: "x" }, POOLS),
      /no node has a label constructor/,
    ],
  ])("where %s", async (_, given, says) => expect(await refuses("correct-node-selector", given)).toMatch(says));

  it("where it would not be enough: the node's taint is not tolerated", async () => {
    const tainted = node("n1", { pool: "general" }, { taints: [{ key: "team", value: "x", effect: "NoSchedule" }] });
    await expect(
      helps("correct-node-selector", world({ pool: "genreal" }, [tainted])).then((planned) => planned.offered),
    ).resolves.toEqual([]);
  });
});

describe("parameters from elsewhere change nothing:", () => {
  const given = world({ pool: "genreal", tier: "web" }, [
    node("n1", { pool: "general", tier: "web" }),
    node("n2", { pool: "memory", tier: "admin" }),
  ]);
  it.each<[string, { readonly [name: string]: Json }, RegExp]>([
    ["another value that nodes have", { key: "pool", value: "memory" }, /pool=memory is not what is meant/],
    ["a value that no node has", { key: "pool", value: "gold" }, /is not what is meant by pool=genreal/],
    ["another key", { key: "tier", value: "admin" }, /tier=admin is not what is meant/],
    ["a key that is not asked for", { key: "kubernetes.io/hostname", value: "n2" }, /is not what is meant/],
    ["no value", { key: "pool" }, /parameters are wrong/],
    ["a huge value", { key: "pool", value: "a".repeat(64) }, /parameters are wrong/],
    ["a whole selector", { key: "pool", value: "general", nodeSelector: {} }, /parameters are wrong/],
  ])("%s", async (_, params, says) => expect(await tried("correct-node-selector", params, given)).toMatch(says));

  it.each(NAMES)("a key called %s", async (key) =>
    expect(await tried("correct-node-selector", { key, value: "general" }, given)).toMatch(
      /is not what is meant|parameters are wrong/,
    ),
  );
});
