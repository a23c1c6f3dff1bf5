import { describe, expect, it } from "vitest";
import { spliceYaml, type YamlEdit } from "../../src/gitops/yaml-splice.ts";
import type { FieldPath, Json } from "../../src/model.ts";
import { cpuTime } from "../cpu-time.ts";

const set = (path: FieldPath, value: Json, document = 0): YamlEdit => ({ op: "set", document, path, value });
const del = (path: FieldPath, document = 0): YamlEdit => ({ op: "delete", document, path });
const insert = (path: FieldPath, index: number, value: Json): YamlEdit => ({
  op: "insert",
  document: 0,
  path,
  index,
  value,
});

function splice(text: string, edit: YamlEdit, file = "f.yaml"): string {
  const result = spliceYaml(file, text, [edit]);
  if (result.ok) return result.text;
  expect(result.reason).toMatch(/\.$/);
  return `refused: ${result.reason}`;
}

const ANCHORED =
  "base: &base\n  a: 1\n  list: &list [x, y]\nuse:\n  <<: *base\n  b: 2\nlist: *list\nmaps: [*base, {<<: *base, c: 3}]\n";
const SEALED = "kind: ConfigMap\ndata: {a: x}\n---\nkind: SealedSecret\nspec: {encryptedData: {a: y}}\n";

describe("what is refused, and what beside it is not", () => {
  const cases: [string, string, YamlEdit, RegExp | string][] = [
    // Anchors, aliases, merge keys.
    ["an item of an anchored list", ANCHORED, set(["base", "list", 0], "z"), /every place/],
    ["a new key in an anchored map", ANCHORED, set(["base", "c"], 3), /every place/],
    ["through an alias into a list", ANCHORED, set(["list", 0], "z"), /alias \(\*list\)/],
    ["through an alias in a list", ANCHORED, set(["maps", 0, "a"], 2), /alias \(\*base\)/],
    ["a key that comes from a merge", ANCHORED, set(["use", "a"], 2), /<</],
    ["a key beside a merge that hides nothing", ANCHORED, set(["use", "b"], 3), ANCHORED.replace("b: 2", "b: 3")],
    ["a key out of a map with a merge", ANCHORED, del(["use", "b"]), /<</],
    ["a map that holds an anchor for others", ANCHORED, set(["base"], { a: 2 }), /every place/],
    ["an anchor that nobody uses", "a: &a 1\nb: 2\n", set(["a"], 3), "a: &a 3\nb: 2\n"],
    ["an alias without anchor", "a: *nowhere\nb: 1\n", set(["b"], 2), /cannot be edited|not valid/],
    // Several documents.
    ["a document beside an encrypted one", SEALED, set(["data", "a"], "z"), SEALED.replace("a: x", "a: z")],
    ["the encrypted one", SEALED, set(["spec", "encryptedData", "a"], "z", 1), /SealedSecret/],
    ["a document beside a broken one", "a: 1\n---\nb: [\n", set(["a"], 2), /cannot be edited/],
    ["a document beside one with a template", "a: 1\n---\nb: {{ x }}\n", set(["a"], 2), "a: 2\n---\nb: {{ x }}\n"],
    ["a document beside an empty one", "---\n---\na: 1\n---\n", set(["a"], 2, 1), "---\n---\na: 2\n---\n"],
    [
      "the last document after an end mark",
      "a: 1\n...\n---\na: 2\n...\n",
      set(["a"], 3, 1),
      "a: 1\n...\n---\na: 3\n...\n",
    ],
    // Templates.
    [
      "a control line of a template",
      "a: 1\n{{- if .x }}\nb: 2\n{{- end }}\n",
      set(["a"], 2),
      /template|cannot be edited|not valid/,
    ],
    ["a template in a comment", "a: 1 # {{ x }}\n", set(["a"], 2), "a: 2 # {{ x }}\n"],
    ["a template in another text", 'a: 1\nb: "{{ x }}"\n', set(["a"], 2), 'a: 2\nb: "{{ x }}"\n'],
    ["a text that would become a template", "a: x\n", set(["a"], "{{ x }}"), /template/],
    ["a template in a new subtree", "a: x\n", set(["b"], { c: ["{{ x }}"] }), /template/],
    ["an environment variable of a container", "a: $(HOST)\n", set(["a"], "$(PORT)"), "a: $(PORT)\n"],
    [
      "a control line of a template in a block",
      "a: |\n  x {{ y }}\n  z\n",
      set(["a"], "x {{ y }}\nw\n"),
      "a: |\n  x {{ y }}\n  w\n",
    ],
    // Line ends, tabs.
    ["mixed line ends keep theirs", "a: 1\r\nb: 2\nc: 3\r\n", set(["b"], 4), "a: 1\r\nb: 4\nc: 3\r\n"],
    ["a new key goes by the majority", "a: 1\r\nb: 2\nc: 3\r\n", set(["d"], 4), "a: 1\r\nb: 2\nc: 3\r\nd: 4\r\n"],
    ["an old Mac's file", "a: 1\rb: 2\r", set(["a"], 3), /several lines|cannot be edited|not valid|nothing/],
    ["tabs as indentation", "a:\n\tb: 1\n", set(["a", "b"], 2), /cannot be edited|not valid/],
    ["a tab before a comment", "a: 1\t# x\n", set(["a"], 2), "a: 2\t# x\n"],
    ["a tab behind the colon", "a:\t1\n", set(["a"], 2), "a:\t2\n"],
    // Duplicate keys.
    ["a duplicate key elsewhere", "a: 1\nb: {c: 1, c: 2}\n", set(["a"], 2), /unique/],
    ["a duplicate key in another document", "a: 1\n---\nb: 1\nb: 2\n", set(["a"], 2), /unique/],
    // Blocks of text.
    ["a block with an explicit indentation", "a: |2\n    x\n", set(["a"], "  y\n"), /explicit indentation/],
    ["a kept block", "a: |+\n  x\n\nb: 1\n", set(["a"], "y\n\n"), /explicit indentation or end/],
    ["a block that would end otherwise", "a: |-\n  x\n", set(["a"], "y\n"), /end in another way/],
    ["a block that becomes a number", "a: |\n  x\n", set(["a"], 1), /block of text/],
    ["a folded block elsewhere", "a: >\n  x\n  y\nb: 1\n", set(["b"], 2), "a: >\n  x\n  y\nb: 2\n"],
    ["a line of a block with CRLF inside", "a: |\n  x\n", set(["a"], "y\r\n"), /block of text is empty/],
    ["a block in a list", "- |\n  x\n  y\n- z\n", set([0], "x\nw\n"), "- |\n  x\n  w\n- z\n"],
    ["an empty block", "a: |\nb: 1\n", set(["a"], "x\n"), /block of text is empty/],
    // Comments.
    ["a comment in a map in braces", "a: {\n  b: 1, # one\n  c: 2 # two\n}\n", del(["a", "c"]), /comment/],
    [
      "a value beside such a comment",
      "a: {\n  b: 1, # one\n  c: 2 # two\n}\n",
      set(["a", "b"], 3),
      "a: {\n  b: 3, # one\n  c: 2 # two\n}\n",
    ],
    ["a comment between empty braces", "a: { # none\n  }\nb: 1\n", set(["a", "c"], 1), /comment stands between/],
    ["a comment between key and value", "a:\n  # why\n  b: 1\n", set(["a", "b"], 2), "a:\n  # why\n  b: 2\n"],
    ["a hash that is no comment", "a: x#y\n", set(["a"], "x#z"), "a: x#z\n"],
    ["a value that would begin a comment", "a: x\n", set(["a"], "x #y"), 'a: "x #y"\n'],
    // Maps and lists in braces.
    ["a text with a comma in braces", "a: {b: x}\n", set(["a", "b"], "x,y"), 'a: {b: "x,y"}\n'],
    ["an item in front of a list in braces", "a: [x, y]\n", insert(["a"], 0, "w"), "a: [w, x, y]\n"],
    ["the only item of a list in braces", "a: [x]\n", del(["a", 0]), "a: []\n"],
    ["a key with a trailing comma", "a: {b: 1,}\n", set(["a", "b"], 2), "a: {b: 2,}\n"],
    ["a pair without a map in a list", "a: [b: 1]\n", set(["a", 0, "b"], 2), "a: [b: 2]\n"],
    // Tags and odd keys.
    ["a tagged map", "a: !!map {b: 1}\n", set(["a", "b"], 2), /tag/],
    ["a value beside a tag", "a: !!str 1\nb: 1\n", set(["b"], 2), "a: !!str 1\nb: 2\n"],
    ["a private tag", "a: !vault x\nb: 1\n", set(["a"], "y"), /tag/],
    ["a number as key", "1: a\n2: b\n", set(["1"], "c"), "1: c\n2: b\n"],
    ["a key that is a list", "[a]: 1\nb: 2\n", set(["b"], 3), /no plain text/],
    // Whole files.
    ["an empty file", "", set(["a"], 1), /no document 1/],
    ["only comments", "# nothing\n", set(["a"], 1), /no document 1/],
    ["only text", "hello\n", set(["a"], 1), /shape/],
    ["binary", "a: 1\n\u0000\n", set(["a"], 2), /binary/],
    ["an env file of SOPS", "A=ENC[x]\nsops_mac=ENC[y]\n", set(["A"], "x"), /SOPS/],
    ["partly encrypted by SOPS", "a: 1\nb: ENC[x]\nsops: {encrypted_regex: ^b$}\n", set(["a"], 2), /SOPS/],
    ["generated, in other words", "# autogenerated by controller-gen\na: 1\n", set(["a"], 2), /generated/],
    [
      "generated, far below",
      `${"# x\n".repeat(40)}# DO NOT EDIT\na: 1\n`,
      set(["a"], 2),
      `${"# x\n".repeat(40)}# DO NOT EDIT\na: 2\n`,
    ],
    ["a hint that names an edit in a value", "a: do not edit\n", set(["a"], "x"), "a: x\n"],
  ];
  it.each(cases)("%s", (_name, text, edit, expected) => {
    const answer = splice(text, edit);
    if (typeof expected === "string") expect(answer).toBe(expected);
    else expect(answer).toMatch(new RegExp(`^refused: .*(?:${expected.source})`));
  });
});

describe("JSON", () => {
  const cases: [string, string, YamlEdit, RegExp | string][] = [
    ["a number stays one", '{"a": 1}', set(["a"], 2), '{"a": 2}'],
    ["text is quoted whatever it looks like", '{"a": 1}', set(["a"], "2"), '{"a": "2"}'],
    ["escapes", '{"a": "x"}', set(["a"], 'é"\\\n\u0001'), '{"a": "é\\"\\\\\\n\\u0001"}'],
    [
      "a new key behind the last",
      '{\r\n  "a": 1\r\n}\r\n',
      set(["b"], [1]),
      '{\r\n  "a": 1,\r\n  "b": [\r\n    1\r\n  ]\r\n}\r\n',
    ],
    ["the first key goes", '{"a": 1, "b": 2}', del(["a"]), '{"b": 2}'],
    ["the last key goes", '{"a": 1, "b": 2}', del(["b"]), '{"a": 1}'],
    ["an empty map gets a key", '{"a": {}}', set(["a", "b"], true), '{"a": {"b": true}}'],
    ["twice the same key", '{"a": 1, "a": 2}', set(["a"], 3), /unique/],
    ["SOPS", '{"a": "ENC[x]", "sops": {}}', set(["a"], "x"), /SOPS/],
    ["cut off", '{"a": 1', set(["a"], 2), /cannot be edited|not valid/],
  ];
  it.each(cases)("%s", (_name, text, edit, expected) => {
    const answer = splice(text, edit, "f.json");
    if (typeof expected === "string") {
      expect(answer).toBe(expected);
      expect(() => JSON.parse(answer)).not.toThrow();
    } else expect(answer).toMatch(new RegExp(`^refused: .*(?:${expected.source})`));
  });
});

describe("files that cost time", () => {
  it("a file just below the limit is edited, one above it is not parsed", () => {
    const line = "key: value of some length # and a comment\n";
    const body = Array.from({ length: 20_000 }, (_, index) => `k${index}: ${index}\n`).join("");
    let started = cpuTime();
    expect(splice(body, set(["k777"], 1))).toBe(body.replace("k777: 777\n", "k777: 1\n"));
    expect(cpuTime() - started).toBeLessThan(20_000);
    started = cpuTime();
    expect(splice(line.repeat(30_000), set(["key"], "x"))).toMatch(/1 MB/);
    expect(cpuTime() - started).toBeLessThan(200);
  });

  it("an anchor that is used three hundred times is no bomb", () => {
    const text = `base: &base {x: 1}\n${Array.from({ length: 300 }, (_, n) => `k${n}: {<<: *base, z: 1}\n`).join("")}`;
    expect(splice(text, set(["k7", "z"], 2))).toBe(text.replace("k7: {<<: *base, z: 1}", "k7: {<<: *base, z: 2}"));
  });

  it("an alias bomb is refused at once", () => {
    const bomb = `${Array.from(
      { length: 12 },
      (_, n) =>
        `a${n}: &a${n} [${
          n === 0
            ? '"x"'
            : Array(9)
                .fill(`*a${n - 1}`)
                .join(", ")
        }]\n`,
    ).join("")}b: 1\n`;
    const started = cpuTime();
    expect(splice(bomb, set(["b"], 2))).toMatch(/^refused: f\.yaml cannot be edited: .*alias/);
    expect(cpuTime() - started).toBeLessThan(2_000);
  });

  it("brackets a thousand deep are refused or edited, and never overflow the stack", () => {
    const deep = `a: ${"[".repeat(5_000)}${"]".repeat(5_000)}\nb: 1\n`;
    expect(splice(deep, set(["b"], 2))).toMatch(/^refused|b: 2\n$/);
  });
});
