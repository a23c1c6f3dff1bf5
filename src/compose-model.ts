import { randomBytes } from "node:crypto";
import type { Config } from "./config/schema.ts";
import { secretsOf } from "./log.ts";
import type { Log } from "./ports.ts";
import type { ModelDoor } from "./run.ts";

/**
 * The model, where one is wanted and has a key. Without a key rules work alone: a run never fails for a model's sake. It is reached as the
 * environment says (`adapters/network.ts`). Throws StanchError `config` for an address that is not safe.
 */
export async function composeModel(
  { model, notify }: Config,
  log: Log,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ModelDoor | undefined> {
  if (!model.enabled) return undefined;
  const apiKey = env["ANTHROPIC_API_KEY"]?.trim() ?? "";
  if (apiKey === "") {
    log.warn("model.enabled is set, but ANTHROPIC_API_KEY is not: no model is asked");
    return undefined;
  }
  const [{ createAnthropic }, { exchangeFiles }] = await Promise.all([
    import("./adapters/anthropic.ts"),
    import("./adapters/exchange-files.ts"),
  ]);
  const baseUrl = model.baseUrl === "" ? (env["ANTHROPIC_BASE_URL"] ?? "") : model.baseUrl;
  // Receivers may name variables of which nobody would guess that they hold a secret.
  const told = notify.receivers.flatMap((entry) => [entry.tokenEnv, entry.urlEnv, ...(entry.secretEnv ?? [])]);
  return {
    advisor: createAnthropic({ apiKey, baseUrl }),
    secrets: [...secretsOf(env), ...told.flatMap((name) => env[name ?? ""]?.trim() || [])],
    draw: () => randomBytes(9).toString("hex"),
    ...(model.record === "" ? {} : { save: exchangeFiles(model.record) }),
  };
}
