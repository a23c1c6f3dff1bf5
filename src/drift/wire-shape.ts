import { z } from "zod";
import { ORDER } from "./item.ts";
import { cut } from "./sanitise.ts";
import type { Wire } from "./wire.ts";

const text = (most = 2000) => z.string().max(most);
const number = z.int().nonnegative();
const Shown = z.union([
  z.strictObject({ value: z.json() }),
  z.strictObject({ hash: text() }),
  z.strictObject({ cut: text() }),
]);
const Class = z.enum(ORDER as [string, ...string[]]);
const Place = z.object({ file: text(), line: z.int().positive() });
const Field = z.object({
  path: z.array(z.union([text(), z.number(), z.object({ by: text(), value: z.union([text(), z.number()]) })])).max(100),
  text: text(),
  git: Shown.optional(),
  live: Shown.optional(),
  by: z.object({
    writer: z.enum(["stanch", "person", "autoscaler", "controller", "webhook", "deployer", "unknown"]),
    manager: text().optional(),
    at: text().optional(),
  }),
  location: Place.optional(),
});
const Item = z.object({
  object: z.object({ apiVersion: text(), kind: text(), namespace: text(), name: text() }),
  class: Class,
  text: text(),
  fields: z.array(Field).max(1000),
  more: number,
  folded: number,
  incident: z.object({ namespace: text(), name: text() }).optional(),
  pullRequest: z.object({ number: z.int(), url: text() }).optional(),
  location: Place.optional(),
});
const CountsOf = z.partialRecord(Class, number);
const Root = z.object({
  id: text(),
  repository: text(),
  branch: text(),
  path: text(),
  tool: text(),
  owner: z.object({ kind: text(), namespace: text().optional(), name: text().optional() }),
  deployed: text().optional(),
  head: text().optional(),
  error: text().optional(),
  compared: number,
  inSync: number,
  items: z.array(Item),
  counts: CountsOf,
});
const WireShape = z.object({
  version: z.literal(1),
  cluster: text(),
  takenAt: z.iso.datetime({ offset: true }),
  stanch: text(),
  mode: z.enum(["server", "client", "mixed"]),
  roots: z.array(Root),
  gaps: z.array(text()),
  hidden: z.array(z.object({ rule: text(), count: number })),
  counts: CountsOf,
  rootCount: number,
  errors: number,
  left: z.array(text()),
  says: z.string().regex(/^[0-9a-f]{16}$/),
});

/** What was published, checked; a sentence when it is none or of another version. */
export function decode(json: string): Wire | { readonly no: string } {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { no: "the published report is no JSON" };
  }
  const version = (value as { version?: unknown } | null)?.version;
  if (version !== 1)
    return {
      no: `the published report has version ${cut(JSON.stringify(version) ?? "none", 20)}, and this Stanch reads 1`,
    };
  const parsed = WireShape.safeParse(value);
  if (parsed.success) return parsed.data as Wire;
  const [issue] = parsed.error.issues;
  return { no: `the published report is not as it should be: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}` };
}
