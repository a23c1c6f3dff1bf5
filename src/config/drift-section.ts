import { z } from "zod";
import { duration } from "./duration.ts";
import { section } from "./values.ts";

/** A difference that is nobody's business; the words are Argo CD's. */
const IgnoreEntry = z.strictObject({
  group: z.string().default("*").describe("API group (glob); empty is the core group."),
  kind: z.string().min(1).default("*").describe("Kind (glob)."),
  namespace: z.string().default("").describe("Namespace (glob). Empty: any."),
  name: z.string().default("").describe("Name (glob). Empty: any."),
  jsonPointers: z
    .array(z.string().regex(/^\//, "is no JSON pointer: it begins with a slash"))
    .default([])
    .describe("Fields that are left out, as JSON pointers (RFC 6901)."),
  jqPathExpressions: z.array(z.string().min(1)).default([]).describe("Fields that are left out, as jq paths."),
  managedFieldsManagers: z
    .array(z.string().min(1))
    .default([])
    .describe("Fields that these field managers own are left out."),
});
export type IgnoreEntry = z.infer<typeof IgnoreEntry>;

export const driftSection = section(
  {
    enabled: z
      .boolean()
      .default(false)
      .describe("`stanch drift` runs in the cluster: its account gets the rights to read what it compares."),
    mode: z
      .enum(["auto", "server", "client"])
      .default("auto")
      .describe(
        "server: the API server is asked by dry run what the deployer's next apply would change, which takes the right to patch. client: compared here. auto: server where that is allowed.",
      ),
    wait: duration("30s", "Time until the second look at what seems to drift; only what still does is reported."),
    secrets: z
      .boolean()
      .default(false)
      .describe(
        "Compare what Secrets hold, too (needs the right to read them). Values are shown as keyed hashes only.",
      ),
    kinds: z
      .array(z.string().regex(/^[a-z0-9]+(\.[a-z0-9.-]+)?$/, "is not plural.group, such as rollouts.argoproj.io"))
      .default([])
      .describe(
        "Further kinds that Git declares and whose objects the account may read in the cluster, as `plural.group`: `rollouts.argoproj.io`.",
      ),
    ignore: z
      .array(IgnoreEntry)
      .default([])
      .describe("Differences that are left out, beside what Argo CD and Flux are told."),
    publish: z
      .boolean()
      .default(false)
      .describe(
        "A run ends with a comparison that is published to the repositories (`stanch drift --publish`): a check run on the head of each deployed branch, and an issue while something drifts.",
      ),
    every: duration("30m", "Time between two comparisons of runs. 0s: each run makes one."),
    refresh: duration(
      "1h",
      "A published report that would say the same is written again after this time, so that its readers know that it still holds.",
    ),
    issue: z.boolean().default(true).describe("Keep an issue in each repository while something drifts."),
    labels: z.array(z.string().max(50)).default(["stanch", "drift"]).describe("Labels of that issue."),
    values: z
      .enum(["private", "always", "never"])
      .default("private")
      .describe(
        "Where values of fields may be published: in repositories that are not public, everywhere, or nowhere. Those of Secrets never are.",
      ),
  },
  "`stanch drift`: is the cluster what Git says?",
);
