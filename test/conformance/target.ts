import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll } from "vitest";
import { startCluster } from "../../src/demo/cluster/cluster.ts";
import type { Body, Client, Response } from "./client.ts";
import { createClient } from "./client.ts";
import { conformanceRegistry } from "./programs.ts";

/** The kubeconfig of a real cluster to test instead of the embedded one. */
export const REAL =
  process.env.STANCH_CONFORMANCE_KUBECONFIG ??
  (process.env.STANCH_CONFORMANCE === "real" ? process.env.KUBECONFIG : undefined);

export const isReal = REAL !== undefined;

/** Delays of the embedded cluster are divided by this; seconds in the suite are the real cluster's. */
const SPEED = 20;

/** One namespace of one cluster, and how to talk to it. */
export interface Target {
  readonly client: Client;
  readonly namespace: string;
  /** Paths inside the namespace: `at("apps/v1", "deployments", "web")`. */
  at(apiVersion: string, plural: string, ...rest: string[]): string;
  get(path: string, accept?: string): Promise<Response>;
  post(path: string, body: unknown): Promise<Response>;
  put(path: string, body: unknown): Promise<Response>;
  /** `kind` is the word in the content type: json, merge, strategic-merge, apply. */
  patch(path: string, kind: string, body: unknown): Promise<Response>;
  remove(path: string, body?: unknown): Promise<Response>;
  /** Creates an object in the namespace; fails the test when the server refuses it. */
  make(object: Body): Promise<Body>;
  /** Reads `path` until `fits` holds, for at most `seconds` of the real cluster's time. */
  until(path: string, fits: (body: Body) => boolean, seconds?: number): Promise<Body>;
}

const PLURALS: Record<string, string> = { NetworkPolicy: "networkpolicies", StorageClass: "storageclasses" };

/** Opens a target before the tests of a file and removes it after them. */
export function useTarget(name: string): Target {
  const namespace = `conf-${name}-${Math.random().toString(36).slice(2, 7)}`;
  let client: Client | undefined;
  let dispose: () => Promise<void> = async () => {};
  const use = (): Client => {
    if (client === undefined) throw new Error("the target is open only while tests run");
    return client;
  };

  beforeAll(async () => {
    if (REAL === undefined) {
      const cluster = await startCluster({ registry: conformanceRegistry(), speed: SPEED });
      client = createClient(cluster.kubeconfig());
      dispose = cluster.close;
    } else client = createClient(readFileSync(REAL, "utf8"));
    const made = await client.call("POST", "/api/v1/namespaces", {
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    });
    if (made.code !== 201) throw new Error(made.text);
    await target.until(target.at("v1", "serviceaccounts", "default"), (body) => body.kind === "ServiceAccount");
  }, 30_000);

  afterAll(async () => {
    await client?.call("DELETE", `/api/v1/namespaces/${namespace}`);
    client?.close();
    await dispose();
  });

  const target: Target = {
    get client() {
      return use();
    },
    namespace,
    at: (apiVersion, plural, ...rest) =>
      [apiVersion.includes("/") ? "/apis" : "/api", apiVersion, "namespaces", namespace, plural, ...rest].join("/"),
    get: (path, accept) => use().call("GET", path, accept === undefined ? {} : { accept }),
    post: (path, body) => use().call("POST", path, { body }),
    put: (path, body) => use().call("PUT", path, { body }),
    patch: (path, kind, body) =>
      use().call("PATCH", path, {
        body,
        type: kind === "apply" ? "application/apply-patch+yaml" : `application/${kind}-patch+json`,
      }),
    remove: (path, body) => use().call("DELETE", path, body === undefined ? {} : { body }),
    async make(object) {
      const plural = PLURALS[object.kind] ?? `${object.kind.toLowerCase()}s`;
      const response = await use().call("POST", target.at(object.apiVersion, plural), { body: object });
      if (response.code !== 201) throw new Error(response.text);
      return response.body;
    },
    async until(path, fits, seconds = 60) {
      const end = Date.now() + (isReal ? seconds : Math.max(3, seconds / 4)) * 1000;
      for (;;) {
        const response = await use().call("GET", path);
        if (response.body !== undefined && fits(response.body)) return response.body;
        if (Date.now() > end) throw new Error(`${path} never fitted; last: ${response.text.slice(0, 4000)}`);
        await delay(isReal ? 250 : 20);
      }
    },
  };
  return target;
}

/** A Deployment of one container. */
export function deployment(name: string, container: Body, spec: Body = {}): Body {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      ...spec,
      template: {
        metadata: { labels: { app: name } },
        spec: { terminationGracePeriodSeconds: 1, ...spec.template?.spec, containers: [{ name: "app", ...container }] },
      },
    },
  };
}

/** A body without what differs from cluster to cluster and from second to second. */
export function timeless(value: Body): Body {
  if (Array.isArray(value)) return value.map(timeless);
  if (typeof value !== "object" || value === null) return value;
  const drop =
    /^(uid|resourceVersion|creationTimestamp|time|lastTransitionTime|lastUpdateTime|startedAt|finishedAt|startTime|containerID|imageID|podIPs?|hostIPs?|nodeName)$/;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !drop.test(key))
      .map(([key, item]) => [key, timeless(item)]),
  );
}
