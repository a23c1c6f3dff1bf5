import { createGitHub } from "../../src/adapters/github.ts";
import { parseConfig } from "../../src/config/load.ts";
import type { DriftReport } from "../../src/drift/model.ts";
import { publishDrift } from "../../src/drift/publish.ts";
import { createLog } from "../../src/log.ts";
import type { Clock } from "../../src/ports.ts";
import { REPOSITORY, type World } from "./runner.ts";

/** Publishes a report as the job in the cluster does; `token` says as whom. */
export async function publish(world: World, token: string, report: DriftReport): Promise<void> {
  const clock: Clock = { now: () => new Date(), sleep: async () => undefined };
  const log = createLog({ format: "json", level: "error", interactive: false, write: () => undefined, now: clock.now });
  const codeHost = await createGitHub({
    apiUrl: world.host.apiUrl,
    auth: { token },
    allowHttp: false,
    pauseMs: 0,
    log,
    clock,
    login: "stanch[bot]",
  });
  const head = await codeHost.branchHead(REPOSITORY, "main");
  const roots = report.roots.map((root) => ({ ...root, ...(head === null ? {} : { head, deployed: head }) }));
  const config = { ...parseConfig("{}"), cluster: report.cluster };
  const notes = await publishDrift({ ...report, roots }, { config, codeHost, clock, log, dryRun: false });
  if (!notes.every(({ kind }) => kind === "published")) throw new Error(JSON.stringify(notes));
}
