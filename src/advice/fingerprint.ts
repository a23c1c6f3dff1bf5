import { createHash } from "node:crypto";

/**
 * Of what a model is asked about, without what changes by itself: times, counters, ids. The same fingerprint means that asking again would
 * tell nothing new.
 */
export function evidenceFingerprint(facts: readonly unknown[]): string {
  const steady = JSON.stringify(facts)
    .replaceAll(/\b([a-z0-9]+(?:-[a-z0-9]+)*)-[a-z0-9]{5,10}-[a-z0-9]{5}\b/g, "$1-#")
    .replaceAll(/\b[0-9a-f]{7,64}\b/g, (word) => (/\d/.test(word) && word.length >= 32 ? word : "#"))
    .replaceAll(/\d+/g, (digits) => (digits.length >= 32 ? digits : "#"));
  return createHash("sha256").update(steady).digest("hex").slice(0, 16);
}
