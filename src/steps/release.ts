import { messageOf, StanchError } from "../errors.ts";
import { getAt } from "../kube/field-path.ts";
import { inverse, toPatch } from "../kube/json-patch.ts";
import { describeRef, keyOf, sameRef } from "../kube/ref.ts";
import { sameValue } from "../kube/same-value.ts";
import { changeKey } from "../kube/written.ts";
import type { Change, Hold, KubeObject, ObjectRef, PatchOperation } from "../model.ts";
import type { Clock, Cluster, Log } from "../ports.ts";

export interface ReleaseContext {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Log;
}

const ATTEMPTS = 5;

/**
 * Gives up the ownership of the fields that a hotfix wrote. A field stays owned for as long as the manager stands in
 * `metadata.managedFields`, and a server-side deployer would then fail on, or silently keep, our value.
 */
export async function releaseOwnership(refs: readonly ObjectRef[], context: ReleaseContext): Promise<void> {
  for (const ref of refs) {
    const left = await letGoOf(ref, { changes: [], ownership: true }, context);
    if (left !== null)
      context.log.warn("ownership of the changed fields was not given up", { object: describeRef(ref), error: left });
  }
}

/**
 * Ends a hold: the ownership of the object's fields and what the hold itself wrote go, in one patch where they stand on one object. Then
 * the objects are read again, because a status that says Synced proves nothing. Null: it was seen to be gone; otherwise what stands.
 * `kept`: what another incident's hold still needs (`changeKey` of changes, `keyOf` of objects whose ownership stays).
 */
export async function releaseHold(
  hold: Hold,
  kept: ReadonlySet<string>,
  context: ReleaseContext,
): Promise<string | null> {
  const changes = hold.changes.filter((change) => !kept.has(changeKey(change)));
  const own = changes.filter((change) => sameRef(change.object, hold.object));
  const left = [await letGoOf(hold.object, { changes: own, ownership: !kept.has(keyOf(hold.object)) }, context)];
  // Its owner starts again only after nothing of ours is left for it to respect.
  const others = changes.filter((change) => !own.includes(change));
  for (const change of left[0] === null ? others : []) {
    const resumes = hold.kind === "argocd-skip";
    left.push(await letGoOf(change.object, { changes: [change], ownership: false, refresh: resumes }, context));
  }
  const said = left.filter((text) => text !== null);
  if (said.length === 0) return null;
  context.log.warn("a hold was not released", { object: describeRef(hold.object), kind: hold.kind, error: said[0] });
  return said.join("; ");
}

interface Ends {
  /** Undone where they stand as they were made; a value of somebody else's is theirs. */
  readonly changes: readonly Change[];
  readonly ownership: boolean;
  /** An Application that starts again looks at Git first, or it would put back what it remembers. */
  readonly refresh?: boolean;
}

/** Null when a last look finds nothing left; otherwise why not. */
async function letGoOf(ref: ObjectRef, ends: Ends, context: ReleaseContext): Promise<string | null> {
  let fault = "it came back again and again";
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      const live = await context.cluster.get(ref);
      if (live === null) return null;
      const operations = endings(live, ends);
      if (operations.length === 0) return null;
      await context.cluster.patch(ref, operations);
      // The next look is the proof; only what is still there is tried again.
    } catch (error) {
      if (!(error instanceof StanchError)) throw error;
      if (error.code === "not-found") return null;
      fault = messageOf(error);
      if (error.code !== "conflict") break;
      await context.clock.sleep(200 * attempt);
    }
  }
  return `${describeRef(ref)}: ${fault}`;
}

function endings(live: KubeObject, { changes, ownership, refresh }: Ends): PatchOperation[] {
  const ours = changes.filter((change) => sameValue(getAt(live, change.path), change.to));
  const entries = ownership ? (live.metadata.managedFields ?? []) : [];
  const indexes = entries.flatMap((entry, index) =>
    entry.manager === "stanch" && entry.subresource === undefined ? [index] : [],
  );
  return [
    ...toPatch(inverse(ours), live),
    ...(refresh === true && ours.length > 0 ? asksForRefresh() : []),
    // From the last to the first, so that the indexes stay right.
    ...indexes.toReversed().flatMap((index): PatchOperation[] => [
      { op: "test", path: `/metadata/managedFields/${index}/manager`, value: "stanch" },
      { op: "remove", path: `/metadata/managedFields/${index}` },
    ]),
  ];
}

function asksForRefresh(): PatchOperation[] {
  return [{ op: "add", path: "/metadata/annotations/argocd.argoproj.io~1refresh", value: "normal" }];
}
