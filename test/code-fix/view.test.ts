import { describe, expect, it } from "vitest";
import { makeRedactor } from "../../src/advice/redaction.ts";
import { splice } from "../../src/code-fix/splice.ts";
import { strictRedactor } from "../../src/code-fix/strict-redactor.ts";
import { isPlain, viewOf } from "../../src/code-fix/view.ts";

const redactor = strictRedactor(makeRedactor(["tr0ub4dor-and-3"]));
const edited = (text: string, old: string, fresh: string): string => {
  const done = splice(text, viewOf(text, redactor), old, fresh);
  return "text" in done ? done.text : `! ${done.problem}`;
};

describe("bytes", () => {
  it.each<[string, string, string, string, string]>([
    [
      "CRLF stays, also in what is new",
      "a();\r\nb();\r\n",
      "a();\nb();",
      "a();\nx();\nb();",
      "a();\r\nx();\r\nb();\r\n",
    ],
    ["mixed endings stay where nothing is changed", "a\nb\r\nc\nd\r\n", "b\nc", "b\nX\nc", "a\nb\r\nX\r\nc\nd\r\n"],
    ["a missing last line break stays missing", "a\nb", "b", "c", "a\nc"],
    ["a last line break stays", "a\nb\n", "b", "c", "a\nc\n"],
    ["a mark at the beginning stays", "\uFEFFa\r\nb\r\n", "a\nb", "c\nb", "\uFEFFc\r\nb\r\n"],
    ["`$&` is no pattern", "a\n", "a", "$& $1 $$", "$& $1 $$\n"],
    ["tabs and trailing spaces are a part of it", "\ta  \n", "\ta  ", "\tb", "\tb\n"],
    ["letters of several units", "x = '😀';\n", "'😀'", "'😁'", "x = '😁';\n"],
    ["everything is taken out", "a\n", "a\n", "", ""],
  ])("%s", (_, text, old, fresh, after) => {
    expect(edited(text, old, fresh)).toBe(after);
  });
});

describe("what is hidden", () => {
  const text = `a();\nconst key = "tr0ub4dor-and-3";\nb();\n-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nc();\nx\u200by();\nbearer\nabcdefghijkl\n${"z".repeat(1200)}\nend();\n`;
  const lines = viewOf(text, redactor);

  it("keeps the numbers of the lines", () => {
    expect(lines).toHaveLength(text.split("\n").length - 1);
    expect(lines.map(isPlain)).toEqual([true, false, true, false, false, false, true, false, true, true, false, true]);
    expect(lines.map((line) => line.shown).join("\n")).not.toMatch(/tr0ub4dor|abc\n|zzzz/);
    expect(lines.map((line) => line.start)).toEqual(lines.map((line) => text.indexOf(line.text, line.start)));
  });

  it("cannot be changed, and an edit tells nothing of it", () => {
    const wrong = ['"tr0ub4dor-and-3"', '"tr0ub4dor-and-4"', "const key", "a();\nconst key", "xy();", "zzzz", "abc\n"];
    const told = wrong.map((old) => edited(text, old, "q"));
    for (const answer of told) expect(answer).toMatch(/^! `old` does not occur/);
    expect(told[0]).toBe(told[1]);
    expect(told.join("\n")).not.toContain("tr0ub4dor");
    // Nor does a line that can be changed become a part of one that cannot.
    expect(edited(text, "a();\n", "a(); ")).toMatch(/would join a line/);
    expect(edited(text, "a();\n", "")).toBe(text.slice(5));
    // What stands once where it is seen is changed there, however often it stands where it is not.
    const twice = `x = 1;\nconst key = "tr0ub4dor-and-3"; x = 1;\n`;
    expect(edited(twice, "x = 1", "x = 2")).toBe(`x = 2;\nconst key = "tr0ub4dor-and-3"; x = 1;\n`);
  });

  it("a name that only looks random is taken out alone", () => {
    const [line] = viewOf("call(getUserNameFromHttp2Request(a), b);\n", redactor);
    expect(line?.shown).toBe("call(‹redacted›(a), b);");
    expect(redactor.leak(line?.shown ?? "")).toBeNull();
  });

  it("takes no longer for what was made to take long", () => {
    const began = process.cpuUsage();
    for (const piece of [
      "\n",
      " ",
      "a.",
      "a_",
      "-",
      "token ",
      "key: \n",
      "npm_",
      "aB1",
      "-----BEGIN X-----\n",
      "name: token\n",
      "::",
      "://a",
      "bearer\n",
    ])
      viewOf(piece.repeat(Math.floor(200_000 / piece.length)), redactor);
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(15_000);
  }, 180_000);
});
