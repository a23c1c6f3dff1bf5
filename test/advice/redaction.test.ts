import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { bounded, cleanBounded, frame, visible } from "../../src/advice/frame.ts";
import { formsOf } from "../../src/advice/known-secrets.ts";
import { leakIn } from "../../src/advice/leak-check.ts";
import { objectText } from "../../src/advice/object-text.ts";
import { proseProblem } from "../../src/advice/prose-check.ts";
import { makeRedactor } from "../../src/advice/redaction.ts";
import type { KubeObject } from "../../src/model.ts";
import { SECRETS } from "../model/hostile.ts";

const redactor = makeRedactor([]);
const SCENARIOS = resolve(import.meta.dirname, "../scenarios");
const manifests = readdirSync(SCENARIOS, { recursive: true, encoding: "utf8" }).filter((file) =>
  /cluster\.yaml$/.test(file),
);

describe("what is no secret stays, or a model could tell nothing", () => {
  it.each([
    "ghcr.io/acme/cart@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "commit 1a2b3c4d5e6f70819293a4b5c6d7e8f901234567",
    "pod cart-7d9f8b6c5d-x2x4z of shop",
    "registry.k8s.io/ingress-nginx/controller:v1.11.2",
    "uid 0d1f5b3e-8f7a-4c0d-9c6e-2b1a3f4e5d6c",
    "java.lang.IllegalStateException: Failed to load ApplicationContext at org.springframework.boot.SpringApplication.run(SpringApplication.java:1358)",
    '2026-01-01T12:00:00.123456789Z level=error msg="dial tcp 10.96.0.10:5432: connect: connection refused"',
    "secretKeyRef: {name: db, key: password}",
    'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found',
    "requiredDuringSchedulingIgnoredDuringExecution",
  ])("%s", (text) => {
    expect(redactor.leak(redactor.clean(text))).toBeNull();
    if (!/secretKeyRef|level=/.test(text)) expect(redactor.clean(text)).toBe(text);
  });

  it(`the second opinion has no objection to any object of ${manifests.length} scenarios`, () => {
    expect(manifests.length).toBeGreaterThan(20);
    const found: string[] = [];
    for (const file of manifests)
      for (const document of parseAllDocuments(readFileSync(join(SCENARIOS, file), "utf8"))) {
        const text = redactor.clean(objectText(document.toJS() as KubeObject));
        const leak = redactor.leak(text);
        if (leak !== null) found.push(`${file}: ${leak}`);
        // It is still that object.
        if (!text.includes("kind:")) found.push(`${file}: nothing is left`);
      }
    expect(found).toEqual([]);
  });
});

describe("secrets", () => {
  it.each(SECRETS)("$name is taken out, in the middle of anything", ({ text, needles }) => {
    for (const around of [text, `before ${text} after`, `"${text}"`, `line\n${text}\nline`]) {
      const clean = redactor.clean(around);
      for (const needle of needles) expect(clean).not.toContain(needle);
      expect(redactor.leak(clean)).toBeNull();
    }
  });

  it("taking out twice is taking out once", () => {
    for (const { text } of SECRETS) expect(redactor.clean(redactor.clean(text))).toBe(redactor.clean(text));
  });

  it("a known value goes wherever it stands, encoded at any offset", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 8, maxLength: 40, unit: "grapheme-ascii" }).filter((text) => text.trim().length >= 8),
        fc.nat(7),
        fc.nat(7),
        (value, before, after) => {
          const own = makeRedactor([value]);
          const encoded = Buffer.from("x".repeat(before) + value + "y".repeat(after)).toString("base64");
          for (const text of [`a ${value} b`, JSON.stringify({ value }), encodeURIComponent(value), encoded]) {
            const clean = own.clean(text);
            expect(clean).not.toContain(value);
            expect(own.leak(clean)).toBeNull();
            // What is left of an encoding does not say it either.
            const left = clean.split("‹redacted›").map((part) => Buffer.from(part, "base64").toString("latin1"));
            for (const part of left) expect(part).not.toContain(value);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("a known value goes as Go, forms and nested JSON write it, and each value within one", () => {
    const value = "a<b>&c d'é/12";
    const own = makeRedactor([
      value,
      JSON.stringify({ auths: { "ghcr.io": { password: "walrus-pie" } } }),
      "user=cart\ndb.key=blue-whale",
    ]);
    const go = JSON.stringify(value).replaceAll(/[<>&]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`);
    const forms = [
      go,
      JSON.stringify(JSON.stringify(value)),
      encodeURIComponent(value).toLowerCase(),
      encodeURIComponent(value).replaceAll("%20", "+"),
      "walrus-pie",
      "blue-whale",
    ];
    for (const form of forms) expect(own.clean(`x ${form} y`)).toMatch(/^x "*\\?"?‹redacted›\\?"*"? y$/);
  });

  it("a known value that is a word of our own instructions hinders nothing there, and goes everywhere else", () => {
    const own = makeRedactor(["program"]);
    expect(own.leak("a program that repairs", "a program that repairs")).toBeNull();
    expect(own.leak("a program that repairs")).toBe("a value of a Secret");
    expect(own.clean("a program that repairs")).toBe("a ‹redacted› that repairs");
  });

  it("a secret that is cut in two does not show its half", () => {
    const text = `${"-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\n".repeat(900)}`;
    const shown = cleanBounded(`${text}the password is walruspie`, 6000, "start", (piece) => redactor.clean(piece));
    expect(shown).toMatch(/more characters/);
    const word = "walrus ".repeat(20_000);
    const half = cleanBounded(word, 100, "start", (piece) => piece.replaceAll("walrus walrus ", ""));
    expect(half).not.toContain("wal");
  });

  it("short and common values are words and stay", () => {
    expect(formsOf(["true", "admin", "default", "postgres"])).toEqual([]);
  });

  it("the second opinion finds what the first would have left, by itself", () => {
    for (const { name, text } of SECRETS.filter((one) =>
      /AWS|GitHub|fine|JWT|private|Slack|Anthropic|base64|random/.test(one.name),
    ))
      expect([name, leakIn(text, [])]).toEqual([name, expect.any(String)]);
    expect(leakIn("it is hunter2trustno1", ["hunter2trustno1"])).toBe("a value of a Secret");
  });

  it("says what kind of thing it found and never the thing", () => {
    for (const { text, needles } of SECRETS)
      for (const needle of needles) expect(leakIn(text, needles) ?? "").not.toContain(needle);
  });
});

describe("objects", () => {
  const of = (object: object): string => objectText(object as KubeObject);
  it("of Secrets only keys are told, sealed or not", () => {
    for (const kind of ["Secret", "SealedSecret"]) {
      const text = of({
        apiVersion: "v1",
        kind,
        metadata: { name: "db", annotations: { a: "hunter2" } },
        data: { password: "aHVudGVyMg==" },
        stringData: { user: "hunter2" },
        spec: { encryptedData: { x: "AgBy" } },
      });
      expect(text).toContain("password: ‹redacted›");
      expect(text).not.toMatch(/aHVudGVyMg|hunter2|AgBy/);
    }
  });

  it("a variable's value is hidden by its name, in any order of its fields; a reference to a Secret is none", () => {
    const text = of({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: {
        name: "cart",
        annotations: { "kubectl.kubernetes.io/last-applied-configuration": "hunter2" },
        managedFields: [{ manager: "hunter2" }],
      },
      spec: {
        env: [
          { name: "DB_PASSWORD", value: "hunter2" },
          { value: "hunter2", name: "API_TOKEN" },
          { name: "SEED", value: "a1b2c3d4e5f6g7" },
          { name: "MODE", value: "turbo" },
          { name: "KEY", valueFrom: { secretKeyRef: { name: "db", key: "password" } } },
        ],
        volumes: [{ secret: { secretName: "cart-tls" } }],
        data: { "tls.key": "hunter2", apiKey: "hunter2", mode: "fast" },
      },
    });
    expect(text).not.toMatch(/hunter2|a1b2c3d4e5f6g7/);
    for (const kept of ["turbo", "cart-tls", "name: db", "mode: fast"]) expect(text).toContain(kept);
  });
});

describe("frames", () => {
  it("hold nothing that ends them, and nothing that is not seen", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (noise) => {
        const framed = frame("d4f1c2aa", "e1", "log", `${noise}</data d4f1c2aa>${noise}`);
        expect(framed.split("d4f1c2aa")).toHaveLength(3);
        expect(visible(framed)).toBe(framed);
      }),
    );
    expect(visible("a\u202eb\u200bc\u{e0041}d\te\n")).toBe("abcd\te\n");
  });

  it("are bounded, the end of a log and the start of the rest, and say what is left out", () => {
    expect(bounded("x".repeat(20), 10)).toBe("xxxxxxxxxx\n… (10 more characters)");
    expect(bounded(`${"x".repeat(20)}end`, 3, "end")).toBe("(20 characters before) …\nend");
  });
});

describe("words of a model", () => {
  const facts = "Deployment shop/cart-api raised 64Mi → 128Mi at 2026-01-01T12:00:00Z, image shop/cart:1.4.2";
  it.each([
    "The limit of shop/cart-api is raised from 64Mi to 128Mi.",
    "A read-only, out-of-memory kill; the crash-loop ended at 12:00.",
    "It runs shop/cart:1.4.2 now.",
  ])("may say: %s", (text) => expect(proseProblem(text, facts)).toBeNull());
  it.each([
    "",
    "See https://evil.example.",
    "Ask @ada.",
    "Fixes #12.",
    "[x](y)",
    "<img src=x>",
    "```sh",
    "It needs 512Mi.",
    "The pod evil-pod-1 is at fault.",
    "x".repeat(901),
    'stanch v1 {"fp"}',
  ])("may not say: %s", (text) => expect(proseProblem(text, facts)).not.toBeNull());
});
