import type { Aim, Candidate } from "./candidate.ts";
import type { Closure, Layer } from "./kustomize-closure.ts";
import { generatorCandidates, generatorInsertions, generatorMerges, generatorNames } from "./kustomize-generators.ts";
import { imageCandidates, imageInsertions, replicaCandidates, replicaInsertions } from "./kustomize-images.ts";
import { newPatchCandidates, originCandidates, originsOf } from "./kustomize-origin.ts";
import { patchCandidates, patchInsertions } from "./kustomize-patches.ts";
import { leafCandidates } from "./leaf-candidates.ts";

/** Places that set the field now, in order of precedence: who writes last is asked first. */
export async function* settingCandidates(aim: Aim, closure: Closure): AsyncGenerator<Candidate> {
  for (const layer of closure.layers) {
    yield* imageCandidates(aim, layer);
    yield* replicaCandidates(aim, layer);
    yield* patchCandidates(aim, layer);
    yield* generatorCandidates(aim, layer);
  }
  yield* originCandidates(aim, await originsOf(aim, closure), true);
  yield* leafCandidates(aim, closure);
}

/** Places where the field can be said anew, the smallest and nearest first. `shared`: nothing below the root may change. */
export async function* sayingCandidates(aim: Aim, closure: Closure, shared: boolean): AsyncGenerator<Candidate> {
  const root = closure.layers.find(({ depth }) => depth >= 0);
  const overlay = closure.layers.find(({ depth }) => depth < 0);
  if (root === undefined) return;
  const origins = await originsOf(aim, closure);
  const generators = generatorNames(aim, closure.layers);
  // The names that the object may have had in its own file first: those are what people write.
  const names = [
    ...new Set([...origins.map((origin) => origin.object.metadata.name), ...generators, aim.target.metadata.name]),
  ];
  yield* patchInsertions(aim, root);
  if (!shared)
    yield* lowerInsertions(
      aim,
      closure.layers.filter(({ depth }) => depth > 0),
    );
  if (!shared) yield* originCandidates(aim, origins, false);
  yield* imageInsertions(aim, root);
  yield* replicaInsertions(aim, root, names);
  for (const layer of shared ? [root] : closure.layers.filter(({ depth }) => depth >= 0))
    yield* generatorInsertions(aim, layer);
  yield* generatorMerges(aim, root, generators);
  yield* newPatchCandidates(aim, root, names);
  if (overlay !== undefined) yield* patchInsertions(aim, overlay);
}

async function* lowerInsertions(aim: Aim, layers: readonly Layer[]): AsyncGenerator<Candidate> {
  for (const layer of layers.filter((it) => it.component)) yield* patchInsertions(aim, layer);
}
