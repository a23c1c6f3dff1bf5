import {
  CODE_FIX_STATES,
  HOLDS,
  MODES,
  OUTCOMES,
  PHASES,
  PULL_REQUEST_STATES,
  RESULTS,
  STEPS,
  SYMPTOMS,
  VERIFICATIONS,
} from "./labels.ts";

export interface MetricDefinition {
  readonly type: "counter" | "gauge";
  /** UCUM, as OpenTelemetry takes it; `{…}` says what is counted. */
  readonly unit: string;
  readonly help: string;
  /**
   * What each label may say, all of it known beforehand. `id`: an id of a catalogue (remedy, guard). `text`: names of objects, only where
   * `metrics.perIncident` asks for them.
   */
  readonly labels?: Readonly<Record<string, readonly string[] | "id" | "text">>;
}

const counter = <const L extends NonNullable<MetricDefinition["labels"]>>(unit: string, help: string, labels?: L) =>
  ({ type: "counter", unit, help, labels: labels ?? ({} as L) }) as const;
const gauge = <const L extends NonNullable<MetricDefinition["labels"]>>(unit: string, help: string, labels?: L) =>
  ({ type: "gauge", unit, help, labels: labels ?? ({} as L) }) as const;

/**
 * Every metric, with what docs/metrics.md says of it. Counters are totals over all runs of an installation; gauges are what was so at the end of
 * the last run.
 */
export const METRICS = {
  stanch_runs_total: counter(
    "{run}",
    "Runs, by how they ended: done, attention (something needs a person), fault, config, lease (another run was at work).",
    { result: RESULTS },
  ),
  stanch_run_seconds_total: counter("s", "Time of all runs."),
  stanch_step_seconds_total: counter("s", "Time of all runs by step; a step within another counts once.", {
    step: STEPS,
  }),
  stanch_outcomes_total: counter(
    "{outcome}",
    "What runs did about findings and open incidents, by kind of outcome; an incident that waits counts in each run.",
    { kind: OUTCOMES },
  ),
  stanch_incident_transitions_total: counter("{transition}", "Phases that incidents came to, by symptom.", {
    symptom: SYMPTOMS,
    phase: PHASES,
  }),
  stanch_remedies_total: counter("{hotfix}", "Hotfixes that were watched to their end, by remedy and what it did.", {
    remedy: "id",
    result: VERIFICATIONS,
  }),
  stanch_hotfixes_total: counter(
    "{hotfix}",
    "Live changes that were applied, and those that were taken back after it; the end of what only contains a fault is not counted.",
    { event: ["applied", "undone"] },
  ),
  stanch_guard_objections_total: counter("{plan}", "Plans that a guard stopped, or let through to Git only.", {
    guard: "id",
    decision: ["refuse", "git-only"],
  }),
  stanch_pull_requests_total: counter("{pull_request}", "Pull requests that were opened, merged, or closed unmerged.", {
    event: ["opened", "merged", "closed"],
  }),
  stanch_code_fixes_total: counter(
    "{pull_request}",
    "Drafts that a model wrote in a program's own repository: opened, merged, or closed unmerged. They are no pull requests of the metrics above.",
    { event: ["opened", "merged", "closed"] },
  ),
  stanch_api_requests_total: counter("{request}", "Requests to an API, with those that were tried again.", {
    api: ["kubernetes", "github"],
  }),
  stanch_git_fetches_total: counter("{fetch}", "Repositories that were fetched.", { result: ["done", "failed"] }),
  stanch_renders_total: counter("{render}", "Sources that were rendered.", {
    tool: ["plain", "kustomize", "helm"],
    result: ["done", "failed"],
  }),
  stanch_model_requests_total: counter("{request}", "Requests to the model."),
  stanch_model_tokens_total: counter("{token}", "Tokens that were sent to the model and came back.", {
    direction: ["input", "output"],
  }),
  stanch_model_cost_dollars_total: counter("{USD}", "What the model cost."),

  stanch_build_info: gauge("", "1, with the version that ran last.", { version: "text" }),
  stanch_mode: gauge("", "1 for the mode of the last run, 0 for the others.", { mode: MODES }),
  stanch_last_run_timestamp_seconds: gauge("s", "When the last run ended, as Unix time."),
  stanch_last_success_timestamp_seconds: gauge(
    "s",
    "When a run last came to its end (done or attention), as Unix time.",
  ),
  stanch_last_run_duration_seconds: gauge("s", "How long the last run took."),
  stanch_last_run_step_duration_seconds: gauge("s", "How long it took by step; the sum is the whole.", {
    step: STEPS,
  }),
  stanch_last_run_result: gauge("", "1 for how the last run ended, 0 for the others.", { result: RESULTS }),
  stanch_last_run_outcomes: gauge("{outcome}", "Outcomes of the last run, by kind.", { kind: OUTCOMES }),
  stanch_last_run_gaps: gauge("{gap}", "Parts of the cluster that the last run could not read."),
  stanch_last_run_objects: gauge("{object}", "What the last run looked at.", {
    kind: ["pods", "workloads", "namespaces"],
  }),
  stanch_last_run_first_hotfix_seconds: gauge(
    "s",
    "From the last run's start to its first accepted hotfix; only where there was one.",
  ),
  stanch_last_run_first_pull_request_seconds: gauge(
    "s",
    "From the last run's start to its first pull request; only where there was one.",
  ),
  stanch_findings: gauge("{finding}", "Findings of the last run, by symptom; not ripe: still watched.", {
    symptom: SYMPTOMS,
    ripe: ["true", "false"],
  }),
  stanch_incidents: gauge("{incident}", "Incidents that are kept, by phase.", { phase: PHASES }),
  stanch_incidents_open: gauge("{incident}", "Incidents that are neither resolved nor silenced, by symptom.", {
    symptom: SYMPTOMS,
  }),
  stanch_pull_requests: gauge("{pull_request}", "Pull requests of incidents that are kept, by state.", {
    state: PULL_REQUEST_STATES,
  }),
  stanch_code_fixes: gauge(
    "{pull_request}",
    "A model's fixes of programs, of incidents that are kept, by state. Two workloads of one program may share one.",
    { state: CODE_FIX_STATES },
  ),
  stanch_pull_request_oldest_age_seconds: gauge("s", "Age of the oldest open pull request; 0: there is none."),
  stanch_pull_request_oldest_timestamp_seconds: gauge("s", "When it was opened, as Unix time; absent: there is none."),
  stanch_hotfix_debt: gauge("{hotfix}", "Live changes that Git does not say yet: no merged fix."),
  stanch_hotfix_debt_oldest_age_seconds: gauge("s", "Age of the oldest of them; 0: there is none."),
  stanch_hotfix_debt_oldest_timestamp_seconds: gauge(
    "s",
    "When it was applied, as Unix time; absent: there is none. Unlike the age it goes on when no run comes.",
  ),
  stanch_holds: gauge("{hold}", "Holds that keep a GitOps engine from a live change, by kind.", { kind: HOLDS }),
  stanch_hold_oldest_age_seconds: gauge("s", "Age of the oldest hold; 0: there is none."),
  stanch_hold_oldest_timestamp_seconds: gauge("s", "When it was taken, as Unix time; absent: there is none."),
  stanch_hold_next_expiry_timestamp_seconds: gauge(
    "s",
    "When the next hold expires and its live change is taken back, as Unix time; absent: there is none.",
  ),
  stanch_incident_info: gauge(
    "",
    "1 for each open incident, the newest 200. Only with `metrics.perIncident`, because it names workloads.",
    { namespace: "text", incident: "text", kind: "text", workload: "text", symptom: SYMPTOMS, phase: PHASES },
  ),
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
export type CounterName = {
  [N in MetricName]: (typeof METRICS)[N]["type"] extends "counter" ? N : never;
}[MetricName];
/** The labels of a metric, as text; what is not known becomes `other`. */
export type LabelsOf<N extends MetricName> = { readonly [L in keyof (typeof METRICS)[N]["labels"]]: string };
