import { StanchError } from "../errors.ts";
import { keyOf } from "../kube/ref.ts";
import type { Change, Commit, FileEdit, KubeObject, ObjectRef, Source } from "../model.ts";
import type { Checkout, Renderer } from "../ports.ts";
import { inputAt, withInputs } from "./input.ts";
import { diffObjects } from "./object-diff.ts";
import { findRendered } from "./rendered.ts";

/** An earlier version of something, newest first: from what it is now to what it was before the commit. */
export interface Version {
  readonly source: Source;
  readonly commit: Commit;
  readonly changes: readonly Change[];
  readonly before: KubeObject;
}

export interface HomeHistoryRequest {
  readonly ref: ObjectRef;
  readonly source: Source;
  readonly checkout: Checkout;
  readonly renderer: Renderer;
  /** Earlier versions of an object that holds inputs of the source. */
  previous(ref: ObjectRef): Promise<readonly Version[]>;
}

/**
 * Earlier versions of an object by what an Application, a HelmRelease or a ConfigMap said earlier: a commit that changed the values
 * there changed what is rendered, though no file of the source itself.
 */
export async function versionsThroughHomes(request: HomeHistoryRequest): Promise<Version[]> {
  const { ref, source, checkout, renderer, previous } = request;
  const homes = new Map<string, ObjectRef>();
  for (const { home } of Object.values(source.inputs ?? {}))
    if ("object" in home) homes.set(keyOf(home.object), home.object);
  if (homes.size === 0) return [];
  const render = async (of: Source): Promise<KubeObject | undefined> => {
    try {
      return findRendered((await renderer.render(checkout.directory, of)).objects, ref, of);
    } catch (error) {
      // What did not render then tells nothing.
      if (error instanceof StanchError && error.code === "render") return undefined;
      throw error;
    }
  };
  const now = await render(source);
  if (now === undefined) return [];
  const out: Version[] = [];
  for (const home of homes.values()) {
    let newer = "[]";
    for (const version of await previous(home)) {
      const before = await render(withInputs(source, inputsAt(source, version.before, home)));
      if (before === undefined) continue;
      const changes = diffObjects(now, before).map((change) => ({ ...change, object: ref }));
      const said = JSON.stringify(changes);
      if (changes.length > 0 && said !== newer) out.push({ source, commit: version.commit, changes, before });
      newer = said;
    }
  }
  return out;
}

/** The inputs that an object holds, as it said them at another time. */
function inputsAt(source: Source, object: KubeObject, ref: ObjectRef): FileEdit[] {
  return Object.entries(source.inputs ?? {}).flatMap(([file, { text, home }]) => {
    if (!("object" in home) || keyOf(home.object) !== keyOf(ref)) return [];
    return [{ file, before: text, after: inputAt(object, text, home) }];
  });
}

/** Two histories of one object as one. A version tells everything that changed since, so it takes over what the other one says. */
export function mergeVersions(a: readonly Version[], b: readonly Version[]): readonly Version[] {
  if (a.length === 0 || b.length === 0) return [...a, ...b];
  const rows = [
    ...a.map((version) => ({ version, of: "a" as const })),
    ...b.map((version) => ({ version, of: "b" as const })),
  ];
  rows.sort((one, other) => Date.parse(other.version.commit.at) - Date.parse(one.version.commit.at));
  const latest: { a: readonly Change[]; b: readonly Change[] } = { a: [], b: [] };
  return rows.map(({ version, of }) => {
    latest[of] = version.changes;
    const changes = new Map([...latest.a, ...latest.b].map((change) => [JSON.stringify(change.path), change]));
    return { ...version, changes: [...changes.values()] };
  });
}
