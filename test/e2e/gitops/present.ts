import { ARGOCD, FLUX, missingEngine } from "./engines.ts";

/** Who started the lab may know that an engine did not come up, though its objects are there. */
const without = (process.env["STANCH_E2E_WITHOUT"] ?? "").split(/[ ,]+/);
const why = async (engine: "flux" | "argocd", asked: () => Promise<string | null>): Promise<string | null> =>
  without.includes(engine) ? "STANCH_E2E_WITHOUT says so" : asked();

const absent = {
  flux: await why("flux", () => missingEngine(FLUX, "Kustomization")),
  argocd: await why("argocd", () => missingEngine(ARGOCD, "Application")),
};

for (const [engine, reason] of Object.entries(absent))
  if (reason !== null) process.stdout.write(`\n!!! The tests on ${engine} are SKIPPED: ${reason}.\n\n`);

/** Is this engine not in the cluster? Said loudly once a file, so that a green run without it is not taken for one with it. */
export function missing(engine: "flux" | "argocd"): boolean {
  return absent[engine] !== null;
}
