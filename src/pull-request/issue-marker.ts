import { z } from "zod";
import { hashOf } from "./sections.ts";

const Marker = z.strictObject({
  /** Fingerprint of the problem: the same problem always meets the same issue. */
  fp: z.string().regex(/^[0-9a-f]{16}$/),
  /** `namespace/name` of the incident. */
  incident: z.string().regex(/^[a-z0-9.-]+\/[a-z0-9.-]+$/),
  /** Of what the issue says, without evidence and times: it is rewritten only when it would say something else. */
  says: z.string().regex(/^[0-9a-f]{16}$/),
  /** Of the body without this line: what a person has rewritten is left alone. */
  body: z.string().regex(/^[0-9a-f]{16}$/),
});
export type IssueMarker = z.infer<typeof Marker>;

/** A problem as a fingerprint: this finding of this cluster. No values, times or versions. */
export function issueFingerprint(cluster: string, finding: string): string {
  return hashOf(JSON.stringify([cluster, finding]));
}

/** The hidden first line of an issue's body. */
export function formatIssueMarker({ fp, incident, says, body }: IssueMarker): string {
  return `<!-- stanch issue v1 ${JSON.stringify({ fp, incident, says, body })} -->`;
}

/** The marker of a body, and whether the text below it is still as Stanch wrote it. Only the first line counts. */
export function parseIssue(body: string): { readonly marker: IssueMarker | null; readonly untouched: boolean } {
  const match = /^<!-- stanch issue v1 (\{[^\r\n]*\}) -->(\r?\n|$)/.exec(body);
  const marker = match?.[1] === undefined ? null : read(match[1]);
  // The web interface saves with CRLF.
  const text = body.replaceAll("\r\n", "\n").split("\n").slice(1).join("\n").trimEnd();
  return { marker, untouched: marker !== null && hashOf(text) === marker.body };
}

function read(json: string): IssueMarker | null {
  try {
    const parsed = Marker.safeParse(JSON.parse(json));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
