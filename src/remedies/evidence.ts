import { formatPath } from "../kube/field-path.ts";
import { parseImage, sameRepository, versionOf } from "../kube/image.ts";
import type { Change, Evidence } from "../model.ts";
import { placeOf } from "./place.ts";

const LENGTH = 300;

/** A fact that a remedy found. Ids name its kind, so that they never meet those of the finding (e1, e2, …). */
export function fact(kind: Exclude<Evidence["kind"], "log">, text: string, at?: string): Evidence {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return {
    id: `${kind}1`,
    kind,
    text: line.length <= LENGTH ? line : `${line.slice(0, LENGTH - 1)}…`,
    ...(at === undefined ? {} : { at }),
  };
}

/** Facts with ids that are all different: git1, git2, registry1. */
export function numbered(facts: readonly Evidence[]): Evidence[] {
  const counts = new Map<string, number>();
  return facts.map((item) => {
    const count = (counts.get(item.kind) ?? 0) + 1;
    counts.set(item.kind, count);
    return { ...item, id: `${item.kind}${count}` };
  });
}

/** A value of a change for people: one line, short, never the whole of a file in a ConfigMap. */
export function show(value: unknown): string {
  if (value === undefined) return "not set";
  if (value === "") return '""';
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const line = text.replaceAll(/\s+/g, " ");
  return line.length <= 60 ? line : `${line.slice(0, 59)}…`;
}

/** Changes in one line, for titles: `app.image app:2 → app:1 and 1 more`. */
export function describeChanges(changes: readonly Change[]): string {
  const first = changes[0];
  if (first === undefined) return "nothing changes";
  const more = changes.length > 1 ? ` and ${changes.length - 1} more` : "";
  const [from, to] = shortened(first);
  // 8080 and "8080" are different things, and only so do they look it.
  const [was, is] = show(from) === show(to) ? [JSON.stringify(from), JSON.stringify(to)] : [from, to];
  return `${nameOf(first)} ${show(was)} → ${show(is)}${more}`;
}

/** Of two references of one image repository only what differs: a registry's name alone fills a title. */
function shortened({ path, from, to }: Change): readonly [unknown, unknown] {
  const [before, after] = path.at(-1) === "image" ? [parseImage(String(from)), parseImage(String(to))] : [null, null];
  return before !== null && after !== null && sameRepository(before, after)
    ? [versionOf(before), versionOf(after)]
    : [from, to];
}

/** A field as short as it stays clear: from the container on, or from the top of the object. */
function nameOf({ object, path }: Change): string {
  const place = placeOf(object.kind, path);
  if (place === null) return formatPath(path.filter((step, index) => index > 0 || step !== "spec"));
  const start = [place.container, place.field].filter((step) => step !== undefined && step !== "") as string[];
  return formatPath([...start, ...place.rest]);
}
