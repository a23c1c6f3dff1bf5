import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answeredBy, formatAnswer } from "../../src/chat/answer.ts";
import { parseCommand } from "../../src/chat/command.ts";
import { cpuTime } from "../cpu-time.ts";

const HOUR = 3_600_000;

describe("a command", () => {
  it.each([
    ["/stanch undo", { verb: "undo" }],
    ["/STANCH Undo  ", { verb: "undo" }],
    ["Thanks!\r\n\r\n/stanch hold 4h\r\nMore to come.", { verb: "hold", ms: 4 * HOUR }],
    ["/stanch ignore", { verb: "ignore" }],
    ["/stanch\tignore  1d12h", { verb: "ignore", ms: 36 * HOUR }],
    ["/stanch retry\n/stanch undo", { verb: "retry" }],
    ["> /stanch undo\n\n/stanch explain", { verb: "explain" }],
    ["```\n/stanch undo\n```\n/stanch help", { verb: "help" }],
    ["``` `x` ``` is code\n/stanch help", { verb: "help" }],
  ])("%j is one", (comment, expected) => {
    expect(parseCommand(comment)).toEqual(expected);
  });

  it.each([
    "please /stanch undo",
    "> /stanch undo",
    " > /stanch undo",
    "    /stanch undo",
    " /stanch undo",
    "`/stanch undo`",
    "```\n/stanch undo\n```",
    "~~~sh\n/stanch undo",
    "````\n```\n/stanch undo\n````",
    "```\n/stanch undo\n``` not the end\n/stanch undo",
    "<!-- \n/stanch undo\n-->",
    "<!--\n/stanch undo",
    "<pre>\n/stanch undo\n</pre>",
    "/stanchundo",
    "/stanch-undo",
    "stanch undo",
    "- /stanch undo",
    "\u200b/stanch undo",
    `${"x\n".repeat(300)}/stanch undo`,
    "",
  ])("%j is none", (comment) => {
    expect(parseCommand(comment)).toBeNull();
  });

  it.each([
    ["/stanch", "no command of mine"],
    ["/stanch udno", "/stanch undo"],
    ["/stanch undo now please", "on a line of its own"],
    ["/stanch undo 4h", "takes nothing"],
    ["/stanch hold", "for how long"],
    ["/stanch hold forever", "a duration"],
    ["/stanch hold 1s", "at least a minute"],
    ["/stanch hold -4h", "a duration"],
    [`/stanch hold ${"9".repeat(18)}d`, "a duration"],
    ["/stanch ignore 0h", "a duration"],
    ["/stanch constructor", "no command of mine"],
  ])("%j says what to write", (comment, reason) => {
    expect(parseCommand(comment)).toMatchObject({ verb: "unclear", reason: expect.stringContaining(reason) });
  });

  it("is never seen in quoted text, whatever it is, and never takes long", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (lines) => {
        const quoted = [...lines, "/stanch undo"].flatMap((text) => text.split(/\r\n?|\n/)).map((text) => `> ${text}`);
        return parseCommand(quoted.join("\n")) === null;
      }),
    );
    const begin = cpuTime();
    for (const text of ["<!--".repeat(16_000), "`".repeat(65_000), "/stanch ".repeat(8_000), "~~~\n".repeat(16_000)])
      parseCommand(text);
    expect(cpuTime() - begin).toBeLessThan(2000);
  });
});

describe("an answer", () => {
  it("holds the comment that it answers, in its first line only", () => {
    const text = formatAnswer({ id: 77, by: "ada", verb: "undo" }, "done.");
    expect(answeredBy(text)).toBe(77);
    expect(answeredBy(`x\n${text}`)).toBeNull();
    expect(answeredBy(`> ${text}`)).toBeNull();
    expect(text).toContain("`ada`, `/stanch undo`: done.");
  });
});
