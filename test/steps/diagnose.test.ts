import { describe, expect, it } from "vitest";
import { StanchError } from "../../src/errors.ts";
import type { Commit, Diagnosis, Finding, Json, NodeState } from "../../src/model.ts";
import { remedies, remediesFor } from "../../src/remedies/index.ts";
import { diagnose } from "../../src/steps/diagnose.ts";
import { group } from "../../src/steps/group.ts";
import { revision, workload } from "../detectors/snapshot-builder.ts";
import { commit, contextOf, findingOf, onWorkload, type World } from "../remedies/remedy-context.ts";

const WRONG = "ghcr.io/acme/cart:1.4.2-alpin";
const cart = workload({
  container: { image: WRONG },
  revisions: [
    revision("cart-new", 2, true),
    revision("cart-old", 1, false, {
      readyReplicas: 1,
      template: { spec: { containers: [{ name: "app", image: "ghcr.io/acme/cart:1.4.1" }] } },
    }),
  ],
});
const world: World = {
  workload: cart,
  symptom: { kind: "ImagePull", cause: "terminal", image: WRONG, message: "not found", init: false },
  registry: { "ghcr.io/acme/cart": ["1.4.1", "1.4.2-alpine"] },
};
const of = (over: Partial<World> = {}): Promise<Diagnosis> =>
  diagnose(findingOf({ ...world, ...over }), contextOf({ ...world, ...over }));

describe("diagnose", () => {
  it("offers what can prove that it helps, in the order of the symptom, and says why the others do not", async () => {
    const found = await of();
    expect(found.choices.map((choice) => [choice.remedy, choice.params])).toEqual([
      ["rollback", { revision: "cart-old" }],
      ["correct-image", { container: "app", image: "ghcr.io/acme/cart:1.4.2-alpine" }],
    ]);
    const others = remediesFor.ImagePull.filter((id) => id !== "rollback" && id !== "correct-image");
    expect(found.rejected.map((row) => row.remedy)).toEqual(others);
    expect(found.rejected).toContainEqual({
      remedy: "restore-from-git",
      reason: "Git's recent history changed nothing that explains the symptom",
    });
    expect(found.cause).toBe("It fails. 1 pod of revision 1 (cart-old) is ready right now.");
    expect(found.by).toBe("rule");
  });

  it.each(["git", "code-host", "render", "config"] as const)(
    "keeps what the cluster has proved while Git cannot be asked (%s)",
    async (code) => {
      const previous = async (): Promise<never> => {
        throw new StanchError(code, "no such folder");
      };
      const found = await diagnose(findingOf(world), { ...contextOf(world), previous });
      expect(found.choices[0]?.remedy).toBe("rollback");
      expect(found.rejected).toContainEqual({
        remedy: "restore-from-git",
        reason: "Git could not be asked: no such folder",
      });
    },
  );

  it("does not even ask a remedy that is not enabled", async () => {
    const found = await of({ settings: { remedies: { enabled: ["correct-image"] } } });
    expect(found.choices.map((choice) => choice.remedy)).toEqual(["correct-image"]);
    expect(found.rejected).toEqual(
      remediesFor.ImagePull.filter((id) => id !== "correct-image").map((remedy) => ({
        remedy,
        reason: "it is not enabled",
      })),
    );
  });

  it("leaves to a person what no remedy can prove, with every remedy's reason", async () => {
    const found = await of({ workload: workload({ container: { image: WRONG } }), registry: {} });
    expect(found.choices).toEqual([]);
    expect(found.cause).toBe("It fails.");
    expect(found.rejected.map((row) => row.remedy)).toEqual(remediesFor.ImagePull);
    for (const row of found.rejected) expect(row.reason).not.toBe("");
  });

  it("numbers the facts of each remedy, so that each can be cited", async () => {
    const { choices } = await of();
    for (const { evidence } of choices) {
      const ids = evidence.map((fact) => fact.id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.length).toBeGreaterThan(0);
    }
  });

  it("offers no change that would leave the pod as unschedulable as it is", async () => {
    const node: NodeState = {
      name: "n1",
      labels: { disk: "hdd" },
      allocatable: { cpu: "4", memory: "8Gi", pods: "110" },
      taints: [],
      unschedulable: false,
    };
    const lost = workload({ podSpec: { nodeSelector: { disk: "nvme" } } });
    const back = (value: string): Partial<World> => ({
      workload: lost,
      symptom: { kind: "Unschedulable", message: "0/1 nodes are available" },
      snapshot: { nodes: [node] },
      previous: [commit([onWorkload(lost, ["nodeSelector", "disk"], "nvme", value)])],
    });
    const useless = await of(back("ssd"));
    expect(useless.choices.map((choice) => choice.remedy)).not.toContain("restore-from-git");
    expect(useless.rejected).toContainEqual({
      remedy: "restore-from-git",
      reason: expect.stringMatching(/would not be enough: .*A person must decide/),
    });
    expect((await of(back("hdd"))).choices.map((choice) => choice.remedy)).toContain("restore-from-git");
  });

  it("knows every remedy that a symptom calls for, and calls for every remedy", () => {
    const known = remedies.map((remedy) => remedy.id);
    const called = Object.values(remediesFor).flat();
    expect(called.filter((id) => !known.includes(id))).toEqual([]);
    expect(known.filter((id) => !called.includes(id))).toEqual([]);
  });
});

describe("group", () => {
  const culprit: Commit = { sha: "1".repeat(40), author: "Ada", email: "a@b", at: "", subject: "Tune" };
  const field = (name: string): Json => ({ path: ["spec", name] });

  function diagnosis(
    name: string,
    over: {
      readonly sha?: string;
      readonly remedy?: string;
      readonly namespace?: string;
      readonly fields?: Json[];
    } = {},
  ): Diagnosis {
    const finding: Finding = {
      ...findingOf(world),
      workload: { ...cart.ref, name, namespace: over.namespace ?? "shop" },
      summary: `${name} fails.`,
      fingerprint: name,
    };
    const choice = {
      remedy: over.remedy ?? "restore-from-git",
      params: { fields: over.fields ?? [field(name)] },
      reason: "",
      evidence: [{ id: "git1", kind: "git" as const, text: name }],
      ...(over.sha === undefined ? {} : { culprit: { ...culprit, sha: over.sha } }),
    };
    return { finding, cause: `${name}.`, by: "rule", choices: [choice], rejected: [] };
  }
  const names = (diagnoses: readonly Diagnosis[]) =>
    group(diagnoses).map((cause) => [
      cause.primary.finding.workload.name,
      cause.covers.map((one) => one.workload.name),
    ]);

  it("makes one cause of what one commit broke, with all of its fields once", () => {
    const [cause, ...rest] = group([
      diagnosis("cart", { sha: "a", fields: [field("shared"), field("cart")] }),
      diagnosis("search", { sha: "a", fields: [field("shared"), field("search")] }),
    ]);
    expect(rest).toEqual([]);
    expect(cause?.covers.map((finding) => finding.fingerprint)).toEqual(["search"]);
    expect(cause?.primary.choices[0]?.params["fields"]).toEqual([field("shared"), field("cart"), field("search")]);
    expect(cause?.primary.cause).toBe("cart. The same commit explains: search fails.");
    expect(cause?.primary.choices[0]?.evidence.map((fact) => fact.text)).toEqual(["cart", "search"]);
  });

  it.each<[string, Diagnosis[], unknown[]]>([
    [
      "two commits apart",
      [diagnosis("a", { sha: "1" }), diagnosis("b", { sha: "2" })],
      [
        ["a", []],
        ["b", []],
      ],
    ],
    [
      "one commit in two namespaces apart",
      [diagnosis("a", { sha: "1" }), diagnosis("b", { sha: "1", namespace: "bank" })],
      [
        ["a", []],
        ["b", []],
      ],
    ],
    [
      "what no commit explains apart",
      [diagnosis("a"), diagnosis("b")],
      [
        ["a", []],
        ["b", []],
      ],
    ],
    [
      "another remedy apart",
      [diagnosis("a", { sha: "1" }), diagnosis("b", { sha: "1", remedy: "rollback" })],
      [
        ["a", []],
        ["b", []],
      ],
    ],
    [
      "the order",
      [diagnosis("c"), diagnosis("a", { sha: "1" }), diagnosis("d"), diagnosis("b", { sha: "1" })],
      [
        ["c", []],
        ["a", ["b"]],
        ["d", []],
      ],
    ],
    [
      "what has no choice by itself",
      [
        { ...diagnosis("a"), choices: [] },
        { ...diagnosis("b"), choices: [] },
      ],
      [
        ["a", []],
        ["b", []],
      ],
    ],
    ["nothing", [], []],
  ])("keeps %s", (_, given, expected) => expect(names(given)).toEqual(expected));
});
