import { describe, expect, it } from "vitest";
import { itemOf } from "../../src/drift/item.ts";
import { makeSeal, sealed } from "../../src/drift/secret.ts";
import { shownValue } from "../../src/drift/shown.ts";
import type { FieldPath, Json } from "../../src/model.ts";
import { object } from "./objects.ts";

const seal = makeSeal(new Uint8Array(32));
const container: FieldPath = ["spec", "template", "spec", "containers", { by: "name", value: "app" }];
const env = (name: string): FieldPath => [...container, "env", { by: "name", value: name }, "value"];

describe("what may be shown of a value", () => {
  it.each([
    [env("DB_PASSWORD"), "hunter2"],
    [env("API_TOKEN"), "x"],
    [env("STRIPE_API_KEY"), "x"],
    [["data", "client-secret"], "x"],
    [["data", "passwd"], "x"],
    [["data", "key"], "x"],
    [env("KEY"), "x"],
    [["spec", "auth", "privateKey"], "x"],
    [env("URL"), "postgres://app:hunter2@db/shop"],
    [["data", "config.yaml"], "user: a\npassword: hunter2\n"],
    [[...container, "args", 2], "--token=abcdef0123"],
    [["data", "x"], "ghp_0123456789abcdefghijABCDEFGHIJ"],
  ] as [FieldPath, string][])("%j is sealed", (path, value) => {
    const shown = shownValue(path, value, seal);
    expect(Object.keys(shown)).toEqual(["hash"]);
    expect(JSON.stringify(shown)).not.toContain(value);
  });

  it.each([
    [env("COLOR"), "blue"],
    [[...container, "volumes", 0, "secret", "secretName"], "keys"],
    [["spec", "automountServiceAccountToken"], true],
    [[...container, "image"], `example.com/app@sha256:${"a".repeat(64)}`],
    [["spec", "replicas"], 3],
    [[...container, "env", { by: "name", value: "DB" }, "valueFrom", "secretKeyRef", "key"], "password"],
    [["spec", "template", "spec", "tolerations", 0, "key"], "dedicated"],
  ] as [FieldPath, Json][])("%j is shown", (path, value) => {
    expect(shownValue(path, value, seal)).toEqual({ value });
  });

  it("inside of a container that was added, too", () => {
    const added: Json = {
      name: "debug",
      args: ["--password", "hunter2", "--verbose"],
      env: [
        { name: "DB_PASSWORD", value: "hunter2" },
        { name: "COLOR", value: "blue" },
      ],
    };
    const shown = shownValue([...container], added, seal);
    expect(JSON.stringify(shown)).not.toContain("hunter2");
    expect(JSON.stringify(shown)).toContain("blue");
  });

  it("is bounded, and never cut within a character", () => {
    const shown = shownValue(["data", "x"], "😀".repeat(1000), seal);
    expect("cut" in shown && [...shown.cut].length <= 400 && !shown.cut.includes("\ufffd")).toBe(true);
    expect(() => shownValue(["a"], JSON.parse(`${"[".repeat(200)}${"]".repeat(200)}`), seal)).not.toThrow();
  });

  it("seals differ by key and not by spelling", () => {
    const one = sealed(object("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {k: hello}"), seal);
    const two = sealed(object("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {k: aGVsbG8=}"), seal);
    expect(one["data"]).toEqual(two["data"]);
    expect(
      sealed(object("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {k: aGVsbG8=}"), makeSeal())["data"],
    ).not.toEqual(two["data"]);
  });

  it("copies of a Secret's data in its annotations go no further", () => {
    const live = sealed(
      object(
        'apiVersion: v1\nkind: Secret\nmetadata: {name: a, annotations: {kubectl.kubernetes.io/last-applied-configuration: "{\\"data\\":{\\"k\\":\\"aGVsbG8=\\"}}", team: a}}\ndata: {k: aGVsbG8=}',
      ),
      seal,
    );
    expect(JSON.stringify(live)).not.toContain("aGVsbG8=");
    expect(live.metadata.annotations).toEqual({ team: "a" });
  });

  it("an item holds at most forty fields and counts the rest", () => {
    const differences = Array.from({ length: 100 }, (_, index) => ({
      path: ["data", `k${index}`],
      live: "x",
      by: { writer: "person" as const },
    }));
    const item = itemOf(
      { apiVersion: "v1", kind: "ConfigMap", namespace: "a", name: "b" },
      { class: "drift", differences, folded: 0, hidden: new Map() },
      seal,
    );
    expect([item.fields.length, item.more]).toEqual([40, 60]);
  });
});
