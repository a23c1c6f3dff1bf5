import type { KubeObject } from "../model.ts";
import type { RegistryCredentials } from "../ports.ts";
import type { ImageReference } from "./image.ts";

/**
 * The credentials that a pull secret (`kubernetes.io/dockerconfigjson` or `dockercfg`) holds for an image, as the kubelet would
 * choose them: the longest matching entry. Null when there are none, or the secret is not readable as one.
 */
export function credentialsIn(secret: KubeObject, image: ImageReference): RegistryCredentials | null {
  const data = secret["data"] as Record<string, unknown> | undefined;
  const whole = decode(data?.[".dockerconfigjson"]);
  const entries = (isRecord(whole) ? whole["auths"] : decode(data?.[".dockercfg"])) ?? {};
  if (!isRecord(entries)) return null;
  const hits = Object.entries(entries)
    .map(([key, entry]) => ({ place: placeOf(key), entry }))
    .filter(({ place }) => covers(place, image))
    .toSorted((a, b) => b.place.length - a.place.length);
  for (const { entry } of hits) {
    const found = isRecord(entry) ? credentialsOf(entry) : null;
    if (found !== null) return found;
  }
  return null;
}

/** `https://index.docker.io/v1/` → `docker.io`; `ghcr.io/acme` stays. */
function placeOf(key: string): string {
  const bare = key
    .replace(/^https?:\/\//, "")
    .replace(/\/v[12]\/?$/, "")
    .replace(/\/+$/, "");
  return bare.replace(/^(index|registry-1)\.docker\.io(?=\/|$)/, "docker.io");
}

function covers(place: string, image: ImageReference): boolean {
  const slash = place.indexOf("/");
  const host = slash < 0 ? place : place.slice(0, slash);
  const path = slash < 0 ? "" : place.slice(slash + 1);
  return sameHost(host, image.registry) && (path === "" || `${image.repository}/`.startsWith(`${path}/`));
}

/** A star stands for one label of the host: `*.example.com`. */
function sameHost(pattern: string, host: string): boolean {
  const [wanted, given] = [pattern.split("."), host.split(".")];
  return wanted.length === given.length && wanted.every((label, index) => label === "*" || label === given[index]);
}

function credentialsOf(entry: Record<string, unknown>): RegistryCredentials | null {
  const { username, password, auth } = entry;
  if (typeof username === "string" && typeof password === "string" && username !== "") return { username, password };
  if (typeof auth !== "string") return null;
  const text = Buffer.from(auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon <= 0 ? null : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function decode(value: unknown): unknown {
  if (typeof value !== "string") return undefined;
  try {
    return JSON.parse(Buffer.from(value, "base64").toString("utf8"));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
