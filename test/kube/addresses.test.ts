import { describe, expect, it } from "vitest";
import { addressesIn, addressesOf } from "../../src/kube/addresses.ts";
import { workload } from "../detectors/snapshot-builder.ts";
import { configMap } from "../remedies/remedy-context.ts";

const at = (service: string, port: number, where = "x") => ({ service, port, where });

describe("addressesIn", () => {
  it.each<[string, readonly object[]]>([
    ["redis:6379", [at("redis", 6379)]],
    ["http://api/", [at("api", 80)]],
    ["https://api", [at("api", 443)]],
    ["http://api:8080/v1", [at("api", 8080)]],
    ["postgres://user:word@db.shop.svc.cluster.local:5432/x", [at("db", 5432)]],
    ["db.shop:5432,cache:6379", [at("db", 5432), at("cache", 6379)]],
    ["until nc -z db 5432; do sleep 1; done", []],
    ["db.bank:5432", []],
    ["http://example.com:80/", []],
    ["10.0.0.1:80", []],
    ["redis", []],
    ["sha256:1234567", []],
    ["time: 12:30", []],
  ])("%s", (text, expected) => {
    expect(addressesIn(text, "shop", "x")).toEqual(expected);
  });
});

describe("addressesOf", () => {
  it("reads variables, arguments and ConfigMaps, and hosts and ports that stand apart", () => {
    const cart = workload({
      container: {
        args: ["--api=http://api:81/"],
        env: [
          { name: "DB_HOST", value: "db" },
          { name: "DB_PORT", value: "5432" },
          { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "db", key: "password" } } },
          { name: "QUEUE", valueFrom: { configMapKeyRef: { name: "settings", key: "queue" } } },
        ],
        volumeMounts: [{ name: "conf", mountPath: "/etc/app" }],
      },
      podSpec: { volumes: [{ name: "conf", configMap: { name: "files" } }] },
    });
    const maps = [
      configMap("settings", { queue: "mq:5672" }),
      configMap("files", { "a.conf": "upstream cache:6379;" }),
    ];
    expect(addressesOf(cart.object, maps)).toEqual([
      at("mq", 5672, "QUEUE"),
      at("api", 81, "args[0]"),
      at("cache", 6379, "files/a.conf"),
      at("db", 5432, "DB_HOST"),
    ]);
  });
});
