import { priceOf } from "../advice/prices.ts";
import type { Config } from "../config/schema.ts";
import type { CodeHost } from "../ports.ts";
import type { CheckDoor } from "../run.ts";
import { type Finding, failed } from "./check.ts";
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

/** What a model's fix of a program needs beside the model: issues, repositories that take it, and a sandbox for check commands. */
export async function checkCode(
  { model, issues, apps, mode }: Config,
  hosts: { readonly codeHost: Pick<CodeHost, "check">; readonly checks?: CheckDoor },
): Promise<Finding[]> {
  if (!model.enabled || !model.code.enabled) return [];
  const lines: Finding[] = [];
  const say = (ok: boolean, text: string, fix?: string): void => {
    lines.push({ check: "code fixes", ok, text, ...(fix === undefined ? {} : { fix }) });
  };
  if (!issues.enabled || !issues.apps)
    say(
      false,
      "model.code.enabled is set, but a program's fault is not reported (issues.apps): no fix is written",
      "set issues.enabled and issues.apps, or turn model.code.enabled off",
    );
  const name = model.code.model || model.diagnosis;
  if (priceOf(name, model.prices) === null)
    say(
      false,
      `what ${name} costs is not known: it would not be asked`,
      `set model.prices.${name}, or name another model`,
    );
  if (apps.length === 0)
    lines.push({
      check: "code fixes",
      ok: true,
      warning: true,
      text: "no entry of `apps` names a program's repository: a fix is written only where `sources` name it",
      fix: "add `apps`: which images are built from which repository",
    });
  for (const repository of new Set(apps.map((entry) => entry.repository)))
    try {
      const seen = await hosts.codeHost.check(repository);
      if (seen.archived) say(false, `${repository} is archived`, "unarchive it, or take it out of `apps`");
      else if (!seen.push)
        say(
          mode === "observe",
          `${repository}: ${seen.login} may not push`,
          "give the token contents: write and pull requests: write on this repository",
        );
      else say(true, `${repository}: ${seen.login} may push; drafts stand on ${seen.defaultBranch}`);
    } catch (error) {
      lines.push(failed("repository", error));
    }
  if (model.code.checks > 0 && apps.some((entry) => entry.check !== undefined)) {
    const reason = hosts.checks === undefined ? "there is none" : await hosts.checks.unavailable();
    if (reason === null) say(true, "check commands run in a sandbox without network and credentials");
    else
      lines.push({
        check: "code fixes",
        ok: true,
        warning: true,
        text: `no sandbox for check commands: ${reason}; pull requests say that nothing was run`,
        fix: "see docs/model.md for what a sandbox needs",
      });
  }
  return lines;
}
