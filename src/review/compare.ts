import { messageOf, StanchError } from "../errors.ts";
import { describeUnread } from "../gitops/unread.ts";
import type { KubeObject } from "../model.ts";
import type { Unread } from "../ports.ts";
import type { Scene } from "./checks/check.ts";
import { staticChecks } from "./checks/index.ts";
import { declaredNames } from "./declared.ts";
import { effectsOf } from "./effects.ts";
import { faultOf, type Outcome } from "./fault.ts";
import { createLocator } from "./locate.ts";
import type { Environment, Problem } from "./model.ts";
import type { Side, SideRoot } from "./side.ts";

/** One deployment on both sides; absent on the side that does not have it. */
export interface Pair {
  readonly before?: SideRoot;
  readonly after?: SideRoot;
}

/** What both renders of a pair are, for whoever looks further into them. */
export interface Compared {
  readonly pair: Pair;
  readonly environment: Environment;
  readonly before: readonly KubeObject[];
  readonly after: readonly KubeObject[];
  /** Files that neither side can read and that are the same on both: what they declare is not looked at. In sentences. */
  readonly passed: readonly string[];
}

/** Roots of both sides, put together by what they deploy. */
export function pairsOf(before: Side, after: Side): Pair[] {
  const keys = new Set([...before.roots, ...after.roots].map(({ key }) => key));
  return [...keys].map((key) => {
    const [was, is] = [before, after].map((side) => side.roots.find((root) => root.key === key));
    return { ...(was === undefined ? {} : { before: was }), ...(is === undefined ? {} : { after: is }) };
  });
}

/** Can a change of these files change what a pair renders? `through`: where a file that is a link leads, on either side. */
export function isAffected(
  { before, after }: Pair,
  changed: ReadonlySet<string>,
  through: (file: string) => readonly string[],
): boolean {
  if (before === undefined || after === undefined) return true;
  // What it is rendered with may stand in its deployer's object.
  if (JSON.stringify(before.source) !== JSON.stringify(after.source)) return true;
  return [before, after].some((root) => {
    if (root.problem === undefined) return [...root.files].some((file) => through(file).some((it) => changed.has(it)));
    // Its files are not known: whatever lies in its folder may be one.
    const folders = through(root.folder);
    return [...changed].some((file) => folders.some((folder) => folder === "." || file.startsWith(`${folder}/`)));
  });
}

/**
 * Renders a pair on both sides and says what differs and what is wrong. A root that does not render is said, never thrown, and so is a file
 * that cannot be read: what it declares must not look as if it were deleted. `touched`: does the pull request change what is read there?
 */
export async function compare(
  pair: Pair,
  before: Side,
  after: Side,
  { declared, touched }: { readonly declared: Declared; readonly touched: (file: string) => boolean },
): Promise<Compared> {
  const root = (pair.after ?? pair.before) as SideRoot;
  const [was, is] = await Promise.all([
    renderedOf(pair.before, pair.after, before),
    renderedOf(pair.after, pair.before, after),
  ]);
  const remark = remarkOf(root);
  const shared = { name: root.name, ...(remark === undefined ? {} : { remark }) };
  const whole = !(root.loose && root.source?.tool === "plain");
  const fault = faultOf(was, is, touched);
  if (fault !== null) {
    // With nothing to compare with, all that is wrong with a head that renders counts as new.
    const found =
      fault.when === "base"
        ? problemsOf({ objects: is.objects, before: is.objects, whole, declares: declared.after })
        : [];
    const problems = await placed(found, root, after);
    const environment = { ...shared, effects: [], follows: [], problems, old: [], solved: 0, fault };
    return { pair, environment, before: [], after: is.objects, passed: [] };
  }
  const { effects, follows } = effectsOf(was.objects, is.objects);
  const earlier = problemsOf({ objects: was.objects, before: was.objects, whole, declares: declared.before });
  const now = problemsOf({ objects: is.objects, before: was.objects, whole, declares: declared.after });
  const known = new Set(earlier.map(({ key }) => key));
  const left = new Set(now.map(({ key }) => key));
  const environment: Environment = {
    ...shared,
    effects,
    follows,
    problems: await placed(
      now.filter(({ key }) => !known.has(key)),
      root,
      after,
    ),
    old: now.filter(({ key }) => known.has(key)),
    solved: earlier.filter(({ key }) => !left.has(key)).length,
  };
  const passed = is.unread.map(
    (file) => `${describeUnread(file)}; it is the same in the base, and what it declares is not looked at.`,
  );
  return { pair, environment, before: was.objects, after: is.objects, passed };
}

interface Declared {
  before(kind: string, name: string): boolean;
  after(kind: string, name: string): boolean;
}

/** What each side declares anywhere: in any root that was rendered, and in any manifest that lies in a file. */
export async function declaredOn(
  side: Side,
  roots: readonly SideRoot[],
  files: readonly KubeObject[],
): Promise<(kind: string, name: string) => boolean> {
  const none = { objects: [] };
  const rendered = await Promise.all(roots.map((root) => side.render(root).catch(() => none)));
  const { has } = declaredNames([...files, ...rendered.flatMap(({ objects }) => objects)]);
  return has;
}

function problemsOf(scene: Scene): Problem[] {
  return staticChecks.flatMap((check) => check.look(scene));
}

async function placed(problems: readonly Problem[], root: SideRoot, side: Side): Promise<Problem[]> {
  const locate = createLocator(side.tree);
  const out: Problem[] = [];
  for (const problem of problems) {
    const location = await locate(problem.object, problem.path, root.files);
    out.push(location === undefined ? problem : { ...problem, location });
  }
  return out;
}

/** One side of a pair; nobody says who deploys a loose folder, so of it only counts what is a manifest, or is one on the other side. */
async function renderedOf(root: SideRoot | undefined, other: SideRoot | undefined, side: Side): Promise<Outcome> {
  if (root === undefined) return { objects: [], unread: [] };
  try {
    const { objects, unread = [] } = await side.render(root);
    const counts = ({ file, looks }: Unread): boolean =>
      !root.loose || looks === "manifest" || other?.files.has(file) === true;
    return { objects, unread: unread.filter(counts) };
  } catch (error) {
    if (!(error instanceof StanchError)) throw error;
    const fault = `${messageOf(error)}${error.hint === undefined ? "" : ` (${error.hint})`}`;
    return { objects: [], unread: [], fault };
  }
}

function remarkOf({ source, loose }: SideRoot): string | undefined {
  if (loose) return "Nothing in the repository says who deploys this.";
  if (source?.owner.pinned !== undefined)
    return `It deploys ${source.owner.pinned}: what is merged does not come by itself.`;
  return source?.owner.suspended === true ? "It does not deploy by itself now." : undefined;
}
