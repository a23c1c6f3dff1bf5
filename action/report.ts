import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as core from "@actions/core";
import { messageOf, StanchError } from "../src/errors.ts";
import { createLog } from "../src/log.ts";
import type { Log } from "../src/ports.ts";
import { type Annotation, shownAnnotations } from "../src/review/annotations.ts";
import { SUMMARY_BUDGET, withinBytes } from "../src/review/parts.ts";
import type { Environment } from "./inputs.ts";

/** How a step ends. `drift` is what `fail-on: drift` fails on: drift, or problems of a pull request. */
export type End = "clean" | "drift" | "error";

/** Marks lines; what is beyond GitHub's ten of a level is said in one notice. */
export function annotate(all: readonly Annotation[]): void {
  const { shown, left } = shownAnnotations(all);
  const write = { failure: core.error, warning: core.warning, notice: core.notice };
  for (const { level, title, message, file, line } of shown)
    write[level](oneLine(message), {
      title,
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { startLine: line }),
    });
  if (left > 0) say(`${left} more are in the summary: GitHub shows ten of each level.`);
}

/** Appends to the step's summary; a runner without one gets none. */
export async function summarise(sections: readonly string[], env: Environment): Promise<void> {
  if ((env["GITHUB_STEP_SUMMARY"] ?? "") === "") return;
  await core.summary.addRaw(withinBytes(sections, SUMMARY_BUDGET), true).write();
}

/** Writes a file for later steps. Answers its path. */
export async function keep(folder: string, name: string, value: unknown): Promise<string> {
  const file = join(folder, name);
  await mkdir(folder, { recursive: true });
  await writeFile(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  return file;
}

export function output(values: Readonly<Record<string, string | number | boolean>>): void {
  for (const [name, value] of Object.entries(values)) core.setOutput(name, value);
}

/** A line for the log, in which no text from outside is taken for a command by the runner. */
export function say(text: string): void {
  process.stdout.write(`${harmless(text)}\n`);
}

/** Commands begin with `::` at the start of a line, or, in the old form, with `##[` anywhere. */
export function harmless(text: string): string {
  return oneLine(text)
    .replace(/^(\s*):(?=:)/, "$1:\u200b")
    .replaceAll("##[", "##\u200b[");
}

const oneLine = (text: string): string => text.replaceAll(/[\r\n]+/g, " ").slice(0, 4000);

/** The log of adapters, as debug lines that a rerun with debug logging shows. */
export function debugLog(now: () => Date): Log {
  return createLog({
    format: "json",
    level: "debug",
    interactive: false,
    write: (text) => core.debug(text.trimEnd()),
    now,
  });
}

/** What a fault is said as: an annotation with the next thing to do. Never throws. */
export function sayFault(error: unknown): void {
  const hint = error instanceof StanchError && error.hint !== undefined ? ` → ${error.hint}` : "";
  core.error(oneLine(`${messageOf(error)}${hint}`), { title: "Stanch" });
}

/** 0: fine; 1: what it was told to fail on; 2: something could not be looked at. */
export function exitCode(end: End, failOn: "drift" | "error" | "never"): number {
  if (failOn === "never" || end === "clean") return 0;
  if (end === "error") return 2;
  return failOn === "drift" ? 1 : 0;
}
