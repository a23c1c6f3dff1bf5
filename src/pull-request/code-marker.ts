import { z } from "zod";

const Marker = z.strictObject({
  /** Fingerprint of the fault. */
  fp: z.string().regex(/^[0-9a-f]{16}$/),
  /** Of the evidence that it was written for, with the version that ran. */
  evidence: z.string().regex(/^[0-9a-f]{16}$/),
  /** `namespace/name` of the incident. */
  incident: z.string().regex(/^[a-z0-9.-]+\/[a-z0-9.-]+$/),
});
export type CodeMarker = z.infer<typeof Marker>;

/**
 * The hidden first line of the body of a model's fix. Of its own kind: what reads markers of manifests (the review, `stanch undo`) must never take
 * code for a change that was proved.
 */
export function formatCodeMarker({ fp, evidence, incident }: CodeMarker): string {
  return `<!-- stanch code v1 ${JSON.stringify({ fp, evidence, incident })} -->`;
}

/** The marker of a body. Only the first line counts: text further down was written by strangers. */
export function parseCodeMarker(body: string): CodeMarker | null {
  const match = /^<!-- stanch code v1 (\{[^\r\n]*\}) -->(\r?\n|$)/.exec(body);
  if (match?.[1] === undefined) return null;
  try {
    const parsed = Marker.safeParse(JSON.parse(match[1]));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
