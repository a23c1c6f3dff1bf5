import { composeBase } from "../compose.ts";
import { tellStory } from "../demo/story.ts";
import type { Flags } from "./flags.ts";

/** `stanch demo`: the whole job on an embedded cluster and code host. */
export async function main(flags: Flags): Promise<number> {
  const base = await composeBase({ ...flags, "log-level": flags["log-level"] ?? "error" });
  const good = await tellStory({
    base,
    keep: flags.keep === true,
    env: flags.env,
    say: (text) => void process.stdout.write(`${text}\n`),
    untilStopped: () => new Promise((resolve) => process.once("SIGINT", () => resolve())),
  });
  return good ? 0 : 1;
}
