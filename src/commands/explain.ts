import { readFile } from "node:fs/promises";
import { type Consulted, consult } from "../advice/consult.ts";
import { parseExchange, type Recording, replay } from "../advice/exchange.ts";
import { costOf, priceOf } from "../advice/prices.ts";
import { makeRedactor } from "../advice/redaction.ts";
import { type Base, composeBase, composeCluster } from "../compose.ts";
import type { RemedyId } from "../config/schema.ts";
import { namedNamespaces } from "../config/scope.ts";
import { messageOf, StanchError } from "../errors.ts";
import type { Incident, IncidentAdvice } from "../incident/incident.ts";
import type { IncidentCode } from "../incident/incident-code.ts";
import { createIncidentStore } from "../incident/store.ts";
import { describeRef } from "../kube/ref.ts";
import type { Flags } from "./flags.ts";
import { pick } from "./incidents.ts";
import { printable } from "./printable.ts";
import { replayCode } from "./replay-code.ts";
import { replayInCluster } from "./replay-in-cluster.ts";

/** `stanch explain NAME`: what rules and the model said of an incident. With `--replay FILE` a recorded exchange is gone through again, offline. */
export async function main(flags: Flags, words: string[]): Promise<number> {
  const [word] = words;
  if (word === undefined && flags.replay === undefined)
    throw new StanchError("config", "explain needs the name of an incident, or --replay FILE", {
      hint: "stanch explain NAMESPACE/NAME; `stanch incidents -A` lists them",
    });
  const base = await composeBase(flags);
  const recording = flags.replay === undefined ? null : await readRecording(flags.replay);
  const fix = recording?.code === undefined ? null : await replayCode(recording, base);
  const replayed = recording === null || fix !== null ? null : await again(recording, base);
  const lines: string[] = [];
  let code = 0;
  if (word !== undefined) {
    const cluster = await composeCluster(flags, base.clock);
    try {
      const incident = pick(await createIncidentStore(cluster, base.clock).list(namedNamespaces(base.config)), word);
      lines.push(...explain(incident), ...(fix === null ? [] : ["", ...fix.lines]));
      if (recording !== null && replayed !== null) {
        lines.push("", ...told(recording, replayed));
        const verdict = await replayInCluster({ incident, consulted: replayed, base, flags, cluster });
        lines.push("", "With the cluster as it is now:", `  ${verdict.text}`);
        code = verdict.allowed ? 0 : 3;
      }
    } finally {
      cluster.close();
    }
  } else if (recording !== null && replayed !== null) {
    lines.push(...told(recording, replayed));
    code = "answer" in replayed ? 0 : 3;
  }
  if (fix !== null) {
    if (word === undefined) lines.push(...fix.lines);
    code = fix.fixed ? 0 : 3;
  }
  process.stdout.write(printable(`${lines.join("\n")}\n`));
  return code;
}

async function readRecording(file: string): Promise<Recording> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new StanchError("config", `${file} cannot be read: ${messageOf(error)}`, {
      hint: "model.record says where exchanges are written",
    });
  });
  return parseExchange(text);
}

/** The recorded exchange through the same loop, the same checks and no network. Nothing is spent. */
function again(recording: Recording, { config, clock }: Base): Promise<Consulted> {
  const { advisor, look, open } = replay(recording);
  return consult(
    { allowed: recording.allowed as RemedyId[], summaries: {}, delimiter: recording.delimiter, open },
    {
      advisor,
      look,
      account: { reserve: async () => null, settle: async () => undefined },
      redactor: makeRedactor([]),
      clock: { now: clock.now, sleep: async () => undefined },
      settings: config.model,
      price: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
      tick: async () => undefined,
      mostMs: 1000,
    },
  );
}

function explain({ metadata, spec, status }: Incident): string[] {
  const tried = (status?.tried ?? []).map((row) => `  ${row.remedy}: ${row.title}: ${row.result}`);
  const { plan, advice, code } = status ?? {};
  return [
    `Incident ${metadata.namespace}/${metadata.name}: ${describeRef(spec.workload)}, ${spec.symptom}`,
    "",
    "What was seen:",
    `  ${status?.summary ?? ""}`,
    ...(status?.evidence ?? []).map((item) => `  ${item.id} [${item.kind}] ${item.text.split("\n").join("\n     ")}`),
    "",
    "What rules say:",
    ...(plan === undefined || plan.by === "model"
      ? [`  No rule proves a remedy${tried.length === 0 ? "" : " that is left to try"}.`]
      : [`  ${plan.title}. ${plan.reason}`]),
    ...tried,
    "",
    "What the model says:",
    ...(advice === undefined ? ["  It was not asked."] : says(advice)),
    ...(code === undefined ? [] : ["", "What the model wrote in the program's own repository:", ...wrote(code)]),
    "",
    `Now: ${status?.phase ?? "-"}: ${status?.message ?? ""}`,
  ];
}

function says(advice: IncidentAdvice): string[] {
  const { at, model, said, cause, confidence, checks, citations } = advice;
  return [
    `  ${model}, ${at}: ${said}`,
    ...(cause === undefined ? [] : [`  Its reading, which nothing proves: ${cause}`]),
    ...(confidence === undefined ? [] : [`  Confidence ${confidence}, counted from these checks:`]),
    ...(checks ?? []).map((check) => `    ${check.passed ? "passed" : "failed"}  ${check.id}: ${check.text}`),
    ...(citations ?? []).map(({ id, quote }) => `    cites ${id}: "${quote}"`),
    `  ${advice.requests} requests, ${advice.inputTokens} tokens in (${advice.cacheReadTokens} from the cache), ${advice.outputTokens} out, $${advice.dollars.toFixed(4)}`,
  ];
}

function wrote(code: IncidentCode): string[] {
  const { at, model, repository, image, asked, outcome, said, fix, pullRequest, mergedAt, closedAt } = code;
  const state =
    closedAt !== undefined
      ? `closed ${closedAt}: no other fix of this fault is written`
      : mergedAt !== undefined
        ? `merged ${mergedAt}`
        : "a draft that waits for people";
  return [
    `  ${model}, ${at}, about ${image}, in ${repository}: ${outcome === "fix" ? said : `no fix: ${said}`}`,
    ...(fix === undefined ? [] : ["  Not proposed yet; the next run does it without asking again."]),
    ...(pullRequest === undefined ? [] : [`  ${pullRequest.url}: ${state}`]),
    `  Asked ${asked} time${asked === 1 ? "" : "s"}: ${code.requests} requests, ${code.inputTokens} tokens in (${code.cacheReadTokens} from the cache), ${code.outputTokens} out, $${code.dollars.toFixed(4)}`,
  ];
}

function told(recording: Recording, consulted: Consulted): string[] {
  const looks = recording.replies.flatMap((said) => ("reply" in said ? said.reply.calls : []));
  const price = priceOf(recording.model, {});
  const dollars = recording.replies.reduce(
    (sum, said) => sum + ("reply" in said && price !== null ? costOf(said.reply.usage, price) : 0),
    0,
  );
  return [
    `Recorded ${recording.at} of ${recording.incident}, by Stanch ${recording.stanch} with ${recording.model}:`,
    `  It might choose ${recording.allowed.join(", ")}.`,
    ...looks.map((call) => `  It looked at ${call.name} ${JSON.stringify(call.input)}`),
    `  Then: ${recording.outcome}`,
    `  ${recording.replies.length} requests, the largest of ${recording.characters} characters${price === null ? "" : `, $${dollars.toFixed(4)}`}.`,
    "Gone through again, without a call:",
    ...("problem" in consulted
      ? [`  The answer does not pass: ${consulted.problem}.`]
      : [
          `  It chose ${consulted.answer.choice.remedy}.`,
          ...consulted.checks.map((check) => `    ${check.passed ? "passed" : "failed"}  ${check.id}: ${check.text}`),
        ]),
  ];
}
