#!/usr/bin/env node
import { parseArgs } from "node:util";
import { EXIT, exitOf } from "./commands/exit.ts";
import { type Flags, HELP, helpOf, OPTIONS } from "./commands/flags.ts";
import { showFault } from "./commands/show-fault.ts";
import { nearest } from "./config/nearest.ts";
import { messageOf, StanchError } from "./errors.ts";

const COMMANDS: Record<string, () => Promise<{ main: (flags: Flags, words: string[]) => Promise<number> }>> = {
  run: () => import("./commands/run.ts"),
  scan: () => import("./commands/scan.ts"),
  drift: () => import("./commands/drift.ts"),
  incidents: () => import("./commands/incidents.ts"),
  undo: () => import("./commands/undo.ts"),
  explain: () => import("./commands/explain.ts"),
  doctor: () => import("./commands/doctor.ts"),
  rbac: () => import("./commands/rbac.ts"),
  metrics: () => import("./commands/metrics.ts"),
  notify: () => import("./commands/notify.ts"),
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
  if (command === undefined) {
    process.stdout.write(HELP);
    return values.help === true ? EXIT.done : EXIT.config;
  }
  const helping = command === "help";
  const named = helping ? words[0] : command;
  if (named !== undefined && !Object.hasOwn(COMMANDS, named)) {
    const near = nearest(named, Object.keys(COMMANDS));
    throw new StanchError("config", `there is no command "${named}"`, {
      hint: near === null ? `commands: ${Object.keys(COMMANDS).join(", ")}` : `did you mean "stanch ${near}"?`,
    });
  }
  if (helping || values.help === true) {
    process.stdout.write(named === undefined ? HELP : helpOf(named));
    return EXIT.done;
  }
  const most = ["incidents", "undo", "explain"].includes(command) ? 1 : 0;
  const extra = words[most];
  if (extra !== undefined)
    throw new StanchError("config", `"${extra}" is one word too many for stanch ${command}`, {
      hint: `see stanch ${command} --help`,
    });
  const load = COMMANDS[command] as (typeof COMMANDS)[string];
  return (await load()).main({ ...values, env: process.env, interactive: process.stderr.isTTY === true }, words);
}

function read(words: string[]) {
  try {
    return parseArgs({ args: words, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const said = messageOf(error).split(". ")[0] ?? "";
    const unknown = /^Unknown option '(--?)([^']+)'/.exec(said);
    if (unknown === null) {
      const missing = /^Option '(?:-\w, )?(--?[\w-]+)(?: <value>)?' argument (?:missing|is ambiguous)/.exec(said);
      throw new StanchError("config", missing === null ? said : `${missing[1]} needs a value`, {
        hint: "see stanch --help",
      });
    }
    const [, dashes, name = ""] = unknown;
    const near = dashes === "-" ? null : nearest(name, Object.keys(OPTIONS));
    throw new StanchError("config", `there is no flag ${dashes}${name}`, {
      hint: near === null ? "see stanch --help" : `did you mean --${near}?`,
    });
  }
}

// In a container it is process 1, which Linux sends no signal that it does not handle: a run that was told to stop would go on, and
// write, until it is killed. To end at once is safe: what is half done stands in an Incident, and the next run repairs it.
process.once("SIGTERM", () => process.exit(EXIT.terminated));

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(showFault(error, process.env));
  process.exitCode = exitOf(error);
}
