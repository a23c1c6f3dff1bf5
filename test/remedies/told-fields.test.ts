import { describe, expect, it } from "vitest";
import type { Change, FieldPath, Json, Symptom } from "../../src/model.ts";
import { isTold } from "../../src/remedies/told-fields.ts";
import { workload } from "../detectors/snapshot-builder.ts";
import { APP, commit, findingOf, helps, onWorkload, refuses, type World } from "./remedy-context.ts";

const cart = workload();
const on = (path: FieldPath, from?: Json, to: Json = "before"): Change => onWorkload(cart, path, from as Json, to);
const POD: FieldPath = [];
const LIMIT = on([...APP, "resources", "limits", "memory"], "1Gi");
const CONTEXT = on([...POD, "securityContext", "seccompProfile"], { type: "RuntimeDefault" });
const told = (symptom: Symptom, change: Change): boolean => isTold(change, findingOf({ workload: cart, symptom }));

describe("what refuses pods names the fields", () => {
  const quota: Symptom = { kind: "PodsRefused", message: "exceeded quota: compute, requested: requests.memory=1Gi" };
  const security: Symptom = {
    kind: "PodsRefused",
    message: 'violates PodSecurity "restricted:latest": seccompProfile',
  };

  it("a quota is about what is asked for, pod security about the security context", () => {
    expect([told(quota, LIMIT), told(quota, CONTEXT)]).toEqual([true, false]);
    expect([told(security, LIMIT), told(security, CONTEXT)]).toEqual([false, true]);
  });

  it("words that are not known exonerate nothing", () => {
    const webhook: Symptom = {
      kind: "PodsRefused",
      message: 'admission webhook "policy.example.com" denied the request',
    };
    expect([told(webhook, LIMIT), told(webhook, CONTEXT)]).toEqual([true, true]);
  });

  it.each<[string, readonly FieldPath[], readonly FieldPath[]]>([
    [
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
      [[...POD, "nodeSelector", "disk"]],
      [
        [...APP, "resources", "requests", "cpu"],
        [...POD, "tolerations"],
      ],
    ],
    [
      "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {gpu: true}.",
      [
        [...APP, "resources", "requests", "cpu"],
        [...POD, "tolerations"],
      ],
      [[...APP, "ports", { by: "containerPort", value: 80 }, "hostPort"]],
    ],
    [
      'no scheduler has looked at it; it asks for scheduler "my-schedular"',
      [[...POD, "schedulerName"]],
      [[...POD, "nodeSelector"]],
    ],
    [
      "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
      [[...APP, "ports", { by: "containerPort", value: 80 }, "hostPort"]],
      [[...APP, "resources", "requests", "cpu"]],
    ],
  ])("%s", (message, named, silent) => {
    const symptom: Symptom = { kind: "Unschedulable", message };
    expect(named.map((path) => told(symptom, on(path, "x")))).toEqual(named.map(() => true));
    expect(silent.map((path) => told(symptom, on(path, "x")))).toEqual(silent.map(() => false));
  });

  it("restores what the quota is about, and leaves what the same commit changed beside it", async () => {
    const both = workload({
      container: { resources: { limits: { memory: "1Gi" } } },
      podSpec: { securityContext: { seccompProfile: { type: "RuntimeDefault" } } },
    });
    const given: World = { workload: both, symptom: quota, container: null, previous: [commit([LIMIT, CONTEXT])] };
    expect((await helps("restore-from-git", given)).changes).toEqual([LIMIT]);
    expect(await refuses("restore-from-git", { ...given, previous: [commit([CONTEXT])] })).toMatch(
      /changed nothing that explains the symptom/,
    );
  });
});

describe("a program that says which host it cannot resolve", () => {
  const crash = (message: string): Symptom => ({
    kind: "CrashLoop",
    exit: "application",
    exitCode: 1,
    init: false,
    message,
  });
  const lost = crash("Error: getaddrinfo ENOTFOUND api.partner.example");
  const env = (name: string, value: Json | undefined): Change =>
    on([...APP, "env", { by: "name", value: name }, "value"], value);

  it.each<[string, Change]>([
    ["another variable", env("LOG_LEVEL", "debug")],
    ["an argument without the host", on([...APP, "args", 0], "--workers=8")],
    ["memory", LIMIT],
    ["a probe", on([...APP, "livenessProbe", "periodSeconds"], 5)],
    [
      "data of a ConfigMap without the host",
      {
        object: { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "settings" },
        path: ["data", "app.yaml"],
        from: "level: debug",
        to: "level: info",
      },
    ],
  ])("is not healed by %s", (_, change) => {
    expect(told(lost, change)).toBe(false);
  });

  it.each<[string, Change]>([
    ["the variable that holds the host", env("PARTNER_URL", "https://api.partner.example/v2")],
    ["a part that the host is made of", env("STAGE", "partner")],
    ["a short part that the host is made of", env("ZONE", "api")],
    ["something that is switched on", env("PARTNER", "true")],
    ["a variable that was taken away", env("PARTNER_URL", undefined)],
    ["a variable that the log mentions", env("ENOTFOUND", "x")],
    [
      "a variable that comes from elsewhere",
      on([...APP, "env", { by: "name", value: "A" }], {
        name: "A",
        valueFrom: { configMapKeyRef: { name: "m", key: "k" } },
      }),
    ],
    ["another image", on([...APP, "image"], "example.com/cart:2")],
    ["how names are resolved", on([...POD, "dnsPolicy"], "Default")],
  ])("may be healed by %s", (_, change) => {
    expect(told(lost, change)).toBe(true);
  });

  it("exonerates nothing where no host is said", () => {
    expect(told(crash("panic: division by zero"), env("LOG_LEVEL", "debug"))).toBe(true);
  });

  it("is not taken as the fault of the last commit, whatever it changed", async () => {
    const own = workload({ container: { env: [{ name: "LOG_LEVEL", value: "debug" }] } });
    const given: World = { workload: own, symptom: lost, previous: [commit([env("LOG_LEVEL", "debug")])] };
    expect(await refuses("restore-from-git", given)).toMatch(/changed nothing that explains the symptom/);
    expect(await refuses("revert-commit", given)).toMatch(/nothing that the last commit changed in it explains/);
  });
});

describe("an init container that does not end", () => {
  const waiting = (message: string): Symptom => ({ kind: "InitWaiting", message });
  const lost = waiting("** server can't find stroedb.shop.svc.cluster.local: NXDOMAIN");
  const command = (from: Json, to?: Json): Change => {
    const path = [...APP, "command", 2];
    const made = onWorkload(cart, path, from, to);
    return made;
  };

  it("is at fault for the text that holds the host which it cannot resolve, and for nothing else", () => {
    expect(told(lost, command("until nslookup stroedb", "until nslookup storedb"))).toBe(true);
    expect(told(lost, command("sleep 60", "sleep 1"))).toBe(false);
    expect(told(lost, on([...APP, "image"], "example.com/migrate:2"))).toBe(true);
  });

  it("may be at work as long as it says nothing of a host, and is never taken away", () => {
    expect(told(waiting("Init container migrate runs and does not end."), command("migrate", "true"))).toBe(false);
    expect(told(lost, command("until nslookup stroedb"))).toBe(false);
  });

  it("goes back to the earlier text, unless what it waits for is there", async () => {
    const own = workload({ container: { command: ["sh", "-c", "until nslookup stroedb; do sleep 1; done"] } });
    const back = command("until nslookup stroedb; do sleep 1; done", "until nslookup storedb; do sleep 1; done");
    const service = (name: string) => ({ apiVersion: "v1", kind: "Service", metadata: { name, namespace: "shop" } });
    const given: World = { workload: own, symptom: lost, previous: [commit([back])], others: [service("storedb")] };
    expect((await helps("restore-from-git", given)).changes).toEqual([back]);
    expect(await refuses("restore-from-git", { ...given, others: [service("stroedb")] })).toMatch(
      /it waits for Service stroedb, which is there/,
    );
    expect(await refuses("restore-from-git", { ...given, others: null })).toMatch(/cannot be read/);
    const image = on([...APP, "image"], "nginx:1.27", "nginx:1.26");
    expect(await refuses("restore-from-git", { ...given, previous: [commit([image])] })).toMatch(/changed nothing/);
  });
});
