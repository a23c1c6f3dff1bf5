// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts are what it is about
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { goYaml } from "../../src/gitops/go-yaml.ts";
import { postBuild } from "../../src/gitops/post-build.ts";
import { substitute } from "../../src/gitops/substitute.ts";
import { parseValues } from "../../src/gitops/yaml-parse.ts";
import type { Json, KubeObject, Source } from "../../src/model.ts";
import { sourceOf } from "./repository.ts";

const values = {
  tier: "web-API-web",
  file: "/srv/data/site.tar.gz",
  n: "42",
  blank: "",
  word: "épée",
  price: "a$b",
};

describe("variables in a text, as fluxcd/pkg/envsubst replaces them", () => {
  it.each([
    // plain
    ["no variable", "no variable"],
    ["a ${n} b ${n}", "a 42 b 42"],
    ["${missing}", ""],
    ["$n and $ and $(n)", "$n and $ and $(n)"],
    ["${price}", "a$b"],
    // escapes
    ["$${n}", "${n}"],
    ["$$${n}", "$42"],
    ["a $$ b", "a $ b"],
    ["$${n} ${n}", "${n} 42"],
    ["$${n:=${n}}", "${n:=42}"],
    ["\\${n}", "\\42"],
    // defaults
    ["${missing:=d}", "d"],
    ["${missing:-d e}", "d e"],
    ["${missing=d}", "d"],
    ["${blank:=d}", "d"],
    ["${n:=d}", "42"],
    ["${missing:=}", ""],
    ["${missing:=${n}}", "42"],
    ["${missing:=p-${n}-s}", "p-42-s"],
    ["${missing:=http://x:80/y}", "http://x:80/y"],
    ["${missing:+d}", "d"],
    // case
    ["${tier^}", "Web-API-web"],
    ["${tier^^}", "WEB-API-WEB"],
    ["${word^^}", "ÉPÉE"],
    ["${tier,,}", "web-api-web"],
    ["${tier,}", "web-API-web"],
    // length and parts, in bytes
    ["${#tier}", "11"],
    ["${#word}", "6"],
    ["${#missing}", "0"],
    ["${tier:4}", "API-web"],
    ["${tier:4:3}", "API"],
    ["${tier:-3}", "web-API-web"],
    ["${tier:0:-4}", "web-API"],
    ["${tier:99}", ""],
    ["${tier:x}", "web-API-web"],
    ["${tier:0:${n}}", "web-API-web"],
    // replacing
    ["${tier/web/x}", "x-API-web"],
    ["${tier//web/x}", "x-API-x"],
    ["${tier/#web/x}", "x-API-web"],
    ["${tier/%web/x}", "web-API-x"],
    ["${tier/#API/x}", "web-API-web"],
    ["${tier/-/}", "webAPI-web"],
    ["${file//\\//-}", "-srv-data-site.tar.gz"],
    ["${tier/web/$$}", "$-API-web"],
    // trimming
    ["${file##*/}", "site.tar.gz"],
    ["${file#*/}", "srv/data/site.tar.gz"],
    ["${file%.*}", "/srv/data/site.tar"],
    ["${file%%.*}", "/srv/data/site"],
    ["${file#[a-z]*}", "/srv/data/site.tar.gz"],
    ["${tier#[a-w]?b}", "-API-web"],
    ["${tier#[}", "web-API-web"],
  ])("%s → %s", (text, wanted) => {
    expect(substitute(text, { values, open: false })).toBe(wanted);
  });

  it.each([
    ["${", "${ has no name"],
    ["${}", "${} has no name"],
    ["${a", "is no expression that Flux knows"],
    ["${a.b}", "${a.b} is no expression"],
    ["${a-b}", "is no expression"],
    ["${a?b}", "is no expression"],
    ["${@}", "${@} has no name"],
    ["${a/b}", "replaces nothing"],
    ["${a#}", "lacks something"],
    ["${a:}", "lacks something"],
    ["${a:=b", "lacks something"],
    ["${##a}", "has no name"],
    [`${"${a:=".repeat(100)}x${"}".repeat(100)}`, "is nested too deep"],
    ["${long#*x}", "trims a value that is too long"],
  ])("%s is named as what it is: %s", (text, message) => {
    const long = "y".repeat(20_000);
    expect(() => substitute(text, { values: { long }, open: false })).toThrow(
      expect.objectContaining({ code: "render", message: expect.stringContaining(message) }),
    );
  });

  it("leaves what may be set elsewhere, unless it says a default", () => {
    const open = { values, open: true };
    expect(substitute("${n} ${missing} ${missing:=d} ${missing^^} ${#missing} $${n}", open)).toBe(
      "42 ${missing} d ${missing^^} ${#missing} ${n}",
    );
  });

  it("takes no name for something of JavaScript's", () => {
    expect(substitute("${constructor}${__proto__}${toString}", { values: {}, open: false })).toBe("");
  });

  it("is fast with many variables, and never hangs", () => {
    const text = "${n}".repeat(50_000);
    expect(substitute(text, { values, open: false })).toBe("42".repeat(50_000));
    expect(substitute("$$".repeat(100_000), { values, open: false })).toBe("$".repeat(100_000));
    expect(substitute("${a#*a*a*a*a*a*a*a*b}", { values: { a: "a".repeat(300) }, open: false })).toHaveLength(300);
  });

  it("leaves every text without a dollar as it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        fc.pre(!text.includes("$"));
        expect(substitute(text, { values, open: false })).toBe(text);
      }),
    );
  });
});

describe("YAML as go-yaml writes it", () => {
  it("means what it was, whatever it is", () => {
    const scalar = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom(
        "${a}",
        " ${a}",
        "${a}\n",
        "\n${a}",
        "a: ${b}",
        "- ${a}",
        "# $",
        "$ #",
        "a\n  $\n\n",
        "'$",
        "$\t",
        "",
        "yes",
      ),
      fc.boolean(),
      fc.integer(),
      fc.constant(null),
    );
    const value = fc.letrec<{ any: Json }>((tie) => ({
      any: fc.oneof(
        { depthSize: "small" },
        scalar,
        fc.array(tie("any"), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom("a", "b.c/d", "${k}", "x y", "0"), tie("any"), { maxKeys: 4 }),
      ),
    })).any;
    fc.assert(
      fc.property(value, (json) => {
        const object = JSON.parse(JSON.stringify({ v: json })) as Json;
        expect(parseValues(goYaml(object))).toEqual([object]);
      }),
      { numRuns: 500 },
    );
  });
});

describe("Flux's postBuild", () => {
  const object = (data: Record<string, Json>, metadata: Record<string, Json> = {}): KubeObject =>
    ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "web", ...metadata }, data }) as unknown as KubeObject;

  const source = (more: Partial<Source>, ...inputs: string[]): Source => ({
    ...sourceOf("apps", "kustomize"),
    substitute: { inputs: inputs.map((_text, index) => `\u0000${index}`), open: false },
    inputs: Object.fromEntries(
      inputs.map((text, index) => [
        `\u0000${index}`,
        { text, label: `ConfigMap shop/vars-${index} data`, home: { repository: "a/b", branch: "main", file: "x" } },
      ]),
    ),
    ...more,
  });

  const built = (data: Record<string, Json>, ...inputs: string[]): Json =>
    (postBuild([object(data)], source({}, ...inputs))[0] as unknown as { data: Json }).data;

  it.each<[string, Record<string, Json>, string[], Json]>([
    [
      "the last input wins, and is a number like any other text",
      { a: "${v}", b: "x${v}" },
      ['v: "1"', "v: 2"],
      { a: 2, b: "x2" },
    ],
    [
      "what was quoted in the file and needs no quotes loses them",
      { a: "${flag}", b: "${none}" },
      ["flag: 'true'"],
      { a: true, b: null },
    ],
    [
      "a list or a map in a variable becomes one",
      { a: "${l}", b: "${m}" },
      ['l: "[1, 2]"\nm: "{k: v}"'],
      { a: [1, 2], b: { k: "v" } },
    ],
    ["text with quotes stays a text", { a: "- ${v}" }, ["v: '1'"], { a: "- 1" }],
    ["line ends in a variable go", { a: "x ${v}" }, ["v: |\n  one\n  two\n"], { a: "x onetwo" }],
    [
      "a script keeps its lines",
      { a: "echo ${v}\necho $${HOME} $HOME\n" },
      ["v: '1'"],
      { a: "echo 1\necho ${HOME} $HOME\n" },
    ],
    ["a key may be one", { "${v}": "x" }, ["v: key"], { key: "x" }],
    ["CRLF in a text", { a: "${v}\r\n" }, ["v: '1'\r\n"], { a: "1\r\n" }],
    ["without a variable nothing is replaced, defaults neither", { a: "${v:=1}" }, ["{}"], { a: "${v:=1}" }],
    ["without an input neither", { a: "${v:=1}" }, [], { a: "${v:=1}" }],
  ])("%s", (_name, data, inputs, wanted) => {
    expect(built(data, ...inputs)).toEqual(wanted);
  });

  it("puts defaults in where it always substitutes, or where variables are not known", () => {
    for (const more of [{ open: false, always: true }, { open: true }])
      expect(
        postBuild([object({ a: "${v:=1}" })], { ...source({}), substitute: { inputs: [], ...more } })[0],
      ).toMatchObject({ data: { a: 1 } });
  });

  it("leaves objects alone that say so", () => {
    const mark = { "kustomize.toolkit.fluxcd.io/substitute": "disabled" };
    const objects = [object({ a: "${v}" }, { labels: mark }), object({ a: "${v}" }, { annotations: mark })];
    expect(postBuild(objects, source({}, "v: 1"))).toEqual(objects);
  });

  it("labels and annotates everything last", () => {
    const common = { labels: { team: "shop", a: "${v}" }, annotations: { note: "x" } };
    expect(postBuild([object({}, { labels: { team: "old", own: "${v}" } })], source({ common }, "v: b"))).toEqual([
      object({}, { labels: { team: "shop", own: "b", a: "${v}" }, annotations: { note: "x" } }),
    ]);
  });

  it("fills in the namespace where a variable leaves none", () => {
    const [made] = postBuild([object({}, { namespace: "${none}" })], source({ namespace: "shop" }, "v: 1"));
    expect(made?.metadata.namespace).toBe("shop");
  });

  it.each([
    ["- a", "ConfigMap shop/vars-0 data must be a map of variables"],
    ["a: {b: c}", "ConfigMap shop/vars-0 data.a must be a text"],
    ["a-b: c", 'ConfigMap shop/vars-0 data names a variable "a-b"'],
    ["a: [", "ConfigMap shop/vars-0 data is not valid YAML"],
  ])("says what is wrong with the variables %j", (text, message) => {
    expect(() => postBuild([object({ a: "${a}" })], source({}, text))).toThrow(message);
  });

  it("names the object that cannot be substituted, and the one that is broken by it", () => {
    expect(() => built({ a: "${a.b}" }, "v: 1")).toThrow("ConfigMap web: the variable expression ${a.b}");
    expect(() => built({ a: "${v}" }, 'v: "a: b: c"')).toThrow("ConfigMap web is not valid YAML with its variables");
  });
});
