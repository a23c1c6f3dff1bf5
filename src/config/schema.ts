import { z } from "zod";
import { AppEntry } from "./app-entry.ts";
import { driftSection } from "./drift-section.ts";
import { duration } from "./duration.ts";
import { githubSection, issuesSection, pullRequestSection } from "./host-sections.ts";
import { metricsSection } from "./metrics-section.ts";
import { modelSection } from "./model-section.ts";
import { notifySection } from "./notify-section.ts";
import { remediesSection } from "./remedies-section.ts";
import { SourceEntry } from "./source-entry.ts";
import { count, globs, isHttp, section } from "./values.ts";

/** Kinds that may be watched. */
const KINDS = [
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "Job",
  "CronJob",
  "Pod",
  "Service",
  "PersistentVolumeClaim",
  "HorizontalPodAutoscaler",
  "Ingress",
  "Application",
  "HelmRelease",
  "Kustomization",
  "GitRepository",
  "OCIRepository",
  "HelmRepository",
] as const;

/** `stanch.yaml`. Defaults, documentation and the JSON Schema all come from here. */
export const Config = z.strictObject({
  mode: z
    .enum(["observe", "propose", "remediate"])
    .default("observe")
    .describe(
      "observe: report only. propose: pull requests, nothing changed live. remediate: hotfix live, then pull request.",
    ),
  cluster: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, "must be lower-case letters, digits and dashes, at most 40")
    .default("cluster")
    .describe("Name of this cluster in branches, pull requests and incidents."),
  namespace: z
    .string()
    .min(1)
    .default("stanch-system")
    .refine((name) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name), "is no name of a namespace")
    .describe("Stanch's own namespace: its Lease and run history live there; it is never touched."),
  scope: section(
    {
      namespaces: globs(["*"], "Namespaces to watch (globs).").refine(
        (list) => list.length > 0,
        'is empty, so that nothing would be watched; leave it out, or write ["*"]',
      ),
      excludeNamespaces: globs(
        [],
        "Namespaces to leave out (globs). kube-system, kube-public, kube-node-lease and Stanch's own are always left out.",
      ),
      deployers: z
        .array(z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "is no name of a namespace"))
        .default([])
        .describe(
          "Namespaces beside the watched ones in which the Applications, Kustomizations and HelmReleases live that deploy what is watched, such as argocd or flux-system. Matters only where the account is confined to namespaces: one that may list them everywhere does.",
        ),
      selector: z
        .string()
        .default("")
        .describe("Label selector that a workload must match, as kubectl's -l takes it. Empty: all."),
      kinds: z
        .array(z.enum(KINDS))
        .default([...KINDS])
        .describe("Kinds to watch."),
    },
    'What is watched. An object or namespace annotated `stanch.dev/ignore: "true"` is left out whatever this says.',
  ),
  sources: z.array(SourceEntry).default([]).describe("Which repository and folder each namespace is deployed from."),
  apps: z
    .array(AppEntry)
    .default([])
    .describe(
      "Which repository an image is built from, where its label `org.opencontainers.image.source` and the workload's annotation `stanch.dev/app-repository` do not say it, or may not be followed.",
    ),
  observe: section(
    {
      pageSize: count(500, "Objects a page of a list; what bounds memory.", 1),
      podsPerWorkload: count(5, "Suspicious pods of one workload that are looked at in full.", 1),
      eventsPerWorkload: count(20, "Warning events kept for one workload.", 1),
      logLines: count(40, "Last lines of a failing container's log that are read as evidence (0: none).", 0),
      logBytes: count(16_384, "Bytes of a failing container's log that are read at most.", 256),
      secrets: z
        .enum(["none", "names", "keys"])
        .default("names")
        .describe(
          "What may be read of Secrets: nothing, their names, or the names of their keys (which needs the right to read them; values are dropped at once).",
        ),
    },
    "How the cluster is read.",
  ),
  detect: section(
    {
      restarts: count(3, "Restarts before a crash loop or a failing probe counts.", 1),
      recent: duration("15m", "A container that ended badly within this time counts as crashing between back-offs."),
      notReady: duration("2m", "How long a running pod may be unready."),
      transientPulls: count(3, "Failed pulls of the transient kind before they are reported.", 1),
      pending: duration("5m", "How long a pod may be unschedulable, a claim unbound, a container creating."),
      noEndpoints: duration("5m", "How long a Service may be without ready endpoints."),
    },
    "When a symptom counts (debounce).",
  ),
  remedies: remediesSection,
  registry: section(
    {
      mirrors: z
        .record(z.string(), z.string().refine(isHttp, "is no http or https URL"))
        .default({})
        .describe(
          "Registry host → mirror base URL that is asked instead, such as `docker.io: http://127.0.0.1:5000`. The host `*` stands for every other registry.",
        ),
      usePullSecrets: z
        .boolean()
        .default(false)
        .describe("Ask with the workload's imagePullSecrets (needs the right to read those Secrets)."),
      timeout: duration("5s", "Patience with a registry."),
      allowHttp: z.boolean().default(false).describe("Allow plain http to registries other than loopback."),
    },
    "How container registries are asked.",
  ),
  charts: section(
    {
      fetch: z
        .boolean()
        .default(true)
        .describe(
          "Fetch charts that an Application or HelmRelease takes from a public Helm repository or registry, so that their values can be tried out.",
        ),
      allowHttp: z.boolean().default(false).describe("Allow plain http to hosts other than loopback."),
      timeout: duration("30s", "Patience with a chart."),
    },
    "Charts that are not in Git.",
  ),
  guard: section(
    {
      requireProof: z.boolean().default(false).describe("Change nothing live before Git's fix is proved."),
      hotfixesPerRun: count(5, "Live changes of one run at most."),
      storm: count(10, "More ripe findings than this in one run: a storm. Nothing is changed; one report.", 1),
      cooldown: duration("10m", "Time between two live changes of one object."),
      attempts: count(3, "Hotfixes of one incident that may fail before a person is asked.", 1),
      openPullRequests: count(5, "Open pull requests of Stanch in one repository at most.", 1),
      newPullRequests: count(5, "New pull requests of one run at most.", 1),
      risk: z
        .enum(["low", "medium", "high"])
        .default("medium")
        .describe("Highest risk of a remedy that is applied live; riskier ones go to Git only."),
    },
    "What stops Stanch.",
  ),
  holds: section(
    {
      object: z
        .boolean()
        .default(true)
        .describe(
          "Annotate a changed object so that Flux leaves it alone until the pull request is merged and deployed, closed, or the hold expires.",
        ),
      application: z
        .boolean()
        .default(false)
        .describe(
          "Where nothing smaller holds: let a whole Argo CD Application (skip-reconcile) or Flux Kustomization or HelmRelease (suspend) rest meanwhile. Also grants the right to ask them to sync after a merge.",
        ),
      helm: z
        .boolean()
        .default(false)
        .describe(
          "Change live what a Helm release deploys that no engine watches: it stands until the next upgrade, which would take it back without anybody knowing.",
        ),
      expiry: duration(
        "24h",
        "Longest time that a hold stands. Then the live change is taken back; the pull request stays open.",
        "1m",
      ),
      longest: duration(
        "72h",
        "Longest time from when a hold was taken to which people may extend it in the pull request (`/stanch hold 4h`).",
      ),
    },
    "How a live change is kept from being reverted by Argo CD or Flux. Without a hold, what they revert is changed in Git only.",
  ),
  verify: section(
    {
      least: duration("20s", "Shortest time that a hotfix is watched after it looks healthy."),
      patience: duration(
        "5m",
        "Longest time to wait for health. A rollout's own progressDeadlineSeconds and probe timings may shorten or lengthen it, up to twice this.",
      ),
      poll: duration("2s", "Pause between two looks.", "10ms"),
    },
    "How a hotfix is verified.",
  ),
  followUp: section(
    {
      deployed: duration("30m", "Time after a merge in which the deployed result is awaited before a person is asked."),
      silence: duration("14d", "How long a problem is left alone after its pull request was closed unmerged."),
      keepResolved: duration("30d", "How long resolved incidents are kept."),
    },
    "What happens to open incidents.",
  ),
  drift: driftSection,
  chat: section(
    {
      enabled: z
        .boolean()
        .default(true)
        .describe(
          "Read the comments of Stanch's own open pull requests and issues for commands (`/stanch help`). They count only from people who may write to the repository.",
        ),
    },
    "What people may ask for in a pull request.",
  ),
  pullRequest: pullRequestSection,
  issues: issuesSection,
  model: modelSection,
  notify: notifySection,
  github: githubSection,
  git: section(
    {
      cache: z
        .string()
        .default("")
        .describe("Folder for cached clones. Empty: a folder of the system's temporary directory."),
    },
    "Git.",
  ),
  rights: section(
    {
      excess: z
        .enum(["warn", "refuse"])
        .default("warn")
        .describe(
          "What happens where the account holds dangerous rights that nothing needs (wildcards, writes, Secrets, exec): `doctor` warns, or `doctor` fails and a run ends before it does anything.",
        ),
      allow: globs([], "Rights, as `doctor` names them (globs), that are no excess, such as `create events`."),
    },
    "Rights of Stanch's own account.",
  ),
  history: count(
    50,
    "Runs whose summary is kept in the object `run/stanch` of Stanch's own namespace, with the totals of the metrics (0: neither).",
  ),
  metrics: metricsSection,
  lease: duration("2m", "How long a run may be silent before another takes over.", "1s"),
});
export type Config = z.infer<typeof Config>;
export type RemedyId = Config["remedies"]["enabled"][number];
export type { SourceEntry } from "./source-entry.ts";
