import { z } from "zod";
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
});
