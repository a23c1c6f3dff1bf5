import { describe, expect, it } from "vitest";
import type { Change, Json, Symptom } from "../../src/model.ts";
import { ago, workload } from "../detectors/snapshot-builder.ts";
import { APP, commit, helps, onWorkload, refuses, tried, type World } from "./remedy-context.ts";

const crash: Symptom = { kind: "CrashLoop", exit: "application", exitCode: 1, init: false };
const cart = workload({
  container: {
    env: [{ name: "MODE", value: "turbo" }],
    readinessProbe: { httpGet: { path: "/", port: 9090 } },
    resources: { limits: { memory: "64Mi" } },
  },
});
const mode = onWorkload(cart, [...APP, "env", { by: "name", value: "MODE" }, "value"], "turbo", "fast");
const port = onWorkload(cart, [...APP, "readinessProbe", "httpGet", "port"], 9090, 8080);
const replicas: Change = { object: cart.ref, path: ["spec", "replicas"], from: 1, to: 3 };

function world(changes: readonly Change[] = [mode, port], over: Partial<World> = {}): World {
  return { workload: cart, symptom: crash, registry: {}, previous: [commit(changes)], ...over };
}

describe("puts back", () => {
  it("all that the commit changed in the failing object, and names the commit", async () => {
    const planned = await helps("revert-commit", world());
    expect(planned.changes).toEqual([mode, port]);
    expect(planned.reason).toMatch(/Commit 1a2b3c4 .*What explains the symptom alone may not be all that it broke/);
    expect(planned.offered.at(-1)).toBe("revert-commit");
  });

  it("but never replicas, labels and what else no remedy may restore", async () => {
    const planned = await helps("revert-commit", world([mode, replicas, port]));
    expect(planned.changes).toEqual([mode, port]);
  });
});

describe("refuses", () => {
  it.each<[string, World, RegExp]>([
    [
      "what explains the symptom alone: that is for restore-from-git",
      world([mode]),
      /changed nothing in it but what explains the symptom/,
    ],
    [
      "a commit that has no part in the symptom",
      world([port, onWorkload(cart, [...APP, "livenessProbe"], undefined, { tcpSocket: { port: 1 } })]),
      /nothing that the last commit changed in it explains the symptom/,
    ],
    ["without history", world([], { previous: [] }), /recent history changed nothing in it that may be put back/],
    [
      "a commit that is too old",
      world([], { previous: [commit([mode, port], { age: "15d" })] }),
      /changed nothing in it that may be put back/,
    ],
    [
      "a commit made after the failing began",
      world([], { since: ago("5h"), previous: [commit([mode, port], { age: "1h" })] }),
      /changed nothing in it that may be put back/,
    ],
    [
      "where the cluster has another value than Git",
      world([{ ...mode, from: "manual" }, port]),
      /the cluster has turbo there and not manual/,
    ],
  ])("%s", async (_, given, says) => expect(await refuses("revert-commit", given)).toMatch(says));
});

describe("parameters from elsewhere change nothing:", () => {
  const field = (change: Change, over: object = {}) => ({
    fields: [{ ...change, object: { ...change.object }, ...over }],
  });
  it.each<[string, object, RegExp]>([
    ["replicas", field(replicas), /is no field that this remedy may restore/],
    [
      "another Deployment",
      field(mode, { object: { ...cart.ref, name: "bank" } }),
      /has nothing to do with the failing/,
    ],
    ["another namespace", field(mode, { object: { ...cart.ref, namespace: "bank" } }), /in another namespace/],
    [
      "a Secret",
      field(mode, { object: { apiVersion: "v1", kind: "Secret", namespace: "shop", name: "db" } }),
      /has nothing to do/,
    ],
    ["a value that is not there any more", field(mode, { from: "slow" }), /has changed/],
    ["a prototype", field(mode, { path: ["__proto__", "polluted"] }), /parameters are wrong/],
    ["no fields", { fields: [] }, /parameters are wrong/],
    ["a commit that is none", { ...field(mode), commit: "HEAD; rm -rf /" }, /parameters are wrong/],
    ["nothing", {}, /parameters are wrong/],
  ])("%s", async (_, params, says) =>
    expect(await tried("revert-commit", params as { readonly [name: string]: Json }, world())).toMatch(says),
  );
});
