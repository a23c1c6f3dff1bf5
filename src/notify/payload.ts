import { z } from "zod";
import { NOTICE_EVENTS, SEVERITIES } from "../config/notify-section.ts";
import type { Notice } from "../model.ts";

const Ref = z.object({ apiVersion: z.string(), kind: z.string(), namespace: z.string(), name: z.string() });

const Data = z.object({
  schema: z
    .literal("stanch.dev/notification/v1")
    .describe("Version of this shape. Fields may be added to it; none is removed or changes its meaning."),
  id: z
    .string()
    .describe("The same as the header `webhook-id`: the same for the same event, however often it is sent."),
  severity: z.enum(SEVERITIES),
  cluster: z.string().describe("`cluster` of the configuration."),
  title: z.string().describe("One line, for a subject or a summary."),
  text: z
    .string()
    .describe("What happened, or what a person must do. Plain text that others wrote in part: escape it."),
  incident: z
    .object({
      namespace: z.string(),
      name: z.string(),
      uid: z
        .string()
        .describe(
          "One incident through its life, also when the problem comes back: a key for deduplication in an alerting tool.",
        ),
      phase: z.string(),
      workload: Ref,
      container: z.string().optional(),
      symptom: z.string(),
      summary: z.string(),
      cause: z.string().optional(),
      detectedAt: z.string(),
      recurrences: z.number().int(),
      hotfix: z
        .object({
          title: z.string(),
          appliedAt: z.string(),
          standing: z.boolean().describe("The live change is there now."),
          expiresAt: z.string().optional().describe("When it is taken back at the latest."),
        })
        .optional(),
      pullRequest: z
        .object({ repository: z.string(), number: z.number().int(), url: z.string(), draft: z.boolean() })
        .optional(),
      issue: z.object({ repository: z.string(), number: z.number().int(), url: z.string() }).optional(),
      codeFix: z
        .object({ repository: z.string(), number: z.number().int(), url: z.string() })
        .optional()
        .describe("A draft fix of the program that a model wrote, in the program's own repository."),
      mergeCommit: z.string().optional(),
    })
    .optional()
    .describe("Absent in messages about a whole run."),
  earlier: z
    .array(z.object({ event: z.string(), at: z.string(), text: z.string() }))
    .describe(
      "What happened before and was not told on its own, because of quiet hours or because the receiver was not to be reached.",
    ),
  lines: z.array(z.string()).describe("One for each workload, in messages about many."),
  evidence: z.array(z.string()).describe("Redacted; empty unless `notify.evidence` is set."),
});

/** What a webhook receives: the shape that Standard Webhooks recommends, with our own `data`. */
export const WebhookPayload = z.object({
  type: z.enum([...NOTICE_EVENTS, "summary", "test"].map((event) => `stanch.${event}` as const)),
  timestamp: z.string().describe("When it happened; the time of sending is the header `webhook-timestamp`."),
  data: Data,
});
export type WebhookPayload = z.infer<typeof WebhookPayload>;

export function payloadOf(notice: Notice): WebhookPayload {
  const { id, event, severity, at, cluster, title, text, incident, earlier, lines, evidence } = notice;
  const { pullRequest, ...rest } = incident ?? {};
  return WebhookPayload.parse({
    type: `stanch.${event}`,
    timestamp: at,
    data: {
      schema: "stanch.dev/notification/v1",
      id,
      severity,
      cluster,
      title,
      text,
      // Unknown keys (branch and head of the pull request) are left out by the parse.
      ...(incident === undefined
        ? {}
        : { incident: { ...rest, ...(pullRequest === undefined ? {} : { pullRequest }) } }),
      earlier,
      lines,
      evidence,
    },
  });
}
