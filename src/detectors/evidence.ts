import type { ContainerState, EventState, Evidence, PodState, Termination } from "../model.ts";
import { redact } from "../redact.ts";

/** A fact that a detector saw, before it gets its id. */
export type Fact = Omit<Evidence, "id">;

const LENGTH = 300;
const FACTS = 8;

/**
 * Text of the cluster for people and models: one line, no control characters, at most 300 characters. Too long a text
 * keeps its beginning and its end: a runtime says what it did first and what was wrong last.
 */
export function plainText(text: string, length = LENGTH): string {
  // Format characters go too: they can hide or turn round what is written.
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  const letters = [...line];
  if (letters.length <= length) return line;
  const tail = Math.floor(length * 0.4);
  return `${letters
    .slice(0, length - tail - 3)
    .join("")
    .trimEnd()} … ${letters.slice(-tail).join("").trimStart()}`;
}

/** Text that a program in a container wrote (termination message, probe output): it may hold anything, so it is redacted, too. */
export function programText(text: string): string {
  return plainText(redact(text.slice(0, 4096)));
}

/** Facts with ids e1, e2, …: each once, bounded in number and length. */
export function evidenceOf(facts: readonly Fact[]): Evidence[] {
  const seen = new Set<string>();
  const kept: Evidence[] = [];
  for (const fact of facts) {
    const text = plainText(fact.text);
    if (text === "" || seen.has(text) || kept.length >= FACTS) continue;
    seen.add(text);
    kept.push({ ...fact, id: `e${kept.length + 1}`, text });
  }
  return kept;
}

export function eventFact(event: EventState): Fact {
  const times = event.count > 1 ? `, ${event.count} times` : "";
  // The kubelet quotes the output of exec probes and hooks.
  const message = event.reason === "Unhealthy" ? programText(event.message) : event.message;
  return {
    kind: "event",
    text: `Event ${event.reason} on ${event.on.kind} ${event.on.name}${times}: ${message}`,
    at: event.lastSeen,
  };
}

/** What the status says of a container, in one line. */
export function containerFact(pod: PodState, container: ContainerState): Fact {
  const who = `Pod ${pod.name}, ${container.init ? "init container" : "container"} ${container.name}`;
  const restarts =
    container.restarts === 0 ? "" : `, ${container.restarts} restart${container.restarts === 1 ? "" : "s"}`;
  const end = container.terminated ?? container.last;
  const state =
    container.waiting !== undefined
      ? `waiting: ${container.waiting.reason}`
      : container.running !== undefined
        ? `running${container.ready ? "" : ", not ready"}`
        : "ended";
  const at = end?.finishedAt;
  return {
    kind: "status",
    text: `${who}: ${state}${restarts}${end === undefined ? "" : `; last end: ${describeEnd(end)}`}`,
    ...(at === undefined ? {} : { at }),
  };
}

/** `OOMKilled, exit code 137, after 3s`. */
export function describeEnd(end: Termination): string {
  const ran =
    end.startedAt !== undefined && end.finishedAt !== undefined
      ? Math.round((Date.parse(end.finishedAt) - Date.parse(end.startedAt)) / 1000)
      : Number.NaN;
  return `${end.reason || "ended"}, exit code ${end.exitCode}${ran >= 0 ? `, after ${ran}s` : ""}`;
}
