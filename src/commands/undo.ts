import { hostname } from "node:os";
import { type Base, composeBase, composeCluster, onStepOf } from "../compose.ts";
import { namedNamespaces } from "../config/scope.ts";
import { messageOf, StanchError } from "../errors.ts";
import { isStanding } from "../incident/holding.ts";
import { takeLease } from "../incident/lease.ts";
import { recordRun } from "../incident/run-history.ts";
import { createIncidentStore } from "../incident/store.ts";
import { type Counts, totalsWith } from "../metrics/series.ts";
import type { Cluster } from "../ports.ts";
import { takeBack } from "../take-back.ts";
import type { Flags } from "./flags.ts";
import { pick } from "./incidents.ts";

/** `stanch undo NAME`: takes the live change of an incident back, as the next run would after a refused pull request. */
export async function main(flags: Flags, words: string[]): Promise<number> {
  const [word] = words;
  if (word === undefined)
    throw new StanchError("config", "undo needs the name of an incident", {
      hint: "stanch undo NAMESPACE/NAME; `stanch incidents -A` lists them",
    });
  const base = await composeBase(flags);
  const startedAt = base.clock.now().getTime();
  const cluster = await composeCluster(flags, base.clock);
  try {
    const store = createIncidentStore(cluster, base.clock, onStepOf(base, cluster));
    const incident = pick(await store.list(namedNamespaces(base.config)), word);
    if (!isStanding(incident)) {
      process.stdout.write(`There is no live change to take back in ${word}.\n`);
      return 0;
    }
    if (flags["dry-run"] === true) {
      process.stdout.write(`Would take back: ${incident.status?.plan?.title ?? ""}\n`);
      return 0;
    }
    const lease = await takeLease(cluster, base.clock, {
      namespace: base.config.namespace,
      holder: `${hostname()}-undo-${process.pid}`,
      durationMs: base.config.lease,
    });
    try {
      const context = { cluster, store, clock: base.clock, log: base.log, config: base.config };
      const undone = await takeBack(incident, "asked for on the command line", "RolledBack", context);
      // A person took it back: the same problem is theirs until the silence is over.
      const silencedUntil = new Date(base.clock.now().getTime() + base.config.followUp.silence).toISOString();
      await store.advance(
        undone.incident,
        "Silenced",
        `${undone.text} Left alone until ${silencedUntil.slice(0, 10)}.`,
        { silencedUntil },
      );
      process.stdout.write(`${undone.text}\n`);
      const pull = incident.status?.pullRequest;
      if (pull !== undefined)
        process.stdout.write(`${pull.url} is left to you: close it, or merge it if it is right.\n`);
      await countUndo(base, startedAt, cluster);
      return undone.complete ? 0 : 3;
    } finally {
      await lease.release();
    }
  } finally {
    cluster.close();
  }
}

/** What was taken back is counted with what the runs did. */
async function countUndo({ config, clock, log, meter }: Base, startedAt: number, cluster: Cluster): Promise<void> {
  if (meter === undefined || config.history === 0) return;
  const counts = meter.counts();
  try {
    const count = (before: Counts | null): Counts => totalsWith(before, counts);
    await recordRun({ startedAt, success: false, count }, config.history, {
      cluster,
      clock,
      namespace: config.namespace,
    });
  } catch (error) {
    log.warn("not counted in the metrics", { error: messageOf(error) });
  }
}
