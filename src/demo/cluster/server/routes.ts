import { parse } from "yaml";
import type { KubeObject } from "../../../model.ts";
import type { Logs } from "../kubelet/logs.ts";
import type { Pod, PodOwner } from "../shapes.ts";
import { isTree } from "../shapes.ts";
import type { Api, DeleteOptions, WriteOptions } from "./api.ts";
import { ApiError, badRequest, invalid } from "./api-error.ts";
import type { Account, Ask } from "./authorization.ts";
import { mayNot, refuseAccess, reviewAccess, reviewRules } from "./authorization.ts";
import { discover } from "./discovery.ts";
import type { Answer, Request } from "./http.ts";
import type { Kind } from "./kinds.ts";
import { apiVersionOf } from "./kinds.ts";
import { openApi } from "./open-api.ts";
import { patchObject } from "./patching.ts";
import type { createReader, Query } from "./reading.ts";
import { partialOf } from "./reading.ts";
import { fieldSelector, labelSelector } from "./selectors.ts";
import { evict, readLog, scaleOf } from "./subresources.ts";

interface Target {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

/** Everything behind the API's paths. */
export interface Routes {
  readonly api: Api;
  readonly logs: Logs;
  readonly reader: ReturnType<typeof createReader>;
  readonly account: Account;
  /** What a pod's program answers, for `pods/NAME/proxy`. */
  readonly answer: (pod: Pod, port: number, path: string) => number | null;
  /** What comes of a command in a running container, for `pods/NAME/exec`; null: it does not run. */
  readonly exec: (pod: Pod, container: string, argv: readonly string[]) => Command | null;
}

export interface Command {
  readonly code: number;
  readonly output: string;
}

/** Answers one API request; throws ApiError. */
export function route(request: Request, routes: Routes): Answer {
  const { path, method } = request;
  if (path === "/healthz" || path === "/readyz" || path === "/livez")
    return { status: 200, text: "ok", type: "text/plain; charset=utf-8" };
  const { kinds } = routes.api;
  if (path.startsWith("/openapi/")) {
    const document = openApi(path, kinds);
    return document === undefined ? nothing() : json(200, document);
  }
  if (path === "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" && method === "POST") {
    return json(201, reviewAccess(bodyOf(request), routes.account));
  }
  if (path === "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews" && method === "POST") {
    return json(201, reviewRules(bodyOf(request), routes.account));
  }
  const found = discover(path, kinds);
  if (found !== undefined) {
    if (method !== "GET") throw notAllowed();
    return json(200, found);
  }
  const target = targetOf(path, routes.api);
  if (target === undefined) return nothing();
  authorize(request, target, routes.account);
  return target.name === "" ? collection(request, target, routes) : single(request, target, routes);
}

function json(status: number, body: unknown): Answer {
  return { status, text: `${JSON.stringify(body)}\n` };
}

function nothing(): Answer {
  return { status: 404, text: "404 page not found\n", type: "text/plain; charset=utf-8" };
}

function notAllowed(): ApiError {
  return new ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});
}

export function targetOf(path: string, api: Api): Target | undefined {
  const parts = path.split("/").slice(1).map(decodeURIComponent);
  const group = parts[0] === "api" ? "" : (parts[1] ?? "");
  const rest = parts[0] === "api" ? parts.slice(1) : parts.slice(2);
  const [version = "", ...steps] = rest;
  if ((parts[0] !== "api" && parts[0] !== "apis") || steps.length === 0) return undefined;
  if (!api.kinds.all().some((kind) => apiVersionOf(kind) === (group === "" ? version : `${group}/${version}`)))
    return undefined;
  const scoped = steps[0] === "namespaces" && steps.length > 2 && !["status", "finalize"].includes(steps[2] ?? "");
  const [namespace, [plural = "", name = "", ...sub]] = scoped ? [steps[1] ?? "", steps.slice(2)] : ["", steps];
  const kind = api.kinds.find(group, version, plural);
  if (kind === undefined) throw new ApiError(404, "NotFound", "the server could not find the requested resource", {});
  return { kind, namespace, name, subresource: sub.join("/") };
}

export function authorize(request: Request, target: Target, account: Account): void {
  const { kind, namespace, name, subresource } = target;
  const one = name !== "";
  const watching = request.params.get("watch") === "true" || request.params.get("watch") === "1";
  const verbs: Record<string, string> = {
    GET: one ? "get" : watching ? "watch" : "list",
    POST: "create",
    PUT: "update",
    PATCH: "patch",
    DELETE: one ? "delete" : "deletecollection",
  };
  // What follows `proxy` is the program's business.
  const part = subresource.startsWith("proxy/") ? "proxy" : subresource;
  const resource = part === "" ? kind.plural : `${kind.plural}/${part}`;
  const ask: Ask = { group: kind.group, resource, verb: verbs[request.method] ?? request.method, namespace, name };
  if (mayNot(account, ask)) throw refuseAccess(ask);
}

function collection(request: Request, target: Target, routes: Routes): Answer {
  const { kind, namespace } = target;
  const { params } = request;
  const query: Query = {
    kind,
    namespace,
    params,
    partial: (request.headers.accept ?? "").includes("as=PartialObjectMetadata"),
  };
  switch (request.method) {
    case "GET":
      if (params.get("watch") === "true" || params.get("watch") === "1") {
        return { stream: (response) => routes.reader.watch(query, response) };
      }
      return { status: 200, text: routes.reader.list(query) };
    case "POST": {
      const object = objectOf(request, kind);
      if (kind.namespaced && namespace === "") throw notAllowed();
      const said = object.metadata.namespace;
      if (kind.namespaced && said !== undefined && said !== "" && said !== namespace) {
        throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
      }
      return json(201, routes.api.create(kind, namespace, object, writeOptions(request)));
    }
    case "DELETE": {
      const tests = [
        labelSelector(params.get("labelSelector") ?? ""),
        fieldSelector(params.get("fieldSelector") ?? "", kind.kind),
      ];
      const doomed = routes.api.store
        .list(kind, namespace)
        .filter((object) => tests.every((matches) => matches(object)));
      for (const object of doomed) routes.api.remove(kind, object, deleteOptions(request));
      return json(200, {
        kind: `${kind.kind}List`,
        apiVersion: apiVersionOf(kind),
        metadata: { resourceVersion: String(routes.api.store.revision()) },
        items: doomed,
      });
    }
    default:
      throw notAllowed();
  }
}

function single(request: Request, target: Target, routes: Routes): Answer {
  const { api, logs } = routes;
  const { kind, namespace, name, subresource } = target;
  const pod = kind.kind === "Pod";
  if (pod && subresource === "log" && request.method === "GET") {
    const { empty, text } = readLog(api.read(kind, namespace, name) as Pod, logs, request.params);
    return { status: empty ? 204 : 200, text, type: "text/plain" };
  }
  if (pod && (subresource === "proxy" || subresource.startsWith("proxy/")) && request.method === "GET")
    return proxy(target, routes);
  if (pod && subresource === "eviction" && request.method === "POST") {
    return json(
      201,
      evict(api, api.read(kind, namespace, name) as Pod, bodyOf(request), writeOptions(request).dryRun === true),
    );
  }
  if (subresource === "scale" && ["Deployment", "ReplicaSet", "StatefulSet"].includes(kind.kind))
    return scale(request, target, api);
  const part =
    subresource === "status" && kind.status ? "status" : subresource === "resize" && pod ? "resize" : undefined;
  if (subresource !== "" && part === undefined)
    throw new ApiError(404, "NotFound", "the server could not find the requested resource", {});
  const options: WriteOptions = { ...writeOptions(request), ...(part === undefined ? {} : { subresource: part }) };
  switch (request.method) {
    case "GET": {
      const object = api.read(kind, namespace, name);
      return json(
        200,
        (request.headers.accept ?? "").includes("as=PartialObjectMetadata") ? partialOf(object) : object,
      );
    }
    case "PUT": {
      const object = objectOf(request, kind);
      if (object.metadata.name !== name)
        throw badRequest(
          `the name of the object (${object.metadata.name}) does not match the name on the URL (${name})`,
        );
      return json(200, api.update(kind, api.read(kind, namespace, name), object, options));
    }
    case "PATCH": {
      const contentType = (request.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
      const force = request.params.get("force") === "true";
      const fieldManager = request.params.get("fieldManager") ?? undefined;
      const { object, created } = patchObject(
        api,
        { kind, namespace, name },
        { contentType, body: request.body, force, fieldManager },
        options,
      );
      return json(created ? 201 : 200, object);
    }
    case "DELETE": {
      if (subresource !== "") throw notAllowed();
      const before = api.read(kind, namespace, name);
      const { gone, object } = api.remove(kind, before, deleteOptions(request));
      return json(200, gone && !pod ? success(kind, object) : object);
    }
    default:
      throw notAllowed();
  }
}

/** GET pods/[SCHEME:]NAME[:PORT]/proxy/PATH: the program's answer, or the API server's when nothing listens. */
function proxy({ kind, namespace, name, subresource }: Target, { api, answer }: Routes): Answer {
  const parts = name.split(":");
  const [pod = "", port = "80"] = parts.length === 3 ? parts.slice(1) : parts;
  const status = answer(api.read(kind, namespace, pod) as Pod, Number(port), subresource.slice("proxy".length) || "/");
  if (status === null)
    throw new ApiError(
      503,
      "ServiceUnavailable",
      `error trying to reach service: dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
  return { status, text: status === 200 ? "ok" : "404 page not found", type: "text/plain" };
}

function success(kind: Kind, object: KubeObject): unknown {
  const details = {
    name: object.metadata.name,
    ...(kind.group === "" ? {} : { group: kind.group }),
    kind: kind.plural,
    uid: object.metadata.uid,
  };
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
}

function scale(request: Request, target: Target, api: Api): Answer {
  const { kind, namespace, name } = target;
  const before = api.read(kind, namespace, name) as PodOwner;
  if (request.method === "GET") return json(200, scaleOf(before));
  const body = bodyOf(request);
  const spec = isTree(body) && isTree(body.spec) ? body.spec : {};
  if (typeof spec.replicas !== "number") throw badRequest("spec.replicas is required");
  const after = { ...before, spec: { ...before.spec, replicas: spec.replicas } };
  return json(200, scaleOf(api.update(kind, before, after, writeOptions(request)) as PodOwner));
}

function writeOptions({ method, params, headers }: Request): WriteOptions {
  const dryRun = params.getAll("dryRun").filter((value) => value !== "");
  if (dryRun.some((value) => value !== "All")) {
    const kinds: Record<string, string> = { POST: "CreateOptions", PUT: "UpdateOptions", PATCH: "PatchOptions" };
    const message = `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`;
    throw invalid({ group: "meta.k8s.io", kind: kinds[method] ?? "DeleteOptions" }, "", [
      { reason: "FieldValueNotSupported", message, field: "dryRun" },
    ]);
  }
  const agent = (headers["user-agent"] ?? "unknown").split("/")[0] ?? "unknown";
  return { manager: params.get("fieldManager") || agent, dryRun: dryRun.length > 0 };
}

function deleteOptions(request: Request): DeleteOptions {
  const parsed = request.body === "" ? {} : bodyOf(request);
  const body = isTree(parsed) ? parsed : {};
  const { params } = request;
  const grace = body.gracePeriodSeconds ?? params.get("gracePeriodSeconds") ?? undefined;
  const preconditions = isTree(body.preconditions) ? body.preconditions : {};
  const policy = body.propagationPolicy ?? params.get("propagationPolicy") ?? undefined;
  return {
    dryRun: writeOptions(request).dryRun === true || (Array.isArray(body.dryRun) && body.dryRun.includes("All")),
    ...(grace === undefined ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy === "Foreground" || policy === "Orphan" || policy === "Background" ? { propagation: policy } : {}),
    ...(typeof preconditions.uid === "string" ? { uid: preconditions.uid } : {}),
    ...(typeof preconditions.resourceVersion === "string" ? { resourceVersion: preconditions.resourceVersion } : {}),
  };
}

function bodyOf(request: Request): unknown {
  const type = request.headers["content-type"] ?? "application/json";
  if (type.includes("yaml")) return parse(request.body);
  if (!type.includes("json")) {
    const accepted = "application/json, application/yaml";
    throw new ApiError(
      415,
      "UnsupportedMediaType",
      `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
    );
  }
  try {
    return JSON.parse(request.body);
  } catch {
    throw badRequest(
      `couldn't get version/kind; json parse error: unexpected end of JSON input (${request.body.slice(0, 100)})`,
    );
  }
}

function objectOf(request: Request, kind: Kind): KubeObject {
  const parsed = bodyOf(request);
  const body = isTree(parsed) ? parsed : {};
  const apiVersion = apiVersionOf(kind);
  if (body.kind !== undefined && body.kind !== kind.kind) {
    throw badRequest(
      `${String(body.kind)} in version "${kind.version}" cannot be handled as a ${kind.kind}: converting (${String(body.kind)}) to (${kind.kind}): unknown conversion`,
    );
  }
  if (body.apiVersion !== undefined && body.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${String(body.apiVersion)}) does not match the expected API version (${apiVersion})`,
    );
  }
  const metadata = isTree(body.metadata) ? body.metadata : {};
  return { ...body, apiVersion, kind: kind.kind, metadata } as KubeObject;
}
