import type { FileEdit, Source } from "../model.ts";
import { isInput } from "./input.ts";

/** What a reviewer must know of a merge that does not deploy by itself, in sentences. */
export function cautionsOf(
  links: readonly { readonly source: Source; readonly edits: readonly FileEdit[] }[],
): string[] {
  const said = links.flatMap(({ source, edits }) => {
    const files = edits.map(({ file }) => file).filter((file) => !isInput(file));
    const { name, pinned, versionFile, suspended } = source.owner;
    // What deploys the edited files decides whether they come.
    if (files.length === 0) return [];
    return [
      ...(pinned === undefined ? [] : [`${name} deploys ${pinned}: merging alone changes nothing until it is moved.`]),
      ...(suspended === true ? [`${name} does not deploy by itself at the moment: sync it after the merge.`] : []),
      ...(versionFile !== undefined && files.some((file) => isInChart(file, source)) && !files.includes(versionFile)
        ? [`Flux packs this chart anew only when its version rises: raise \`version\` in ${versionFile} with it.`]
        : []),
    ];
  });
  return [...new Set(said)];
}

function isInChart(file: string, { path, helm }: Source): boolean {
  return (path === "." || file.startsWith(`${path}/`)) && helm?.values.includes(file) !== true;
}
