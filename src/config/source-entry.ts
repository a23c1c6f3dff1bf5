import { z } from "zod";
import { globs, inside } from "./values.ts";

/** One entry of `sources`. */
export const SourceEntry = z.strictObject({
  repository: z
    .string()
    .regex(/^[\w.-]+\/[\w.-]+$/, "is not owner/name")
    .refine((name) => inside(name) && !name.endsWith("/."), "is not owner/name")
    .describe("Repository on the code host, `owner/name`."),
  branch: z.string().min(1).optional().describe("Branch that is deployed. Default: the repository's default branch."),
  path: z
    .string()
    .min(1)
    .default(".")
    .refine(inside, "is no folder inside the repository")
    .describe("Folder inside the repository that is deployed: a directory of manifests, a Kustomize root or a chart."),
  tool: z
    .enum(["auto", "plain", "kustomize", "helm"])
    .default("auto")
    .describe(
      "How the folder is rendered. `auto`: Helm where there is a Chart.yaml, Kustomize where there is a kustomization file, plain YAML otherwise.",
    ),
  helm: z
    .strictObject({
      release: z.string().min(1).max(53).describe("Name of the release."),
      values: z
        .array(z.string().min(1).refine(inside, "is no file inside the repository"))
        .default([])
        .describe(
          "Values files in the order in which they are given (the last wins); paths from the top of the repository.",
        ),
    })
    .optional()
    .describe("How a chart is installed from here. `path` is the chart's folder, `namespace` the release's."),
  namespaces: globs(["*"], "Namespaces whose objects come from here (globs)."),
  namespace: z.string().min(1).optional().describe("Namespace that the deployer fills in where a manifest names none."),
});
export type SourceEntry = z.infer<typeof SourceEntry>;
