import { diffLines } from "diff";
import { expect } from "vitest";
import type { Pull } from "../../../src/demo/code-host/state.ts";
import { untilSynced } from "./engines.ts";
import { differs, FAULTS, type Fault } from "./faults.ts";
import { leftOver, unheld } from "./holds.ts";
import { eventually, steadily } from "./wait.ts";
import { REPOSITORY, type World } from "./world.ts";

/** Longer than the interval of every engine, so that what stands this long was held and not just overlooked. */
const WATCH = 25;

const at = (fault: Fault): string => `${fault.namespace}/${FAULTS[fault.kind].workload}`;

/** The pull request of a fault. */
export function pullOf(world: World, fault: Fault): Pull | undefined {
  return world.host.pulls(REPOSITORY).find((pull) => pull.title.startsWith(`fix(${at(fault)}):`));
}

/** Runs Stanch until every fault has its pull request. No finding may have failed on the way. */
export async function untilProposed(world: World, seconds = 240): Promise<void> {
  const { faults } = world.tree;
  await world.runUntil("a pull request for each fault", seconds, async () => {
    const open = faults.filter((fault) => pullOf(world, fault) === undefined);
    return open.length === 0 ? null : `none for ${open.map(at).join(", ")}`;
  });
  expect(world.host.pulls(REPOSITORY)).toHaveLength(faults.length);
}

/** The fixes stand live, by Stanch's hand, and the engine leaves them alone. */
export async function expectHeld(world: World): Promise<void> {
  const { tree } = world;
  for (const fault of tree.faults) {
    expect(await differs(fault, FAULTS[fault.kind].good), "hotfixed live").toBeNull();
    expect(await unheld(tree, fault), "held").toBeNull();
  }
  await steadily("the fixes stand while they are held", WATCH, async () => {
    const said = await Promise.all(tree.faults.map((fault) => differs(fault, FAULTS[fault.kind].good)));
    return said.find((text) => text !== null) ?? null;
  });
  world.note(`all fixes stood for ${WATCH} s`);
}

/** Each pull request is proved, no draft, and changes the one line that its fault broke. */
export async function expectMinimalPulls(world: World): Promise<void> {
  for (const fault of world.tree.faults) {
    const pull = pullOf(world, fault);
    if (pull === undefined) throw new Error(`no pull request for ${at(fault)}`);
    expect(pull.draft, pull.body).toBe(false);
    expect(pull.body).toMatch(/P4 \| ✅ passed/);
    for (const file of Object.keys(world.tree.files)) {
      const base = await world.host.read(REPOSITORY, "main", file);
      const parts = diffLines(base, await world.host.read(REPOSITORY, pull.head, file));
      const lines = (kind: "added" | "removed"): string[] =>
        parts
          .filter((part) => part[kind] === true)
          .flatMap((part) => part.value.trimEnd().split("\n"))
          .map((line) => line.trim());
      const changed = [lines("removed"), lines("added")];
      // A list item's dash may stand before the line.
      const bare = changed.map((side) => side.map((line) => line.replace(/^- /, "")));
      expect(bare, `${at(fault)} in ${file}`).toEqual(file === fault.file ? [[fault.bad], [fault.good]] : [[], []]);
    }
    world.note(`#${pull.number} ${pull.title}: - ${fault.bad} + ${fault.good}`);
  }
}

export async function mergeAll(world: World): Promise<void> {
  for (const pull of world.host.pulls(REPOSITORY))
    if (pull.state === "open") await world.host.merge(REPOSITORY, pull.number, { as: "ada" });
  world.note("merged");
}

/** Runs Stanch until each incident is resolved. */
export async function untilResolved(world: World, seconds = 150): Promise<void> {
  await world.runUntil("every incident resolved", seconds, async () => {
    const open = (await world.incidents()).filter(({ status }) => status?.phase !== "Resolved");
    return open.length === 0
      ? null
      : open.map(({ metadata, status }) => `${metadata.name} ${status?.phase}: ${status?.message}`).join("; ");
  });
}

/** The engine says that it runs the merge and that all is well; nothing of Stanch is left; nothing drifts. */
export async function expectSettled(world: World): Promise<void> {
  const { tree } = world;
  const commit = await world.head();
  const other = tree.engines.filter(({ name, namespace }) => [name, namespace].includes(tree.untouched ?? ""));
  const own = tree.engines.filter((engine) => !other.includes(engine));
  // Stanch has just said so, so the engine must say so, too: there is nothing left to wait for but its health's delay.
  await untilSynced(own, commit, { healthy: true, seconds: 30 });
  // Nobody had a reason to ask the other environment's.
  await untilSynced(other, commit, { healthy: true, nudge: true });
  for (const fault of tree.faults) {
    expect(await differs(fault, FAULTS[fault.kind].good)).toBeNull();
    await eventually("nothing of Stanch is left", 5, () => leftOver(fault));
  }
  expect(await world.drift()).toBe("");
  world.note(`settled at ${commit.slice(0, 8)}`);
}
