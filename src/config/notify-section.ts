import { z } from "zod";
import { duration } from "./duration.ts";
import { count, globs, isHttp, section } from "./values.ts";

/** What may be told; docs/notifications.md says when. */
export const NOTICE_EVENTS = [
  "hotfix-applied",
  "hotfix-undone",
  "contained",
  "pull-request-opened",
  "escalated",
  "expiring",
  "waiting",
  "closed",
  "merged",
  "resolved",
  "storm",
  "run-failing",
  "finding",
] as const;

/** From the least to the gravest. */
export const SEVERITIES = ["info", "warning", "critical"] as const;

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const TIME = /^([01]\d|2[0-3]):[0-5]\d$|^24:00$/;
const time = (description: string) =>
  z.string().regex(TIME, "is no time of day such as 07:30 (or 24:00)").describe(description);
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is no name of an environment variable");

const Period = z
  .strictObject({
    days: z
      .array(z.enum(DAYS))
      .min(1)
      .default([...DAYS])
      .describe("Days on which the period begins."),
    from: time("Local time at which it begins."),
    to: time("Local time at which it ends, on the next day when it is not after `from`."),
  })
  .refine(({ from, to }) => from !== to, "begins and ends at the same time; for a whole day write 00:00 to 24:00")
  .refine(({ from }) => from !== "24:00", "begins at 24:00; write 00:00 of the next day");

const Quiet = z.strictObject({
  timeZone: z
    .string()
    .default("UTC")
    .refine(isTimeZone, "is no IANA time zone such as Europe/Berlin")
    .describe("IANA time zone in which the times are meant."),
  below: z.enum(["warning", "critical"]).default("critical").describe("Messages below this severity wait."),
  hours: z.array(Period).min(1).max(20).describe("The quiet periods."),
});
export type Quiet = z.infer<typeof Quiet>;

/** Which fields beside the filters each type takes. */
const FIELDS = {
  slack: ["channel", "apiUrl", "tokenEnv"],
  "slack-webhook": ["urlEnv"],
  webhook: ["url", "urlEnv", "secretEnv"],
  github: [],
} as const;
const OWN = ["channel", "apiUrl", "tokenEnv", "url", "urlEnv", "secretEnv"] as const;

const ReceiverEntry = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, "must be lower-case letters, digits and dashes, at most 40")
      .describe("Name, unique. What was told is kept by it: a new name is a new receiver."),
    type: z
      .enum(["slack", "slack-webhook", "webhook", "github"])
      .describe(
        "slack: by bot token, one thread an incident. slack-webhook: Slack's incoming webhook. webhook: signed by Standard Webhooks. github: mentions code owners in the pull request or issue.",
      ),
    severity: z.enum(SEVERITIES).default("info").describe("Lowest severity that is told."),
    events: z
      .array(z.enum(NOTICE_EVENTS))
      .min(1)
      .default([...NOTICE_EVENTS])
      .describe("What is told."),
    namespaces: globs(
      ["*"],
      "Namespaces whose incidents are told (globs). Messages about a whole run go only where this holds `*`.",
    ).refine((list) => list.length > 0, "is empty, so that nothing would be told"),
    quiet: Quiet.optional().describe(
      "Quiet hours: what is below a severity waits, and the latest state is told once at their end.",
    ),
    channel: z
      .string()
      .regex(
        /^[CG][A-Z0-9]{6,20}$/,
        "is no channel id such as C0123456789 (Slack shows it at the end of the channel's details)",
      )
      .optional()
      .describe("slack: id of the channel."),
    apiUrl: z
      .string()
      .refine(isHttp, "is no http or https URL")
      .optional()
      .describe("slack: Web API. Default: https://slack.com/api/."),
    tokenEnv: variable.optional().describe("slack: variable that holds the bot token. Default: STANCH_SLACK_TOKEN."),
    url: z
      .string()
      .refine(isHttp, "is no http or https URL")
      .optional()
      .describe("webhook: where to post. What holds a secret belongs into `urlEnv`."),
    urlEnv: variable
      .optional()
      .describe(
        "slack-webhook and webhook: variable that holds the URL. Default of slack-webhook: STANCH_SLACK_WEBHOOK_URL.",
      ),
    secretEnv: z
      .array(variable)
      .min(1)
      .max(5)
      .optional()
      .describe(
        "webhook: variables that hold signing secrets (`whsec_…`); with several, each signs. Default: STANCH_WEBHOOK_SECRET.",
      ),
  })
  .superRefine((entry, context) => {
    const takes: readonly string[] = FIELDS[entry.type];
    const complain = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: [path], message });
    for (const field of OWN)
      if (entry[field] !== undefined && !takes.includes(field))
        complain(field, `is nothing that a receiver of type ${entry.type} takes`);
    if (entry.type === "slack" && entry.channel === undefined) complain("channel", "is missing: the id of the channel");
    if (entry.type === "webhook" && (entry.url === undefined) === (entry.urlEnv === undefined))
      complain("url", "give either url or urlEnv");
    if (entry.url !== undefined && /^[a-z]+:\/\/[^/]*@/i.test(entry.url))
      complain("url", "holds credentials; put the whole URL into the variable that urlEnv names");
  });
export type ReceiverEntry = z.infer<typeof ReceiverEntry>;

/** `notify` */
export const notifySection = section(
  {
    receivers: z
      .array(ReceiverEntry)
      .max(10)
      .default([])
      .superRefine((list, context) => {
        for (const [index, { name }] of list.entries())
          if (list.findIndex((other) => other.name === name) < index)
            context.addIssue({ code: "custom", path: [index, "name"], message: `${name} is there twice` });
      })
      .describe("Who is told (at most 10)."),
    evidence: z
      .boolean()
      .default(false)
      .describe(
        "Quote evidence (events, ends of logs), redacted. Otherwise messages hold summary, cause and links only.",
      ),
    observe: z
      .boolean()
      .default(false)
      .describe(
        "Tell new findings in mode `observe`, too. Needs the right to keep a `Run` object in Stanch's own namespace.",
      ),
    expiring: duration(
      "4h",
      "Time before a hold expires at which it is said that its hotfix is about to be taken back.",
      "1m",
    ),
    debt: duration(
      "24h",
      "Time after which a hotfix, or a pull request, that waits is spoken of; again after twice that, and so on.",
      "1m",
    ),
    perRun: count(10, "Messages to one receiver in one run at most; the rest is one summary.", 1),
    timeout: duration(
      "10s",
      "Time that all receivers together may take of one run. What was not told is told by the next run.",
      "1s",
    ),
    allowHttp: z.boolean().default(false).describe("Allow plain http to hosts other than loopback."),
  },
  "Who is told what. A receiver that fails never stops a run.",
);

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-GB", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
