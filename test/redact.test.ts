import { describe, expect, it } from "vitest";
import { formatCommitMessage } from "../src/pull-request/commit-message.ts";
import { redact, redactShapes } from "../src/redact.ts";

// Put together here, so that no scanner takes this file for a leak.
const GITHUB = `ghp_${"a1B2".repeat(9)}`;
const JWT = `eyJ${"hbGciOiJI"}.${"eyJzdWIiOiIx"}.${"SflKxwRJSMeK"}`;

const SHAPES: readonly (readonly [string, string, string])[] = [
  ["a password in a URL", "postgres://shop:hunter2@db:5432/shop", "postgres://shop:‹redacted›@db:5432/shop"],
  ["a GitHub token", `pushed with ${GITHUB}`, "pushed with ‹redacted token›"],
  ["a JWT", `got ${JWT}`, "got ‹redacted token›"],
  ["an Authorization header", "Authorization: Basic c2hvcDpzaG9w", "Authorization: ‹redacted›"],
  [
    "a private key",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest",
    "‹redacted private key›\nrest",
  ],
];

describe("what has the shape of a credential", () => {
  it.each(SHAPES)("%s is taken out of logs and of manifests alike", (_, text, safe) => {
    expect(redact(text)).toBe(safe);
    expect(redactShapes(text)).toBe(safe);
  });
});

describe("what only a name gives away", () => {
  it.each([
    ["DB_PASSWORD=hunter2 starting", "DB_PASSWORD=‹redacted› starting"],
    ['{"api_key": "abc123"}', '{"api_key": "‹redacted›"}'],
    ["connecting with --token s3cr3t", "connecting with --token ‹redacted›"],
  ])("%s in a log", (text, safe) => expect(redact(text)).toBe(safe));

  it("is what a manifest is about", () => {
    const manifest = "secretName: db-credentials\nsecretKeyRef: {name: db, key: password}";
    expect(redactShapes(manifest)).toBe(manifest);
  });
});

it("digests, commits and words stay", () => {
  const text = `nginx@sha256:${"ab".repeat(32)} from ${"c0ffee12".repeat(5)} in the-namespace-of-the-shop-in-europe`;
  expect(redact(text)).toBe(text);
});

it("a commit message repeats no password of a manifest", () => {
  const object = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
  const value = (host: string): string => `amqp://shop:hunter2@${host}:5672`;
  const text = formatCommitMessage({
    title: "fix(shop/cart): point AMQP_URL",
    changes: [{ object, path: ["spec", "x"], from: value("rabit"), to: value("rabbit") }],
    incident: "shop/cart-1",
    cluster: "eu",
  });
  // No address is a mention: a blank of no width stands behind its sign.
  expect(text.replaceAll("\u200b", "")).toContain(
    "amqp://shop:‹redacted›@rabit:5672 -> amqp://shop:‹redacted›@rabbit:5672",
  );
  expect(text).not.toContain("hunter2");
});
