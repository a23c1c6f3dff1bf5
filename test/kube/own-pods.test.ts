import { expect, it } from "vitest";
import { heldByOwn } from "../../src/kube/own-pods.ts";
import type { PodState, Revision } from "../../src/model.ts";

const OTHERS = "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.";
const PORTS = "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.";
const revisions = ["old", "new"].map((name) => ({ name, current: name === "new" })) as unknown as Revision[];
const pod = (revision: string | undefined, node?: string, message?: string) =>
  ({
    ...(revision === undefined ? {} : { revision }),
    ...(node === undefined ? {} : { node }),
    conditions: message === undefined ? [] : [{ type: "PodScheduled", status: "False", message }],
  }) as unknown as PodState;

it.each([OTHERS, PORTS])("new pods wait for a place that earlier ones of the workload hold: %s", (said) => {
  expect(heldByOwn({ pods: [pod("old", "lab"), pod("new", undefined, said)], revisions })).toBe(said);
});

it.each<[string, readonly PodState[]]>([
  ["nothing of an earlier revision is on a node", [pod("old"), pod("new", undefined, OTHERS)]],
  ["what is there is of the same revision", [pod("new", "lab"), pod("new", undefined, OTHERS)]],
  ["whose pod it is is not known", [pod(undefined, "lab"), pod("new", undefined, OTHERS)]],
  ["an earlier pod is the one that waits", [pod("old", "lab"), pod("old", undefined, OTHERS)]],
  ["they wait for something else", [pod("old", "lab"), pod("new", undefined, "1 Insufficient memory.")]],
  [
    "the new pods themselves want no neighbours",
    [pod("old", "lab"), pod("new", undefined, "1 node(s) didn't match pod anti-affinity rules.")],
  ],
  ["they have a place", [pod("old", "lab"), pod("new", "lab")]],
])("no: %s", (_, pods) => {
  expect(heldByOwn({ pods, revisions })).toBeNull();
  expect(heldByOwn({ pods, revisions: [] })).toBeNull();
});
