import type { KubeConfig } from "@kubernetes/client-node";
import { messageOf, StanchError } from "../errors.ts";
import { describeRef } from "../kube/ref.ts";
import { withoutObjects } from "../kube/refusal-text.ts";
import { apiVersionOf, RESOURCES, resourceOf } from "../kube/resources.ts";
import type { KubeObject, ObjectRef } from "../model.ts";
import type { Clock, Cluster, ListOptions, Resource } from "../ports.ts";
import { heldRules, reviewOne } from "./kubernetes-authorization.ts";
import { apiVersions, schemaOf } from "./kubernetes-discovery.ts";
import { execIn } from "./kubernetes-exec.ts";
import { type ApiAnswer, type ApiClient, createApiClient, isUntyped } from "./kubernetes-http.ts";

export const FIELD_MANAGER = "stanch";

export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly clock: Clock;
  /** Of which proxies are taken; absent: none. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * The cluster of the given kubeconfig and context, of KUBECONFIG, of the user's default, or the service account inside a pod.
 * Throws StanchError `config` when there is none.
 */
export async function connectCluster(options: ClusterOptions): Promise<Cluster> {
  const { KubeConfig: Loaded } = await import("@kubernetes/client-node");
  const config = new Loaded();
  try {
    if (options.kubeconfig !== undefined) config.loadFromFile(options.kubeconfig);
    else config.loadFromDefault();
  } catch (error) {
    throw new StanchError("config", `the kubeconfig cannot be read: ${messageOf(error)}`, {
      hint: "check --kubeconfig or the KUBECONFIG variable",
      cause: error,
    });
  }
  // What the SDK falls back to when there is neither a file nor a service account.
  if (options.kubeconfig === undefined && config.getCurrentCluster()?.server === "http://localhost:8080") {
    throw new StanchError("config", "no cluster is configured", {
      hint: "set KUBECONFIG, pass --kubeconfig, or run inside a pod with a service account",
    });
  }
  if (options.context !== undefined) {
    if (config.getContextObject(options.context) === null) {
      const known = config.getContexts().map((context) => context.name);
      throw new StanchError("config", `there is no context "${options.context}" in the kubeconfig`, {
        hint: `known contexts: ${known.join(", ") || "none"}`,
      });
    }
    config.setCurrentContext(options.context);
  }
  return clusterOf(config, options.clock, options.env ?? {});
}

function clusterOf(config: KubeConfig, clock: Clock, env: Readonly<Record<string, string | undefined>>): Cluster {
  const api = createApiClient(config, clock, env);
  const discovered = new Map<string, Promise<readonly Resource[]>>();

  function discovery(apiVersion: string): Promise<readonly Resource[]> {
    let list = discovered.get(apiVersion);
    if (list === undefined) {
      list = discover(api, apiVersion);
      discovered.set(apiVersion, list);
    }
    return list;
  }

  async function resolve(apiVersion: string, kind: string): Promise<Resource> {
    const known = resourceOf(apiVersion, kind);
    if (known !== undefined) return known;
    const found = (await discovery(apiVersion)).find((resource) => resource.kind === kind);
    if (found === undefined)
      throw new StanchError("not-found", `the cluster does not serve ${kind} of ${apiVersion}`, {
        hint: "install its CustomResourceDefinition, or correct the apiVersion",
      });
    return found;
  }

  async function version(): Promise<string> {
    const answer = expect(await api.call({ method: "GET", path: "/version" }), "GET", "the server's version");
    return String((answer as { gitVersion?: unknown }).gitVersion ?? "unknown");
  }

  async function pathOf(ref: ObjectRef, subresource?: string): Promise<string> {
    const resource = await resolve(ref.apiVersion, ref.kind);
    return `${collection(resource, ref.namespace)}/${encodeURIComponent(ref.name)}${subresource === undefined ? "" : `/${subresource}`}`;
  }

  return {
    server: api.server,
    context: config.getCurrentContext(),
    calls: api.calls,
    close: api.close,

    version,

    async *list(resource, options = {}) {
      yield* pages(api, resource, options);
    },

    async get(ref) {
      const answer = await api.call({ method: "GET", path: await pathOf(ref) });
      return answer.status === 404 ? null : (expect(answer, "get", describeRef(ref)) as KubeObject);
    },

    async create(object, options = {}) {
      const resource = await resolve(object.apiVersion, object.kind);
      const path = `${collection(resource, object.metadata.namespace ?? "")}?${query(options.dryRun)}`;
      return expect(
        await api.call({ method: "POST", path, body: object }),
        "create",
        `${object.kind} ${object.metadata.name}`,
      ) as KubeObject;
    },

    async patch(ref, operations, options = {}) {
      const path = `${await pathOf(ref, options.subresource)}?${query(options.dryRun)}`;
      const answer = await api.call({
        method: "PATCH",
        path,
        body: operations,
        contentType: "application/json-patch+json",
      });
      return expect(answer, "patch", describeRef(ref), true) as KubeObject;
    },

    async replace(object, options = {}) {
      const ref = {
        apiVersion: object.apiVersion,
        kind: object.kind,
        namespace: object.metadata.namespace ?? "",
        name: object.metadata.name,
      };
      const path = `${await pathOf(ref, options.subresource)}?${query(false)}`;
      return expect(await api.call({ method: "PUT", path, body: object }), "update", describeRef(ref)) as KubeObject;
    },

    async dryRunApply(object, options = {}) {
      const ref = {
        apiVersion: object.apiVersion,
        kind: object.kind,
        namespace: object.metadata.namespace ?? "",
        name: object.metadata.name,
      };
      const path = `${await pathOf(ref)}?fieldManager=${encodeURIComponent(options.fieldManager ?? FIELD_MANAGER)}&force=true&dryRun=All`;
      return expect(
        await api.call({ method: "PATCH", path, body: object, contentType: "application/apply-patch+yaml" }),
        "dry-run",
        describeRef(ref),
      ) as KubeObject;
    },

    async delete(ref) {
      const answer = await api.call({ method: "DELETE", path: await pathOf(ref) });
      if (answer.status !== 404) expect(answer, "delete", describeRef(ref));
    },

    async evict(pod) {
      const body = {
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { name: pod.name, namespace: pod.namespace },
      };
      const answer = await api.call({ method: "POST", path: await pathOf(pod, "eviction"), body });
      if (answer.status === 429) return false;
      if (answer.status !== 404) expect(answer, "evict", describeRef(pod));
      return true;
    },

    async exec(pod, container, command, bounds) {
      const words = new URLSearchParams({ container, stdout: "true", stderr: "true", stdin: "false", tty: "false" });
      for (const word of command) words.append("command", word);
      api.count();
      return execIn(config, `${await pathOf(pod, "exec")}?${words}`, bounds, env);
    },

    async logs(pod, container, options) {
      const words = `container=${encodeURIComponent(container)}&previous=${options.previous}&tailLines=${options.tailLines}&limitBytes=${options.limitBytes}${options.sinceSeconds === undefined ? "" : `&sinceSeconds=${options.sinceSeconds}`}`;
      const answer = await api.call({
        method: "GET",
        path: `${await pathOf(pod, "log")}?${words}`,
        text: true,
        accept: "*/*",
      });
      // 400: the container has not started, or there is no previous run. Neither is a fault.
      if (answer.status === 400 || answer.status === 404) return "";
      return String(expect(answer, "read the log of", describeRef(pod)));
    },

    async ask(pod, { scheme, port, path }) {
      const own = `${collection(RESOURCES.Pod, pod.namespace)}/${scheme.toLowerCase()}:${encodeURIComponent(pod.name)}:${port}/proxy`;
      try {
        const answer = await api.call({
          method: "GET",
          path: `${own}${encodeURI(path)}`,
          accept: "*/*",
          foreign: true,
        });
        if (answer.body === null) return answer.status;
        // A Status comes from the API server: no such pod, no right, nothing listens.
        return /connection refused/.test(String((answer.body as { message?: unknown }).message)) ? "refused" : null;
      } catch (error) {
        if (error instanceof StanchError && error.code === "cluster") return null;
        throw error;
      }
    },

    capabilities: async () => ({ kubeVersion: await version(), apiVersions: await apiVersions(api) }),
    async serves(resource) {
      return (await discovery(apiVersionOf(resource))).some((served) => served.plural === resource.plural);
    },

    schema: (resource) => schemaOf(api, resource),

    async resource(apiVersion, kind) {
      return (await discovery(apiVersion)).find((resource) => resource.kind === kind) ?? null;
    },

    async review(accesses) {
      return Promise.all(accesses.map((access) => reviewOne(api, access)));
    },

    heldRules: (namespace) => heldRules(api, namespace),
  };
}

function query(dryRun: boolean | undefined): string {
  return `fieldManager=${FIELD_MANAGER}${dryRun === true ? "&dryRun=All" : ""}`;
}

function collection(resource: Resource, namespace: string): string {
  const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  return resource.namespaced && namespace !== ""
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${resource.plural}`
    : `${root}/${resource.plural}`;
}

async function* pages(api: ApiClient, resource: Resource, options: ListOptions): AsyncGenerator<readonly KubeObject[]> {
  const words = new URLSearchParams({ limit: String(options.limit ?? 500) });
  if (options.labelSelector) words.set("labelSelector", options.labelSelector);
  if (options.fieldSelector) words.set("fieldSelector", options.fieldSelector);
  const accept =
    options.metadataOnly === true
      ? "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
      : "application/json";
  const path = collection(resource, options.namespace ?? "");
  let restarted = false;
  for (;;) {
    const answer = await api.call({ method: "GET", path: `${path}?${words}`, accept });
    if (answer.status === 410 && words.has("continue") && !restarted) {
      // The token expired. The reader sees some objects twice, which observe allows for, rather than miss any.
      restarted = true;
      words.delete("continue");
      continue;
    }
    const body = expect(answer, "list", resource.plural) as { items?: KubeObject[]; metadata?: { continue?: string } };
    const items = body.items ?? [];
    const apiVersion = apiVersionOf(resource);
    for (const item of items) {
      // Items of a list carry neither; everything downstream counts on them.
      item.apiVersion = apiVersion;
      item.kind = resource.kind;
    }
    yield items;
    const token = body.metadata?.continue;
    if (!token) return;
    words.set("continue", token);
  }
}

async function discover(api: ApiClient, apiVersion: string): Promise<readonly Resource[]> {
  const path = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const answer = await api.call({ method: "GET", path });
  if (answer.status === 404) return [];
  const body = expect(answer, "discover", apiVersion) as {
    resources?: { name: string; kind: string; namespaced: boolean }[];
  };
  const [version = "", group = ""] = apiVersion.split("/").reverse();
  return (body.resources ?? [])
    .filter((row) => !row.name.includes("/"))
    .map((row) => ({ group, version, plural: row.name, kind: row.kind, namespaced: row.namespaced }));
}

/** The body of a good answer; otherwise the API server's own sentence as a typed fault. */
function expect(answer: ApiAnswer, verb: string, what: string, patching = false): unknown {
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  const body = answer.body as { message?: unknown; reason?: unknown };
  const reason = String(body.reason ?? "");
  const text = `cannot ${verb} ${what}: ${shortened(withoutObjects(String(body.message ?? `status ${answer.status}`)))}`;
  if (answer.status === 401)
    throw new StanchError("forbidden", text, {
      hint: "the credentials are not valid any more: log in again, or mount a service account token",
    });
  if (answer.status === 403)
    throw new StanchError("forbidden", text, { hint: "`stanch doctor` names the rights that are missing" });
  if (answer.status === 404) throw new StanchError("not-found", text);
  if (answer.status === 409)
    throw new StanchError("conflict", text, { hint: "somebody else changed it in between; the next run looks again" });
  // A failed `test` of a JSON Patch is answered with 422 and no field causes.
  if (answer.status === 422 && patching && /the server rejected our request|testing.*failed|test failed/i.test(text))
    throw new StanchError("conflict", text, { hint: "the object is not what it was when the change was planned" });
  // A field that the schema does not know is answered with 500 by server-side apply.
  if (isUntyped(answer) || answer.status === 422 || answer.status === 400) throw new StanchError("invalid", text);
  throw new StanchError("cluster", text, reason === "" ? {} : { hint: `reason ${reason}` });
}

/** What the API server says of a value stands behind it. */
function shortened(text: string): string {
  return text.length <= 1000 ? text : `${text.slice(0, 700)} … ${text.slice(-290)}`;
}
