import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { templateDigest } from "../../src/kube/template.ts";
import type { ContainmentRow, Json, PodState, Symptom } from "../../src/model.ts";
import { writeRights } from "../../src/remedies/rights.ts";
import { ago, container, pod, type WorkloadSpec, workload } from "../detectors/snapshot-builder.ts";
import { helps, NAMES, refuses, tried, type World } from "./remedy-context.ts";

const symptom: Symptom = { kind: "NotReady", message: "/tmp/healthy: no such file" };
const ENTRY = {
  name: "restore-health-file",
  namespaces: ["shop"],
  workloads: ["Deployment/cart"],
  images: ["nginx:*"],
  command: ["/bin/touch", "/tmp/healthy"],
  why: "Cart forgets the file that its health check looks for.",
};
const settings = (entry: object = {}) => ({ remedies: { exec: [{ ...ENTRY, ...entry }] } });
const failing = (name: string, over: Partial<PodState> = {}): PodState =>
  pod({ name, uid: `uid-${name}`, containers: [container({ ready: false })], ...over });

function world(over: WorkloadSpec = {}, more: Partial<World> = {}): World {
  const pods = [failing("cart-1"), pod({ name: "cart-2", uid: "uid-cart-2" })];
  return { workload: workload({ pods, ...over }), symptom, settings: settings(), ...more };
}

const row = (over: Partial<ContainmentRow> = {}): ContainmentRow => ({
  remedy: "exec",
  title: "",
  at: ago("1h"),
  template: "",
  pods: [],
  ...over,
});

describe("runs", () => {
  it("the command word by word, in the failing pods and in no other", async () => {
    const given = world();
    const planned = await helps("exec", given);
    expect(planned.changes).toEqual([]);
    expect(planned.action).toEqual({
      kind: "exec",
      pods: ["cart-1"],
      container: "app",
      command: ["/bin/touch", "/tmp/healthy"],
      timeout: 10_000,
    });
    expect(planned.contains).toEqual({ template: templateDigest(given.workload.object), pods: ["uid-cart-1"] });
    expect(planned.title).toBe("run restore-health-file in cart-1");
    expect(planned.reason).toBe(
      "remedies.exec says of restore-health-file: Cart forgets the file that its health check looks for.",
    );
    expect(planned.offered.at(-1)).toBe("exec");
  });

  it("three pods at most", async () => {
    const pods = ["a", "b", "c", "d"].map((name) => failing(name));
    expect((await helps("exec", world({ pods }))).action?.pods).toEqual(["a", "b", "c"]);
  });

  it("in the container that it is written for", async () => {
    const podSpec = {
      containers: [
        { name: "app", image: "nginx:1.27" },
        { name: "agent", image: "nginx:2" },
      ],
    };
    const pods = [failing("cart-1", { containers: [container({ ready: false }), container({ name: "agent" })] })];
    const given = world({ podSpec, pods }, { settings: settings({ container: "agent" }) });
    expect((await helps("exec", given)).action).toMatchObject({ container: "agent" });
  });

  it("in pods in which it was not run before, while its tries last", async () => {
    const pods = [failing("cart-1"), failing("cart-3")];
    const contained = [row({ pods: ["uid-cart-1"] })];
    expect((await helps("exec", world({ pods }, { contained }))).action?.pods).toEqual(["cart-3"]);
    expect(await refuses("exec", world({}, { contained }))).toMatch(/was run in every failing pod before/);
    const spent = [row(), row(), row()];
    expect(await refuses("exec", world({}, { contained: spent }))).toMatch(/done 3 times within 24h/);
  });
});

describe("refuses", () => {
  it.each<[string, World, RegExp]>([
    ["without an entry", world({}, { settings: {} }), /no command is written down/],
    [
      "another namespace",
      world({}, { settings: settings({ namespaces: ["shop-*"] }) }),
      /not meant for namespace shop/,
    ],
    [
      "another workload",
      world({}, { settings: settings({ workloads: ["StatefulSet/*"] }) }),
      /not meant for this workload/,
    ],
    [
      "another image",
      world({}, { settings: settings({ images: ["nginx:1.26"] }) }),
      /not meant for the image of container app/,
    ],
    ["another symptom", world({}, { settings: settings({ symptoms: ["CrashLoop"] }) }), /not meant for this symptom/],
    ["a symptom in which nothing runs", world({}, { symptom: { kind: "OOMKilled" } }), /not meant for this symptom/],
    [
      "a container that it does not have",
      world({}, { settings: settings({ container: "db" }) }),
      /has no container db/,
    ],
    [
      "a container that does not run",
      world({
        pods: [
          failing("cart-1", { containers: [container({ waiting: { reason: "CrashLoopBackOff", message: "" } })] }),
        ],
      }),
      /no failing pod has a container app that runs now/,
    ],
    ["pods that are well", world({ pods: [pod()] }), /no failing pod/],
    ["pods of an older revision", world({ pods: [failing("cart-1", { revision: "cart-old" })] }), /no failing pod/],
    ["pods that are being deleted", world({ pods: [failing("cart-1", { deleting: true })] }), /no failing pod/],
  ])("%s", async (_, given, says) => expect(await refuses("exec", given)).toMatch(says));
});

describe("parameters from elsewhere run nothing:", () => {
  const entry = ENTRY.name;
  it.each<[string, { readonly [name: string]: Json }, RegExp]>([
    ["a healthy pod of the workload", { entry, pods: ["cart-2"] }, /cart-2 is not one of the failing pods/],
    ["another workload's pod", { entry, pods: ["bank-1"] }, /bank-1 is not one of the failing pods/],
    ["one of them among the right ones", { entry, pods: ["cart-1", "bank-1"] }, /bank-1 is not/],
    ["the same pod twice", { entry, pods: ["cart-1", "cart-1"] }, /is not one of/],
    ["an entry that nobody wrote", { entry: "rm", pods: ["cart-1"] }, /has no such entry/],
    ["a command of its own", { entry, pods: ["cart-1"], command: ["rm", "-rf", "/"] }, /parameters are wrong/],
    ["a container of its own", { entry, pods: ["cart-1"], container: "proxy" }, /parameters are wrong/],
    ["no pods", { entry, pods: [] }, /parameters are wrong/],
    ["many", { entry, pods: ["a", "b", "c", "d"] }, /parameters are wrong/],
    ["nothing", {}, /parameters are wrong/],
  ])("%s", async (_, params, says) => expect(await tried("exec", params, world())).toMatch(says));

  it.each(NAMES)("names such as %s", async (name) => {
    expect(await tried("exec", { entry, pods: [name] }, world())).toMatch(/is not one of|parameters are wrong/);
    expect(await tried("exec", { entry: name, pods: ["cart-1"] }, world())).toMatch(
      /no such entry|parameters are wrong/,
    );
  });
});

describe("an entry", () => {
  const parse = (entry: object) => parseConfig(JSON.stringify({ mode: "remediate", remedies: { exec: [entry] } }));
  it("is the only reason for the right to run commands", () => {
    const rights = (config: object) =>
      writeRights(parseConfig(JSON.stringify(config))).filter(({ subresource }) => subresource === "exec");
    expect(rights({ mode: "remediate" })).toEqual([]);
    expect(rights({ mode: "propose", ...settings() })).toEqual([]);
    expect(rights({ mode: "remediate", remedies: { ...settings().remedies, enabled: ["rollback"] } })).toEqual([]);
    expect(rights({ mode: "remediate", ...settings() }).map(({ verb }) => verb)).toEqual(["create", "get"]);
  });

  it.each<[string, object, RegExp]>([
    ["means every container", { workloads: ["*"], images: ["*"] }, /means every container/],
    ["means no namespace", { namespaces: [] }, /would be run nowhere/],
    ["has no command", { command: [] }, /command/],
    ["has a shell line instead of words", { command: "touch /tmp/healthy" }, /command/],
    ["has a word with a NUL", { command: ["touch", "a\0b"] }, /NUL/],
    ["takes too long", { timeout: "5m" }, /longer than 30s/],
    ["has no reason", { why: "" }, /why/],
    ["has a name for a title", { name: "rm; ls" }, /lower-case letters/],
    ["is meant for a symptom in which nothing runs", { symptoms: ["ImagePull"] }, /symptoms/],
    ["has what nobody knows", { shell: true }, /shell/],
  ])("that %s is refused", (_, over, says) => expect(() => parse({ ...ENTRY, ...over })).toThrow(says));

  it("of a name that is there is refused", () =>
    expect(() => parseConfig(JSON.stringify({ remedies: { exec: [ENTRY, ENTRY] } }))).toThrow(
      /two entries of the same name/,
    ));
});
