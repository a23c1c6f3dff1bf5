import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Unread } from "../ports.ts";
import type { Tree } from "./tree.ts";

/** Of a file that is no text, or too large: enough to tell a manifest by. */
const GLANCE = 64 * 1024;

/** What to say of a file that could not be read; null for what is no Kubernetes manifest, as far as its text tells. */
export function unreadFile(file: string, message: string, text: string): Unread | null {
  if (!isKey("kind", text) || !isKey("apiVersion", text)) return null;
  const line = Number(/ at line (\d+)\b/.exec(message)?.[1] ?? 0);
  return { file, message, ...(line > 0 ? { line } : {}), looks: isTemplate(text) ? "template" : "manifest" };
}

/** One sentence's worth: which file, and why. The messages of a tree name the file themselves. */
export function describeUnread({ file, message }: Pick<Unread, "file" | "message">): string {
  return message.startsWith(file) ? message : `${file}: ${message}`;
}

/** The beginning of a file that is no UTF-8 text or too large, letters alone: UTF-16 has a zero beside each. "" where it may not be read. */
export async function glanceAt(tree: Tree, file: string): Promise<string> {
  if ((await tree.kind(file).catch(() => "none")) !== "file") return "";
  const handle = await open(join(tree.directory, file)).catch(() => null);
  if (handle === null) return "";
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(GLANCE), 0, GLANCE, 0);
    return buffer.toString("latin1", 0, bytesRead).replaceAll("\0", "");
  } finally {
    await handle.close();
  }
}

function isKey(name: string, text: string): boolean {
  return new RegExp(`(^|[^\\w.-])${name}["']?[ \\t]*:`, "m").test(text);
}

/** Where a value or a line begins with a tag of Go's templates, Jinja's or ERB's: in a manifest these stand within text. */
function isTemplate(text: string): boolean {
  return /^[ \t]*(?:[\w.-]+:[ \t]+|- +|# *)*(?:\{\{|\{%|<%)/m.test(text);
}
