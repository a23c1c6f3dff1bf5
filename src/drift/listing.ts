import { messageOf, StanchError } from "../errors.ts";
import type { KubeObject } from "../model.ts";
import { atOnce } from "../observe/at-once.ts";
import type { Cluster, Resource } from "../ports.ts";

/** Objects of one kind that are looked for, by `namespace/name`. */
export interface Wanted {
  readonly resource: Resource;
  readonly names: ReadonlySet<string>;
  /** Only `metadata` is read. */
  readonly metadataOnly?: boolean;
}

export interface ListingOptions {
  readonly cluster: Pick<Cluster, "list" | "get">;
  readonly pageSize: number;
  /** Called for every object of the pages; what it does not keep is let go. */
  readonly visit: (object: KubeObject, wanted: Wanted) => Promise<void>;
}

/** Namespaces that are listed one by one; with more, a kind is listed in all of them. */
const FEW = 8;
/** So few objects of a namespace are read one by one where a list is not allowed. */
const MOST_GETS = 200;

/**
 * Reads the kinds that are needed page by page, a few at once, and never the whole cluster. Yields why objects of a kind could not be read,
 * by `namespace/name` (or by `*` for all of it).
 */
export async function readLive(
  all: readonly Wanted[],
  options: ListingOptions,
): Promise<Map<Wanted, Map<string, string>>> {
  const unread = new Map<Wanted, Map<string, string>>();
  const tasks = all.flatMap((wanted) => {
    const namespaces = namespacesOf(wanted);
    const spread = wanted.resource.namespaced && namespaces.size <= FEW;
    return spread ? [...namespaces].map((namespace) => ({ wanted, namespace })) : [{ wanted, namespace: "" }];
  });
  await atOnce(tasks, async ({ wanted, namespace }) => {
    const failed = await listOne(wanted, namespace, options);
    if (failed.size > 0) unread.set(wanted, new Map([...(unread.get(wanted) ?? []), ...failed]));
  });
  return unread;
}

async function listOne(wanted: Wanted, namespace: string, options: ListingOptions): Promise<Map<string, string>> {
  const { resource, metadataOnly } = wanted;
  try {
    const pages = options.cluster.list(resource, {
      limit: options.pageSize,
      ...(namespace === "" ? {} : { namespace }),
      ...(metadataOnly === true ? { metadataOnly } : {}),
    });
    for await (const page of pages) for (const object of page) await options.visit(object, wanted);
    return new Map();
  } catch (error) {
    if (!(error instanceof StanchError)) throw error;
    const names = [...wanted.names].filter((name) => namespace === "" || name.startsWith(`${namespace}/`));
    if (error.code === "forbidden" && namespace === "" && resource.namespaced) return listEach(wanted, options);
    if (error.code === "forbidden" && metadataOnly !== true && names.length <= MOST_GETS)
      return getEach(names, wanted, options);
    return new Map(names.map((name) => [name, messageOf(error)]));
  }
}

/** The rights may be those of named namespaces (`scope.namespaces`). */
async function listEach(wanted: Wanted, options: ListingOptions): Promise<Map<string, string>> {
  const failed = new Map<string, string>();
  for (const namespace of namespacesOf(wanted))
    for (const [name, reason] of await listOne(wanted, namespace, options)) failed.set(name, reason);
  return failed;
}

function namespacesOf({ names }: Wanted): ReadonlySet<string> {
  return new Set([...names].map((name) => name.slice(0, name.indexOf("/"))));
}

async function getEach(
  names: readonly string[],
  wanted: Wanted,
  options: ListingOptions,
): Promise<Map<string, string>> {
  const { group, version, kind } = wanted.resource;
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const failed = new Map<string, string>();
  await atOnce(names, async (at) => {
    const slash = at.indexOf("/");
    const ref = { apiVersion, kind, namespace: at.slice(0, slash), name: at.slice(slash + 1) };
    try {
      const object = await options.cluster.get(ref);
      if (object !== null) await options.visit({ ...object, apiVersion, kind }, wanted);
    } catch (error) {
      if (!(error instanceof StanchError)) throw error;
      failed.set(at, messageOf(error));
    }
  });
  return failed;
}

/** `namespace/name` of an object; nothing before the slash for one without namespace. */
export function placeOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}
