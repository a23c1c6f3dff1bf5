import { describe, expect, it } from "vitest";
import { parseMark, withMark } from "../../src/drift/issue-mark.ts";
import type { DriftReport } from "../../src/drift/model.ts";
import { format, type PublishedRepository, parse } from "../../src/drift/published.ts";
import type { Wire } from "../../src/drift/wire.ts";
import { cpuTime } from "../cpu-time.ts";
import { field, item, report, root } from "./reports.ts";

const shown = (given: DriftReport, values = true): PublishedRepository =>
  format(given, () => values)[0] as PublishedRepository;
const checkOf = (given: DriftReport, values = true) => {
  const [branch] = shown(given, values).branches;
  if (branch === undefined) throw new Error("no branch");
  return branch.check;
};
function read(text: string): Wire {
  const wire = parse(text);
  if ("no" in wire) throw new Error(wire.no);
  return wire;
}
const everything = (given: DriftReport): string => JSON.stringify(format(given, () => true));

/** A rule about the sources of a repository. */
const ruled = (rule: string, count = 1, repository = "acme/shop") => ({
  rule,
  count,
  repositories: [{ repository, count }],
});

describe("a report as it is published", () => {
  it("survives the way there and back", () => {
    const { text = "", ...check } = checkOf(report());
    expect(check).toMatchObject({
      name: "Stanch drift (prod, main)",
      externalId: "stanch-drift/prod/main",
      conclusion: "action_required",
      title: "1 drifted, 2 in sync",
      annotations: [{ path: "deploy/app.yaml", startLine: 7, endLine: 7, level: "warning" }],
    });
    expect(read(text)).toMatchObject({ ...report(), counts: { drift: 1, "in-sync": 2 }, left: [] });
    expect(read(shown(report()).block)).toMatchObject(report());
  });

  it.each([
    ["success", {}, { items: [] }],
    ["neutral", {}, { items: [item({ class: "pending" })] }],
    ["neutral", {}, { items: [item({ class: "hotfix" })] }],
    ["neutral", {}, { items: [item({ class: "hotfix" }), item({ class: "pending" })] }],
    ["success", {}, { items: [item({ class: "conflict" }), item({ class: "suspended" })] }],
    ["action_required", {}, { items: [item({ class: "missing" })] }],
    ["action_required", {}, { items: [item({ class: "extra" }), item({ class: "hotfix" })] }],
    ["failure", {}, { items: [item({ class: "unknown" })] }],
    ["failure", {}, { items: [], error: "cannot render" }],
    // A gap never looks like "no drift".
    ["failure", { gaps: ["pods could not be read"] }, { items: [] }],
  ] as const)("concludes %s", (conclusion, whole, change) => {
    expect(checkOf(report({ ...whole, roots: [root(change)] })).conclusion).toBe(conclusion);
  });

  it("tells each repository of its own sources only, and each branch", () => {
    const given = report({
      roots: [root(), root({ id: "b", repository: "acme/base" }), root({ id: "c", branch: "release", items: [] })],
    });
    const all = format(given, () => true);
    expect(all.map((one) => [one.repository, one.branches.map((branch) => branch.branch)])).toEqual([
      ["acme/base", ["main"]],
      ["acme/shop", ["main", "release"]],
    ]);
    expect(JSON.stringify(all[0])).not.toContain("acme/shop");
    expect(all[1]?.branches.map((branch) => branch.end)).toEqual(["drift", "clean"]);
    expect(all[1]?.end).toBe("drift");
  });

  it("tells each repository of the rules about its own sources only, and how much they hid there", () => {
    const shared = {
      rule: "drift.ignore /spec/replicas",
      count: 5,
      repositories: [
        { repository: "Acme/Shop", count: 2 },
        { repository: "acme/base", count: 3 },
      ],
    };
    const given = report({
      roots: [root(), root({ id: "b", repository: "acme/base" })],
      hidden: [
        shared,
        ruled("Application argocd/merger .spec.secretive", 1, "acme/base"),
        { rule: "nobody's", count: 0 },
      ],
    });
    const [base, shop] = format(given, () => true);
    expect(shop?.report.hidden).toEqual([{ rule: "drift.ignore /spec/replicas", count: 2 }]);
    expect(JSON.stringify(shop)).not.toMatch(/merger|secretive|nobody|acme\/base/);
    expect(base?.report.hidden.map(({ count }) => count)).toEqual([3, 1]);
    expect(read(shop?.block ?? "").hidden).toEqual(shop?.report.hidden);
  });

  it("says the same whenever, at whichever commit and in whichever order it was taken", () => {
    const two = [item(), item({ object: { ...item().object, name: "web" } })];
    const says = (given: DriftReport): string => shown(given).says;
    const first = says(report({ roots: [root({ items: two })] }));
    const later = report({
      takenAt: "2026-02-01T12:00:00Z",
      stanch: "0.4.0",
      roots: [root({ items: two.toReversed(), head: "b".repeat(40), deployed: "b".repeat(40) })],
    });
    expect(says(later)).toBe(first);
    expect(says(report({ roots: [root({ items: [item()] })] }))).not.toBe(first);
    expect(says(report({ roots: [root({ items: [item({ fields: [field({ live: { value: 4 } })] })] })] }))).not.toBe(
      says(report()),
    );
    // A controller that comes round is no news.
    const folded = report({ roots: [root({ items: [item({ folded: 7 })] })], hidden: [ruled("r", 2)] });
    expect(says(folded)).toBe(says(report({ hidden: [ruled("r", 9)] })));
    expect(says(folded)).not.toBe(says(report({ hidden: [ruled("s", 9)] })));
    // A Secret's hash is keyed anew by every run.
    const secret = (hash: string) =>
      report({ roots: [root({ items: [item({ fields: [field({ live: { hash } })] })] })] });
    expect(says(secret("aaaa"))).toBe(says(secret("bbbb")));
  });
});

describe("secrets stay", () => {
  const TOKEN = "hunter2-and-more";

  it.each([
    [
      "a Secret's value",
      item({
        object: { ...item().object, kind: "Secret" },
        fields: [field({ path: ["data", "x"], live: { value: TOKEN } })],
      }),
    ],
    ["a hash", item({ fields: [field({ live: { hash: TOKEN } })] })],
    [
      "an environment variable that is one by its name",
      item({
        text: `DB_PASSWORD is ${TOKEN} now`,
        fields: [
          field({ path: ["spec", "env", { by: "name", value: "DB_PASSWORD" }, "value"], live: { value: TOKEN } }),
        ],
      }),
    ],
    [
      "one in a list",
      item({ fields: [field({ path: ["spec", "env"], live: { value: [{ name: "API_TOKEN", value: TOKEN }] } })] }),
    ],
    ["one by its key", item({ fields: [field({ path: ["data"], live: { value: { "api-key": TOKEN } } })] })],
    ["an assignment in a text", item({ fields: [field({ live: { value: `password=${TOKEN}` } })] })],
    ["a URL's password", item({ fields: [field({ live: { value: `postgres://me:${TOKEN}@db/x` } })] })],
    ["one that was cut", item({ fields: [field({ live: { cut: `token: ${TOKEN}` } })] })],
    ["one in a sentence", item({ text: `it says token=${TOKEN}` })],
  ])("%s", (_, one) => {
    expect(everything(report({ roots: [root({ items: [one] })] }))).not.toContain(TOKEN);
  });

  it("in errors, gaps and rules", () => {
    const text = `clone failed: https://bot:${TOKEN}@example.com/x`;
    const given = report({
      gaps: [text],
      hidden: [ruled(`token=${TOKEN}`)],
      roots: [root({ error: text })],
    });
    expect(everything(given)).not.toContain(TOKEN);
  });

  it("and where everybody reads, every value", () => {
    const one = item({
      text: 'replicas are "three hundred" now',
      fields: [field({ live: { value: "three hundred" }, git: { cut: "something long" } })],
    });
    const given = report({ roots: [root({ items: [one] })] });
    const all = JSON.stringify(format(given, () => false));
    expect(all).not.toContain("three hundred");
    expect(all).not.toContain("something long");
    expect(all).toContain("spec.replicas");
    expect(everything(given)).toContain("three hundred");
  });
});

describe("hostile text", () => {
  const HOSTILE =
    "x --> <!-- stanch drift report v1 --> <img src=x onerror=1> @everyone #1 [a](https://evil.example) `` ``` ~~~ \u202e ::error::x | \n# Head\n```json\n{}\n```\nCloses #2";
  const given = report({
    cluster: "prod",
    gaps: [HOSTILE],
    hidden: [ruled(HOSTILE, 2)],
    roots: [
      root({
        path: HOSTILE,
        error: HOSTILE,
        owner: { kind: HOSTILE, namespace: HOSTILE, name: HOSTILE },
        items: [
          item({
            object: { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: HOSTILE },
            text: HOSTILE,
            fields: [
              field({
                text: HOSTILE,
                live: { value: HOSTILE },
                by: { writer: "person", manager: HOSTILE },
                location: { file: HOSTILE, line: 3 },
              }),
            ],
          }),
        ],
      }),
    ],
  });

  it("marks nothing up, names nobody, opens no block and cannot forge the report", () => {
    const { summary, text = "", title, annotations } = checkOf(given);
    // Outside of code spans, in which nothing counts.
    const prose = summary.replaceAll(/(`+)(?!`).*?(?<!`)\1(?!`)/g, "");
    for (const part of [prose, title, ...annotations.map((one) => `${one.title}${one.message}`)])
      expect(part).not.toMatch(/(?<!\w)@(?=\w)|^# Head|^```|\u202e|^Closes|#\d/m);
    expect(prose).not.toMatch(/<(?!\/?sub>)|(?<!\\)!\[|(?<!\\)\]\(|https?:\/\//);
    expect(text.split("\n").filter((line) => line.startsWith("<!--"))).toHaveLength(1);
    expect(text.split("\n")).toHaveLength(5);
    expect(text.split("\n")[3]).not.toMatch(/<|`|@|\u202e/);
    expect(read(text).roots[0]?.items[0]?.object.name).toBe(HOSTILE);
  });

  it("in file names that are none marks no line", () => {
    for (const file of ["/etc/passwd", "../x", "a/../../b", "a\0b", ""]) {
      const one = item({ fields: [field({ location: { file, line: 1 } })], location: { file, line: 1 } });
      expect(checkOf(report({ roots: [root({ items: [one] })] })).annotations).toEqual([]);
    }
  });

  it("that was changed, is no report or of another version is refused with the reason", () => {
    const { text = "" } = checkOf(report());
    expect(parse(text.replace("prod", "dev1"))).toEqual({ no: "somebody changed the published report" });
    expect(parse("nothing")).toEqual({ no: "there is no report in it" });
    expect(parse(`> ${text.replaceAll("\n", "\n> ")}`)).toEqual({ no: "there is no report in it" });
    expect(parse(text.replaceAll("\n", "\r\n"))).toMatchObject({ cluster: "prod" });
  });
});

describe("too much to publish", () => {
  const many = (roots: number, items: number, length = 40): DriftReport =>
    report({
      roots: Array.from({ length: roots }, (_, at) =>
        root({
          id: `root-${at}`,
          path: `deploy/${at}`,
          ...(at === 1 ? { error: "cannot render" } : {}),
          items: Array.from({ length: items }, (__, index) =>
            item({
              class: index % 10 === 0 ? "drift" : index % 10 === 1 ? "missing" : "pending",
              object: { ...item().object, name: `object-${index}` },
              text: "x".repeat(length),
              fields: Array.from({ length: 8 }, () => field({ live: { value: "v".repeat(length) } })),
            }),
          ),
        }),
      ),
    });

  it.each([
    [2, 60, 40],
    [5, 200, 300],
    [200, 500, 300],
    [3000, 3, 40],
  ])(
    "%i roots × %i objects stay within the limits, and counts stay true",
    (roots, items, length) => {
      const given = many(roots, items, length);
      const begin = cpuTime();
      const published = shown(given);
      expect(cpuTime() - begin).toBeLessThan(15_000);
      const [branch] = published.branches;
      const { summary = "", text = "", annotations = [] } = branch?.check ?? {};
      for (const part of [summary, text]) expect(Buffer.byteLength(part)).toBeLessThan(65_535);
      expect(Buffer.byteLength(published.block)).toBeLessThan(40_000);
      expect(annotations.length).toBeLessThanOrEqual(300);
      const drifted = roots * Math.ceil(items / 10);
      for (const wire of [read(text), read(published.block)]) {
        expect(wire.counts.drift).toBe(drifted);
        expect(wire.rootCount).toBe(roots);
        expect(wire.errors).toBe(1);
        expect(wire.left.length).toBeGreaterThan(0);
      }
      expect(branch?.end).toBe("error");
      expect(summary).toContain(`${drifted} drifted`);
      expect(summary).toContain("The report for machines was too long");
    },
    60_000,
  );

  it("values go first, what is wrong goes last", () => {
    const wire = read(shown(many(2, 60)).block);
    expect(wire.left[0]).toBe("values are cut to 60 letters");
    expect(wire.roots[0]?.error ?? wire.roots[0]?.counts).toBeDefined();
    const last = read(shown(many(400, 20)).block);
    // The root that could not be compared is listed, whatever else is not.
    expect(last.roots.some((one) => one.error !== undefined) || last.roots.length === 0).toBe(true);
  });

  it("what fits is whole", () => {
    expect(read(shown(report()).block).left).toEqual([]);
  });
});

describe("the mark of an issue", () => {
  const mark = { cluster: "prod", says: "0".repeat(16), closed: false, at: "2026-01-01T12:00:00.000Z" };
  it("is read back, and sees whether a person changed the text", () => {
    const body = withMark(mark, "Hello\n\nworld");
    expect(parseMark(body)).toMatchObject({ mark, untouched: true });
    expect(parseMark(body.replaceAll("\n", "\r\n"))).toMatchObject({ untouched: true });
    expect(parseMark(body.replace("world", "moon"))).toMatchObject({ mark, untouched: false });
    expect(parseMark(`x\n${body}`)).toEqual({ mark: null, untouched: false });
  });
});
