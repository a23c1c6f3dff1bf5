import { z } from "zod";
import { duration } from "./duration.ts";
import { count, globs, inside, isHttp, isIdentity, section } from "./values.ts";

/** `pullRequest` */
export const pullRequestSection = section(
  {
    onClose: z
      .enum(["undo", "keep"])
      .default("undo")
      .describe("What happens to the hotfix when its pull request is closed unmerged."),
    labels: z.array(z.string().max(50)).default(["stanch"]).describe("Labels of a pull request."),
    branchPrefix: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*$/, "must be lower-case letters, digits and dashes")
      .default("stanch")
      .describe("First part of branch names."),
    report: z
      .string()
      .default("")
      .refine(inside, "is no folder inside the repository")
      .describe(
        "Folder of the repository into which the incident report is committed as a file. Empty: not committed.",
      ),
  },
  "How pull requests look.",
);

/** `issues` */
export const issuesSection = section(
  {
    enabled: z
      .boolean()
      .default(true)
      .describe("Open an issue where Git cannot be corrected by rule, or the fault is the program's."),
    labels: z.array(z.string().max(50)).default(["stanch"]).describe("Labels of an issue."),
    perRun: count(3, "New issues of one run at most."),
    apps: z
      .boolean()
      .default(true)
      .describe(
        "Report a program's own fault in the repository that its image is built from. Without an entry in `apps`, only where that repository is not public and belongs to the owner of a source's repository or to one of `issues.owners`.",
      ),
    owners: z
      .array(z.string().regex(/^[\w.-]+$/, "is no owner"))
      .default([])
      .describe("Further owners (users or organisations) whose repositories may be reported to."),
  },
  "Issues for what only a person can do.",
);

/** `github` */
export const githubSection = section(
  {
    apiUrl: z
      .url()
      .default("https://api.github.com")
      .refine(isHttp, "is no http or https URL")
      .describe("REST API. GitHub Enterprise Server: https://HOST/api/v3. Git's remote follows from it."),
    appId: z
      .string()
      .optional()
      .describe(
        "GitHub App id (the private key comes from STANCH_GITHUB_APP_KEY). Without it the token in GITHUB_TOKEN is used.",
      ),
    installationId: z.string().optional().describe("Installation of the App; found by repository when absent."),
    repositories: globs(
      ["*"],
      "Repositories (`owner/name`, globs) that may be read and proposed to, whatever an Application or GitRepository names. Narrow it where people you do not trust may create those.",
    ),
    hosts: z
      .array(z.string().min(1))
      .default([])
      .describe(
        "Other names (`host` or `host:port`) under which Argo CD and Flux reach the same code host, such as an SSH or in-cluster address.",
      ),
    allowHttp: z.boolean().default(false).describe("Allow plain http to hosts other than loopback."),
    pause: duration("1s", "Pause between two writes, as GitHub asks."),
    authorName: z.string().default("stanch[bot]").refine(isIdentity, "is no name").describe("Author of commits."),
    authorEmail: z
      .string()
      .default("stanch@users.noreply.github.com")
      .refine((text) => isIdentity(text) && text.includes("@"), "is no address")
      .describe("Address of the author of commits."),
  },
  "The code host.",
);
