import { ARGOCD, FLUX, missingEngine } from "./engines.ts";

const absent = {
  flux: await missingEngine(FLUX, "Kustomization"),
  argocd: await missingEngine(ARGOCD, "Application"),
};

for (const [engine, why] of Object.entries(absent))
  if (why !== null) process.stdout.write(`\n!!! The tests on ${engine} are SKIPPED: ${why}.\n\n`);

/** Is this engine not in the cluster? Said loudly once a file, so that a green run without it is not taken for one with it. */
export function missing(engine: "flux" | "argocd"): boolean {
  return absent[engine] !== null;
}
