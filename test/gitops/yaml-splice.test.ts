import { isDeepStrictEqual } from "node:util";
import { diffLines } from "diff";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseValues, parseValues12 } from "../../src/gitops/yaml-parse.ts";
import { spliceYaml, type YamlEdit } from "../../src/gitops/yaml-splice.ts";
import { getAt, withValue } from "../../src/kube/field-path.ts";
import type { FieldPath, Json } from "../../src/model.ts";
import { CORPUS } from "./yaml-corpus.ts";

interface Place {
  readonly document: number;
  readonly path: (string | number)[];
  readonly value: Json;
}

const files = Object.entries(CORPUS).map(([name, text]) => ({
  name: name.startsWith("json") ? `${name}.json` : `${name}.yaml`,
  text,
  places: parseValues(text).flatMap((value, document) => placesOf(value, document, [])),
}));

function placesOf(value: Json, document: number, path: (string | number)[]): Place[] {
  const here = [{ document, path, value }];
  if (typeof value !== "object" || value === null) return here;
  const children = Array.isArray(value) ? value.map((child, index) => [index, child] as const) : Object.entries(value);
  return [...here, ...children.flatMap(([key, child]) => placesOf(child, document, [...path, key]))];
}

/** The one stretch of text that differs. */
function change(before: string, after: string): { start: number; removed: string; added: string } {
  let start = 0;
  while (start < Math.min(before.length, after.length) && before[start] === after[start]) start++;
  let tail = 0;
  while (tail < Math.min(before.length, after.length) - start && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  return { start, removed: before.slice(start, before.length - tail), added: after.slice(start, after.length - tail) };
}

function expectExact(before: string, after: string, document: number, path: FieldPath, value: Json | undefined): void {
  for (const parse of [parseValues, parseValues12]) {
    const model = parse(before).map((root, index) => (index === document ? withValue<Json>(root, path, value) : root));
    expect(parse(after)).toStrictEqual(model);
  }
}

const NASTY = [
  "yes",
  "012",
  "1e3",
  "1.10",
  "null",
  "~",
  "",
  " lead",
  "trail ",
  "a: b",
  "a #b",
  "#x",
  "- x",
  "it's",
  'say "hi"',
  "*x",
  "&x",
  "!x",
  "a,b",
  "{x}",
  "[x]",
  "1:30",
  "2024-01-01",
  ".inf",
  "=",
  "<<",
  "@x",
  "`x`",
  "%x",
  "é 狐 🦊",
  "a\nb",
  "tab\there",
  "0x1F",
  "1_000",
  "-",
  "--flag",
  ":",
  "x:",
  "?",
  "on",
  "\\",
  "nan",
  "12e4567",
  "\u0085",
  "\u2028",
];
const text = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ maxLength: 12 }),
  fc.constantFrom("256Mi", "ghcr.io/shop/cart:1.4.3", "1.5.1", "INFO"),
);
const scalar: fc.Arbitrary<Json> = fc.oneof({ weight: 4, arbitrary: text }, fc.integer(), fc.boolean());
const subtree: fc.Arbitrary<Json> = fc.oneof(
  { weight: 3, arbitrary: scalar },
  fc.dictionary(
    fc.constantFrom("limits", "a b", "x/y", "yes", "k"),
    fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })),
    { maxKeys: 3, noNullPrototype: true },
  ),
  fc.array(fc.oneof(scalar, fc.record({ name: text, value: scalar })), { maxLength: 3 }),
);
const file = fc.constantFrom(...files);

describe("spliceYaml, on a corpus of real shapes", () => {
  it("changes nothing but the scalar it replaces, and means exactly what was wished", () => {
    const seen = { made: 0, refused: 0 };
    fc.assert(
      fc.property(file, fc.nat(), scalar, ({ name, text: before, places }, pick, value) => {
        const leaves = places.filter(
          (place) => (typeof place.value !== "object" || place.value === null) && place.path.length > 0,
        );
        const place = leaves[pick % leaves.length];
        if (place === undefined) return;
        const result = spliceYaml(name, before, [{ op: "set", ...place, value }]);
        if (!result.ok) {
          seen.refused++;
          expect(result.reason).toMatch(/\.$/);
          return;
        }
        seen.made++;
        expectExact(before, result.text, place.document, place.path, value);
        const { removed, added } = change(before, result.text);
        if (!before.includes("|") && removed !== "") expect(`${removed}${added}`).not.toContain("\n");
      }),
      { numRuns: 600, seed: 7 },
    );
    expect(seen.made).toBeGreaterThan(seen.refused * 6);
  });

  it("only adds text when a key is added", () => {
    const seen = { made: 0, refused: 0 };
    fc.assert(
      fc.property(file, fc.nat(), subtree, ({ name, text: before, places }, pick, value) => {
        const maps = places.filter(
          (place) => typeof place.value === "object" && place.value !== null && !Array.isArray(place.value),
        );
        const place = maps[pick % maps.length];
        if (place === undefined) return;
        const path = [...place.path, "stanchNewKey"];
        const result = spliceYaml(name, before, [{ op: "set", document: place.document, path, value }]);
        if (!result.ok) {
          seen.refused++;
          expect(result.reason).toMatch(/\.$/);
          return;
        }
        seen.made++;
        expectExact(before, result.text, place.document, path, value);
        const { removed } = change(before, result.text);
        expect(removed.trim().replace(/^\{\}$/, "")).toBe("");
      }),
      { numRuns: 600, seed: 8 },
    );
    expect(seen.made).toBeGreaterThan(seen.refused * 6);
  });

  it("only adds text when an item is added, at any index", () => {
    fc.assert(
      fc.property(file, fc.nat(), fc.nat(), subtree, ({ name, text: before, places }, pick, at, value) => {
        const lists = places.filter((place) => Array.isArray(place.value));
        const place = lists[pick % Math.max(lists.length, 1)];
        if (place === undefined || !Array.isArray(place.value)) return;
        const index = at % (place.value.length + 1);
        const result = spliceYaml(name, before, [
          { op: "insert", document: place.document, path: place.path, index, value },
        ]);
        if (!result.ok) {
          expect(result.reason).toMatch(/\.$/);
          return;
        }
        expectExact(before, result.text, place.document, place.path, place.value.toSpliced(index, 0, value));
        expect(
          change(before, result.text)
            .removed.trim()
            .replace(/^\[\]$/, ""),
        ).toBe("");
      }),
      { numRuns: 400, seed: 9 },
    );
  });

  it("only removes text when a key or an item is deleted and others are left", () => {
    const seen = { made: 0, refused: 0 };
    fc.assert(
      fc.property(file, fc.nat(), ({ name, text: before, places }, pick) => {
        const candidates = places.filter((place) => place.path.length > 0);
        const place = candidates[pick % candidates.length];
        if (place === undefined) return;
        const result = spliceYaml(name, before, [{ op: "delete", document: place.document, path: place.path }]);
        if (!result.ok) {
          seen.refused++;
          expect(result.reason).toMatch(/\.$/);
          return;
        }
        seen.made++;
        expectExact(before, result.text, place.document, place.path, undefined);
        const holder = getAt(parseValues(before)[place.document], place.path.slice(0, -1));
        if (Object.keys(holder ?? {}).length > 1) expect(change(before, result.text).added).toBe("");
      }),
      { numRuns: 400, seed: 10 },
    );
    expect(seen.made).toBeGreaterThan(seen.refused * 4);
  });

  it("replaces whole subtrees and undoes itself in meaning", () => {
    fc.assert(
      fc.property(file, fc.nat(), subtree, ({ name, text: before, places }, pick, value) => {
        const candidates = places.filter((place) => place.path.length > 0);
        const place = candidates[pick % candidates.length];
        if (place === undefined) return;
        const result = spliceYaml(name, before, [{ op: "set", document: place.document, path: place.path, value }]);
        if (!result.ok) {
          expect(result.reason).toMatch(/\.$/);
          return;
        }
        expectExact(before, result.text, place.document, place.path, value);
        const back = spliceYaml(name, result.text, [
          { op: "set", document: place.document, path: place.path, value: place.value },
        ]);
        if (back.ok) expect(isDeepStrictEqual(parseValues(back.text), parseValues(before))).toBe(true);
      }),
      { numRuns: 400, seed: 11 },
    );
  });
});

const set = (path: FieldPath, value: Json, document = 0): YamlEdit => ({ op: "set", document, path, value });
const del = (path: FieldPath, document = 0): YamlEdit => ({ op: "delete", document, path });
const c = (name: string): FieldPath => ["spec", "template", "spec", "containers", { by: "name", value: name }];

function edited(name: keyof typeof CORPUS, ...edits: YamlEdit[]): string[] {
  const before = CORPUS[name] ?? "";
  const result = spliceYaml(name.startsWith("json") ? "m.json" : "m.yaml", before, edits);
  if (!result.ok) return [`refused: ${result.reason}`];
  return lineDiff(before, result.text);
}

function lineDiff(before: string, after: string): string[] {
  return diffLines(before, after, { ignoreNewlineAtEof: true }).flatMap((part) =>
    part.added || part.removed
      ? part.value
          .replace(/\n$/, "")
          .split("\n")
          .map((line) => `${part.added ? "+" : "-"}${line}`)
      : [],
  );
}

describe("spliceYaml, as a reviewer sees it", () => {
  it("raises a limit in place", () => {
    expect(edited("odd indents", set([...c("odd"), "resources", "limits", "memory"], "256Mi"))).toEqual([
      "-                    limits: {cpu: '1', memory: 128Mi}   # tuned in May",
      "+                    limits: {cpu: '1', memory: 256Mi}   # tuned in May",
    ]);
  });

  it("keeps quotes, and adds them only where text would be read as a number", () => {
    const env = (name: string): FieldPath => [...c("cart"), "env", { by: "name", value: name }, "value"];
    expect(edited("deployment two spaces", set(env("PORT"), "9090"))).toEqual([
      '-              value: "8080"',
      '+              value: "9090"',
    ]);
    expect(edited("deployment two spaces", set(env("MODE"), "slow"))).toEqual([
      "-              value: 'fast'",
      "+              value: 'slow'",
    ]);
    expect(edited("kustomization", set(["images", 0, "newTag"], "1.10"))).toEqual([
      "-    newTag: 1.4.2",
      '+    newTag: "1.10"',
    ]);
    expect(edited("kustomization", set(["replicas", 0, "count"], 5))).toEqual([
      "-  - {name: cart, count: 3}",
      "+  - {name: cart, count: 5}",
    ]);
  });

  it("inserts a subtree in the file's own style", () => {
    const probe = { httpGet: { path: "/healthz", port: 8080 }, failureThreshold: 3 };
    expect(edited("deployment two spaces", set([...c("cart"), "readinessProbe"], probe))).toEqual([
      "+          readinessProbe:",
      "+            httpGet:",
      "+              path: /healthz",
      "+              port: 8080",
      "+            failureThreshold: 3",
    ]);
    expect(edited("odd indents", set([...c("odd"), "args"], ["--a"]))).toEqual([
      "+                 args:",
      "+                 - --a",
    ]);
    expect(edited("crlf", set(["data", "d"], "x"))).toEqual(["+  d: x\r"]);
    expect(edited("no final newline", set(["data", "more"], "1"))).toEqual(['+  more: "1"']);
  });

  it("inserts an item below its siblings, above the comments that follow", () => {
    expect(
      edited("comments everywhere", set([...c("api"), "env", { by: "name", value: "D" }], { name: "D", value: "4" })),
    ).toEqual(["+            - name: D", '+              value: "4"']);
  });

  it("turns empty values into lines", () => {
    const container: FieldPath = ["spec", "containers", { by: "name", value: "a" }];
    expect(edited("empty values", set([...container, "resources", "limits", "memory"], "1Gi"))).toEqual([
      "-      resources: {}",
      "+      resources:",
      "+        limits:",
      "+          memory: 1Gi",
    ]);
    expect(edited("empty values", set([...container, "env", { by: "name", value: "X" }, "value"], "y"))).toEqual([
      "+        - name: X",
      '+          value: "y"',
    ]);
  });

  it("makes several edits on one line and in one file", () => {
    const limits: FieldPath = [...c("odd"), "resources", "limits"];
    expect(edited("odd indents", set([...limits, "cpu"], "10"), set([...limits, "memory"], "1Gi"))).toEqual([
      "-                    limits: {cpu: '1', memory: 128Mi}   # tuned in May",
      "+                    limits: {cpu: '10', memory: 1Gi}   # tuned in May",
    ]);
  });

  it("deletes lines with their own comment and leaves the comments above", () => {
    expect(edited("comments everywhere", del(["spec", "replicas"]))).toEqual([
      "-  replicas: 3 # raised for Black Friday",
    ]);
    expect(edited("comments everywhere", del([...c("api"), "env", { by: "name", value: "A" }]))).toEqual([
      "-            - name: A",
      "-              value: one # 1",
    ]);
    expect(
      edited("kubectl style, lists at the key's column", del(["spec", "ports", { by: "name", value: "http" }, "name"])),
    ).toEqual(["-  - name: http", "-    port: 80", "+  - port: 80"]);
  });

  it("changes only the lines of a block of text that differ", () => {
    const block = "# comment of the payload\nport = 81\n  indented = yes\n\nlast = 1\n";
    expect(edited("block scalars", set(["data", "app.conf"], block))).toEqual(["-    port = 80", "+    port = 81"]);
    expect(edited("crlf", set(["data", "c"], "line one\nline 2\nline three\n"))).toEqual([
      "-    line two\r",
      "+    line 2\r",
      "+    line three\r",
    ]);
    const patch = "- op: replace\n  path: /spec/template/spec/containers/0/image\n  value: shop/cart:3";
    expect(edited("kustomization", set(["patches", 1, "patch"], patch))).toEqual([
      "-        value: shop/cart:2",
      "+        value: shop/cart:3",
    ]);
  });

  it("edits JSON as JSON", () => {
    expect(edited("json", set(["data", "c"], { x: [1] }))).toEqual([
      '-    "b": "two"',
      '+    "b": "two",',
      '+    "c": {',
      '+      "x": [',
      "+        1",
      "+      ]",
      "+    }",
    ]);
    expect(edited("json", set(["data", "a"], "2"))).toEqual(['-    "a": "1",', '+    "a": "2",']);
  });
});

describe("spliceYaml, refusing", () => {
  const refusals: [string, string, YamlEdit, RegExp][] = [
    ["an alias", CORPUS["anchors and aliases"] ?? "", set(["spec", "selector", "matchLabels"], {}), /alias/],
    [
      "what is behind an alias",
      CORPUS["anchors and aliases"] ?? "",
      set(["spec", "selector", "matchLabels", "app"], "x"),
      /alias/,
    ],
    [
      "inside a node that is used elsewhere",
      CORPUS["anchors and aliases"] ?? "",
      set(["metadata", "labels", "app"], "x"),
      /every place/,
    ],
    ["an anchor that others need", CORPUS["anchors and aliases"] ?? "", del(["metadata"]), /anchor/],
    ["a tag", "a: !!str 1\n", set(["a"], "2"), /tag/],
    ["plain text over lines", "a: one\n  two\n", set(["a"], "x"), /several lines/],
    ["quoted text over lines", 'a: "one\n  two"\n', set(["a"], "x"), /several lines/],
    ["folded text", "a: >\n  one\n", set(["a"], "two\n"), /folded/],
    ["a merge key", "d: &d {x: 1}\na:\n  <<: *d\n  y: 2\n", set(["a", "z"], 1), /<</],
    ["a template", "a: {{ .Values.x }}\nb: 1\n", set(["b"], 2), /template/],
    ["a template in a value", 'a: "{{ .Values.x }}"\n', set(["a"], "2"), /template/],
    ["a substitution", "a: $" + "{TAG:=1}\n", set(["a"], "2"), /substitution/],
    ["writing a substitution", "a: x\n", set(["a"], "$" + "{TAG}"), /substitution/],
    ["a complex key", "? [a]\n: 1\nb: 1\n", set(["b"], 2), /no plain text/],
    ["SOPS", "a: ENC[AES256_GCM,data:x]\nsops:\n  mac: x\n", set(["a"], "x"), /SOPS/],
    [
      "a SealedSecret",
      "kind: SealedSecret\nspec: {encryptedData: {a: x}}\n",
      set(["spec", "encryptedData", "a"], "y"),
      /SealedSecret/,
    ],
    ["a big file", `a: 1\n# ${"x".repeat(1024 * 1024)}\n`, set(["a"], 2), /1 MB/],
    ["a generated file", "# Code generated by x. DO NOT EDIT.\na: 1\n", set(["a"], 2), /generated/],
    ["a syntax error", "a: [1\n", set(["a"], 2), /cannot be edited/],
    ["a duplicate key", "a: 1\na: 2\n", set(["a"], 3), /unique/],
    ["an LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", set(["oid"], "x"), /LFS/],
    ["a missing document", "a: 1\n", set(["a"], 2, 3), /no document 4/],
    ["text behind a kept block", "data:\n  a: |+\n    x\n\n", set(["data", "b"], "y"), /\|\+/],
    ["a path through a scalar", "a: 1\n", set(["a", "b"], 2), /shape/],
    ["nothing to delete", "a: 1\n", del(["b"]), /nothing to delete/],
  ];
  it.each(refusals)("%s", (_name, before, edit, reason) => {
    const result = spliceYaml("f.yaml", before, [edit]);
    expect(result).toMatchObject({ ok: false });
    if (!result.ok) expect(result.reason).toMatch(reason);
    if (!result.ok) expect(result.reason).toMatch(/^f\.yaml .*\.$/);
  });
});
