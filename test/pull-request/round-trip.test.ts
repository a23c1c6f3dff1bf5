import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatBody, parseBody } from "../../src/pull-request/body.ts";
import { formatBranch, parseBranch, targetFingerprint } from "../../src/pull-request/branch-name.ts";
import { formatMarker, parseMarker } from "../../src/pull-request/marker.ts";
import { hashOf } from "../../src/pull-request/sections.ts";
import { formatTitle } from "../../src/pull-request/title.ts";
import { formatWithdrawal, isWithdrawal } from "../../src/pull-request/withdrawal.ts";
import { FINGERPRINT, reportWith, WORKLOAD } from "./report-example.ts";

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });
const dns = fc
  .string({ unit: fc.constantFrom(..."abcxyz019-"), minLength: 1, maxLength: 63 })
  .map((text) => `a${text}z`.replaceAll("--", "-"));
const marker = fc.record({ fp: hex(16), incident: fc.tuple(dns, dns).map((pair) => pair.join("/")), body: hex(16) });

describe("the marker", () => {
  it("is read as it was written, with anything below it", () => {
    fc.assert(
      fc.property(marker, fc.string(), fc.constantFrom("\n", "\r\n"), (value, below, line) => {
        expect(parseMarker(`${formatMarker(value)}${line}${below}`)).toEqual(value);
      }),
    );
  });

  it("counts in the first line only", () => {
    fc.assert(
      fc.property(marker, fc.string({ minLength: 1 }), (value, above) => {
        expect(parseMarker(`${above}\n${formatMarker(value)}\n`)).toBeNull();
        expect(parseMarker(`${above}${formatMarker(value)}`)).toBeNull();
      }),
    );
  });

  it.each([
    "",
    "<!-- stanch v1 -->",
    "<!-- stanch v1 {} -->",
    '<!-- stanch v1 {"fp":"x","incident":"a/b","body":"y"} -->',
    '<!-- stanch v2 {"fp":"0123456789abcdef","incident":"a/b","body":"0123456789abcdef"} -->',
    '<!-- stanch v1 {"fp":"0123456789abcdef","incident":"a/b","body":"0123456789abcdef","more":1} -->',
    '<!-- stanch v1 {"fp":"0123456789abcdef","incident":"a/b","body":"0123456789abcdef"} --> and more',
    '<!-- stanch v1 {"fp":"0123456789abcdef","incident":"../../x","body":"0123456789abcdef"} -->\n'.replace(
      "../../x",
      "no slash",
    ),
  ])("is nothing else: %s", (text) => expect(parseMarker(text)).toBeNull());
});

describe("the branch", () => {
  const parts = fc.record({
    prefix: fc.constantFrom("stanch", "bot-1"),
    cluster: fc.constantFrom("prod", "eu-west-1", "c"),
    object: fc.record({
      apiVersion: fc.constant("apps/v1"),
      kind: fc.constantFrom("Deployment", "PersistentVolumeClaim"),
      namespace: fc.oneof(dns, fc.constant("")),
      name: fc.oneof(dns, fc.string({ minLength: 1, maxLength: 253 })),
    }),
    fingerprint: hex(16),
    round: fc.integer({ min: 1, max: 3 }),
  });

  it("is a valid, short ref that says whose it is", () => {
    fc.assert(
      fc.property(parts, (value) => {
        const name = formatBranch(value);
        expect(name.length).toBeLessThanOrEqual(120);
        expect(name).toMatch(/^[a-z0-9][a-z0-9-]*\/[a-z0-9-]+\/[a-z0-9][a-z0-9-]*[a-z0-9]$/);
        expect(parseBranch(name)).toMatchObject({ prefix: value.prefix, cluster: value.cluster });
      }),
      { numRuns: 500 },
    );
  });

  it("keeps fingerprint and round", () => {
    fc.assert(
      fc.property(parts, (value) => {
        const parsed = parseBranch(formatBranch(value));
        expect(parsed).toMatchObject({ fingerprint: value.fingerprint.slice(0, 8), round: value.round });
      }),
      { numRuns: 500 },
    );
  });

  it("of a person is nobody's", () => {
    for (const name of ["main", "feature/x", "stanch/prod", "stanch/prod/x", "Stanch/prod/x-0123abcd"])
      expect(parseBranch(name)).toBeNull();
  });

  it("follows from what is changed, not from values, order or time", () => {
    const target = (from: string, files: string[]) => ({
      repository: "acme/shop",
      base: "main",
      files,
      changes: [
        { object: WORKLOAD, path: ["a"], from, to: "x" },
        { object: WORKLOAD, path: ["b"], from, to: "y" },
      ],
      remedy: "rollback",
    });
    const one = targetFingerprint(target("1", ["a.yaml", "b.yaml"]));
    const other = target("2", ["b.yaml", "a.yaml", "a.yaml"]);
    expect(targetFingerprint({ ...other, changes: other.changes.toReversed() })).toBe(one);
    for (const different of [
      { ...other, repository: "acme/other" },
      { ...other, base: "release" },
      { ...other, files: ["a.yaml"] },
      { ...other, remedy: "restore-from-git" },
      { ...other, changes: other.changes.slice(1) },
    ])
      expect(targetFingerprint(different)).not.toBe(one);
  });
});

describe("the title", () => {
  it("is one line of at most 72 characters that names the object first", () => {
    fc.assert(
      fc.property(dns, dns, fc.string({ unit: "grapheme" }), (namespace, name, what) => {
        const title = formatTitle({ ...WORKLOAD, namespace, name }, what);
        expect([...title].length).toBeLessThanOrEqual(72);
        expect(title.startsWith(`fix(${namespace}/${name}`.slice(0, 60))).toBe(true);
        expect(title).not.toMatch(/[\r\n]/);
      }),
    );
  });

  it("is read as it was written where it fits", () => {
    const title = formatTitle(WORKLOAD, "raise memory limit 64Mi → 128Mi");
    expect(/^fix\((.+?)\/(.+?)\): (.+)$/.exec(title)?.slice(1)).toEqual([
      "shop",
      "cart",
      "raise memory limit 64Mi → 128Mi",
    ]);
    expect(formatTitle({ ...WORKLOAD, namespace: "" }, "x")).toBe("fix(cart): x");
  });
});

describe("the body", () => {
  it("is recognised as untouched, also after the web interface saved it, and as touched after an edit", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (text, edit) => {
        const body = formatBody(reportWith(text), FINGERPRINT);
        const seen = parseBody(body);
        expect(seen).toEqual({ untouched: true, marker: expect.objectContaining({ fp: FINGERPRINT }) });
        expect(seen.marker?.incident).toBe("shop/cart-oomkilled-1a2b3c4d");
        expect(parseBody(body.replaceAll("\n", "\r\n").trimEnd()).untouched).toBe(true);
        const at = body.indexOf("\n") + 1;
        expect(parseBody(`${body.slice(0, at)}x${edit}${body.slice(at)}`).untouched).toBe(false);
        expect(parseBody(`${edit}\n${body}`)).toEqual({ untouched: false, marker: null });
      }),
      { numRuns: 60 },
    );
  });

  it("says the same for the same report", () => {
    expect(formatBody(reportWith("x"), FINGERPRINT)).toBe(formatBody(reportWith("x"), FINGERPRINT));
    expect(hashOf("a")).not.toBe(hashOf("b"));
  });
});

describe("a withdrawal", () => {
  it("is known again, and is nothing that was only quoted", () => {
    expect(isWithdrawal(formatWithdrawal("main"))).toBe(true);
    expect(isWithdrawal(formatWithdrawal("release/1.x"))).toBe(true);
    expect(isWithdrawal(`> ${formatWithdrawal("main")}`)).toBe(false);
    expect(isWithdrawal("Closing; nothing is left to merge.")).toBe(false);
  });
});
