import type { Config } from "../config/schema.ts";
import { matchesGlob } from "../config/scope.ts";
import type { DriftReport } from "../drift/model.ts";
import { StanchError } from "../errors.ts";
import { declaredIn } from "../gitops/manifest.ts";
import { parseOnce } from "../gitops/parse-cache.ts";
import type { KubeObject } from "../model.ts";
import type { Checkout, Registry, Renderer } from "../ports.ts";
import type { ChangePromise } from "../pull-request/promise.ts";
import { carriedFields, notesOf, type OpenPull } from "./carried.ts";
import { type Compared, compare, declaredOn, isAffected, type Pair, pairsOf } from "./compare.ts";
import { absentImages } from "./images.ts";
import type { Environment, Review } from "./model.ts";
import { reprove } from "./reproof.ts";
import { openSide, type Side, type SideRequest } from "./side.ts";

export interface ReviewRequest {
  readonly base: Checkout;
  readonly head: Checkout;
  /** Files that differ between them. */
  readonly changed: readonly string[];
  readonly repository: string;
  readonly number: number;
  /** The branch that is merged into, and whether it is the repository's default. */
  readonly branch: string;
  readonly isDefault: boolean;
  readonly config: Pick<Config, "sources">;
  readonly hosts: readonly string[];
  readonly renderer: Renderer;
  /** Absent: registries are not asked. */
  readonly registry?: Pick<Registry, "exists">;
  /** What the clusters said last, as far as it is known. */
  readonly reports: readonly DriftReport[];
  readonly pulls: readonly OpenPull[];
  /** The pull request is one of Stanch's: its incident, and what it promised. Null: it does not say. */
  readonly own?: { readonly incident: string; readonly promise: ChangePromise | null };
  /** Globs over folders of roots; empty: all. */
  readonly only: readonly string[];
  readonly gaps: readonly string[];
}

/** Roots that are rendered twice in one review. */
const MOST_ROOTS = 60;

/** Renders what a pull request touches, before and after, and says what deploying it will do. Throws StanchError `config` for roots that are none. */
export async function review(request: ReviewRequest): Promise<Review> {
  const { base, head, repository, number, changed, own } = request;
  const gaps = [...request.gaps];
  const sideOf = (checkout: Checkout): SideRequest => ({ ...request, checkout });
  const [before, after] = await Promise.all([openSide(sideOf(base)), openSide(sideOf(head))]);
  const pairs = chosen(pairsOf(before, after), request.only);
  const files = new Set(changed);
  const through = (file: string): readonly string[] => [...before.through(file), ...after.through(file)];
  const affected = pairs.filter((pair) => isAffected(pair, files, through));
  if (affected.length > MOST_ROOTS)
    gaps.push(
      `${affected.length - MOST_ROOTS} further environments are touched and were not rendered: narrow \`roots\`.`,
    );
  const rendered = affected.slice(0, MOST_ROOTS);
  const declared = {
    before: await declaredOn(
      before,
      rendered.flatMap((pair) => pair.before ?? []),
      await manifestsOf(before),
    ),
    after: await declaredOn(
      after,
      rendered.flatMap((pair) => pair.after ?? []),
      await manifestsOf(after),
    ),
  };
  const compared: Compared[] = [];
  const touched = (file: string): boolean => through(file).some((path) => files.has(path));
  for (const pair of rendered) compared.push(await compare(pair, before, after, { declared, touched }));
  const absent = request.registry === undefined ? new Map() : await absentImages(compared, request.registry);
  const carried = carriedFields(request.reports, request.pulls, number);
  if (own?.promise === null)
    gaps.push(
      "This pull request of Stanch's does not say what it was proved to change, so that its proof cannot be made again.",
    );
  const environments = compared.map((one): Environment => {
    const more = absent.get(one) ?? [];
    return { ...one.environment, problems: [...one.environment.problems, ...more] };
  });
  return {
    repository,
    number,
    base: base.revision,
    head: head.revision,
    environments: environments.filter(saysSomething),
    notes: notesOf(carried, compared),
    ...(own === undefined || own.promise === null
      ? {}
      : {
          reproof: await reprove({
            incident: own.incident,
            promise: own.promise,
            changed,
            compared,
            checkout: base,
            renderer: request.renderer,
          }),
        }),
    unseen: [...unseenOf(before, after), ...new Set(compared.flatMap(({ passed }) => passed))],
    gaps,
    untouched: pairs.length - affected.length,
    tools: [...new Set([...before.tools(), ...after.tools()])].sort(),
  };
}

function saysSomething({ effects, follows, problems, fault }: Environment): boolean {
  return effects.length + follows.length + problems.length > 0 || fault !== undefined;
}

function chosen(pairs: readonly Pair[], only: readonly string[]): readonly Pair[] {
  if (only.length === 0) return pairs;
  const folderOf = ({ before, after }: Pair): string => (after ?? before)?.folder ?? "";
  for (const glob of only)
    if (!pairs.some((pair) => matchesGlob(glob, folderOf(pair)))) {
      const known = [...new Set(pairs.map(folderOf))].sort();
      const shown = known.slice(0, 20).join(", ");
      throw new StanchError("config", `roots: "${glob}" is no folder that is deployed from this repository`, {
        hint:
          known.length === 0
            ? "nothing that could be deployed was found"
            : `known are: ${shown}${known.length > 20 ? ", …" : ""}`,
      });
    }
  return pairs.filter((pair) => only.some((glob) => matchesGlob(glob, folderOf(pair))));
}

/** Deployers that this pull request changes and whose sources a review does not render. */
function unseenOf(before: Side, after: Side): string[] {
  return [...after.closed].flatMap(([name, { reason, says }]) =>
    before.closed.get(name)?.says === says ? [] : [`What ${name} deploys is not rendered: ${reason}.`],
  );
}

/** Objects as they stand in the files of a commit, whoever deploys them. */
async function manifestsOf({ tree, checkout }: Side): Promise<KubeObject[]> {
  const out: KubeObject[] = [];
  for (const { path, mode } of await checkout.files()) {
    if (!mode.startsWith("100") || !/\.(ya?ml|json)$/.test(path)) continue;
    const text = await tree.read(path).catch(() => null);
    if (text === null || !/\bkind\b/.test(text)) continue;
    const parsed = parseOnce(text);
    // Templates of charts are no YAML.
    if (parsed.ok) out.push(...parsed.values.flatMap((value) => declaredIn(value)).map(({ object }) => object));
  }
  return out;
}
