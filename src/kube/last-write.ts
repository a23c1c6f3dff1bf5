import type { KubeObject } from "../model.ts";
import { timeOf } from "./fields.ts";

/** When an object was last written but for its status, in milliseconds, as far as it says so; 0 when it does not. */
export function lastWrite({ metadata }: KubeObject): number {
  const writes = (metadata.managedFields ?? []).filter((entry) => (entry.subresource ?? "") === "");
  const times = [metadata.creationTimestamp, ...writes.map((entry) => entry.time)];
  return Math.max(0, ...times.map((time) => timeOf(time) ?? 0));
}

/** What is older than a day and in use works, or nobody misses it. */
const LATELY_MS = 24 * 3_600_000;

export function isWrittenLately(object: KubeObject, now: Date): boolean {
  return now.getTime() - lastWrite(object) < LATELY_MS;
}
