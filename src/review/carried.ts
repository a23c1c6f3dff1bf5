import { isHotfix } from "../drift/item.ts";
import type { DriftReport, Shown } from "../drift/model.ts";
import { sameField } from "../gitops/field-equality.ts";
import { baseName, hasHashedName } from "../gitops/rendered.ts";
import { formatPath, getAt } from "../kube/field-path.ts";
import { describeRef, groupOf, keyOf } from "../kube/ref.ts";
import type { FieldPath, Json, KubeObject, ObjectRef } from "../model.ts";
import { type ChangePromise, hashOfValue } from "../pull-request/promise.ts";
import type { Compared } from "./compare.ts";
import type { Note } from "./model.ts";

/** A field that the cluster says and Git does not yet: a hotfix, or what an open pull request of Stanch's will make Git say. */
export interface Carried {
  readonly object: ObjectRef;
  /** Absent: the report was too long to say in which fields. */
  readonly path?: FieldPath;
  /** What the cluster says, or Git is to say; absent: the field is not there. */
  readonly value?: Shown;
  /** `incident shop/cart-oom (#12)`. */
  readonly by: string;
  /** It stands in the cluster now. */
  readonly live: boolean;
}

export interface OpenPull {
  readonly number: number;
  readonly incident: string;
  readonly promise: ChangePromise;
}

/** What is carried, by the published report and by Stanch's open pull requests. `except` is the pull request that is looked at. */
export function carriedFields(
  reports: readonly DriftReport[],
  pulls: readonly OpenPull[],
  except: number,
): readonly Carried[] {
  const out: Carried[] = [];
  for (const root of reports.flatMap(({ roots }) => roots))
    for (const item of root.items) {
      const { object, fields, more, incident, pullRequest } = item;
      if (!isHotfix(item) || pullRequest?.number === except) continue;
      const named = incident === undefined ? "a hotfix" : `incident ${incident.namespace}/${incident.name}`;
      const by = pullRequest === undefined ? named : `${named} (#${pullRequest.number})`;
      for (const { path, git, live } of fields) {
        // A difference has a value on one side at least: without any, they were left off for length.
        const value = live ?? (git === undefined ? LEFT_OFF : undefined);
        out.push({ object, path, ...(value === undefined ? {} : { value }), by, live: true });
      }
      if (more > 0 || fields.length === 0) out.push({ object, by, live: true });
    }
  const known = new Set(out.map(fieldKey));
  for (const { number, incident, promise } of pulls) {
    if (number === except) continue;
    for (const { object, path, to } of promise.changes) {
      const one: Carried = {
        object,
        path,
        ...(to === undefined ? {} : { value: to }),
        by: `incident ${incident} (#${number})`,
        live: false,
      };
      if (!known.has(fieldKey(one))) out.push(one);
    }
  }
  return out;
}

const LEFT_OFF: Shown = { cut: "" };

const fieldKey = ({ object, path = [] }: Pick<Carried, "object" | "path">): string =>
  `${keyOf(object)} ${formatPath(path)}`;

/** Where a pull request meets what is carried: each object and incident once, the worst of it. */
export function notesOf(carried: readonly Carried[], compared: readonly Compared[]): readonly Note[] {
  const notes = carried.flatMap((one) => compared.flatMap((pair) => noteOf(one, pair)));
  const groups = Map.groupBy(notes, ({ note, by }) => `${keyOf(note.object)} ${by}`);
  return [...groups.values()].map(
    (group) => group.toSorted((a, b) => rankOf(a.note) - rankOf(b.note))[0]?.note as Note,
  );
}

const RANK: readonly Note["kind"][] = ["undoes", "fixes", "touches"];
/** What must be looked at goes before what is only told. */
const rankOf = ({ kind, level }: Note): number => (level === "notice" ? RANK.length : 0) + RANK.indexOf(kind);

function noteOf(one: Carried, { before, after, environment }: Compared): { note: Note; by: string }[] {
  const [was, is] = [objectIn(before, one.object), objectIn(after, one.object)];
  const { object, path, by } = one;
  const made = (kind: Note["kind"], level: Note["level"], text: string) => [
    { note: { kind, level, object, text }, by },
  ];
  const title = describeRef(object);
  if (was === undefined) return [];
  const stands = one.live ? `the hotfix of ${by} stands in the cluster` : `the fix of ${by} is open`;
  if (is === undefined) return made("undoes", "warning", `This takes ${title} away while ${stands}.`);
  const touched = environment.effects.some(
    (effect) => keyOf(effect.object) === keyOf(object) || objectIn([is], effect.object) !== undefined,
  );
  if (path === undefined)
    return touched
      ? made(
          "touches",
          "warning",
          `This changes ${title}, for which ${stands}; in which fields did not fit into the report, so that whether it undoes it cannot be told.`,
        )
      : [];
  const [from, to] = [getAt(was, path), getAt(is, path)];
  const field = formatPath(path);
  const same = says(path, to, one);
  if (same === true)
    return says(path, from, one) === true
      ? []
      : made(
          "fixes",
          "notice",
          `This makes Git say for ${title} ${field} what ${one.live ? `the hotfix of ${by} made live` : `the fix of ${by} says`}. Once it is deployed, that incident needs no other pull request.`,
        );
  if (!sameField(path, from, to))
    return same === null
      ? made(
          "touches",
          "warning",
          `This changes ${title} ${field}, for which ${stands}; whether to the same value cannot be told.`,
        )
      : made(
          "undoes",
          "warning",
          `This sets ${title} ${field} to something else than ${by} ${one.live ? "made live" : "proposes"}: deploying it undoes the fix, and the fault may be back.`,
        );
  return touched && one.live
    ? made(
        "touches",
        "notice",
        `${title} is changed here while the hotfix of ${by} stands in ${field}, which Git does not say yet: deploying it may take the hotfix back. Merge that pull request first.`,
      )
    : [];
}

/** Is a value what is carried? Null: of what is only known by a hash of its own key, or cut, nobody can say. */
function says(path: FieldPath, value: Json | undefined, { value: carried, live }: Carried): boolean | null {
  if (carried === undefined) return sameField(path, value, undefined);
  if ("value" in carried) return sameField(path, value, carried.value);
  // The report's hashes are keyed by the cluster; a promise's are not.
  if ("hash" in carried && !live) return value !== undefined && hashOfValue(value) === carried.hash;
  return null;
}

/** The rendered object that a live one comes from; one without a namespace may be meant by any. */
function objectIn(objects: readonly KubeObject[], ref: ObjectRef): KubeObject | undefined {
  const name = hasHashedName(ref.kind) ? baseName : (text: string): string => text;
  return objects.find(
    ({ kind, apiVersion, metadata }) =>
      kind === ref.kind &&
      groupOf(apiVersion) === groupOf(ref.apiVersion) &&
      name(metadata.name) === name(ref.name) &&
      (metadata.namespace === undefined || ref.namespace === "" || metadata.namespace === ref.namespace),
  );
}
