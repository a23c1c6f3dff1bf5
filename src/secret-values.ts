import { StanchError } from "./errors.ts";
import { mapAt, textAt } from "./kube/fields.ts";
import { RESOURCES } from "./kube/resources.ts";
import type { Run } from "./run.ts";

/** Secrets of a namespace that are read, and characters of one value. */
const MOST = 500;
const LONGEST = 64 * 1024;

/**
 * The values of a namespace's Secrets, to be taken out of what goes to a model: only where the configuration lets Secrets be read anyway
 * (`observe.secrets: keys`). They stay in memory. None where the account may not read them; any other fault is thrown, so that nothing is sent.
 */
export async function secretValues(namespace: string, run: Pick<Run, "cluster" | "config">): Promise<string[]> {
  if (run.config.observe.secrets !== "keys") return [];
  const out: string[] = [];
  let count = 0;
  try {
    for await (const page of run.cluster.list(RESOURCES.Secret, { namespace, limit: 100 }))
      for (const secret of page) {
        count += 1;
        if (count > MOST)
          throw new StanchError(
            "model",
            `${namespace} has more than ${MOST} Secrets: what they hold cannot be taken out`,
          );
        for (const key of Object.keys(mapAt(secret, "data") ?? {})) {
          const encoded = textAt(secret, "data", key) ?? "";
          const value = Buffer.from(encoded.slice(0, LONGEST), "base64").toString("utf8");
          out.push(value);
        }
      }
  } catch (error) {
    if (error instanceof StanchError && error.code === "forbidden") return [];
    throw error;
  }
  return out;
}
