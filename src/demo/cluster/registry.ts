import { createHash } from "node:crypto";
import type { Image, ImageRegistry, ProgramSource } from "./programs.ts";
import { fullReference } from "./programs.ts";
import type { Answer, Request } from "./server/http.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const CONFIGURATION = "application/vnd.oci.image.config.v1+json";
const digestOf = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;

/** A registry of images made from their references: `{ "ghcr.io/acme/cart:1.4.2": program }`. */
export function createImageRegistry(images: Readonly<Record<string, ProgramSource>>): ImageRegistry {
  const known = new Map<string, Image>();
  const push = (name: string, program: ProgramSource): void => {
    const reference = fullReference(name);
    // The reference in it makes every image another one, as its layers would.
    const text = JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Labels: typeof program === "function" ? null : (program.labels ?? null) },
      rootfs: { type: "layers", diff_ids: [] },
      history: [{ created_by: reference }],
    });
    const configuration = { digest: digestOf(text), text };
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: CONFIGURATION, size: Buffer.byteLength(text), digest: configuration.digest },
      layers: [],
    });
    const digest = digestOf(manifest);
    known.set(reference, {
      reference,
      digest,
      manifest,
      configuration,
      bytes: 20_000_000 + (Number.parseInt(digest.slice(7, 12), 16) % 9_000_000),
      program,
    });
  };
  for (const [reference, program] of Object.entries(images)) push(reference, program);
  return {
    find(text) {
      const reference = fullReference(text);
      const [name = "", digest] = reference.split("@");
      if (digest === undefined) return known.get(reference);
      return [...known.values()].find(
        (image) => image.digest === digest && image.reference.startsWith(`${name.replace(/:[^/]*$/, "")}:`),
      );
    },
    push,
    remove: (reference) => known.delete(fullReference(reference)),
    list: () => [...known.values()],
  };
}

interface Parts {
  readonly host: string;
  readonly repository: string;
  readonly tag: string;
}

function partsOf(image: Image): Parts {
  const slash = image.reference.indexOf("/");
  const colon = image.reference.lastIndexOf(":");
  return {
    host: image.reference.slice(0, slash),
    repository: image.reference.slice(slash + 1, colon),
    tag: image.reference.slice(colon + 1),
  };
}

/**
 * The read half of the OCI distribution API. One server answers for every registry, by repository; `?ns=HOST` asks for
 * one of them, as containerd asks a mirror.
 */
export function answerRegistry(request: Request, registry: ImageRegistry): Answer {
  const { path, params } = request;
  if (path === "/v2/" || path === "/v2") return answer(200, {});
  const host = params.get("ns");
  const images = registry.list().filter((image) => host === null || partsOf(image).host === host);
  const tags = /^\/v2\/(.+)\/tags\/list$/.exec(path);
  if (tags !== null) {
    const [, name = ""] = tags;
    const found = images.filter((image) => partsOf(image).repository === name).map((image) => partsOf(image).tag);
    if (found.length === 0) return failure("NAME_UNKNOWN", "repository name not known to registry", { name });
    return page(name, [...new Set(found)].sort(), params);
  }
  const blob = /^\/v2\/(.+)\/blobs\/(sha256:[0-9a-f]{64})$/.exec(path);
  if (blob !== null) {
    const [, name = "", digest = ""] = blob;
    const found = images.find(
      (image) => partsOf(image).repository === name && image.configuration.digest === digest,
    )?.configuration;
    return found === undefined
      ? failure("BLOB_UNKNOWN", "blob unknown to registry", { digest })
      : {
          status: 200,
          text: found.text,
          type: "application/octet-stream",
          headers: { "docker-content-digest": digest },
        };
  }
  const manifest = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(path);
  if (manifest === null) return failure("UNSUPPORTED", "the operation is unsupported", {});
  const [, name = "", reference = ""] = manifest;
  const image = images.find(
    (each) => partsOf(each).repository === name && (partsOf(each).tag === reference || each.digest === reference),
  );
  if (image === undefined) return failure("MANIFEST_UNKNOWN", "manifest unknown", { name, reference });
  return { status: 200, text: image.manifest, type: MANIFEST, headers: { "docker-content-digest": image.digest } };
}

function page(name: string, tags: readonly string[], params: URLSearchParams): Answer {
  const last = params.get("last");
  const from = last === null ? 0 : tags.findIndex((tag) => tag > last);
  const rest = from < 0 ? [] : tags.slice(from);
  const most = Number(params.get("n") ?? rest.length);
  const shown = rest.slice(0, most);
  const next =
    shown.length < rest.length ? { link: `</v2/${name}/tags/list?n=${most}&last=${shown.at(-1)}>; rel="next"` } : {};
  return answer(200, { name, tags: shown }, next);
}

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status,
    text: JSON.stringify(body),
    headers: { "docker-distribution-api-version": "registry/2.0", ...headers },
  };
}

function failure(code: string, message: string, detail: unknown): Answer {
  return answer(404, { errors: [{ code, message, detail }] });
}
