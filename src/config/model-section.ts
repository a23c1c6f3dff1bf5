import { z } from "zod";
import { duration } from "./duration.ts";
import { toolchainFault } from "./toolchain.ts";
import { count, globs, isHttp, section } from "./values.ts";

/**
 * Remedies that a model may choose: those whose values come from Git, the workload's own revisions, the registry or declared ports, and of
 * which more than one can be right. Of the others the one right value is proved by rule, or there is none.
 */
export const ADVISED = [
  "rollback",
  "restore-from-git",
  "revert-commit",
  "restore-object",
  "restore-manifest",
  "correct-image",
  "repoint-reference",
  "correct-probe",
] as const;

const dollars = (fallback: number, description: string) => z.number().min(0).default(fallback).describe(description);
const price = (description: string) => z.number().min(0).describe(description);

/** `model` */
export const modelSection = section(
  {
    enabled: z
      .boolean()
      .default(false)
      .describe(
        "Ask a model of Anthropic's where rules find no remedy. The key comes from ANTHROPIC_API_KEY. See docs/model.md for what is sent.",
      ),
    diagnosis: z.string().min(1).default("claude-opus-5-5").describe("Model for the diagnosis: a strong one."),
    prose: z
      .string()
      .default("claude-haiku-5-5")
      .describe("Model for the summary of a pull request: a small one. Empty: rules write all of it."),
    effort: z
      .enum(["", "low", "medium", "high", "xhigh", "max"])
      .default("medium")
      .describe(
        "How much thinking the diagnosis is worth. Empty: the model's own default, for models that take no such setting.",
      ),
    remedies: z
      .array(z.enum(ADVISED))
      .default([...ADVISED])
      .describe(
        "Remedies that it may choose, of those in `remedies.enabled`. Their values are checked as if nobody had said them.",
      ),
    risk: z.enum(["low", "medium"]).default("medium").describe("Highest risk of a remedy that it may choose."),
    live: z
      .boolean()
      .default(false)
      .describe("Apply live what a model chose. Otherwise it is proposed in Git only, and a person decides."),
    baseUrl: z
      .string()
      .default("")
      .refine((text) => text === "" || isHttp(text), "is no http or https URL")
      .describe("Another address of the API, such as a gateway. Plain http only to loopback. Empty: Anthropic's."),
    timeout: duration("60s", "Patience with one request.", "1s"),
    patience: duration("3m", "Patience with one incident, all requests and pauses included.", "1s"),
    perRun: count(3, "Incidents of one run about which a model is asked at most."),
    turns: count(8, "Requests about one incident at most.", 1),
    calls: count(16, "Looks at the cluster and at Git that it may ask for in one incident."),
    maxTokens: count(8000, "Tokens of one answer at most, thinking included.", 500),
    code: section(
      {
        enabled: z
          .boolean()
          .default(false)
          .describe(
            "Let the model write a fix where the fault is the program's own: a draft pull request in its own repository, for people to judge. Needs `issues.apps`.",
          ),
        model: z.string().default("").describe("Model that writes it. Empty: `model.diagnosis`."),
        files: count(3, "Files that one fix may change at most.", 1),
        lines: count(80, "Lines that one fix may add and remove at most, together.", 1),
        fileBytes: count(200_000, "A larger file is neither read whole nor edited.", 1000),
        edit: globs(
          [],
          "Files that may be edited beside what is code by its name (globs, from the top of the repository). Workflows, owners, secrets, generated and binary files never are.",
        ),
        lockfiles: z.boolean().default(false).describe("Lock files of package managers may be edited."),
        turns: count(24, "Requests for one fix at most.", 1),
        calls: count(60, "Looks, searches and edits of one fix at most.", 1),
        checks: count(3, "Times that the check command of `apps` is run for one fix at most (0: never)."),
        toolchain: z
          .array(
            z.string().superRefine((folder, context) => {
              const fault = toolchainFault(folder);
              if (fault !== null) context.addIssue({ code: "custom", message: fault });
            }),
          )
          .default([])
          .describe(
            "Folders that check commands may read and run programs from, beside the machine's own in /usr: `/opt/go`. Each shows at the same path; its `bin` comes first in the PATH.",
          ),
        patience: duration("10m", "Patience with one fix, requests, pauses and checks included.", "1s"),
        maxTokens: count(16_000, "Tokens of one answer at most, thinking included.", 500),
        perRun: count(1, "Fixes of one run at most."),
      },
      "A model's fix in a program's own repository, off by default.",
    ),
    budget: section(
      {
        incidentDollars: dollars(1, "US dollars for one incident."),
        runDollars: dollars(2, "US dollars for one run."),
        dayDollars: dollars(10, "US dollars for one day (UTC)."),
        incidentTokens: count(400_000, "Tokens for one incident, in and out."),
        runTokens: count(800_000, "Tokens for one run."),
        dayTokens: count(4_000_000, "Tokens for one day (UTC)."),
      },
      "What may be spent. A request is made only when the most that it can cost fits into what is left.",
    ),
    prices: z
      .record(
        z.string(),
        z.strictObject({
          input: price("US dollars for a million tokens read."),
          output: price("US dollars for a million tokens written, thinking included."),
          cacheWrite: price("US dollars for a million tokens written to the cache (5 minutes).").optional(),
          cacheRead: price("US dollars for a million tokens read from the cache.").optional(),
        }),
      )
      .default({})
      .describe(
        "Prices of models that Stanch does not know, or that cost you something else. A model without a price is not asked.",
      ),
    record: z
      .string()
      .default("")
      .describe(
        "Folder into which every exchange is written (redacted), for `stanch explain --replay`. Empty: none is kept.",
      ),
  },
  "A model as an adviser, off by default.",
);
