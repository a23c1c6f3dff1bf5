import { z } from "zod";

const Marker = z.strictObject({
  /** Fingerprint of what the pull request changes. */
  fp: z.string().regex(/^[0-9a-f]{16}$/),
  /** `namespace/name` of the incident. */
  incident: z.string().regex(/^[a-z0-9.-]+\/[a-z0-9.-]+$/),
  /** Of the body without this line: it is rewritten only when it would say something else. */
  body: z.string().regex(/^[0-9a-f]{16}$/),
});
export type Marker = z.infer<typeof Marker>;

/** The hidden first line of a pull request's body; Stanch's second memory. */
export function formatMarker(marker: Marker): string {
  return `<!-- stanch v1 ${JSON.stringify({ fp: marker.fp, incident: marker.incident, body: marker.body })} -->`;
}

/** The marker of a body. Only the first line counts: text further down was written by strangers. */
export function parseMarker(body: string): Marker | null {
  const match = /^<!-- stanch v1 (\{[^\r\n]*\}) -->(\r?\n|$)/.exec(body);
  if (match?.[1] === undefined) return null;
  try {
    const parsed = Marker.safeParse(JSON.parse(match[1]));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
