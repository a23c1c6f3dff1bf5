/** What the kubelet says that a pod refers to and that is not there. */
export interface MissingReference {
  readonly kind: "ConfigMap" | "Secret";
  /** Absent: the message names only the key (a mounted volume). */
  readonly name?: string;
  readonly key?: string;
  /** The volume, when a mount failed. */
  readonly volume?: string;
}

const ABSENT = /\b(configmaps?|secrets?) "([^"]+)" not found/gi;
const KEY = /couldn't find key (\S+) in (ConfigMap|Secret) [^/\s]+\/([^\s,\]]+)/g;
const ITEM = /references non-existent (config|secret) key: ([^\s,\]]+)/g;
const VOLUME = /(?:for volume "([^"]+)"|failed volumes=\[([^\s\]]+)\])/;

/** Every missing reference in one message of the kubelet (waiting message, FailedMount event); empty when it is about something else. */
export function missingReferences(message: string): MissingReference[] {
  const volume = VOLUME.exec(message);
  const of = volume === null ? {} : { volume: volume[1] ?? volume[2] ?? "" };
  return [
    ...[...message.matchAll(ABSENT)].map(([, kind, name]) => ({ kind: kindOf(kind), name: name ?? "", ...of })),
    ...[...message.matchAll(KEY)].map(([, key, kind, name]) => ({
      kind: kindOf(kind),
      name: name ?? "",
      key: key ?? "",
      ...of,
    })),
    ...[...message.matchAll(ITEM)].map(([, kind, key]) => ({ kind: kindOf(kind), key: key ?? "", ...of })),
  ];
}

function kindOf(word: string | undefined): "ConfigMap" | "Secret" {
  return word?.toLowerCase().startsWith("secret") === true ? "Secret" : "ConfigMap";
}
