#!/usr/bin/env node
import { parseArgs } from "node:util";
import { type Flags, HELP, helpOf, OPTIONS } from "./commands/flags.ts";
import { nearest } from "./config/nearest.ts";
import { messageOf, StanchError } from "./errors.ts";

/** Exit codes; documented in the help and the README. */
const EXIT = { done: 0, fault: 1, config: 2, attention: 3, lease: 4 } as const;

const COMMANDS: Record<string, () => Promise<{ main: (flags: Flags, words: string[]) => Promise<number> }>> = {
  run: () => import("./commands/run.ts"),
  scan: () => import("./commands/scan.ts"),
  incidents: () => import("./commands/incidents.ts"),
  undo: () => import("./commands/undo.ts"),
  doctor: () => import("./commands/doctor.ts"),
  demo: () => import("./commands/demo.ts"),
};

async function main(): Promise<number> {
  const { values, positionals } = read(process.argv.slice(2));
  const [command, ...words] = positionals;
  if (values.version === true) {
    const { version } = await import("./version.ts");
    process.stdout.write(`stanch ${version}\n`);
    return EXIT.done;
  }
  if (command === undefined || values.help === true) {
    process.stdout.write(command === undefined ? HELP : helpOf(command));
    return command === undefined && values.help !== true ? EXIT.config : EXIT.done;
  }
  const load = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (load === undefined) {
    const near = nearest(command, Object.keys(COMMANDS));
    throw new StanchError("config", `there is no command "${command}"`, {
      hint: near === null ? `commands: ${Object.keys(COMMANDS).join(", ")}` : `did you mean "stanch ${near}"?`,
    });
  }
  return (await load()).main({ ...values, env: process.env, interactive: process.stderr.isTTY === true }, words);
}

function read(words: string[]) {
  try {
    return parseArgs({ args: words, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const flag = /'(--?[^' ]+)/.exec(messageOf(error))?.[1];
    const near = flag === undefined ? null : nearest(flag.replace(/^-+/, ""), Object.keys(OPTIONS));
    throw new StanchError("config", messageOf(error).split(". ")[0] ?? "bad flags", {
      hint: near === null ? "see stanch --help" : `did you mean --${near}?`,
    });
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const known = error instanceof StanchError;
  process.stderr.write(`stanch: ${known ? error.message : messageOf(error)}\n`);
  if (known && error.hint !== undefined) process.stderr.write(`        ${error.hint}\n`);
  if (!known && error instanceof Error && error.stack !== undefined) process.stderr.write(`${error.stack}\n`);
  process.exitCode =
    known && error.code === "config" ? EXIT.config : known && error.code === "lease" ? EXIT.lease : EXIT.fault;
}
