import { z } from "zod";
import { duration } from "./duration.ts";
import { globs } from "./values.ts";

/** Symptoms in which a container may still run, so that a command can be run in it. */
const SYMPTOMS = ["NotReady", "LivenessKill", "CrashLoop", "InitWaiting", "RolloutStuck"] as const;

/** One entry of `remedies.exec`. */
export const ExecEntry = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, "must be lower-case letters, digits and dashes, at most 40")
      .describe("What the command does, for titles: `restore-health-file`. No two entries have the same."),
    namespaces: globs([], "Namespaces in which it may be run (globs).").refine(
      (list) => list.length > 0,
      'is empty, so that it would be run nowhere; write ["*"] to mean every watched namespace',
    ),
    workloads: globs(["*"], "Workloads in which it may be run, as `Kind/name` (globs): `Deployment/cart`."),
    images: globs(["*"], "Images, as the container names them, in which it may be run (globs): `ghcr.io/acme/cart:*`."),
    container: z.string().default("").describe("Container in which it is run. Empty: the one that fails."),
    symptoms: z.array(z.enum(SYMPTOMS)).min(1).default(["NotReady"]).describe("Symptoms against which it is run."),
    command: z
      .array(
        z
          .string()
          .min(1)
          .max(4096)
          .refine((word) => !word.includes("\0"), "holds a NUL"),
      )
      .min(1)
      .max(64)
      .describe(
        "Program and arguments, run exactly so: nothing is put into them, and there is no shell unless you write one.",
      ),
    timeout: duration("10s", "How long it may take in one pod, at most 30s.", "1s").refine(
      (ms) => ms <= 30_000,
      "is longer than 30s",
    ),
    why: z.string().min(1).max(300).describe("Why it helps, in a sentence, for incidents and issues."),
  })
  .refine(
    ({ workloads, images }) => !(workloads.includes("*") && images.includes("*")),
    "means every container; name the images or the workloads that have such a program",
  );
export type ExecEntry = z.infer<typeof ExecEntry>;
