import { describe, expect, it } from "vitest";
import type { Incident, IncidentStatus } from "../../src/incident/incident.ts";
import type { RunEntry } from "../../src/incident/run-history.ts";
import { HOLDS, OUTCOMES, PHASES, RESULTS, STEPS, SYMPTOMS } from "../../src/metrics/labels.ts";
import { samplesFrom } from "../../src/metrics/samples.ts";
import { seriesOf } from "../../src/metrics/series.ts";
import type { Hold, Hotfix } from "../../src/model.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const ago = (hours: number): string => new Date(NOW.getTime() - hours * 3_600_000).toISOString();
const unix = (hours: number): number => Date.parse(ago(hours)) / 1000;

const REF = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };

function incident(status: Partial<IncidentStatus>, name = "cart"): Incident {
  return {
    apiVersion: "stanch.dev/v1alpha1",
    kind: "Incident",
    metadata: { name: `${name}-oomkilled-1`, namespace: "shop" },
    spec: { workload: { ...REF, name }, symptom: "OOMKilled", detector: "oom-killed", fingerprint: "0".repeat(16) },
    status: {
      phase: "Detected",
      message: "",
      summary: "",
      detectedAt: ago(9),
      lastSeenAt: ago(9),
      recurrences: 0,
      details: { kind: "OOMKilled" },
      evidence: [],
      covers: [],
      tried: [],
      timeline: [],
      ...status,
    },
  };
}

const hotfix = (hours: number, over: Partial<Hotfix> = {}): Hotfix => ({
  changes: [{ object: REF, path: ["spec", "replicas"], from: 1, to: 2 }],
  appliedAt: ago(hours),
  objects: {},
  ...over,
});
const pull = (draft = false) => ({
  repository: "acme/shop",
  number: 7,
  url: "https://x/7",
  branch: "b",
  base: "main",
  head: "c",
  draft,
});
const hold = (kind: Hold["kind"], taken: number, expires: number, over: Partial<Hold> = {}): Hold => ({
  kind,
  object: REF,
  reason: "",
  takenAt: ago(taken),
  expiresAt: ago(-expires),
  changes: [],
  ...over,
});

const RUN: RunEntry = {
  at: ago(0),
  seconds: 12.5,
  mode: "remediate",
  version: "0.1.0",
  pods: 40,
  workloads: 10,
  namespaces: 3,
  calls: 99,
  gaps: 2,
  outcomes: { proposed: 1, waiting: 4 },
  result: "done",
  steps: { observe: 2, verify: 10.5 },
  findings: { OOMKilled: { ripe: 1, unripe: 2 } },
  firstHotfixSeconds: 1.2,
};

function told(facts: Partial<Parameters<typeof samplesFrom>[0]>): Record<string, number> {
  const samples = samplesFrom({ now: NOW, last: null, totals: null, incidents: [], perIncident: false, ...facts });
  const out = Object.fromEntries(samples.map(({ name, labels, value }) => [seriesOf(name, labels), value]));
  // No series twice.
  expect(Object.keys(out)).toHaveLength(samples.length);
  return out;
}

describe("what is told of incidents", () => {
  it("is zero and complete where nothing is, so that no series comes and goes", () => {
    const none = told({});
    expect(Object.values(none).every((value) => value === 0)).toBe(true);
    for (const phase of PHASES) expect(none[`stanch_incidents{phase="${phase}"}`]).toBe(0);
    for (const symptom of SYMPTOMS) expect(none[`stanch_incidents_open{symptom="${symptom}"}`]).toBe(0);
    for (const kind of HOLDS) expect(none[`stanch_holds{kind="${kind}"}`]).toBe(0);
    expect(none["stanch_hotfix_debt_oldest_age_seconds"]).toBe(0);
    expect(none).not.toHaveProperty("stanch_hotfix_debt_oldest_timestamp_seconds");
    expect(none).not.toHaveProperty("stanch_hold_next_expiry_timestamp_seconds");
  });

  it.each<[string, Partial<IncidentStatus>, number | null]>([
    ["verified, without a pull request", { phase: "Verified", hotfix: hotfix(3) }, 3],
    ["proposed", { phase: "Proposed", hotfix: hotfix(4), pullRequest: pull() }, 4],
    ["escalated with a standing change", { phase: "Escalated", hotfix: hotfix(5) }, 5],
    ["kept after a refusal", { phase: "Silenced", hotfix: hotfix(6), pullRequest: pull() }, 6],
    ["merged", { phase: "Merged", hotfix: hotfix(4), pullRequest: pull(), mergedAt: ago(1) }, null],
    ["resolved because somebody else fixed it", { phase: "Resolved", hotfix: hotfix(4) }, null],
    ["taken back", { phase: "RolledBack", hotfix: hotfix(4, { undoneAt: ago(3) }) }, null],
    ["a live action, of which nothing stands", { phase: "Verified", hotfix: hotfix(4, { changes: [] }) }, null],
    ["detected only", { phase: "Detected" }, null],
  ])("hotfix debt: %s", (_, status, hours) => {
    const said = told({ incidents: [incident(status)] });
    expect(said["stanch_hotfix_debt"]).toBe(hours === null ? 0 : 1);
    expect(said["stanch_hotfix_debt_oldest_age_seconds"]).toBe((hours ?? 0) * 3600);
    expect(said["stanch_hotfix_debt_oldest_timestamp_seconds"]).toBe(hours === null ? undefined : unix(hours));
  });

  it("counts phases, symptoms, pull requests by state, and holds that stand", () => {
    const proposedAt = { at: ago(20), phase: "Proposed" as const, text: "Opened" };
    const said = told({
      incidents: [
        incident(
          { phase: "Proposed", pullRequest: pull(), timeline: [proposedAt, { ...proposedAt, at: ago(2) }] },
          "a",
        ),
        incident({ phase: "Proposed", pullRequest: pull(true), lastSeenAt: ago(1) }, "b"),
        incident({ phase: "Merged", pullRequest: pull(), mergedAt: ago(1) }, "c"),
        incident({ phase: "Silenced", pullRequest: pull() }, "d"),
        incident({
          phase: "Hotfixed",
          hotfix: hotfix(2),
          holds: [
            hold("flux-object", 2, 22),
            hold("argocd-skip", 5, 1),
            hold("flux-drift", 99, 1, { releasedAt: ago(1) }),
            hold("none", 300, 300),
          ],
        }),
      ],
    });
    expect(said).toMatchObject({
      'stanch_incidents{phase="Proposed"}': 2,
      'stanch_incidents{phase="Silenced"}': 1,
      'stanch_incidents_open{symptom="OOMKilled"}': 4,
      'stanch_pull_requests{state="open"}': 1,
      'stanch_pull_requests{state="draft"}': 1,
      'stanch_pull_requests{state="merged"}': 1,
      'stanch_pull_requests{state="closed"}': 1,
      stanch_pull_request_oldest_age_seconds: 20 * 3600,
      stanch_pull_request_oldest_timestamp_seconds: unix(20),
      'stanch_holds{kind="flux-object"}': 1,
      'stanch_holds{kind="argocd-skip"}': 1,
      'stanch_holds{kind="flux-drift"}': 0,
      stanch_hold_oldest_timestamp_seconds: unix(5),
      stanch_hold_next_expiry_timestamp_seconds: unix(-1),
    });
  });

  it("survives what a person or another version wrote into an incident", () => {
    const { status: _, ...bare } = incident({});
    const said = told({
      incidents: [
        bare as Incident,
        incident({
          phase: "Levitating" as "Detected",
          hotfix: hotfix(1, { appliedAt: "soon" }),
          holds: [hold("flux-object", 1, 1, { takenAt: "x", expiresAt: "y" })],
        }),
      ],
    });
    expect(Object.values(said).every(Number.isFinite)).toBe(true);
    expect(said["stanch_hotfix_debt"]).toBe(1);
  });

  it("names workloads only where that is asked for, and no more than 200", () => {
    const many = Array.from({ length: 500 }, (_, at) => incident({ phase: "Proposed", detectedAt: ago(at) }, `w${at}`));
    const closed = incident({ phase: "Resolved" }, "closed");
    expect(Object.keys(told({ incidents: many })).filter((series) => series.includes("w1"))).toEqual([]);
    const named = Object.keys(told({ incidents: [...many, closed], perIncident: true })).filter((it) =>
      it.includes("_info"),
    );
    expect(named).toHaveLength(200);
    expect(named[0]).toBe(
      'stanch_incident_info{namespace="shop",incident="w0-oomkilled-1",kind="Deployment",workload="w0",symptom="OOMKilled",phase="Proposed"}',
    );
    // The counts are whole all the same.
    expect(told({ incidents: many })['stanch_incidents{phase="Proposed"}']).toBe(500);
  });
});

describe("what is told of runs", () => {
  it("is all of the last one", () => {
    const said = told({ last: RUN });
    expect(said).toMatchObject({
      'stanch_build_info{version="0.1.0"}': 1,
      'stanch_mode{mode="remediate"}': 1,
      'stanch_mode{mode="observe"}': 0,
      stanch_last_run_timestamp_seconds: unix(0),
      stanch_last_success_timestamp_seconds: unix(0),
      stanch_last_run_duration_seconds: 12.5,
      'stanch_last_run_step_duration_seconds{step="verify"}': 10.5,
      'stanch_last_run_step_duration_seconds{step="act"}': 0,
      'stanch_last_run_result{result="done"}': 1,
      'stanch_last_run_outcomes{kind="waiting"}': 4,
      stanch_last_run_gaps: 2,
      'stanch_last_run_objects{kind="namespaces"}': 3,
      'stanch_findings{symptom="OOMKilled",ripe="true"}': 1,
      'stanch_findings{symptom="OOMKilled",ripe="false"}': 2,
      stanch_last_run_first_hotfix_seconds: 1.2,
    });
    expect(said).not.toHaveProperty("stanch_last_run_first_pull_request_seconds");
    for (const result of RESULTS) expect(said).toHaveProperty(`stanch_last_run_result{result="${result}"}`);
    for (const step of STEPS) expect(said).toHaveProperty(`stanch_last_run_step_duration_seconds{step="${step}"}`);
    for (const kind of OUTCOMES) expect(said).toHaveProperty(`stanch_last_run_outcomes{kind="${kind}"}`);
  });

  it("of a run that was broken off is what it is, and nothing that it did not see", () => {
    const { findings: _, ...rest } = RUN;
    const totals = { since: ago(50), lastSuccessAt: ago(1), counters: {} };
    const said = told({ last: { ...rest, result: "fault", outcomes: {} }, totals, incidents: null });
    expect(said).toMatchObject({
      'stanch_last_run_result{result="fault"}': 1,
      'stanch_last_run_result{result="done"}': 0,
      stanch_last_success_timestamp_seconds: unix(1),
    });
    expect(Object.keys(said).filter((series) => /findings|incidents|gaps|objects|debt/.test(series))).toEqual([]);
  });

  it("of an older version's entry leaves out what it did not keep", () => {
    const { findings: _, result: __, steps: ___, namespaces: ____, ...old } = RUN;
    const said = told({ last: old });
    expect(said["stanch_last_run_gaps"]).toBe(2);
    expect(said).not.toHaveProperty('stanch_last_run_objects{kind="namespaces"}');
  });

  it("has counters only where totals are known", () => {
    const counters = { 'stanch_runs_total{result="done"}': 41, stanch_model_cost_dollars_total: 1.25 };
    expect(told({ totals: { since: ago(50), counters } })).toMatchObject(counters);
    expect(Object.keys(told({ last: RUN })).filter((series) => /_total\b/.test(series))).toEqual([]);
    // No model, no metrics of it.
    expect(
      Object.keys(told({ last: RUN, totals: { since: ago(1), counters: {} } })).filter((it) => it.includes("model")),
    ).toEqual([]);
  });
});
