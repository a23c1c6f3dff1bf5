import { describe, expect, it } from "vitest";
import { Config } from "../../src/config/schema.ts";
import { StanchError } from "../../src/errors.ts";
import type { Finding, Symptom } from "../../src/model.ts";
import type { Reading } from "../../src/observe/reading.ts";
import type { Cluster } from "../../src/ports.ts";
import { gather } from "../../src/steps/gather.ts";
import { backOff, container, ended, pod, snapshot, workload } from "../detectors/snapshot-builder.ts";

const crashed = pod({ name: "cart-7", containers: [container({ ...backOff, last: ended("Error", 1) })] });
const cart = workload({ pods: [pod(), crashed] });

/** A reading whose only door is the log. */
function reading(log: string | Error, settings: object = {}): Reading & { asked: unknown[] } {
  const asked: unknown[] = [];
  const logs: Cluster["logs"] = async (ref, name, options) => {
    asked.push({ pod: ref.name, container: name, ...options });
    if (log instanceof Error) throw log;
    return log;
  };
  return {
    asked,
    cluster: { logs } as Cluster,
    config: Config.parse({ observe: settings }),
    clock: { now: () => new Date(), sleep: async () => undefined },
    gaps: [],
    watched: () => true,
    pages: () => {
      throw new Error("nothing is listed here");
    },
  };
}

function finding(symptom: Symptom = { kind: "CrashLoop", exit: "application", exitCode: 1, init: false }): Finding {
  return {
    detector: "crash-loop",
    workload: cart.ref,
    container: "app",
    symptom,
    summary: "",
    evidence: [{ id: "e1", kind: "status", text: "Exit code 1." }],
    since: "",
    pods: 1,
    fingerprint: "",
  };
}

async function textOf(log: string, settings?: object): Promise<string | undefined> {
  const gathered = await gather(finding(), snapshot([cart]), reading(log, settings));
  return gathered.evidence.at(1)?.text;
}

describe("gather", () => {
  it("adds the log of the pod that fails, of the run that ended", async () => {
    const door = reading("starting\nno MODE\n");
    const gathered = await gather(finding(), snapshot([cart]), door);
    expect(gathered.evidence.slice(1)).toEqual([{ id: "e2", kind: "log", text: "starting\nno MODE" }]);
    expect(door.asked).toEqual([
      { pod: "cart-7", container: "app", previous: true, tailLines: 40, limitBytes: 16_384 },
    ]);
  });

  it.each<[string, string, string]>([
    ["a password", "connecting with password=hunter2-and-more", "hunter2"],
    ["a password in an address", "postgres://shop:s3cr3t-pw@db:5432/shop", "s3cr3t-pw"],
    ["a token of GitHub's", `using ghp_${"a1B2c3D4e5".repeat(4)}`, "ghp_a1B2"],
    ["a bearer token", "Authorization: Bearer abcdefghijklmnop", "abcdefghijklmnop"],
    ["a web token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def_ghi", "eyJhbGci"],
    [
      "a private key",
      "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
      "MIIEpAIBAAKCAQEA",
    ],
    ["a private key that is cut off", "-----BEGIN PRIVATE KEY-----\nMIIEvgIBADANBg", "MIIEvgIBADANBg"],
    ["a key of a cloud", "aws AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"],
    ["JSON", '{"level":"error","api_key":"k-12345-abc"}', "k-12345-abc"],
    ["random text", "nonce q8Zt3LmP0xVb7NcK2sWd9RfY", "q8Zt3LmP0xVb7NcK2sWd9RfY"],
  ])("never keeps %s", async (_, log, secret) => {
    const text = (await textOf(`before\n${log}\nafter`)) ?? "";
    expect(text).not.toContain(secret);
    expect(text).toMatch(/redacted/);
    // What surrounds it stays: a log of which nothing is left proves nothing.
    expect(text).toMatch(/^before\n[\s\S]*after$|^before\n/);
  });

  it("keeps what looks random and is public: digests and commits", async () => {
    const log = `image sha256:${"ab12".repeat(16)} of commit ${"1a2b3c4d5e".repeat(4)}`;
    expect(await textOf(log)).toBe(log);
  });

  it("is bounded in lines and in letters, and keeps the last ones", async () => {
    const many = Array.from({ length: 500 }, (_, index) => `line ${index}`).join("\n");
    const few = await textOf(many, { logLines: 3 });
    expect(few).toBe("line 497\nline 498\nline 499");
    const long = await textOf(`${"x ".repeat(50_000)}\nthe end`);
    expect(long?.length).toBeLessThanOrEqual(4000);
    expect(long).toMatch(/the end$/);
  });

  it("takes out terminal sequences and control characters", async () => {
    const esc = String.fromCharCode(27);
    expect(await textOf(`${esc}[31mred${esc}[0m\u0007\r\ndone\u0000`)).toBe("red\ndone");
  });

  it("reads no log where none is wanted, where it tells nothing, or where there is no pod", async () => {
    const symptom: Symptom = { kind: "ImagePull", cause: "terminal", image: "x", message: "", init: false };
    for (const [given, shot, settings] of [
      [finding(), snapshot([cart]), { logLines: 0 }],
      [finding(symptom), snapshot([cart]), {}],
      [finding(), snapshot([]), {}],
      [{ ...finding(), container: "other" }, snapshot([cart]), {}],
    ] as const) {
      const door = reading("secret", settings);
      expect(await gather(given, shot, door)).toEqual(given);
      expect(door.asked).toEqual([]);
    }
  });

  it("goes on without the right to read logs, and says that it could not", async () => {
    const door = reading(new StanchError("forbidden", "pods/log is forbidden"));
    expect(await gather(finding(), snapshot([cart]), door)).toEqual(finding());
    expect(door.gaps).toEqual(["the log of shop/cart-7 cannot be read: pods/log is forbidden"]);
  });
});
