/**
 * An image reference, as containerd reads it (the grammar of `distribution/reference`, with Docker Hub's defaults).
 * `registry` and `repository` are complete; `name` is what was written.
 */
export interface ImageReference {
  /** `docker.io`, `ghcr.io`, `127.0.0.1:5000`. */
  readonly registry: string;
  /** `library/nginx`, `team/app`. */
  readonly repository: string;
  /** Everything before the tag, as written: `nginx`, `docker.io/nginx`. */
  readonly name: string;
  readonly tag?: string;
  /** `sha256:…`; it wins over the tag. */
  readonly digest?: string;
}

const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const HOST =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d+)?$/;

/** Null when no container runtime would take it. */
export function parseImage(text: string): ImageReference | null {
  if (text.length > 512) return null;
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const tagged = at < 0 ? text : text.slice(0, at);
  const colon = tagged.lastIndexOf(":");
  const hasTag = colon > tagged.lastIndexOf("/");
  const tag = hasTag ? tagged.slice(colon + 1) : undefined;
  const name = hasTag ? tagged.slice(0, colon) : tagged;
  if (digest !== undefined && !DIGEST.test(digest)) return null;
  if (tag !== undefined && !TAG.test(tag)) return null;
  const place = registryOf(name);
  if (place === null) return null;
  return { ...place, name, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The reference as it was written. */
export function formatImage(image: Pick<ImageReference, "name" | "tag" | "digest">): string {
  const tag = image.tag === undefined ? "" : `:${image.tag}`;
  return `${image.name}${tag}${image.digest === undefined ? "" : `@${image.digest}`}`;
}

/** The same image with another tag and without a digest, which would win over it. Null for a tag that no registry takes. */
export function withTag(image: ImageReference, tag: string): ImageReference | null {
  if (!TAG.test(tag)) return null;
  return { registry: image.registry, repository: image.repository, name: image.name, tag };
}

/** What a registry is asked for: the digest, the tag, or `latest`. */
export function versionOf(image: ImageReference): string {
  return image.digest ?? image.tag ?? "latest";
}

/** The same repository of the same registry, however it was written. */
export function sameRepository(a: ImageReference, b: ImageReference): boolean {
  return a.registry === b.registry && a.repository === b.repository;
}

function registryOf(name: string): { registry: string; repository: string } | null {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isHost = first === "localhost" || /[.:]/.test(first) || first.toLowerCase() !== first;
  const registry = isHost ? first : "docker.io";
  const path = isHost ? name.slice(slash + 1) : name;
  if (!HOST.test(registry) || !path.split("/").every((part) => COMPONENT.test(part))) return null;
  if (registry !== "docker.io" && registry !== "index.docker.io") return { registry, repository: path };
  return { registry: "docker.io", repository: path.includes("/") ? path : `library/${path}` };
}
