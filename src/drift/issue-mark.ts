import { z } from "zod";
import { hashOf } from "../pull-request/sections.ts";

const Mark = z.strictObject({
  cluster: z.string().max(63),
  /** Of what the issue says. */
  says: z.string().regex(/^[0-9a-f]{16}$/),
  /** It was closed because nothing drifts: what drifts next opens it again. Not so where a person closed it over what drifts. */
  closed: z.boolean(),
  /** When the report was taken. */
  at: z.iso.datetime({ offset: true }),
  /** Of the body without this line: what a person has rewritten is left alone. */
  body: z.string().regex(/^[0-9a-f]{16}$/),
});
export type DriftMark = z.infer<typeof Mark>;

/** A drift issue's body: the hidden first line, and the text under it. */
export function withMark(mark: Omit<DriftMark, "body">, text: string): string {
  return `<!-- stanch drift issue v1 ${JSON.stringify({ ...mark, body: hashOf(text) })} -->\n${text}\n`;
}

/** The mark of a body, and whether the text below it is still as Stanch wrote it. Only the first line counts. */
export function parseMark(body: string): { readonly mark: DriftMark | null; readonly untouched: boolean } {
  const match = /^<!-- stanch drift issue v1 (\{[^\r\n]*\}) -->(\r?\n|$)/.exec(body);
  const mark = match?.[1] === undefined ? null : read(match[1]);
  // The web interface saves with CRLF.
  const text = body.replaceAll("\r\n", "\n").split("\n").slice(1).join("\n").trimEnd();
  return { mark, untouched: mark !== null && hashOf(text) === mark.body };
}

function read(json: string): DriftMark | null {
  try {
    const parsed = Mark.safeParse(JSON.parse(json));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
