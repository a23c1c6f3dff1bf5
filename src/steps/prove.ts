import { messageOf, StanchError } from "../errors.ts";
import { earlierOf } from "../gitops/earlier.ts";
import { editProblem } from "../gitops/edit-check.ts";
import { sameAsLive } from "../gitops/field-equality.ts";
import type { Link } from "../gitops/input-home.ts";
import { openProbe, type Probe } from "../gitops/probe.ts";
import { type Judgement, judge } from "../gitops/render-delta.ts";
import { findRendered } from "../gitops/rendered.ts";
import { sameShape } from "../gitops/same-shape.ts";
import { openTree, type Tree } from "../gitops/tree.ts";
import { formatPath, getAt } from "../kube/field-path.ts";
import { describeRef, keyOf } from "../kube/ref.ts";
import type { Change, Check, KubeObject, Located, ObjectRef, Proof, Source } from "../model.ts";
import type { Checkout, Cluster, Renderer } from "../ports.ts";

export interface ProveRequest {
  readonly located: Extract<Located, { found: true }>;
  readonly changes: readonly Change[];
  readonly source: Source;
  readonly checkout: Checkout;
  readonly renderer: Renderer;
  readonly cluster: Pick<Cluster, "get" | "dryRunApply" | "create">;
  /** Other sources that are deployed from the same repository and branch. */
  readonly roots?: readonly Source[];
  /** The change stands live: Git must now say exactly what the cluster runs. */
  readonly live?: boolean;
  /** Why the live half is impossible; the object must be made anew. */
  readonly gitOnly?: string;
  /** The commit that is taken back: what it changed elsewhere in the source may go back along. */
  readonly revertOf?: string;
  /** The renders on the way to the edited files, when the source is not edited itself: the first is the source's own. */
  readonly links?: readonly Link[];
  /** The repository that is edited, when it is not the source's own. */
  readonly edited?: Checkout;
  /** Called before each render. */
  readonly tick?: () => Promise<void>;
}

/** A render on the way with the probe that makes it. */
interface Rendering {
  readonly link: Link;
  readonly probe: Probe;
}

/** Proves the edits by rendering before and after and by asking the API server; every check says what it saw. */
export async function prove(request: ProveRequest): Promise<Proof> {
  const { source, checkout, renderer, changes, located, roots = [], tick } = request;
  const links = request.links ?? [{ source, checkout, roots, changes, edits: located.edits }];
  const renderings: Rendering[] = [];
  try {
    for (const link of links) {
      const probe = await openProbe({
        source: link.source,
        checkout: link.checkout,
        renderer,
        roots: link.roots,
        tick,
      });
      renderings.push({ link, probe });
    }
    return await checksOf(request, renderings);
  } finally {
    for (const { probe } of renderings) await probe.close();
  }
}

async function checksOf(request: ProveRequest, renderings: readonly Rendering[]): Promise<Proof> {
  const { located, edited = request.checkout } = request;
  const checks: Check[] = [await p1(located, await openTree(edited.directory))];
  const blast = new Map<string, Proof["blast"][number]>();
  let rootsChecked = 0;
  const { after, check } = await p2(renderings, request);
  checks.push(check);
  if (after !== null) {
    for (const { link, probe } of renderings) {
      const { others, roots } = await probe.blast(link.edits);
      rootsChecked += Math.max(1, roots);
      for (const { root, objects, problem } of others)
        blast.set(root, { root, objects: problem === undefined ? objects : [`could not be rendered: ${problem}`] });
      for (const root of link.siblings ?? []) blast.set(root, { root, objects: ["is made from the same text"] });
    }
    checks.push(p3([...blast.values()], rootsChecked, request));
    checks.push(await p4(after, request));
    const asked = await p5(after, request);
    checks.push(asked.check, ...(asked.mayAsk ? [] : [p6(request)]));
  }
  return {
    checks,
    // A shared base is listed and left to the reviewer; it is no proof that the other environments may change.
    complete: checks.every((row) => isEnough(row, checks, request)) && blast.size === 0,
    blast: [...blast.values()],
    rootsChecked: Math.max(1, rootsChecked),
    tools: [...new Set(renderings.flatMap(({ probe }) => probe.tools()))],
  };
}

/** Passed; or not run where that is no lack: no live change to compare with, or P6 in the place of P5. */
function isEnough(check: Check, checks: readonly Check[], { live }: ProveRequest): boolean {
  if (check.result !== "not-run") return check.result === "passed";
  if (check.id === "P4") return live !== true;
  return check.id === "P5" && checks.some((other) => other.id === "P6" && other.result === "passed");
}

async function p1({ edits, locations }: ProveRequest["located"], tree: Tree): Promise<Check> {
  const problems: string[] = [];
  for (const edit of edits) {
    const problem = editProblem(edit, await tree.read(edit.file), locations);
    if (problem !== undefined) problems.push(problem);
  }
  if (problems.length > 0) return { id: "P1", result: "failed", text: problems.join(" ") };
  const names = [...new Set(edits.map((edit) => edit.file))].join(", ");
  return { id: "P1", result: "passed", text: `${names}: parsed before and after; only the planned lines differ.` };
}

/** Every render on the way changes as was wanted of it, and in nothing else. `after`: what the source renders then. */
async function p2(
  renderings: readonly Rendering[],
  request: ProveRequest,
): Promise<{ readonly check: Check; readonly after: readonly KubeObject[] | null }> {
  const failed = (text: string) => ({ check: { id: "P2", result: "failed", text } as const, after: null });
  const afters: (readonly KubeObject[])[] = [];
  const follows: string[] = [];
  const returned: string[] = [];
  for (const { link, probe } of renderings) {
    const before = await probe.render([]);
    const after = await probe.render(link.edits).catch((error: unknown) => {
      if (!(error instanceof StanchError)) throw error;
      return error;
    });
    if (after instanceof StanchError)
      return failed(`With the edits ${link.source.path} does not render: ${messageOf(after)}`);
    const earlier = await earlierOf(request.revertOf, link.source, link.checkout, request.renderer);
    const judgement = judge(before, after, link.changes, link.source, earlier);
    const problem = wrongIn(judgement, link.source);
    if (problem !== undefined) return { ...failed(problem), after: afters[0] ?? after };
    follows.push(...judgement.allowed);
    returned.push(...judgement.returned);
    afters.push(after);
  }
  const { changes, revertOf } = request;
  const way = renderings
    .slice(1)
    .map(({ link }) => describeRef(link.changes[0]?.object ?? request.source.owner.ref ?? NOBODY));
  const back =
    returned.length === 0
      ? ""
      : `; with it, because one value of Git says both, ${listed(returned)} ${returned.length === 1 ? "goes" : "go"} back to what was before ${revertOf?.slice(0, 7)}`;
  const text = `Rendered before and after${way.length === 0 ? "" : `, through ${way.join(" and ")}`}: exactly the wanted ${changes.length === 1 ? "change" : `${changes.length} changes`}${follows.length === 0 ? "" : `, and what follows by itself (${follows.slice(0, 3).join("; ")})`}${back}.`;
  return { check: { id: "P2", result: "passed", text }, after: afters[0] ?? [] };
}

const NOBODY: ObjectRef = { apiVersion: "", kind: "", namespace: "", name: "" };

function wrongIn({ missing, side }: Judgement, source: Source): string | undefined {
  if (missing.length > 0)
    return `${missing.length} of the wanted changes do not appear in what ${source.path} renders.`;
  return side.length > 0 ? `The edits change more than was wanted: ${side.slice(0, 5).join("; ")}` : undefined;
}

function listed(items: readonly string[]): string {
  const more = items.length - 5;
  return `${items.slice(0, 5).join("; ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function p3(blast: Proof["blast"], roots: number, { source, located }: ProveRequest): Check {
  if (blast.length > 0)
    return {
      id: "P3",
      result: "failed",
      text: `Other environments change too: ${blast.map((row) => row.root).join(", ")}.`,
    };
  const own = source.helm?.values ?? [];
  // Which values a chart is rendered with elsewhere, no file of the repository says.
  const inChart =
    source.tool === "helm" && located.source.id === source.id && located.edits.some((edit) => !own.includes(edit.file));
  const looked =
    roots === 1 ? "The repository has no other render root." : `${roots} render roots looked at; no other one changes.`;
  return {
    id: "P3",
    result: "passed",
    text: inChart
      ? `${looked} The edit is in the chart itself: a release that the configuration does not name changes, too.`
      : looked,
  };
}

/** Git after the merge against the cluster after the hotfix, on the fields that were touched. */
async function p4(after: readonly KubeObject[], request: ProveRequest): Promise<Check> {
  if (request.live !== true)
    return { id: "P4", result: "not-run", text: "Nothing was changed live; there is no live change to compare with." };
  for (const [ref, changes] of grouped(request.changes)) {
    const live = await request.cluster.get(ref);
    const declared = findRendered(after, ref, request.source);
    if (live === null) return { id: "P4", result: "failed", text: `${describeRef(ref)} is not in the cluster.` };
    const differs = changes.filter(
      (change) => !sameAsLive(change.path, getAt(declared, change.path), getAt(live, change.path)),
    );
    if (differs.length > 0)
      return {
        id: "P4",
        result: "failed",
        text: `Git would say something else than the cluster runs for ${differs.length} field${differs.length === 1 ? "" : "s"} of ${describeRef(ref)}.`,
      };
  }
  return { id: "P4", result: "passed", text: "What Git will say is what the cluster runs since the live change." };
}

/** Would the API server take the rendered objects? Where a field cannot be changed in place, a copy under another name is tried. */
async function p5(
  after: readonly KubeObject[],
  request: ProveRequest,
): Promise<{ readonly check: Check; readonly mayAsk: boolean }> {
  const said = (result: Check["result"], text: string, mayAsk = true) => ({
    check: { id: "P5", result, text } as const,
    mayAsk,
  });
  for (const [ref, changes] of grouped(request.changes)) {
    const declared = findRendered(after, ref, request.source);
    if (declared === undefined) return said("failed", `${describeRef(ref)} is not rendered any more.`);
    const object = {
      ...declared,
      metadata: { ...declared.metadata, ...(ref.namespace === "" ? {} : { namespace: ref.namespace }) },
    };
    try {
      const stored = await dryRun(object, request);
      const altered = changes.filter(
        ({ path, to }) => to !== undefined && !sameAsLive(path, getAt(declared, path), getAt(stored, path)),
      );
      if (altered.length > 0)
        return said(
          "failed",
          `The API server takes the rendered objects and makes something else of ${altered.map(({ path }) => formatPath(path)).join(", ")}.`,
        );
    } catch (error) {
      if (!(error instanceof StanchError)) throw error;
      // Admission says "forbidden" as well, to what it does not like: only missing rights are no answer.
      const unasked = error.code === "forbidden" && /cannot \w+ resource|status 40[13]|nauthorized/.test(error.message);
      if (error.code === "cluster" || unasked)
        return said("not-run", `The API server did not answer the question: ${messageOf(error)}`, !unasked);
      return said("failed", `The API server would refuse it: ${messageOf(error)}`);
    }
  }
  return said("passed", "The API server takes the rendered objects (server-side dry run).");
}

/** Where the API server may not be asked: does every changed field keep its shape, or go back to what was deployed before? */
function p6({ changes, revertOf }: ProveRequest): Check {
  if (revertOf !== undefined)
    return { id: "P6", result: "passed", text: `What is put back is what Git said before ${revertOf.slice(0, 7)}.` };
  const open = changes.filter(({ from, to }) => !sameShape(from, to));
  return open.length === 0
    ? { id: "P6", result: "passed", text: "Every changed field keeps the shape of the value that the API server took." }
    : {
        id: "P6",
        result: "not-run",
        text: `Only the API server can say whether it takes ${open.map(({ path }) => formatPath(path)).join(", ")}.`,
      };
}

async function dryRun(object: KubeObject, { cluster, gitOnly }: ProveRequest): Promise<KubeObject> {
  if (gitOnly === undefined || !/cannot be changed while it exists/.test(gitOnly)) return cluster.dryRunApply(object);
  const name = `${object.metadata.name.slice(0, 40)}-stanch-dry-run`;
  return cluster.create({ ...object, metadata: { ...object.metadata, name } }, { dryRun: true });
}

function grouped(changes: readonly Change[]): [ObjectRef, Change[]][] {
  const groups = Map.groupBy(changes, (change) => keyOf(change.object));
  return [...groups.values()].flatMap((group): [ObjectRef, Change[]][] =>
    group[0] === undefined ? [] : [[group[0].object, group]],
  );
}
