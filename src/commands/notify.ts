import { composeBase, composeReceivers } from "../compose.ts";
import { nearest } from "../config/nearest.ts";
import { StanchError } from "../errors.ts";
import { noticeOfMany } from "../notify/notice.ts";
import type { Flags } from "./flags.ts";
import { printable } from "./printable.ts";

/** `stanch notify --test RECEIVER`: sends a message that says that it is a test. */
export async function main(flags: Flags): Promise<number> {
  const name = flags.test;
  const base = await composeBase(flags);
  const { config, clock } = base;
  const names = config.notify.receivers.map((entry) => entry.name);
  const known =
    names.length === 0 ? "`notify.receivers` of the configuration is empty" : `receivers: ${names.join(", ")}`;
  if (name === undefined) throw new StanchError("config", "notify needs --test RECEIVER", { hint: known });
  const entry = config.notify.receivers.find((row) => row.name === name);
  if (entry === undefined) {
    const near = nearest(name, names);
    throw new StanchError("config", `there is no receiver "${name}"`, {
      hint: near === null ? known : `did you mean --test ${near}?`,
    });
  }
  const receiver = (await composeReceivers(base, flags)).find((row) => row.name === name);
  if (receiver === undefined)
    throw new StanchError("config", `${name} calls people in a pull request or issue, and has nowhere to try that`, {
      hint: "stanch doctor checks the code host's token",
    });
  const at = clock.now().toISOString();
  const notice = noticeOfMany({
    key: ["test", at],
    event: "test",
    severity: "info",
    at,
    cluster: config.cluster,
    title: "Test message of Stanch",
    text: `This is a test of the receiver ${name}: messages about cluster ${config.cluster} will arrive here.`,
    lines: [],
  });
  if (flags["dry-run"] === true) {
    process.stdout.write(`Would send a test message to ${name}.\n`);
    return 0;
  }
  const delivery = await receiver.send(notice, undefined, AbortSignal.timeout(config.notify.timeout));
  process.stdout.write(
    delivery.outcome === "sent" ? `Sent to ${name}.\n` : `${printable(`Not sent to ${name}: ${delivery.reason}`)}\n`,
  );
  return delivery.outcome === "sent" ? 0 : 1;
}
