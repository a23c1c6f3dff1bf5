import type { Config } from "../config/schema.ts";
import { type ImageReference, parseImage, versionOf } from "../kube/image.ts";
import type { Registry, RegistryCredentials } from "../ports.ts";
import { fetchFault } from "./network.ts";
import { MANIFESTS, readLabels } from "./registry-labels.ts";

const MOST_TAGS = 5000;
/** A registry that always names a next page must not keep us. */
const MOST_PAGES = 50;
const MOST_HOPS = 3;
const MOST_BYTES = 4 * 1024 * 1024;
/** Names that mean something inside of a network only. */
const INSIDE = /\.(local|internal|localhost)$/i;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

interface Place {
  /** Base URL of the registry or of the mirror that is asked instead. */
  readonly base: URL;
  /** The registry that the mirror stands for; absent: the registry itself is asked. */
  readonly mirrors?: string;
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
        return { state: "unknown", reason: `${place.base.host} cannot be asked: ${fetchFault(error)}` };
      }
    },
    async tags(image, credentials) {
      const parsed = parseImage(image);
      const place = parsed === null ? "no image reference" : placeOf(parsed, settings);
      if (parsed === null || typeof place === "string") return null;
      const tags: string[] = [];
      const first = `/v2/${parsed.repository}/tags/list`;
      let path: string | null = `${first}?n=1000`;
      try {
        for (let page = 0; path !== null && tags.length < MOST_TAGS && page < MOST_PAGES; page += 1) {
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
          path = nextPage(answer.headers.get("link"), first, place);
        }
        return tags.slice(0, MOST_TAGS);
      } catch {
        return null;
      }
    },
    async labels(image, credentials) {
      const parsed = parseImage(image);
      if (parsed === null) return { unknown: `${image} is no image reference` };
      const place = placeOf(parsed, settings);
      if (typeof place === "string") return { unknown: place };
      try {
        return await readLabels(versionOf(parsed), async (part, accept) => {
          const path = `/v2/${parsed.repository}/${part}`;
          const answer = await ask(place, path, "GET", parsed, credentials, settings, accept);
          if (answer.ok) return { bytes: await whole(answer), digest: answer.headers.get("docker-content-digest") };
          await answer.body?.cancel();
          throw new Error(`it answers ${answer.status} for ${part}`);
        });
      } catch (error) {
        return { unknown: `${place.base.host} does not tell: ${fetchFault(error)}`.slice(0, 300) };
      }
    },
  };
}

/** Where an image's registry is asked; a sentence when it may not be. */
function placeOf(image: ImageReference, settings: Config["registry"]): Place | string {
  const mirror = settings.mirrors[image.registry] ?? settings.mirrors["*"];
  if (mirror !== undefined)
    return URL.canParse(mirror)
      ? { base: new URL(mirror), mirrors: image.registry }
      : `the mirror of ${image.registry} is no URL`;
  const host = image.registry === "docker.io" ? "registry-1.docker.io" : image.registry;
  const loopback = LOOPBACK.has(host.replace(/:\d+$/, ""));
  return { base: new URL(`${loopback || settings.allowHttp ? "http" : "https"}://${host}`) };
}

/** A path of the API below the registry's or mirror's own; a mirror is told which registry it stands for, as containerd does. */
function addressOf(place: Place, path: string): URL {
  const url = new URL(`${place.base.pathname.replace(/\/+$/, "")}${path}`, place.base);
  if (place.mirrors !== undefined) url.searchParams.set("ns", place.mirrors);
  return url;
}

async function ask(
  place: Place,
  path: string,
  method: string,
  image: ImageReference,
  credentials: RegistryCredentials | undefined,
  settings: Config["registry"],
  accept = method === "HEAD" ? MANIFESTS : "application/json",
): Promise<Response> {
  const url = addressOf(place, path);
  const local = LOOPBACK.has(url.hostname);
  const send = async (authorization?: string): Promise<Response> => {
    let at = url;
    for (let hop = 0; ; hop += 1) {
      const answer = await fetch(at, {
        method,
        redirect: "manual",
        headers: {
          accept,
          "user-agent": "stanch",
          // Credentials are for the registry that asked for them.
          ...(authorization === undefined || hop > 0 ? {} : { authorization }),
        },
        signal: AbortSignal.timeout(settings.timeout),
      });
      const next = redirectOf(answer, at, local);
      if (next === null || hop >= MOST_HOPS) return answer;
      await answer.body?.cancel();
      at = next;
    }
  };
  const first = await send();
  if (first.status !== 401) return first;
  const challenge = first.headers.get("www-authenticate") ?? "";
  await first.body?.cancel();
  const safe = url.protocol === "https:" || local;
  const usable = safe && place.mirrors === undefined ? credentials : undefined;
  if (/^basic/i.test(challenge)) return usable === undefined ? first : send(basic(usable));
  const token = await tokenFor(challenge, image, usable, url, settings);
  return token === null ? first : send(`Bearer ${token}`);
}

/** registry.k8s.io and others send to a store near us: followed to named hosts over https, and on this machine only from this machine. */
function redirectOf(answer: Response, from: URL, local: boolean): URL | null {
  const location = answer.headers.get("location");
  if (![301, 302, 307, 308].includes(answer.status) || location === null || !URL.canParse(location, from.href))
    return null;
  const to = new URL(location, from);
  if (to.username !== "" || to.password !== "") return null;
  if (LOOPBACK.has(to.hostname)) return local ? to : null;
  // An address without a name, or a name of one part, is something inside of a network.
  const named = /\.[a-z][a-z0-9-]*$/i.test(to.hostname) && (!INSIDE.test(to.hostname) || INSIDE.test(from.hostname));
  return to.protocol === "https:" && named ? to : null;
}

/** The token that a Bearer challenge asks for; anonymous without credentials. Credentials go to https realms only. */
async function tokenFor(
  challenge: string,
  image: ImageReference,
  credentials: RegistryCredentials | undefined,
  from: URL,
  settings: Config["registry"],
): Promise<string | null> {
  if (!/^bearer /i.test(challenge)) return null;
  const words = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map((match) => [match[1] ?? "", match[2] ?? ""]),
  );
  if (words["realm"] === undefined || !URL.canParse(words["realm"])) return null;
  const realm = new URL(words["realm"]);
  const loopback = LOOPBACK.has(realm.hostname);
  // Only a registry of this machine may send us to a service of this machine, and none to another's bare address.
  if (loopback && !LOOPBACK.has(from.hostname)) return null;
  if (/^[\d.]+$|^\[/.test(realm.hostname) && realm.hostname !== from.hostname) return null;
  if (realm.protocol !== "https:" && (realm.protocol !== "http:" || !(loopback || settings.allowHttp))) return null;
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

/** `<…/tags/list?n=…&last=…>; rel="next"`: the same list and nothing else, whatever the registry would have us fetch. */
function nextPage(link: string | null, path: string, place: Place): string | null {
  const target = /<([^>]+)>;\s*rel="?next"?/.exec(link ?? "")?.[1];
  const base = addressOf(place, path);
  if (target === undefined || !URL.canParse(target, base.href)) return null;
  const url = new URL(target, base);
  const same = url.origin === base.origin && (url.pathname === base.pathname || url.pathname === path);
  return same && url.username === "" ? `${path}${url.search}` : null;
}

async function bounded(answer: Response): Promise<string> {
  return (await whole(answer)).toString("utf8");
}

async function whole(answer: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error("the answer is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
