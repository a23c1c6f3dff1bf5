import { priceOf } from "../advice/prices.ts";
import type { Config } from "../config/schema.ts";
import type { Finding } from "./check.ts";
import type { Flags } from "./flags.ts";

/** What asking a model needs, without asking it: that would cost money. Nothing is said where none is wanted. */
export function checkModel({ model }: Config, { env }: Pick<Flags, "env">): Finding[] {
  if (!model.enabled) return [];
  const lines: Finding[] = [];
  if ((env["ANTHROPIC_API_KEY"]?.trim() ?? "") === "")
    lines.push({
      check: "model",
      ok: false,
      text: "model.enabled is set, but ANTHROPIC_API_KEY is not",
      fix: "put the key into that variable, from a Secret; or turn model.enabled off",
    });
  for (const name of new Set([model.diagnosis, model.prose].filter((name) => name !== "")))
    if (priceOf(name, model.prices) === null)
      lines.push({
        check: "model",
        ok: false,
        text: `what ${name} costs is not known: it would not be asked`,
        fix: `set model.prices.${name}, or name another model`,
      });
  if (lines.length > 0) return lines;
  const where = model.live ? "applied live" : "proposed in Git only";
  return [
    {
      check: "model",
      ok: true,
      text: `${model.diagnosis}, at most $${model.budget.runDollars} a run and $${model.budget.dayDollars} a day; what it chooses is ${where}`,
    },
  ];
}
