import { describe, expect, it } from "vitest";
import { complains } from "../../src/detectors/complains.ts";
import { cutOff } from "../../src/detectors/cut-off.ts";
import { detect } from "../../src/steps/detect.ts";
import { commit } from "../remedies/remedy-context.ts";
import { ago, backOff, container, ended, pod, settings, snapshot, workload } from "./snapshot-builder.ts";

const cart = workload();
const said = (since: string) => ({
  complaints: [
    {
      ref: cart.ref,
      object: cart.object,
      container: "app",
      lines: ["error: DB_PORT 5433: connection refused", "error: password=hunter2hunter2 DB_PORT"],
      commit: commit([]).commit,
      since,
    },
  ],
});

describe("complains", () => {
  it("tells what a program says, without what it should not have said", () => {
    const [found] = complains.detect(snapshot([], said(ago("10m"))), settings);
    expect(found).toMatchObject({
      workload: cart.ref,
      container: "app",
      symptom: { kind: "Complains" },
      since: ago("10m"),
    });
    expect(found?.unripe).toBeUndefined();
    expect(JSON.stringify(found)).not.toContain("hunter2");
  });

  it("gives a program time to start", () => {
    expect(complains.detect(snapshot([], said(ago("1m"))), settings)[0]?.unripe).toMatch(/It runs since 60s/);
  });

  it("and leaves to others what they see of the same container", () => {
    const crashing = workload({
      pods: [pod({ containers: [container({ ...backOff, last: ended("Error", 1) })] })],
    });
    const found = detect(snapshot([crashing], said(ago("10m"))), settings);
    expect(found.map(({ symptom }) => symptom.kind)).toEqual(["CrashLoop"]);
  });
});

describe("cut-off", () => {
  it("is about the object in which something was taken away", () => {
    const ref = { apiVersion: "v1", kind: "Service", namespace: "shop", name: "api" };
    const message = "Deployment shop/web asks for port 80 of Service shop/api (URL), which commit 1a2b3c4 took away.";
    const state = { ref, object: null, commit: commit([]).commit, message, clients: [cart.ref], flows: [], rights: [] };
    expect(cutOff.detect(snapshot([], { cutOffs: [state] }), settings)).toMatchObject([
      { workload: ref, symptom: { kind: "CutOff", message }, summary: message, since: commit([]).commit.at },
    ]);
    expect(cutOff.detect(snapshot([]), settings)).toEqual([]);
  });
});
