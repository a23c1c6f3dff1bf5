import { describe, expect, it } from "vitest";
import { waitForGit } from "../../src/git-ahead.ts";
import type { Incident } from "../../src/incident/incident.ts";
import type { Run } from "../../src/run.ts";

const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
const NOW = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

/** Looks once a minute at a branch that moves, or does not, and tells after how many minutes it is not waited for any more. */
async function minutes(mode: string, head: (minute: number) => string): Promise<number | null> {
  let incident = {
    metadata: { namespace: "shop", name: "cart-1" },
    spec: { workload: ref, symptom: "OOMKilled" },
    status: { phase: "Diagnosed", tried: [], timeline: [] },
  } as unknown as Incident;
  let now = NOW;
  const run = {
    config: { mode },
    dryRun: false,
    clock: { now: () => new Date(now) },
    store: {
      advance: async (one: Incident, phase: string, message: string, more: object) => {
        incident = { ...one, status: { ...one.status, phase, message, ...more } } as Incident;
        return incident;
      },
    },
    workbench: { deployers: async () => ({ all: [], of: () => null, gaps: [] }) },
    cluster: { get: async () => null },
  } as unknown as Run;
  for (let minute = 0; minute < 60; minute += 1) {
    now = NOW + minute * MINUTE;
    if ((await waitForGit(incident, { head: head(minute), text: "x" }, run)) === null) return minute;
  }
  return null;
}

describe("a fix in Git that is not deployed", () => {
  it.each(["remediate", "propose"])("is waited for ten minutes in mode %s", async (mode) => {
    expect(await minutes(mode, () => "a")).toBe(11);
  });

  it.each(["remediate", "propose"])("and not longer where the branch moves all the time: mode %s", async (mode) => {
    expect(await minutes(mode, (minute) => `commit ${minute}`)).toBe(11);
  });
});
