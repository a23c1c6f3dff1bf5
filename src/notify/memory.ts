import { messageOf, StanchError } from "../errors.ts";
import type { Incident, Told } from "../incident/incident.ts";
import type { Run } from "../run.ts";
import { outdated } from "./book.ts";
import { type Entry, withTold } from "./ledger.ts";
import type { Milestone } from "./milestones.ts";

/** What receivers were told of incidents: in the incidents themselves and, where that could not be written, for the rest of the run. */
export interface Memory {
  /** What was told of an incident. */
  of(incident: Incident): readonly Told[];
  /**
   * Before the first message: is there a place where it is written down what was told? Throws StanchError `config` when there is none, because every
   * run would tell it all again; and whatever keeps it from being written.
   */
  claim(incident: Incident, receivers: readonly string[], milestones: readonly Milestone[]): Promise<Incident>;
  /** Writes down what was told. Where that fails, this run remembers it, and only the next one may say it once more. */
  keep(incident: Incident, entries: readonly Entry[], milestones: readonly Milestone[]): Promise<Incident>;
}

/** `receivers`: those that are configured. */
export function createMemory({ store, log }: Pick<Run, "store" | "log">, receivers: readonly string[]): Memory {
  const unwritten = new Map<string, readonly Told[]>();

  function of(incident: Incident): readonly Told[] {
    const written = incident.status?.notified ?? [];
    const more = unwritten.get(nameOf(incident)) ?? [];
    return more.length === 0
      ? written
      : withTold(written, more, { receivers, current: more.flatMap(({ keys }) => keys) });
  }
  const merged = (rows: readonly Told[], entries: readonly Entry[], milestones: readonly Milestone[]): Told[] =>
    withTold(rows, entries, { receivers, current: milestones.map(({ key }) => key) });

  /** Somebody else may have written in between: what was told is added to the incident as it is then. */
  async function write(
    incident: Incident,
    entries: readonly Entry[],
    milestones: readonly Milestone[],
  ): Promise<Incident> {
    let current = incident;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await store.keep(current, { notified: merged(of(current), entries, milestones) });
      } catch (error) {
        if (!(error instanceof StanchError) || error.code !== "conflict" || attempt >= 3) throw error;
        const { namespace, name } = incident.metadata;
        const found = await store.get(namespace, name);
        if (found?.status === undefined) throw error;
        current = found;
      }
    }
  }

  return {
    of,
    async claim(incident, names, milestones) {
      if (incident.status?.notified !== undefined) return incident;
      const empty = names.map((receiver): Entry => ({ receiver, keys: [] }));
      const kept = await write(incident, empty, milestones);
      if (kept.status?.notified === undefined) throw outdated("incidents.stanch.dev");
      return kept;
    },
    async keep(incident, entries, milestones) {
      try {
        return await write(incident, entries, milestones);
      } catch (error) {
        const name = nameOf(incident);
        unwritten.set(name, merged(of(incident), entries, milestones));
        log.warn("what was told was not written down", { incident: name, error: messageOf(error) });
        return incident;
      }
    },
  };
}

/** `namespace/name`. */
export function nameOf({ metadata }: Incident): string {
  return `${metadata.namespace}/${metadata.name}`;
}
