import { StanchError } from "./errors.ts";
import { mapAt, textAt } from "./kube/fields.ts";
import { RESOURCES } from "./kube/resources.ts";
import type { Run } from "./run.ts";

/** Secrets of a namespace that are read, values of all of them, and characters of one value's base64. */
const MOST = 500;
const MOST_VALUES = 2000;
const LONGEST = 64 * 1024;
/** What Helm keeps there is compressed: no program says a value of it, and it is often larger than all others. */
const HELM = "helm.sh/release.v1";

/**
 * The values of a namespace's Secrets, to be taken out of what goes to a model: only where the configuration lets Secrets be read anyway
 * (`observe.secrets: keys`). They stay in memory. None where the account may not read them; any other fault, and more of them than can be taken out,
 * is thrown, so that nothing is sent.
 */
export async function secretValues(namespace: string, run: Pick<Run, "cluster" | "config">): Promise<string[]> {
  if (run.config.observe.secrets !== "keys") return [];
  const out: string[] = [];
  let count = 0;
  try {
    for await (const page of run.cluster.list(RESOURCES.Secret, { namespace, limit: 100 }))
      for (const secret of page) {
        count += 1;
        if (count > MOST) throw tooMuch(`${namespace} has more than ${MOST} Secrets`);
        if (textAt(secret, "type") === HELM) continue;
        for (const key of Object.keys(mapAt(secret, "data") ?? {})) {
          const encoded = textAt(secret, "data", key) ?? "";
          if (encoded.length > LONGEST)
            throw tooMuch(
              `the Secret ${namespace}/${secret.metadata.name} has a value of more than ${LONGEST / 1024} KiB`,
            );
          const bytes = Buffer.from(encoded, "base64");
          const value = bytes.toString("utf8");
          out.push(value);
          // Of what is no text, nothing but its base64 can stand in one.
          if (!Buffer.from(value, "utf8").equals(bytes)) out.push(encoded);
          if (out.length > MOST_VALUES)
            throw tooMuch(`the Secrets of ${namespace} have more than ${MOST_VALUES} values`);
        }
      }
  } catch (error) {
    if (error instanceof StanchError && error.code === "forbidden") return [];
    throw error;
  }
  return out;
}

function tooMuch(what: string): StanchError {
  return new StanchError("model", `${what}: what they hold cannot be taken out`);
}
