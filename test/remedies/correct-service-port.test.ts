import { describe, expect, it } from "vitest";
import { Config } from "../../src/config/schema.ts";
import type { KubeObject, PortState } from "../../src/model.ts";
import { detect } from "../../src/steps/detect.ts";
import { ago, snapshot, workload } from "../detectors/snapshot-builder.ts";
import { helps, refuses, tried, type World } from "./remedy-context.ts";

const service = (targetPort: string | number | undefined): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "shop" },
  spec: { selector: { app: "web" }, ports: [{ port: 80, ...(targetPort === undefined ? {} : { targetPort }) }] },
});
const REF = { apiVersion: "v1", kind: "Service", namespace: "shop", name: "web" };

function world(over: Partial<PortState> = {}, targetPort: string | number | null = 8081): World {
  const object = service(targetPort ?? undefined);
  const state: PortState = {
    ref: REF,
    object,
    target: targetPort ?? 80,
    declared: [8080],
    message: "Nothing listens on port 8081 of its pods.",
    since: ago("10m"),
    ...over,
  };
  return {
    workload: { ...workload(), ref: REF, object },
    symptom: { kind: "WrongPort", message: state.message, targets: [state.target] },
    container: null,
    snapshot: { ports: [state] },
  };
}

describe("correct-service-port", () => {
  it("points to the one port that the pods declare", async () => {
    expect(await helps("correct-service-port", world())).toMatchObject({
      title: "point target port 8081 → 8080",
      changes: [
        { object: REF, path: ["spec", "ports", { by: "port", value: 80 }, "targetPort"], from: 8081, to: 8080 },
      ],
    });
    expect((await helps("correct-service-port", world({ target: "htpp" }, "htpp"))).changes).toMatchObject([
      { from: "htpp", to: 8080 },
    ]);
  });

  it("adds the target port where the Service names none", async () => {
    const [change] = (await helps("correct-service-port", world({ target: 80 }, null))).changes;
    expect(change).toEqual({ object: REF, path: ["spec", "ports", { by: "port", value: 80 }, "targetPort"], to: 8080 });
  });

  it.each([
    ["several ports", { declared: [8080, 9090] }, /declare the ports 8080, 9090; a person must say which is meant/],
    ["no port", { declared: [] }, /declare no port; a person must say/],
  ])("says no where the pods declare %s", async (_, over, sentence) => {
    expect(await refuses("correct-service-port", world(over))).toMatch(sentence);
  });

  it("leaves a further port alone where another one leads to what the pods declare", async () => {
    const both = service(8081);
    (both["spec"] as { ports: object[] }).ports.push({ port: 8443, targetPort: 8080 });
    const taken = world();
    expect(
      await tried(
        "correct-service-port",
        { port: 8080 },
        { ...taken, workload: { ...workload(), ref: REF, object: both } },
      ),
    ).toBe("another port of the Service leads to 8080 already; a person must say where this one leads");
  });

  it("takes no other port from anybody", async () => {
    expect(await tried("correct-service-port", { port: 22 }, world())).toBe(
      "port 22 is not the one that the pods declare",
    );
    expect(await tried("correct-service-port", { port: 8080 }, { ...world(), snapshot: { ports: [] } })).toBe(
      "there is no such port",
    );
  });
});

describe("wrong-port", () => {
  const settings = Config.parse({}).detect;
  it("is one finding a Service", () => {
    const [state] = world().snapshot?.ports ?? [];
    if (state === undefined) throw new Error("no state");
    const ports = [
      state,
      { ...state, target: "metrics", message: "No container of its pods has a port named metrics." },
    ];
    expect(detect(snapshot([], { ports }), settings)).toMatchObject([
      {
        detector: "wrong-port",
        workload: REF,
        symptom: { kind: "WrongPort", targets: [8081, "metrics"] },
        summary: "Service web sends to ports 8081, metrics of its pods, where nothing listens.",
      },
    ]);
    expect(detect(snapshot([]), settings)).toEqual([]);
  });
});
