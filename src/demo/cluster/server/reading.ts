import type { ServerResponse } from "node:http";
import type { KubeObject } from "../../../model.ts";
import type { Api } from "./api.ts";
import { ApiError, badRequest } from "./api-error.ts";
import type { Kind } from "./kinds.ts";
import { apiVersionOf } from "./kinds.ts";
import type { Predicate } from "./selectors.ts";
import { fieldSelector, labelSelector } from "./selectors.ts";
import { resourceKey } from "./store.ts";

export interface Query {
  readonly kind: Kind;
  /** "" means all. */
  readonly namespace: string;
  readonly params: URLSearchParams;
  /** Only metadata is wanted (PartialObjectMetadata). */
  readonly partial: boolean;
}

interface Page {
  readonly items: readonly KubeObject[];
  readonly revision: number;
  readonly compactions: number;
}

const EXPIRED =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.";

// Objects in the store never change, so their text is made once.
const texts = new WeakMap<object, string>();

function textOf(object: KubeObject, item: boolean): string {
  if (!item) return JSON.stringify(object);
  let text = texts.get(object);
  if (text === undefined) {
    const { apiVersion: _a, kind: _k, ...rest } = object;
    text = JSON.stringify(rest);
    texts.set(object, text);
  }
  return text;
}

/** The metadata of an object, as PartialObjectMetadata. */
export function partialOf(object: KubeObject): KubeObject {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata };
}

function predicateOf({ kind, params }: Query): Predicate {
  const byLabel = labelSelector(params.get("labelSelector") ?? "");
  const byField = fieldSelector(params.get("fieldSelector") ?? "", kind.kind);
  return (object) => byLabel(object) && byField(object);
}

/** Lists and watches. Pages of one list show the state of its first page until the store is compacted. */
export function createReader(api: Api): {
  list(query: Query): string;
  watch(query: Query, response: ServerResponse): void;
} {
  const pages = new Map<string, Page>();
  let lists = 0;

  function open(query: Query): { page: Page; start: number; id: string } {
    const token = query.params.get("continue") ?? "";
    if (token === "") {
      const items = api.store.list(query.kind, query.namespace).filter(predicateOf(query));
      lists += 1;
      return {
        page: { items, revision: api.store.revision(), compactions: api.store.compactions() },
        start: 0,
        id: String(lists),
      };
    }
    let said: { id: string; start: number };
    try {
      said = JSON.parse(Buffer.from(token, "base64url").toString());
    } catch {
      throw badRequest(
        "invalid continue token: continue key is not valid: invalid character looking for beginning of value",
      );
    }
    const page = pages.get(said.id);
    if (page === undefined || page.compactions !== api.store.compactions()) throw new ApiError(410, "Expired", EXPIRED);
    return { page, start: said.start, id: said.id };
  }

  function list(query: Query): string {
    const limit = Number(query.params.get("limit") ?? 0);
    const { page, start, id } = open(query);
    const end = limit > 0 ? Math.min(page.items.length, start + limit) : page.items.length;
    const metadata: Record<string, unknown> = { resourceVersion: String(page.revision) };
    if (end < page.items.length) {
      pages.set(id, page);
      if (pages.size > 64) pages.delete(pages.keys().next().value ?? "");
      metadata.continue = Buffer.from(JSON.stringify({ id, start: end })).toString("base64url");
      // With a selector the real server does not know how many match.
      if (!query.params.get("labelSelector") && !query.params.get("fieldSelector"))
        metadata.remainingItemCount = page.items.length - end;
    }
    const items = page.items
      .slice(start, end)
      .map((object) => (query.partial ? JSON.stringify(partialOf(object)) : textOf(object, true)));
    const head = query.partial
      ? { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1", metadata }
      : { kind: `${query.kind.kind}List`, apiVersion: apiVersionOf(query.kind), metadata };
    return `${JSON.stringify(head).slice(0, -1)},"items":[${items.join(",")}]}\n`;
  }

  function watch(query: Query, response: ServerResponse): void {
    const matches = predicateOf(query);
    const within = (object: KubeObject): boolean =>
      query.namespace === "" || object.metadata.namespace === query.namespace;
    const seen = new Set<string>();
    const send = (type: string, object: KubeObject): void => {
      response.write(
        `{"type":"${type}","object":${query.partial ? JSON.stringify(partialOf(object)) : textOf(object, false)}}\n`,
      );
    };
    const tell = (type: string, object: KubeObject): void => {
      if (!within(object)) return;
      const uid = object.metadata.uid ?? object.metadata.name;
      const fits = type !== "DELETED" && matches(object);
      // An object that starts or ceases to match is ADDED or DELETED for this watcher.
      if (fits) send(seen.has(uid) ? "MODIFIED" : "ADDED", object);
      else if (seen.has(uid) || (type === "DELETED" && matches(object))) send("DELETED", object);
      if (fits) seen.add(uid);
      else seen.delete(uid);
    };
    response.writeHead(200, { "content-type": "application/json" });
    const from = query.params.get("resourceVersion") ?? "";
    const key = resourceKey(query.kind);
    if (from === "" || from === "0") {
      for (const object of api.store.list(query.kind, query.namespace)) tell("ADDED", object);
    } else {
      const missed = api.store.since(Number(from));
      if (missed === undefined) {
        const message = `too old resource version: ${from} (${api.store.revision()})`;
        const status = {
          kind: "Status",
          apiVersion: "v1",
          metadata: {},
          status: "Failure",
          message,
          reason: "Expired",
          code: 410,
        };
        response.end(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
        return;
      }
      // What existed at that revision is known to the watcher.
      for (const object of api.store.list(query.kind, query.namespace))
        if (Number(object.metadata.resourceVersion) <= Number(from) && matches(object))
          seen.add(object.metadata.uid ?? "");
      for (const change of missed) {
        if (change.type !== "ADDED" && change.resource === key) seen.add(change.object.metadata.uid ?? "");
      }
      for (const change of missed) if (change.resource === key) tell(change.type, change.object);
    }
    const stop = api.store.subscribe((change) => {
      if (change.resource === key) tell(change.type, change.object);
    });
    const seconds = Number(query.params.get("timeoutSeconds") ?? 0);
    const timer = setTimeout(() => response.end(), (seconds > 0 ? seconds : 1800) * 1000);
    timer.unref();
    response.on("close", () => {
      clearTimeout(timer);
      stop();
    });
  }

  return { list, watch };
}
