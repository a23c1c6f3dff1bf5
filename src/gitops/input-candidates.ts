import type { Json } from "../model.ts";
import type { Aim, Candidate } from "./candidate.ts";
import type { Layer } from "./kustomize-closure.ts";
import { imageCandidates } from "./kustomize-images.ts";
import { patchCandidates, patchInsertions } from "./kustomize-patches.ts";
import { leafEdits } from "./leaf-candidates.ts";
import { parseOnce } from "./parse-cache.ts";

/**
 * Places outside of the files of a source that may set a field, whatever tool renders it: what the owner lays over a chart
 * (`postRenderers`), and the variables that it fills in.
 */
export async function* inputCandidates(aim: Aim): AsyncGenerator<Candidate> {
  const { helm, substitute } = aim.source;
  for (const file of helm?.post?.toReversed() ?? []) {
    const layer = await postLayer(aim, file);
    if (layer === null) continue;
    yield* imageCandidates(aim, layer);
    yield* patchCandidates(aim, layer);
  }
  yield* leafEdits(aim, substitute?.inputs.toReversed() ?? [], "substitution");
}

/** What a chart does not offer as a value can be said in a patch that the owner already lays over it. */
export async function* inputInsertions(aim: Aim): AsyncGenerator<Candidate> {
  for (const file of aim.source.helm?.post?.toReversed() ?? []) {
    const layer = await postLayer(aim, file);
    if (layer !== null) yield* patchInsertions(aim, layer);
  }
}

/** A post-renderer is a kustomization without resources. */
async function postLayer(aim: Aim, file: string): Promise<Layer | null> {
  const text = await aim.read(file);
  const parsed = text === null ? null : parseOnce(text);
  const value: Json | undefined = parsed?.ok === true ? parsed.values[0] : undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return { folder: ".", file, component: false, value, depth: 0 };
}
