import { stableKey } from "../../src/gitops/rendered.ts";
import type { Json, KubeObject } from "../../src/model.ts";
import type { RecentCommit } from "../../src/recent.ts";
import { commit } from "../remedies/remedy-context.ts";

/** A commit that made `before` what is now. */
export function recentCommit(
  now: readonly KubeObject[],
  before: readonly KubeObject[],
  subject = "Update the manifests",
): RecentCommit {
  return {
    commit: { ...commit([]).commit, subject },
    now,
    before: new Map(before.map((object) => [stableKey(object), object])),
    after: undefined,
  };
}

/** An object of namespace shop. */
export function inShop(kind: string, name: string, fields: { readonly [field: string]: Json } = {}): KubeObject {
  return { apiVersion: "v1", kind, metadata: { name, namespace: "shop" }, ...fields };
}

/** A Deployment of one container `app` with these fields of its own, and of its pod spec. */
export function deployment(
  name: string,
  container: { readonly [field: string]: Json } = {},
  pod: { readonly [field: string]: Json } = {},
): KubeObject {
  return inShop("Deployment", name, {
    spec: {
      template: {
        metadata: { labels: { app: name } },
        spec: { ...pod, containers: [{ name: "app", ...container }] },
      },
    },
  });
}
