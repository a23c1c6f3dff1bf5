import { z } from "zod";
import { duration } from "./duration.ts";
import { globs, inside } from "./values.ts";

/** One entry of `apps`. */
export const AppEntry = z.strictObject({
  images: globs([], "Images without tag, as a workload names them (globs): `ghcr.io/acme/cart*`.").refine(
    (list) => list.length > 0,
    "is empty, so that no image would be meant",
  ),
  repository: z
    .string()
    .regex(/^[\w.-]+\/[\w.-]+$/, "is not owner/name")
    .refine((name) => inside(name) && !name.endsWith("/."), "is not owner/name")
    .describe("Repository on the code host that these images are built from, `owner/name`."),
  path: z
    .string()
    .default(".")
    .refine(inside, "leads out of the repository")
    .describe("Folder of the repository that the program lives in: what is outside is read, and never edited."),
  check: z
    .strictObject({
      command: z
        .array(z.string().min(1))
        .min(1)
        .describe("Program and arguments, without a shell, run in `path`: `[go, test, ./...]`."),
      timeout: duration("5m", "Time after which it is ended.", "1s"),
    })
    .optional()
    .describe(
      "Run on a model's fix before it is proposed, in a sandbox without network, credentials or other files. Where none can be made, the pull request says that nothing was run.",
    ),
});
