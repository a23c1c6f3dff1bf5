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

const COMMIT = "1a2b3c4d5e6f70819293a4b5c6d7e8f901234567";

describe("what is no secret stays, or nobody could tell what fails", () => {
  it.each([
    "payments-prod-eu1/reconciliation-worker-v2",
    "payments-reconciliation-worker-7d9f8b6c5d-x2x4z",
    `ghcr.io/acme/payments:sha-${COMMIT}`,
    `https://github.com/acme/cart/commit/${COMMIT}`,
    `https://github.com/Acme/Cart/commit/${COMMIT}`,
    'File "/app/services/checkout/api/v2/payments/handlers.py", line 12',
    "services/payments/internal/v2/checkout/handler.go:88 +0x1d",
    "/usr/local/bundle/ruby/3.2.0/gems/activerecord-7.1.2/lib/active_record/connection_adapters/pool.rb:144",
    "at com.acme.checkout.v2.PaymentReconciliationServiceV2Impl.handle(PaymentReconciliationServiceV2Impl.java:88)",
    "at Object.<anonymous> (/app/packages/Checkout/src/api/v2/handlers/createOrderV2.handler.ts:10:3)",
    'Error: secret "cart-db" not found',
    'secrets "cart-db" is forbidden',
    "Access denied for user 'cart'@'10.0.0.1' (using password: NO)",
    "DB_PASSWORD: required variable is missing",
    "the key is missing",
    "bypass: on, passed: 3, compass=north, pass through: yes",
    "--- PASS: TestCart (0.00s)",
    "proxy_pass http://cart:8080;",
    "tar -pxzf cart.tgz",
    "docker run -u 1000:1000 cart",
    "ssh://git@github.com/acme/cart.git",
  ])("%s", (text) => expect(redact(text)).toBe(text));
});

describe("a secret called walrus goes, however it stands there", () => {
  it.each([
    "map[Authorization:[Bearer walrus7pie8secretvalue]]",
    '{"Authorization":["Basic walrusXNlcjpodW50ZXIy"]}',
    "Authorization: ApiKey walruspie",
    'Authorization: Digest username="cart", response="walrus393a05397450"',
    "Authorization: AWS4-HMAC-SHA256 Credential=x/us-east-1/s3, SignedHeaders=host, Signature=walrus80f77d5f",
    String.raw`{\"user\":\"cart\",\"password\":\"walrus-pie\"}`,
    "SMTP_PASS=walrus",
    '"db_pass":"walrus"',
    "smtp.pass: walrus",
    'args: ["--db-password","walruspie"]',
    "- --db-password\n- walruspie",
    "password: |\n  walruspie\n  walrus\nuser: cart",
    "password: >-\n    walruspie",
    "<password>walruspie</password>",
    '"password" => "walruspie"',
    '{"value":"walrus","name":"DB_PASSWORD"}',
    "- name: DB_PASSWORD\n  value: walrus",
    "cart:walruspie@tcp(db:3306)/cart",
    "Cookie: session=walrus",
    "curl -u user:walrus https://cart",
    "mysql -h db -pwalrus22 cart",
    "the password is walruspie",
    "hvs.walrusCAESIJlU9JMYEhOPYv4igdhm9",
    "https://walrus77@github.com/acme/cart",
    "https://acme.blob.core.windows.net/c/f?sv=2021&sig=walrus%3D&se=1",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\nwalrus\n-----END PGP PRIVATE KEY BLOCK-----",
  ])("%s", (text) => {
    const safe = redact(text);
    expect(safe).not.toContain("walrus");
    expect(redact(safe)).toBe(safe);
    if (!text.includes("BEGIN")) expect(safe.split("\n")).toHaveLength(text.split("\n").length);
  });
  it("a random value is known beside words, and a key of AWS with its own marks", () => {
    expect(redact("key h8Kd0aPqL2/vR7tYx9Zc3BnM5wQeJ1uGfT6sXyHk")).toBe("key ‹redacted›");
    expect(redact("seed Zq8Xw2Rt7Yp4Lk9Jh3Gf6Ds1Aq5")).toBe("seed ‹redacted›");
  });
});

it.each(["-", "a", "a-", "\\", '"', "a=", "<", "token", "value=", "eyJaaaaaaaa-", "password: |\n", "mysql ", "\n"])(
  "a long text of %j ends",
  (piece) => {
    expect(redact(piece.repeat(Math.ceil(200_000 / piece.length))).length).toBeGreaterThan(0);
  },
);
