/**
 * A path inside a repository, from its top: "." for the top itself. Null: it leads out, or it is no path. `clamp`: what would lead
 * out stays at the top, as Flux joins paths.
 */
export function repositoryPath(parts: readonly string[], options: { readonly clamp?: boolean } = {}): string | null {
  const out: string[] = [];
  for (const step of parts.join("/").split("/")) {
    if (step === "" || step === ".") continue;
    // Inputs have such names, and no file has.
    if (step.includes("\u0000")) return null;
    if (step !== "..") out.push(step);
    else if (out.pop() === undefined && options.clamp !== true) return null;
  }
  return out.join("/") || ".";
}
