import { getAt } from "../kube/field-path.ts";
import { fieldAt } from "../kube/fields.ts";
import { keyOf, refOf } from "../kube/ref.ts";
import type { FieldPath, KubeObject } from "../model.ts";
import { type Comparison, compareObjects, type Difference } from "./compare.ts";
import { onlyPresence, vanishes, withoutTrackingLabel } from "./declared.ts";
import type { Hotfixes, HotfixMatch } from "./hotfixes.ts";
import type { DriftClass } from "./model.ts";
import type { Declared, Root } from "./root.ts";

/** What one object comes to, before it is put into words. */
export interface Verdict {
  readonly class: DriftClass;
  readonly differences: readonly Difference[];
  readonly folded: number;
  /** Why it is what it is, where the fields do not say it. */
  readonly reason?: string;
  readonly hotfix?: HotfixMatch;
  /** Rule → differences that it hid. */
  readonly hidden: ReadonlyMap<string, number>;
}

export interface JudgeContext {
  readonly root: Root;
  readonly hotfixes: Hotfixes;
  /** Is something else scaling this object? */
  readonly scaled: (live: KubeObject) => Promise<boolean>;
  /** What the deployer's next apply would make of it; null: it is compared as it stands. */
  readonly predict: (declared: KubeObject, live: KubeObject, differs: boolean) => Promise<KubeObject | null>;
  /** Takes out what ignore rules name, and says which did. */
  readonly ignore: (
    differences: readonly Difference[],
    objects: { readonly declared: KubeObject; readonly live: KubeObject; readonly predicted: KubeObject | null },
  ) => { readonly left: readonly Difference[]; readonly hidden: ReadonlyMap<string, number> };
}

export const OWN =
  "written by the deployer itself: a webhook changed it, or it comes from values that are not known here";

const UNSTABLE = "values that come out otherwise each time the chart is rendered";

/** Compares one object that Git declares now, or declared when it was deployed. `live` null: it is not there. */
export async function judge(declared: Declared, live: KubeObject | null, context: JudgeContext): Promise<Verdict> {
  const { deployed, head } = declared;
  if (live === null) return absent(declared, context.root);
  const base = deployed ?? head;
  if (base === undefined) return clean();
  const rests = restingReason(live, base, context);
  if (rests !== null) return { ...clean(), class: "suspended", reason: rests };
  const presence = onlyPresence(base, context.root.source);
  if (presence !== null) return { ...clean(), hidden: new Map([[presence, 1]]) };
  if (deployed === undefined)
    return { ...clean(), class: "pending", reason: "the head declares it, and it was not deployed from there yet" };
  const now = await compared(deployed, live, context);
  if (head === undefined)
    return { ...clean(), class: "pending", reason: "the head of the branch does not declare it any more" };
  const next = same(deployed, head) ? now : await compared(head, live, context);
  return sorted(now, next, live, context);
}

async function compared(
  declared: KubeObject,
  live: KubeObject,
  context: JudgeContext,
): Promise<Comparison & { readonly hidden: ReadonlyMap<string, number> }> {
  const { root, predict, ignore } = context;
  const said = withoutTrackingLabel(declared, live, root.source);
  const first = compareObjects(said, live, { deploys: root.deploys });
  const predicted = await predict(said, live, first.differences.length > 0);
  const { differences, folded } =
    predicted === null ? first : compareObjects(said, live, { deploys: root.deploys, predicted });
  const { left, hidden } = ignore(differences, { declared: said, live, predicted });
  const unstable = left.length === 0 ? [] : await root.unstable(keyOf(refOf(declared)));
  const stable = left.filter(({ path }) => !unstable.some((other) => isRelated(path, other)));
  if (stable.length === left.length) return { differences: left, folded, hidden };
  return { differences: stable, folded, hidden: new Map([...hidden, [UNSTABLE, left.length - stable.length]]) };
}

/** Is one of two fields the other, or in it? */
function isRelated(a: FieldPath, b: FieldPath): boolean {
  const length = Math.min(a.length, b.length);
  return JSON.stringify(a.slice(0, length)) === JSON.stringify(b.slice(0, length));
}

type Compared = Awaited<ReturnType<typeof compared>>;

async function sorted(now: Compared, next: Compared, live: KubeObject, context: JudgeContext): Promise<Verdict> {
  const { root, hotfixes, scaled } = context;
  const hidden = new Map(now.hidden);
  const own = now.differences.filter((difference) => difference.own === true);
  const ahead = new Set(next.differences.map(pathKey));
  const behind = new Set(now.differences.map(pathKey));
  // Live may be what the head says already: then only the deployment is missing.
  const foreign = now.differences.filter((difference) => difference.own !== true && ahead.has(pathKey(difference)));
  const pending = next.differences.filter((difference) => !behind.has(pathKey(difference)));
  // Nobody says what was deployed: what the deployer wrote last is what Git said then.
  const known = root.commit !== undefined || root.source.remote !== undefined || root.deploys === "configuration";
  if (!known) pending.push(...own);
  else if (own.length > 0) hidden.set(OWN, own.length);
  const drift: Difference[] = [];
  const conflict: Difference[] = [];
  const hotfix: Difference[] = [];
  let match: HotfixMatch | undefined;
  for (const difference of foreign) {
    const found = hotfixes.explains(live, difference);
    if (found !== null) {
      match ??= found;
      hotfix.push(difference);
    } else if (await isClaimed(difference, live, scaled)) conflict.push(difference);
    else drift.push(difference);
  }
  const rest = { folded: now.folded, hidden, ...(match === undefined ? {} : { hotfix: match }) };
  if (drift.length > 0) return { class: "drift", differences: drift, ...rest };
  if (hotfix.length > 0) return { class: "hotfix", differences: hotfix, ...rest };
  if (pending.length > 0) return { class: "pending", differences: pending, ...rest };
  if (conflict.length > 0) return { class: "conflict", differences: conflict, ...rest };
  return { class: "in-sync", differences: [], ...rest };
}

/** Does a controller claim the field as Git does? Replicas belong to whatever scales, whoever wrote them last. */
async function isClaimed(difference: Difference, live: KubeObject, scaled: JudgeContext["scaled"]): Promise<boolean> {
  const { path, by } = difference;
  if (path.length === 2 && path[0] === "spec" && path[1] === "replicas" && (await scaled(live))) return true;
  return by.writer === "autoscaler" || by.writer === "controller";
}

function absent({ deployed, head }: Declared, { source }: Root): Verdict {
  const object = deployed ?? head;
  // Gone from both, or never deployed: there is nothing to miss.
  if (object === undefined || head === undefined || vanishes(object)) return clean();
  if (deployed === undefined)
    return { ...clean(), class: "pending", reason: "the head declares it, and it was not deployed yet" };
  return { ...clean(), class: "missing", reason: `${source.owner.name} deployed it, and it is not there` };
}

const RECONCILE = ["metadata", "annotations", "kustomize.toolkit.fluxcd.io/reconcile"] as const;
const CORRECT = ["metadata", "annotations", "helm.toolkit.fluxcd.io/driftDetection"] as const;

/** Was the deployer told to leave this object alone, and not by a hold of ours? */
function restingReason(live: KubeObject, declared: KubeObject, { root, hotfixes }: JudgeContext): string | null {
  const path = root.deploys === "kustomization" ? RECONCILE : root.deploys === "helmrelease" ? CORRECT : null;
  if (path === null) return null;
  if (getAt(live, path) !== "disabled" && fieldAt(declared, ...path) !== "disabled") return null;
  return hotfixes.holds(live) ? null : `it is annotated ${path[2]}: disabled`;
}

function clean(): Verdict {
  return { class: "in-sync", differences: [], folded: 0, hidden: new Map() };
}

export function pathKey({ path }: Pick<Difference, "path">): string {
  return JSON.stringify(path);
}

function same(a: KubeObject, b: KubeObject): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
