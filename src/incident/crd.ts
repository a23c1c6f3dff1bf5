import type { KubeObject } from "../model.ts";
import { chat, checks, citations, codeFix, pullRequest } from "./crd-parts.ts";
import { action, change, commit, contains, count, list, object, open, ref, spend, text, time } from "./crd-schema.ts";

const PHASES = [
  "Detected",
  "Diagnosed",
  "Acting",
  "Hotfixed",
  "Verified",
  "Contained",
  "Proposed",
  "Merged",
  "Resolved",
  "RolledBack",
  "Escalated",
  "Silenced",
];

/** The CustomResourceDefinition `incidents.stanch.dev`; `deploy/crd.yaml` is written from it. */
export const incidentCrd: KubeObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "incidents.stanch.dev" },
  spec: {
    group: "stanch.dev",
    scope: "Namespaced",
    names: {
      kind: "Incident",
      listKind: "IncidentList",
      plural: "incidents",
      singular: "incident",
      shortNames: ["inc"],
      categories: ["stanch"],
    },
    versions: [
      {
        name: "v1alpha1",
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: "Phase", type: "string", jsonPath: ".status.phase" },
          { name: "Kind", type: "string", jsonPath: ".spec.workload.kind" },
          { name: "Workload", type: "string", jsonPath: ".spec.workload.name" },
          { name: "Symptom", type: "string", jsonPath: ".spec.symptom" },
          { name: "Fix", type: "string", jsonPath: ".status.plan.title" },
          { name: "Pull-Request", type: "string", jsonPath: ".status.pullRequest.url" },
          { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
          { name: "Message", type: "string", jsonPath: ".status.message", priority: 1 },
        ],
        schema: {
          openAPIV3Schema: object(
            {
              apiVersion: text(),
              kind: text(),
              metadata: { type: "object" },
              spec: {
                ...object(
                  {
                    workload: ref,
                    container: text(),
                    symptom: text(),
                    detector: text(),
                    fingerprint: { type: "string", pattern: "^[0-9a-f]{16}$" },
                  },
                  ["workload", "symptom", "detector", "fingerprint"],
                ),
                "x-kubernetes-validations": [
                  { rule: "self == oldSelf", message: "an incident's spec does not change" },
                ],
              },
              status: object(
                {
                  phase: { type: "string", enum: PHASES },
                  message: text("What is so now, or what a person must do."),
                  summary: text(),
                  detectedAt: time,
                  lastSeenAt: time,
                  recurrences: { type: "integer" },
                  details: open,
                  evidence: list(object({ id: text(), kind: text(), text: text(), at: text() })),
                  covers: list(text()),
                  cause: text(),
                  culprit: commit,
                  plan: object({
                    remedy: text(),
                    params: open,
                    title: text(),
                    risk: text(),
                    reason: text(),
                    gitOnly: text(),
                    by: text(),
                    changes: list(change),
                    action,
                    contains,
                  }),
                  advice: object({
                    evidence: text(),
                    asked: count,
                    at: time,
                    model: text(),
                    outcome: text(),
                    said: text(),
                    choice: object({ remedy: text(), params: open }),
                    cause: text("What a model says is wrong; not proved."),
                    culprit: commit,
                    confidence: text(),
                    checks,
                    citations,
                    ...spend,
                  }),
                  prose: object({
                    key: text(),
                    at: time,
                    model: text(),
                    summary: text(),
                    rootCause: text(),
                    course: text(),
                    ...spend,
                  }),
                  code: codeFix,
                  hotfix: object({
                    changes: list(change),
                    action,
                    contains,
                    appliedAt: time,
                    objects: open,
                    undo: object({ at: time, reason: text() }),
                    undoneAt: time,
                  }),
                  holds: list(
                    object({
                      kind: text(),
                      object: ref,
                      owner: ref,
                      reason: text(),
                      takenAt: time,
                      expiresAt: time,
                      changes: list(change),
                      releasedAt: time,
                      releaseReason: text(),
                    }),
                  ),
                  sync: object({ since: time, commit: text(), askedAt: time }),
                  verification: object({ result: text(), seen: text(), seconds: { type: "number" } }),
                  tried: list(object({ remedy: text(), title: text(), result: text(), at: time })),
                  contained: {
                    ...list(object({ remedy: text(), title: text(), template: text(), pods: list(text()), at: time })),
                    description: "What was done to contain it, written before it was done; kept when it comes back.",
                  },
                  raised: {
                    ...list(time),
                    description: "When the memory limit was raised before it came back: again and again is a leak.",
                  },
                  source: object({ id: text(), repository: text(), revision: text(), locations: list(text()) }),
                  proof: open,
                  pullRequest,
                  issue: object({
                    repository: text(),
                    about: text("git: Git cannot be corrected by rule. program: the fault is the program's."),
                    number: { type: "integer" },
                    url: text(),
                    reason: text(),
                    closedAt: time,
                  }),
                  image: object({ reference: text(), digest: text(), source: text(), revision: text() }),
                  mergedAt: time,
                  mergeCommit: text(),
                  resolvedAt: time,
                  silencedUntil: time,
                  chat,
                  notified: list(
                    object(
                      {
                        receiver: text(),
                        keys: list(text()),
                        at: time,
                        thread: object({ channel: text(), ts: text() }),
                        shown: text(),
                      },
                      ["receiver", "keys"],
                    ),
                  ),
                  timeline: list(object({ at: time, phase: text(), text: text() })),
                },
                ["phase"],
              ),
            },
            ["spec"],
          ),
        },
      },
    ],
  },
};

/** The CustomResourceDefinition `runs.stanch.dev`: the summaries of the last runs, and totals over all of them, in one object. */
export const runCrd: KubeObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "runs.stanch.dev" },
  spec: {
    group: "stanch.dev",
    scope: "Namespaced",
    names: { kind: "Run", listKind: "RunList", plural: "runs", singular: "run", categories: ["stanch"] },
    versions: [
      {
        name: "v1alpha1",
        served: true,
        storage: true,
        additionalPrinterColumns: [
          { name: "Last", type: "date", jsonPath: ".entries[0].at" },
          { name: "Result", type: "string", jsonPath: ".entries[0].result" },
          { name: "Mode", type: "string", jsonPath: ".entries[0].mode" },
          { name: "Seconds", type: "number", jsonPath: ".entries[0].seconds" },
          { name: "Gaps", type: "integer", jsonPath: ".entries[0].gaps" },
        ],
        schema: {
          openAPIV3Schema: object({
            apiVersion: text(),
            kind: text(),
            metadata: { type: "object" },
            model: {
              ...object({ day: text(), ...spend }),
              description: "What models cost on the last day (UTC) on which one was asked.",
            },
            drift: object({ at: time, nextAt: time, error: text("What could not be told.") }),
            notified: object({
              receivers: list(object({ name: text(), since: time, notBefore: time }, ["name", "since"])),
              conditions: list(
                object({ kind: text(), since: time, runs: count, told: list(text()) }, [
                  "kind",
                  "since",
                  "runs",
                  "told",
                ]),
              ),
              findings: list(object({ receiver: text(), keys: list(text()) }, ["receiver", "keys"])),
            }),
            entries: list(
              object(
                {
                  at: time,
                  seconds: { type: "number" },
                  mode: text(),
                  version: text(),
                  pods: count,
                  workloads: count,
                  calls: count,
                  namespaces: count,
                  gaps: { type: "integer", description: "Parts of the cluster that could not be read." },
                  outcomes: { type: "object", additionalProperties: count },
                  firstHotfixSeconds: { type: "number" },
                  firstPullRequestSeconds: { type: "number" },
                  id: text("Stands in every log line of the run."),
                  result: text("done, attention (something needs a person), fault or config."),
                  steps: { type: "object", additionalProperties: { type: "number" }, description: "Seconds by step." },
                  findings: { type: "object", additionalProperties: object({ ripe: count, unripe: count }) },
                  model: object(spend),
                },
                ["at"],
              ),
            ),
            totals: object({
              since: { ...time, description: "When counting began." },
              lastSuccessAt: time,
              counters: {
                type: "object",
                additionalProperties: { type: "number" },
                description: "Amounts over all runs, by series of a metric.",
              },
            }),
          }),
        },
      },
    ],
  },
};
