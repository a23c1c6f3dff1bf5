import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../src/model.ts";
import type { Reading } from "../../src/observe/reading.ts";
import { observePorts, wrongPorts } from "../../src/observe/service-ports.ts";

const NOW = new Date("2026-01-01T02:00:00Z");
const service = (ports: readonly object[], spec: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "shop", creationTimestamp: "2026-01-01T01:00:00Z" },
  spec: { selector: { app: "web" }, ports, ...spec },
});
const pod = (name: string, ports: readonly object[], ready = "2026-01-01T01:00:00Z"): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "shop" },
  spec: { containers: [{ name: "app", ports }] },
  status: { conditions: [{ type: "Ready", status: "True", lastTransitionTime: ready }] },
});
/** Pods of which each listens on some ports. */
function reading(pods: readonly KubeObject[], listening: Readonly<Record<string, readonly number[]>>): Reading {
  return {
    clock: { now: () => NOW, sleep: async () => undefined },
    gaps: [],
    cluster: {
      async *list() {
        yield pods;
      },
      ask: async ({ name }: { name: string }, { port }: { port: number }) =>
        listening[name]?.includes(port) === true ? 404 : "refused",
    },
  } as unknown as Reading;
}
const HTTP = [{ name: "http", containerPort: 8080 }];
const one = { a: [8080] };

describe("wrongPorts", () => {
  it("is a port on which no pod listens, while it serves what it declares", async () => {
    const found = await wrongPorts(reading([pod("a", HTTP)], one), service([{ port: 80, targetPort: 8081 }]));
    expect(found).toMatchObject([{ target: 8081, declared: [8080] }]);
    expect(await wrongPorts(reading([pod("a", [])], one), service([{ port: 80 }]))).toHaveLength(1);
    expect(await wrongPorts(reading([pod("a", HTTP)], one), service([{ port: 80, targetPort: "web" }]))).toHaveLength(
      1,
    );
  });

  it.each<[string, readonly KubeObject[], Readonly<Record<string, readonly number[]>>, KubeObject]>([
    ["a port that a pod serves", [pod("a", HTTP)], { a: [8080, 9090] }, service([{ port: 80, targetPort: 9090 }])],
    ["pods that do not listen at all yet", [pod("a", HTTP)], {}, service([{ port: 80, targetPort: 8081 }])],
    ["pods that were just made", [pod("a", [], "2026-01-01T01:59:30Z")], {}, service([{ port: 80 }])],
    [
      "a port that only some pods serve",
      [pod("a", HTTP), pod("b", HTTP)],
      { a: [8080], b: [8080, 8081] },
      service([{ port: 80, targetPort: 8081 }]),
    ],
    [
      "metrics that are not switched on",
      [pod("a", HTTP)],
      one,
      service([
        { port: 80, targetPort: "http" },
        { port: 9090, targetPort: 9090 },
        { port: 9091, targetPort: "metrics" },
      ]),
    ],
    ["a headless Service", [pod("a", HTTP)], one, service([{ port: 80, targetPort: 8081 }], { clusterIP: "None" })],
    ["no pods", [], {}, service([{ port: 80, targetPort: 8081 }])],
  ])("says nothing of %s", async (_, pods, listening, object) => {
    expect(await wrongPorts(reading(pods, listening), object)).toEqual([]);
  });

  it("says what could not be asked, and goes on", async () => {
    const broken = {
      ...reading([], {}),
      cluster: {
        // biome-ignore lint/correctness/useYield: it fails before the first page
        async *list() {
          throw new Error("no answer");
        },
      },
    } as unknown as Reading;
    expect(await observePorts(broken, [service([{ port: 80 }])])).toEqual([]);
    expect(broken.gaps).toEqual(["what listens behind service shop/web cannot be asked: no answer"]);
  });
});
