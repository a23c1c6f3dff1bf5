import { createHmac, randomBytes } from "node:crypto";
import type { Json, KubeObject } from "../model.ts";
import { isMap } from "./leaf.ts";

/** Tells equal texts apart from different ones, and nothing else: HMAC-SHA256 with a key of this run alone, cut to 16 hex digits. */
export type Seal = (text: string | Uint8Array) => string;

export function makeSeal(key: Uint8Array = randomBytes(32)): Seal {
  return (text) => `hmac:${createHmac("sha256", key).update(text).digest("hex").slice(0, 16)}`;
}

/** Annotations that may hold a copy of what the Secret holds. */
const COPIES = /last-applied-configuration$|\/(original|previous|last)-/;

/**
 * A Secret whose data are sealed, so that its values go no further than this: `stringData` is taken into `data` as the API server does,
 * and what base64 stands for is what counts. Anything else comes back as it is.
 */
export function sealed(object: KubeObject, seal: Seal): KubeObject {
  if (!isSecret(object)) return object;
  const { data, stringData, metadata, ...rest } = object;
  const values: Record<string, Json> = {};
  for (const [key, value] of entries(data)) values[key] = seal(Buffer.from(textOf(value), "base64"));
  for (const [key, value] of entries(stringData)) values[key] = seal(textOf(value));
  const { annotations, ...kept } = metadata;
  const shown = Object.entries(annotations ?? {}).filter(([key]) => !COPIES.test(key));
  return {
    ...rest,
    metadata: { ...kept, ...(annotations === undefined ? {} : { annotations: Object.fromEntries(shown) }) },
    ...(Object.keys(values).length === 0 ? {} : { data: values }),
  };
}

export function isSecret({ apiVersion, kind }: Pick<KubeObject, "apiVersion" | "kind">): boolean {
  return apiVersion === "v1" && kind === "Secret";
}

/** What is encrypted in Git and decrypted by the deployer cannot be compared. */
export function isEncrypted(object: KubeObject): boolean {
  return (
    isMap(object["sops"] as Json | undefined) ||
    ["data", "stringData"].some((key) =>
      entries(object[key]).some(([, value]) => typeof value === "string" && value.startsWith("ENC[")),
    )
  );
}

function entries(map: unknown): [string, Json][] {
  return isMap(map as Json | undefined) ? Object.entries(map as { [key: string]: Json }) : [];
}

function textOf(value: Json): string {
  return value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
}
