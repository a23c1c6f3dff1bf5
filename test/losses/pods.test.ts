import { describe, expect, it } from "vitest";
import { lostPods } from "../../src/losses/pods.ts";
import type { Json, KubeObject } from "../../src/model.ts";
import { recentCommit } from "./recent-commit.ts";

const service = (app = "api", over: { readonly [field: string]: Json } = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "api", namespace: "shop" },
  spec: { selector: { app }, ports: [{ port: 80 }], ...over },
});
const workload = (name: string, replicas?: number, url?: string, kind = "Deployment"): KubeObject => ({
  apiVersion: "apps/v1",
  kind,
  metadata: { name, namespace: "shop" },
  spec: {
    ...(replicas === undefined ? {} : { replicas }),
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "app", ...(url === undefined ? {} : { env: [{ name: "URL", value: url }] }) }] },
    },
  },
});
const scaler: KubeObject = {
  apiVersion: "autoscaling/v2",
  kind: "HorizontalPodAutoscaler",
  metadata: { name: "api", namespace: "shop" },
  spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "api" } },
};
const web = workload("web", 1, "http://api/");
const [up, down] = [workload("api", 2), workload("api", 0)];

describe("pods that a commit scaled to zero", () => {
  it("are missed by the Service that they stood behind, and by who asks for it", () => {
    expect(lostPods(recentCommit([service(), down], [service(), up]))).toMatchObject([
      { ref: { kind: "Deployment", name: "api" }, what: "pods of Deployment shop/api behind Service shop/api" },
    ]);
    const [lost] = lostPods(recentCommit([service(), down, web], [service(), up, web]));
    expect(lost?.what).toBe("pods of Deployment shop/api behind Service shop/api (URL)");
    expect(lost?.clients).toEqual([web]);
  });

  it("are missed where one was the default, and where the same commit turned the Service away", () => {
    expect(lostPods(recentCommit([service(), down], [service(), workload("api")]))).toHaveLength(1);
    expect(lostPods(recentCommit([service("other"), down], [service(), up]))).toHaveLength(1);
  });

  it("of a headless Service are missed only by who asks for it", () => {
    const headless = service("api", { clusterIP: "None" });
    const [was, is] = [workload("api", 3, undefined, "StatefulSet"), workload("api", 0, undefined, "StatefulSet")];
    expect(lostPods(recentCommit([headless, is], [headless, was]))).toEqual([]);
    expect(lostPods(recentCommit([headless, is, web], [headless, was, web]))).toHaveLength(1);
  });

  it.each<[string, readonly KubeObject[], readonly KubeObject[]]>([
    ["no Service stood before them", [down], [up]],
    ["the Service is gone as well", [down], [service(), up]],
    ["the Service never sent to them", [service("other"), down], [service("other"), up]],
    ["they were at rest before", [service(), workload("api", 0)], [service(), workload("api", 0)]],
    ["fewer are left, but some", [service(), workload("api", 1)], [service(), up]],
    [
      "others stand behind it",
      [service("api"), down, { ...workload("api", 2), metadata: { name: "api-v2", namespace: "shop" } }],
      [service("api"), up],
    ],
    ["an autoscaler scales it", [service(), down, scaler], [service(), up, scaler]],
    ["several are put to rest at once", [service(), down, workload("web", 0)], [service(), up, workload("web", 1)]],
  ])("are nobody's loss where %s", (_, now, before) => {
    expect(lostPods(recentCommit(now, before))).toEqual([]);
  });

  it.each([
    "Scale api to zero",
    "stop the api for the night",
    "Turn off api",
    "chore: disable api (INC-12)",
    "Maintenance window",
    "Decommission api",
    "Replicas of api",
    "Pausing deliveries",
    "switch to blue",
  ])("are meant so where the commit says it: %s", (subject) => {
    expect(lostPods(recentCommit([service(), down], [service(), up], subject))).toEqual([]);
  });
});
