import { createHash } from "node:crypto";
import { z } from "zod";
import type { ImageLabels } from "../ports.ts";

/** An answer of a registry, read whole. */
export interface Fetched {
  readonly bytes: Buffer;
  /** `Docker-Content-Digest`, where the registry says it. */
  readonly digest: string | null;
}

/** GETs below the image's repository: `manifests/1.2.3`, `blobs/sha256:…`. Throws an Error that says what was wrong. */
export type Fetch = (part: string, accept: string) => Promise<Fetched>;

export const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
const CONFIGS = "application/vnd.oci.image.config.v1+json, application/vnd.docker.container.image.v1+json";

/** Manifests and configurations are a few kilobytes; a program's layers are never read. */
const MOST_BYTES = 1024 * 1024;
/** An index of indexes is allowed, and read by nobody. */
const MOST_DEPTH = 3;
const MOST_LABELS = 200;
const MOST_LETTERS = 2000;

const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$|^sha512:[0-9a-f]{128}$/);
const Descriptor = z.object({
  digest: Digest,
  size: z.number().int().min(0).max(MOST_BYTES),
  platform: z.object({ os: z.string().optional(), architecture: z.string().optional() }).optional(),
});
const Texts = z.record(z.string(), z.unknown()).nullish();
const Index = z.object({ manifests: z.array(z.unknown()).max(1000), annotations: Texts });
const Manifest = z.object({ config: Descriptor, annotations: Texts });
const Configuration = z.object({ config: z.object({ Labels: Texts }).nullish() });

/**
 * Follows an image from index to manifest to configuration, for linux/amd64 where there is a choice: what an image says of its source is the
 * same for all. Every content is checked against the digest by which it was asked for. Throws an Error with a sentence.
 */
export async function readLabels(version: string, fetch: Fetch): Promise<ImageLabels> {
  const labels: Record<string, string> = {};
  let top: string | undefined;
  let wanted = version;
  for (let depth = 0; depth < MOST_DEPTH; depth += 1) {
    const said = await get(`manifests/${wanted}`, wanted, MANIFESTS, fetch);
    top ??= said.digest;
    const index = Index.safeParse(said.json);
    if (index.success) {
      keep(labels, index.data.annotations);
      const next = choose(index.data.manifests);
      if (next === undefined) throw new Error("its index names no image");
      wanted = next;
      continue;
    }
    const manifest = Manifest.safeParse(said.json);
    if (!manifest.success) throw new Error("its manifest is of no kind that is known");
    const { digest } = manifest.data.config;
    const configuration = Configuration.safeParse((await get(`blobs/${digest}`, digest, CONFIGS, fetch)).json);
    // The manifest is nearer to what runs than the index, and who pushed it had the last word.
    const own: Record<string, string> = {};
    keep(own, configuration.data?.config?.Labels);
    keep(own, manifest.data.annotations);
    return { digest: top, labels: { ...labels, ...own } };
  }
  throw new Error("its indexes lead to no image");
}

async function get(
  part: string,
  wanted: string,
  accept: string,
  fetch: Fetch,
): Promise<{ json: unknown; digest: string }> {
  const { bytes, digest: told } = await fetch(part, accept);
  if (bytes.length > MOST_BYTES) throw new Error(`${part} is too large`);
  const asked = [wanted, told].find((text) => Digest.safeParse(text).success) ?? null;
  const digest = digestOf(bytes, asked?.startsWith("sha512:") === true ? "sha512" : "sha256");
  if (asked !== null && asked !== digest) throw new Error(`${part} is not what its digest says`);
  return { json: parse(bytes, part), digest };
}

/** A parser quotes what it cannot read; a sentence of ours does not. */
function parse(bytes: Buffer, part: string): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new Error(`${part} is no JSON`);
  }
}

function digestOf(bytes: Buffer, algorithm: "sha256" | "sha512"): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/** The manifest for linux/amd64, for any Linux, or the first; attestations have the platform `unknown`. */
function choose(rows: readonly unknown[]): string | undefined {
  const images = rows.flatMap((row) => {
    const parsed = Descriptor.safeParse(row);
    return parsed.success && parsed.data.platform?.os !== "unknown" ? [parsed.data] : [];
  });
  const linux = images.filter((row) => row.platform?.os === "linux");
  return (linux.find((row) => row.platform?.architecture === "amd64") ?? linux[0] ?? images[0])?.digest;
}

function keep(into: Record<string, string>, texts: Record<string, unknown> | null | undefined): void {
  for (const [name, text] of Object.entries(texts ?? {}).slice(0, MOST_LABELS))
    if (typeof text === "string" && text.length <= MOST_LETTERS && name !== "__proto__") into[name] = text;
}
