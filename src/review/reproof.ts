import { earlierOf } from "../gitops/earlier.ts";
import { sameField } from "../gitops/field-equality.ts";
import { judge } from "../gitops/render-delta.ts";
import { findRendered } from "../gitops/rendered.ts";
import { formatPath, getAt } from "../kube/field-path.ts";
import { describeRef, keyOf } from "../kube/ref.ts";
import type { Change, Check, Json, Source } from "../model.ts";
import type { Checkout, Renderer } from "../ports.ts";
import { type ChangePromise, hashOfValue, type PromisedField } from "../pull-request/promise.ts";
import type { Compared } from "./compare.ts";
import type { Reproof } from "./model.ts";

export interface ReproofRequest {
  readonly incident: string;
  readonly promise: ChangePromise;
  /** Files that differ between base and head. */
  readonly changed: readonly string[];
  readonly compared: readonly Compared[];
  /** The base, from whose history is told what a commit that is taken back had changed. */
  readonly checkout: Checkout;
  readonly renderer: Renderer;
}

/** Holds the head of one of Stanch's pull requests against what it promised: these files (P1), these fields (P2), nothing else anywhere (P3). */
export async function reprove(request: ReproofRequest): Promise<Reproof> {
  const { incident, promise, changed, compared } = request;
  const mine = compared.filter(({ before, after, pair }) => {
    const source = (pair.after ?? pair.before)?.source;
    return (
      source !== undefined &&
      promise.changes.some(({ object }) =>
        [before, after].some((list) => findRendered(list, object, source) !== undefined),
      )
    );
  });
  const checks = [p1(promise, changed), await p2(mine, request), p3(mine, compared, promise)];
  return { incident, checks, holds: checks.every(({ result }) => result === "passed") };
}

function p1({ files }: ChangePromise, changed: readonly string[]): Check {
  // The incident report may lie beside it, and is rendered by nobody.
  const others = changed.filter((file) => !files.includes(file) && !file.endsWith(".md"));
  return others.length === 0
    ? { id: "P1", result: "passed", text: `Only ${files.join(", ")} ${files.length === 1 ? "is" : "are"} changed.` }
    : { id: "P1", result: "failed", text: `Other files than promised are changed: ${listed(others)}.` };
}

async function p2(mine: readonly Compared[], { promise, checkout, renderer }: ReproofRequest): Promise<Check> {
  const failed = (text: string): Check => ({ id: "P2", result: "failed", text });
  const missing = new Set(promise.changes.map(fieldName));
  for (const { pair, before, after } of mine) {
    const source = (pair.after ?? pair.before)?.source as Source;
    const wanted: Change[] = [];
    for (const field of promise.changes) {
      const to = getAt(findRendered(after, field.object, source), field.path);
      if (!isPromised(field, to)) continue;
      missing.delete(fieldName(field));
      const from = getAt(findRendered(before, field.object, source), field.path);
      const { object, path } = field;
      wanted.push({ object, path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
    }
    const earlier = await earlierOf(promise.revertOf, source, checkout, renderer);
    const { side } = judge(before, after, wanted, source, earlier);
    const unmade = promise.changes.filter((field) => missing.has(fieldName(field)));
    const others = side.filter((text) => !unmade.some((field) => text === fieldName(field)));
    if (others.length > 0) return failed(`More changes than was promised: ${listed(others)}.`);
  }
  if (missing.size > 0) return failed(`What was promised does not appear in the head: ${listed([...missing])}.`);
  const count = promise.changes.length;
  return {
    id: "P2",
    result: "passed",
    text: `Rendered again at this head: exactly the promised ${count === 1 ? "change" : `${count} changes`}.`,
  };
}

/** No other environment changes; what leads to the promised change (a value in an Application) is on the way and no side effect. */
function p3(mine: readonly Compared[], compared: readonly Compared[], { changes }: ChangePromise): Check {
  const way = new Set(changes.map(({ object }) => keyOf(object)));
  for (const { pair } of mine) {
    const source = pair.after?.source;
    if (source?.owner.ref !== undefined) way.add(keyOf(source.owner.ref));
    for (const { home } of Object.values(source?.inputs ?? {})) if ("object" in home) way.add(keyOf(home.object));
  }
  const others = compared.filter(
    ({ pair, environment }) =>
      !mine.some((one) => one.pair === pair) &&
      // A chart with its own values, which nobody is known to deploy, is no environment.
      !(pair.after?.loose === true && pair.after.source?.tool === "helm") &&
      (environment.fault !== undefined || environment.effects.some(({ object }) => !way.has(keyOf(object)))),
  );
  return others.length === 0
    ? { id: "P3", result: "passed", text: "No other environment changes." }
    : {
        id: "P3",
        result: "failed",
        text: `Other environments change too: ${listed(others.map(({ environment }) => environment.name))}.`,
      };
}

function isPromised({ path, to }: PromisedField, value: Json | undefined): boolean {
  if (to === undefined) return sameField(path, value, undefined);
  return "value" in to ? sameField(path, value, to.value) : value !== undefined && hashOfValue(value) === to.hash;
}

function fieldName({ object, path }: PromisedField): string {
  return path.length === 0 ? describeRef(object) : `${describeRef(object)} ${formatPath(path)}`;
}

function listed(items: readonly string[]): string {
  const more = items.length - 5;
  return `${items.slice(0, 5).join("; ")}${more > 0 ? ` and ${more} more` : ""}`;
}
