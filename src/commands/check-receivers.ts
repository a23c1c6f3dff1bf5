import type { Config } from "../config/schema.ts";
import type { Receiver } from "../ports.ts";
import type { Finding } from "./check.ts";

/** Patience with one receiver. */
const PATIENCE_MS = 5000;

/** Each receiver, without sending anything: secrets there, reachable, token taken. */
export async function checkReceivers(config: Config, receivers: readonly Receiver[]): Promise<Finding[]> {
  const lines = await Promise.all(
    receivers.map(async (receiver): Promise<Finding> => {
      const { ok, text, fix } = await receiver.check(AbortSignal.timeout(PATIENCE_MS));
      return { check: "receiver", ok, text: `${receiver.name}: ${text}`, ...(fix === undefined ? {} : { fix }) };
    }),
  );
  const called = config.notify.receivers.filter(({ type }) => type === "github");
  const silent = config.mode === "observe" && !config.notify.observe && config.notify.receivers.length > 0;
  return [
    ...lines,
    ...called.map(
      ({ name }): Finding => ({ check: "receiver", ok: true, text: `${name}: mentions with the code host's token` }),
    ),
    ...(silent
      ? [{ check: "receiver", ok: true, text: "in mode observe nothing is told, unless notify.observe is set" }]
      : []),
  ];
}
