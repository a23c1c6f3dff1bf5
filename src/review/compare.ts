import { messageOf, StanchError } from "../errors.ts";
import type { KubeObject } from "../model.ts";
import type { Scene } from "./checks/check.ts";
import { staticChecks } from "./checks/index.ts";
import { declaredNames } from "./declared.ts";
import { effectsOf } from "./effects.ts";
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
}

/** Roots of both sides, put together by what they deploy. */
export function pairsOf(before: Side, after: Side): Pair[] {
  const keys = new Set([...before.roots, ...after.roots].map(({ key }) => key));
  return [...keys].map((key) => {
    const [was, is] = [before, after].map((side) => side.roots.find((root) => root.key === key));
    return { ...(was === undefined ? {} : { before: was }), ...(is === undefined ? {} : { after: is }) };
  });
}

/** Can a change of these files change what a pair renders? */
export function isAffected({ before, after }: Pair, changed: ReadonlySet<string>): boolean {
  if (before === undefined || after === undefined) return true;
  // What it is rendered with may stand in its deployer's object.
  if (JSON.stringify(before.source) !== JSON.stringify(after.source)) return true;
  return [before, after].some((root) => {
    const all = root.problem === undefined ? root.files : changed;
    const near = (file: string): boolean =>
      root.problem === undefined || root.folder === "." || file.startsWith(`${root.folder}/`);
    return [...changed].some((file) => all.has(file) && near(file));
  });
}

/** Renders a pair on both sides and says what differs and what is wrong. A root that does not render is said, never thrown. */
export async function compare(pair: Pair, before: Side, after: Side, declared: Declared): Promise<Compared> {
  const root = (pair.after ?? pair.before) as SideRoot;
  const [was, is] = await Promise.all([renderedOf(pair.before, before), renderedOf(pair.after, after)]);
  const remark = remarkOf(root);
  const shared = { name: root.name, ...(remark === undefined ? {} : { remark }) };
  if ("fault" in is || "fault" in was) {
    const text = "fault" in is ? is.fault : "fault" in was ? was.fault : "";
    const when = "fault" in is ? ("fault" in was ? "both" : "head") : "base";
    const fault = { text, when } as const;
    const environment = { ...shared, effects: [], follows: [], problems: [], old: [], solved: 0, fault };
    return { pair, environment, before: [], after: "objects" in is ? is.objects : [] };
  }
  const { effects, follows } = effectsOf(was.objects, is.objects);
  const whole = !(root.loose && root.source?.tool === "plain");
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
  return { pair, environment, before: was.objects, after: is.objects };
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
  const rendered = await Promise.all(roots.map((root) => side.render(root).catch(() => [])));
  const { has } = declaredNames([...files, ...rendered.flat()]);
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

async function renderedOf(
  root: SideRoot | undefined,
  side: Side,
): Promise<{ readonly objects: readonly KubeObject[] } | { readonly fault: string }> {
  if (root === undefined) return { objects: [] };
  try {
    return { objects: await side.render(root) };
  } catch (error) {
    if (!(error instanceof StanchError)) throw error;
    return { fault: `${messageOf(error)}${error.hint === undefined ? "" : ` (${error.hint})`}` };
  }
}

function remarkOf({ source, loose }: SideRoot): string | undefined {
  if (loose) return "Nothing in the repository says who deploys this.";
  if (source?.owner.pinned !== undefined)
    return `It deploys ${source.owner.pinned}: what is merged does not come by itself.`;
  return source?.owner.suspended === true ? "It does not deploy by itself now." : undefined;
}
