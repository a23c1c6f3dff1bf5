import type { Config } from "../config/schema.ts";
import { messageOf } from "../errors.ts";
import { type ImageReference, parseImage, versionOf } from "../kube/image.ts";
import type { Registry, RegistryCredentials } from "../ports.ts";

const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
const MOST_TAGS = 5000;
const MOST_BYTES = 4 * 1024 * 1024;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

interface Place {
  /** Base URL of the registry or of the mirror that is asked instead. */
  readonly base: URL;
  readonly mirrored: boolean;
}

/**
 * Container registries over the OCI Distribution API (opencontainers/distribution-spec). What could not be asked is "unknown", with
 * the reason: an unreachable registry is never taken for a missing image.
 */
export function createRegistry(settings: Config["registry"]): Registry {
  return {
    async exists(image, credentials) {
      const parsed = parseImage(image);
      if (parsed === null) return { state: "absent", reason: `${image} is no image reference` };
      const place = placeOf(parsed, settings);
      if (typeof place === "string") return { state: "unknown", reason: place };
      try {
        const answer = await ask(
          place,
          `/v2/${parsed.repository}/manifests/${versionOf(parsed)}`,
          "HEAD",
          parsed,
          credentials,
          settings,
        );
        await answer.body?.cancel();
        if (answer.ok) return { state: "present" };
        if (answer.status === 404) return { state: "absent" };
        return { state: "unknown", reason: `${place.base.host} answers ${answer.status}` };
      } catch (error) {
        return { state: "unknown", reason: `${place.base.host} cannot be asked: ${messageOf(error)}` };
      }
    },
    async tags(image, credentials) {
      const parsed = parseImage(image);
      const place = parsed === null ? "no image reference" : placeOf(parsed, settings);
      if (parsed === null || typeof place === "string") return null;
      const tags: string[] = [];
      let path: string | null = `/v2/${parsed.repository}/tags/list?n=1000`;
      try {
        while (path !== null && tags.length < MOST_TAGS) {
          const answer = await ask(place, path, "GET", parsed, credentials, settings);
          if (!answer.ok) {
            await answer.body?.cancel();
            return tags.length > 0 ? tags : null;
          }
          const body = JSON.parse(await bounded(answer)) as { tags?: unknown };
          if (Array.isArray(body.tags))
            tags.push(
              ...body.tags.filter((tag): tag is string => typeof tag === "string" && /^\w[\w.-]{0,127}$/.test(tag)),
            );
          path = nextPage(answer.headers.get("link"), place.base);
        }
        return tags.slice(0, MOST_TAGS);
      } catch {
        return null;
      }
    },
  };
}

/** Where an image's registry is asked; a sentence when it may not be. */
function placeOf(image: ImageReference, settings: Config["registry"]): Place | string {
  const mirror = settings.mirrors[image.registry] ?? settings.mirrors["*"];
  if (mirror !== undefined)
    return URL.canParse(mirror)
      ? { base: new URL(mirror), mirrored: true }
      : `the mirror of ${image.registry} is no URL`;
  const host = image.registry === "docker.io" ? "registry-1.docker.io" : image.registry;
  const loopback = LOOPBACK.has(host.replace(/:\d+$/, ""));
  return { base: new URL(`${loopback || settings.allowHttp ? "http" : "https"}://${host}`), mirrored: false };
}

async function ask(
  place: Place,
  path: string,
  method: string,
  image: ImageReference,
  credentials: RegistryCredentials | undefined,
  settings: Config["registry"],
): Promise<Response> {
  const url = new URL(path, place.base);
  const send = (authorization?: string): Promise<Response> =>
    // A redirect could carry credentials to another host: manifests and tags are answered where they are asked.
    fetch(url, {
      method,
      redirect: "manual",
      headers: {
        accept: method === "HEAD" ? ACCEPT : "application/json",
        "user-agent": "stanch",
        ...(authorization === undefined ? {} : { authorization }),
      },
      signal: AbortSignal.timeout(settings.timeout),
    });
  const first = await send();
  if (first.status !== 401) return first;
  const challenge = first.headers.get("www-authenticate") ?? "";
  await first.body?.cancel();
  const safe = url.protocol === "https:" || LOOPBACK.has(url.hostname);
  const usable = safe && !place.mirrored ? credentials : undefined;
  if (/^basic/i.test(challenge)) return usable === undefined ? first : send(basic(usable));
  const token = await tokenFor(challenge, image, usable, settings);
  return token === null ? first : send(`Bearer ${token}`);
}

/** The token that a Bearer challenge asks for; anonymous without credentials. Credentials go to https realms only. */
async function tokenFor(
  challenge: string,
  image: ImageReference,
  credentials: RegistryCredentials | undefined,
  settings: Config["registry"],
): Promise<string | null> {
  if (!/^bearer /i.test(challenge)) return null;
  const words = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map((match) => [match[1] ?? "", match[2] ?? ""]),
  );
  if (words["realm"] === undefined || !URL.canParse(words["realm"])) return null;
  const realm = new URL(words["realm"]);
  const loopback = LOOPBACK.has(realm.hostname);
  if (realm.protocol !== "https:" && !loopback && !settings.allowHttp) return null;
  realm.searchParams.set("scope", `repository:${image.repository}:pull`);
  if (words["service"] !== undefined) realm.searchParams.set("service", words["service"]);
  const answer = await fetch(realm, {
    redirect: "manual",
    headers:
      credentials === undefined || (realm.protocol !== "https:" && !loopback)
        ? {}
        : { authorization: basic(credentials) },
    signal: AbortSignal.timeout(settings.timeout),
  });
  if (!answer.ok) return null;
  const body = JSON.parse(await bounded(answer)) as { token?: unknown; access_token?: unknown };
  const token = body.token ?? body.access_token;
  return typeof token === "string" ? token : null;
}

function basic(credentials: RegistryCredentials): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
}

/** `<…/tags/list?n=…&last=…>; rel="next"`, on the same host only. */
function nextPage(link: string | null, base: URL): string | null {
  const target = /<([^>]+)>;\s*rel="?next"?/.exec(link ?? "")?.[1];
  if (target === undefined) return null;
  const url = new URL(target, base);
  return url.host === base.host ? `${url.pathname}${url.search}` : null;
}

async function bounded(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error("the answer is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
