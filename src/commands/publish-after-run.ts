import type { Base, Hosts } from "../compose.ts";
import { publishDrift } from "../drift/publish.ts";
import { messageOf } from "../errors.ts";
import { lastDrift, recordDrift } from "../incident/run-history.ts";
import type { Cluster } from "../ports.ts";
import { survey } from "./survey.ts";

/** What failed is tried again after this time, or `drift.every` where that is less. */
const AGAIN_MS = 10 * 60_000;

/**
 * `drift.publish`: compares the cluster with Git and tells the repositories, at most each `drift.every`. The object of the runs remembers
 * when it did; it is written before the work, so that a comparison that takes a run down does not take every run down. Never throws: what
 * fails here is a warning, and no fault of the run.
 */
export async function publishAfterRun(base: Base, cluster: Cluster, hosts: Hosts): Promise<void> {
  const { config, clock, log } = base;
  const place = { cluster, clock, namespace: config.namespace };
  const at = clock.now();
  const next = (ms: number): string => new Date(at.getTime() + ms).toISOString();
  const remember = async (ms: number, error?: string): Promise<void> => {
    const entry = { at: at.toISOString(), nextAt: next(ms), ...(error === undefined ? {} : { error }) };
    await recordDrift(entry, place).catch((fault: unknown) =>
      log.warn("it was not kept when drift was published", { error: messageOf(fault) }),
    );
  };
  try {
    // Without a memory it is published each time; publishing the same twice writes nothing.
    const last = await lastDrift(place).catch(() => undefined);
    if (last !== undefined && Date.parse(last.nextAt) > at.getTime()) return;
    const again = Math.min(AGAIN_MS, config.drift.every);
    await remember(again);
    log.progress("comparing the cluster with Git");
    const report = await survey(base, cluster, hosts, { mode: config.drift.mode, wait: config.drift.wait });
    const notes = await publishDrift(report, { config, clock, log, codeHost: hosts.codeHost, dryRun: false });
    const failed = notes.filter((note) => note.kind === "failed");
    const error = failed.map(({ repository, text }) => `${repository}: ${text}`).join("; ");
    if (error === "") await remember(config.drift.every);
    else await remember(again, error.slice(0, 1000));
    const told = notes.filter((note) => note.kind === "published").length;
    log.info("drift published", { repositories: notes.length, told, failed: failed.length });
  } catch (error) {
    log.warn("drift not published", { error: messageOf(error) });
  } finally {
    log.progress("");
  }
}
