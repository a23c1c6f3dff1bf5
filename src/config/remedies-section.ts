import { z } from "zod";
import { duration } from "./duration.ts";
import { ExecEntry } from "./exec-entry.ts";
import { count, isQuantity, section } from "./values.ts";

/** The closed catalogue; the order in which remedies are tried is src/remedies/index.ts's. */
const REMEDIES = [
  "rollback",
  "restore-from-git",
  "revert-commit",
  "restore-object",
  "restore-manifest",
  "restore-policy",
  "correct-image",
  "repoint-reference",
  "correct-name",
  "correct-probe",
  "correct-probe-path",
  "correct-host",
  "correct-selector",
  "correct-service-port",
  "correct-backend",
  "correct-storage-class",
  "correct-node-selector",
  "raise-memory-limit",
  "evict",
  "restart",
  "pause",
  "exec",
] as const;

/** `remedies` */
export const remediesSection = section(
  {
    enabled: z
      .array(z.enum(REMEDIES))
      .default([...REMEDIES])
      .describe("Remedies that may be used. The rights that Stanch needs follow from it."),
    memory: section(
      {
        step: z.number().min(1.1).max(4).default(2).describe("Factor by which a memory limit is raised."),
        ceiling: z
          .string()
          .default("4Gi")
          .refine(isQuantity, "is no quantity such as 512Mi or 4Gi")
          .describe("A memory limit is never raised beyond this quantity."),
        raises: count(2, "Raises of one container before it is taken for a leak and a person is asked.", 1),
        within: duration("7d", "Time in which the raises are counted."),
      },
      "raise-memory-limit.",
    ),
    image: section(
      {
        tags: z
          .boolean()
          .default(true)
          .describe("Ask the registry for tags when no healthy revision tells the right image."),
      },
      "correct-image.",
    ),
    history: section(
      {
        commits: count(10, "Commits of a manifest that are looked at for a state before the fault.", 1),
        age: duration("14d", "A change older than this is not taken for the cause."),
      },
      "restore-from-git.",
    ),
    contain: section(
      {
        tries: count(
          3,
          "Times that one remedy may contain one incident before the program's developers are told instead.",
          1,
        ),
        within: duration("24h", "Time in which they are counted.", "1m"),
      },
      "Remedies that contain a fault of the program, and heal nothing: restart, exec.",
    ),
    restart: section(
      {
        after: duration("5m", "How long a pod must have been without an answer before it is restarted.", "1m"),
        statefulSets: z
          .boolean()
          .default(false)
          .describe("Restart pods of StatefulSets, too, which may hold data or lead others."),
      },
      "restart.",
    ),
    pause: section(
      {
        cronJobs: z
          .boolean()
          .default(false)
          .describe(
            "Suspend a CronJob whose last three runs failed by their own fault, until its template changes or `holds.expiry` is over.",
          ),
      },
      "pause.",
    ),
    exec: z
      .array(ExecEntry)
      .default([])
      .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, "has two entries of the same name")
      .describe(
        "Commands that may be run in failing containers, such as to restore a file that a health check needs. Empty: none is, and the right to it is not asked for. See docs/security.md.",
      ),
  },
  "What may be done.",
);
