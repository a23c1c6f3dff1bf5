import { messageOf, StanchError } from "../errors.ts";
import { describeRef, refOf } from "../kube/ref.ts";
import type { FileEdit, KubeObject, Source } from "../model.ts";
import type { Checkout, Renderer } from "../ports.ts";
import { isInput, sharedEdits, withInputs, withInputTexts } from "./input.ts";
import { changedObjects } from "./render-delta.ts";
import { findRoots, type RenderRoot, rootKey } from "./render-roots.ts";
import { inputsOf } from "./revert-candidates.ts";
import { openTree, type Tree } from "./tree.ts";
import { openTrial } from "./trial.ts";

/** A root in words: two that render one folder are told apart by namespace or owner. */
function rootName({ path, namespace, owner }: Source, beside: Source): string {
  if (path !== beside.path) return path;
  if (namespace !== undefined && namespace !== beside.namespace) return `${path} in namespace ${namespace}`;
  return owner.name === beside.owner.name ? path : `${path} by ${owner.name}`;
}

/** A render root whose output changes with an edit, or of which that cannot be said. */
export interface Blast {
  readonly root: string;
  readonly objects: readonly string[];
  /** Why it could not be rendered before or after. */
  readonly problem?: string;
}

/** Renders a source with edits tried out in a private copy of what it is made of; the checkout is never touched. */
export interface Probe {
  readonly tree: Tree;
  /** Renders so far. */
  renders(): number;
  /** The objects with edits in place; the render without edits is kept. Throws StanchError `render`. */
  render(edits: readonly FileEdit[]): Promise<readonly KubeObject[]>;
  /** What edits change in the other render roots of the repository, and how many roots there are to look at. `first`: one is enough. */
  blast(
    edits: readonly FileEdit[],
    options?: { readonly first?: boolean },
  ): Promise<{ readonly others: readonly Blast[]; readonly roots: number }>;
  /** Programs that rendered. */
  tools(): readonly string[];
  close(): Promise<void>;
}

export interface ProbeRequest {
  readonly source: Source;
  readonly checkout: Checkout;
  readonly renderer: Renderer;
  /** Other sources that are deployed from the same repository and branch. */
  readonly roots: readonly Source[];
  /** Called before each render: a search may take longer than the lease lasts. What it throws ends the search. */
  readonly tick?: (() => Promise<void>) | undefined;
}

export async function openProbe({ source, checkout, renderer, roots: known, tick }: ProbeRequest): Promise<Probe> {
  const tree = withInputTexts(await openTree(checkout.directory), source);
  const trial = await openTrial(checkout.directory);
  await trial.add(await inputsOf(tree, source));
  const baselines = new Map<string, Promise<readonly KubeObject[]>>();
  const tools = new Set<string>();
  let renders = 0;
  let roots: Promise<RenderRoot[]> | undefined;
  let latest: { readonly key: string; readonly objects: readonly KubeObject[] } | undefined;

  async function renderOnce(of: Source, edits: readonly FileEdit[]): Promise<readonly KubeObject[]> {
    await tick?.();
    renders++;
    const files = edits.filter(({ file }) => !isInput(file));
    // One text may be taken in several ways: all of them change with it.
    const inputs = [...edits, ...sharedEdits(edits, of, of)];
    const rendered = await trial.withEdits(files, () => renderer.render(trial.directory, withInputs(of, inputs)));
    tools.add(rendered.tool);
    return rendered.objects;
  }

  async function baseline(of: Source): Promise<readonly KubeObject[]> {
    let objects = baselines.get(rootKey(of));
    if (objects === undefined) {
      objects = renderOnce(of, []);
      baselines.set(rootKey(of), objects);
    }
    return objects;
  }

  const render = async (of: Source, edits: readonly FileEdit[]): Promise<readonly KubeObject[]> =>
    edits.length === 0 ? baseline(of) : renderOnce(of, edits);

  async function blastOf(root: RenderRoot, all: readonly FileEdit[], own: ReadonlySet<string>): Promise<Blast | null> {
    const edits = [...all.filter(({ file }) => root.files.has(file)), ...sharedEdits(all, source, root.source)];
    if (edits.length === 0) return null;
    const name = rootName(root.source, source);
    if (root.problem !== undefined) return { root: name, objects: [], problem: root.problem };
    try {
      await trial.add(root.files);
      const changed = changedObjects(await render(root.source, []), await render(root.source, edits));
      const objects = isKnown(root) ? changed.filter((object) => !own.has(object)) : changed;
      return objects.length === 0 ? null : { root: name, objects };
    } catch (error) {
      if (error instanceof StanchError && error.code === "lease") throw error;
      return { root: name, objects: [], problem: messageOf(error) };
    }
  }

  /** Deployed into this cluster, too: an object of the same name and namespace is the same object. */
  const isKnown = ({ source: of }: RenderRoot): boolean =>
    of.owner.elsewhere !== true && known.some((other) => rootKey(other) === rootKey(of));

  /** What the source itself renders with a namespace of its own. */
  async function namedObjects(): Promise<ReadonlySet<string>> {
    const objects = await baseline(source);
    return new Set(
      objects.filter(({ metadata }) => metadata.namespace !== undefined).map((it) => describeRef(refOf(it))),
    );
  }

  return {
    tree,
    renders: () => renders,
    async render(edits) {
      if (edits.length === 0) return baseline(source);
      // The edits that were just found good are asked for once more when all are looked at together.
      const key = JSON.stringify(edits.map(({ file, after }) => [file, after]));
      if (latest?.key !== key) latest = { key, objects: await renderOnce(source, edits) };
      return latest.objects;
    },
    async blast(edits, { first = false } = {}) {
      roots ??= checkout.files().then((files) =>
        findRoots(
          tree,
          files.map((file) => file.path),
          [source, ...known.filter((other) => rootKey(other) !== rootKey(source))],
        ),
      );
      const all = await roots;
      const own = await namedObjects();
      const others: Blast[] = [];
      for (const root of all.filter((it) => rootKey(it.source) !== rootKey(source))) {
        const blast = await blastOf(root, edits, own);
        if (blast !== null) others.push(blast);
        // A chart may be shared by hundreds.
        if (first && others.length > 0) break;
      }
      return { others, roots: all.length };
    },
    tools: () => [...tools],
    close: () => trial.close(),
  };
}
