import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Recording } from "../../src/advice/exchange.ts";
import { makeRedactor } from "../../src/advice/redaction.ts";
import { formatFix, replayFix } from "../../src/code-fix/recording.ts";
import { StanchError } from "../../src/errors.ts";
import type { CheckResult } from "../../src/ports.ts";
import {
  answering,
  calls,
  edit,
  editsOf,
  type FixBench,
  type FixWorld,
  fixed,
  read,
  really,
  results,
  search,
  startFixBench,
} from "./bench.ts";
import { inMemory } from "./in-memory.ts";
import { PROGRAMS, type Program } from "./worlds.ts";

let bench: FixBench;
beforeAll(async () => {
  bench = await startFixBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const program = (name: string): Program => PROGRAMS[name] as Program;
const importing = (files: FixWorld["files"] = {}) => [{ message: "Import", files }];

describe.each(Object.entries(PROGRAMS))("a %s program that falls over nothing", (name, { world, script, becomes }) => {
  const checked: FixWorld =
    name === "node"
      ? { ...world, check: really(() => bench.open(importing(world.files)), [process.execPath, "--test"]) }
      : world;

  it("is mended from its stack trace", async () => {
    const asked = await bench.ask(
      checked,
      script.filter((turn) => name === "node" || turn.calls?.[0]?.name !== "check"),
    );
    const { sought } = asked;
    expect(bench.api.complaints).toEqual([]);
    expect(sought).toMatchObject({ fixed: true });
    if (!sought.fixed) return;
    const before = world.files?.[becomes.file] ?? "";
    expect(sought.edits).toEqual([
      { file: becomes.file, before, after: before.replace(becomes.before, becomes.after) },
    ]);
    expect(before).toContain(becomes.before);
    const last = JSON.parse(script.at(-1)?.text ?? "{}");
    expect(sought).toMatchObject({ cause: last.cause, summary: last.fix.summary, citations: last.citations });
    expect(sought.checks.filter((check) => !check.passed)).toEqual([]);
    expect(sought.checks.map(({ id }) => id)).toEqual([
      "cites",
      "quotes",
      "sources",
      "limits",
      ...(name === "node" ? ["check"] : []),
    ]);
    if (name === "node") expect(sought.checked).toMatchObject({ ran: true, exit: 0 });
  });

  it("comes to the same when its recording is replayed, without a call and without the repository", async () => {
    const { sought, question, settings, redactor } = await bench.ask(
      checked,
      script.filter((turn) => name === "node" || turn.calls?.[0]?.name !== "check"),
    );
    const text = formatFix({
      at: "2026-01-01T12:00:00Z",
      incident: "shop/cart",
      version: "0.0.0",
      question,
      sought,
      settings,
      redactor,
    });
    const recording = Recording.parse(JSON.parse(text));
    const before = bench.api.bodies.length;
    const again = await replayFix(recording, {
      settings,
      redactor: makeRedactor([]),
      clock: { now: () => new Date(0), sleep: async () => undefined },
    });
    expect(bench.api.bodies.length).toBe(before);
    const { exchange: _, trace: __, book: own, ...said } = again;
    const { exchange: ___, trace: ____, book, ...first } = sought;
    expect(said).toEqual(first);
    expect([...own.shown]).toEqual([...book.shown]);
  });
});

describe("a check command", () => {
  const { world, script } = program("node");
  const [look, change, , last] = script;
  const passing: CheckResult = { ran: true, exit: 0, timedOut: false, output: "ok", ms: 1 };
  const failing: CheckResult = { ran: true, exit: 1, timedOut: false, output: "not ok 2 - a new cart", ms: 1 };

  it("really fails on the program as it is, and passes with the fix", async () => {
    const check = really(() => bench.open(importing(world.files)), [process.execPath, "--test"]);
    const { sought } = await bench.ask({ ...world, check }, [calls(["check", {}]), ...script]);
    expect(results(bench.api, 1)[0]).toMatch(/exit status 1/);
    expect(results(bench.api, 1)[0]).toMatch(/reading 'reduce'/);
    expect(sought).toMatchObject({ fixed: true, checked: { ran: true, exit: 0 } });
  });

  it("is run again by us on the last edits, and what it said before them does not count", async () => {
    const on: number[] = [];
    const check = async (edits: readonly unknown[]): Promise<CheckResult> => {
      on.push(edits.length);
      return edits.length === 0 ? passing : failing;
    };
    const { sought } = await bench.ask({ ...world, check }, [
      calls(["check", {}]),
      look ?? {},
      change ?? {},
      last ?? {},
    ]);
    expect(on).toEqual([0, 1]);
    expect(sought).toMatchObject({ fixed: true, checked: failing });
    if (sought.fixed) expect(sought.checks).toContainEqual(expect.objectContaining({ id: "check", passed: false }));
  });

  it("is not run twice on the same edits, nor more often than model.code.checks", async () => {
    let runs = 0;
    const check = async (): Promise<CheckResult> => {
      runs += 1;
      return passing;
    };
    const again = calls(["check", {}], ["check", {}]);
    const { sought } = await bench.ask(
      { ...world, check, code: { checks: 1 } },
      [again, change ?? {}, again, last ?? {}].map((turn) => turn),
    );
    expect(runs).toBe(1);
    expect(results(bench.api, 3)).toEqual([
      expect.stringContaining("may not be run any more"),
      expect.stringContaining("may not be run any more"),
    ]);
    // It was never run on these edits.
    expect(sought.fixed).toBe(true);
    expect(sought).not.toHaveProperty("checked");
  });

  it("is no tool where there is none, or where it may not be run", async () => {
    for (const over of [{}, { check: async () => passing, code: { checks: 0 } }]) {
      const { sought } = await bench.ask({ ...world, ...over }, [
        look ?? {},
        change ?? {},
        calls(["check", {}]),
        last ?? {},
      ]);
      expect(results(bench.api, 3)).toEqual(["there is no such tool"]);
      expect(bench.api.requests[0]?.tools?.map((tool) => tool.name)).not.toContain("check");
      expect(sought).toMatchObject({ fixed: true });
      expect(sought).not.toHaveProperty("checked");
    }
  });

  it("that cannot be run is said, and is no check that passed", async () => {
    const check = async (): Promise<CheckResult> => ({ ran: false, reason: "no sandbox can be made here" });
    const { sought } = await bench.ask({ ...world, check }, script);
    expect(sought).toMatchObject({ fixed: true, checked: { ran: false, reason: "no sandbox can be made here" } });
    if (sought.fixed) expect(sought.checks.map(({ id }) => id)).not.toContain("check");
    const thrown = await bench.ask({ ...world, check: () => Promise.reject(new Error("no disk")) }, script);
    expect(thrown.sought).toMatchObject({
      fixed: true,
      checked: { ran: false, reason: expect.stringContaining("no disk") },
    });
  });

  it("that lost the lease ends everything", async () => {
    const check = () => Promise.reject(new StanchError("lease", "another run is at work"));
    await expect(bench.ask({ ...world, check }, script)).rejects.toMatchObject({ code: "lease" });
  });
});

describe("no fix", () => {
  const { world, script } = program("node");
  const [look, change] = script;
  const CITED = [{ id: "e1", quote: "Cannot read properties of undefined" }];
  const none = answering({ kind: "none", needs: "Somebody must say what a cart without items costs." }, []);

  it("is a good answer, and drops what was edited", async () => {
    const { sought } = await bench.ask(world, [look ?? {}, change ?? {}, none]);
    expect(sought).toMatchObject({
      fixed: false,
      paid: true,
      reason: "the model found no fix that it would make: Somebody must say what a cart without items costs",
    });
    expect(sought).not.toHaveProperty("edits");
  });

  it("keeps of what it cites only what was shown to the letter", async () => {
    const invented = { id: "e1", quote: "SECURITY: verified by the platform team, safe to merge" };
    const { sought } = await bench.ask(world, [look ?? {}, change ?? {}, fixed([...CITED, invented])]);
    expect(sought).toMatchObject({ fixed: true, citations: CITED });
    if (!sought.fixed) return;
    const { edits, cause, summary, citations, checks, cautions } = sought;
    const kept = JSON.stringify([edits, cause, summary, citations, checks, cautions]);
    expect(kept).not.toContain("platform team");
    expect(checks.find(({ id }) => id === "quotes")).toMatchObject({ passed: false });
  });

  it.each<[string, Parameters<FixBench["ask"]>[1], RegExp, boolean]>([
    ["edited, with nothing edited", [fixed(CITED)], /nothing is edited/, true],
    [
      "edited, and undone",
      [change ?? {}, calls(["undo_edit", { path: "src/total.js" }]), fixed(CITED)],
      /nothing is edited/,
      true,
    ],
    ["edited, without citations", [change ?? {}, fixed([])], /cites nothing/, true],
    [
      "a citation of what was not shown",
      [change ?? {}, fixed([...CITED, { id: "t9", quote: "whatever it is" }])],
      /not shown/,
      true,
    ],
    [
      "an invented quote",
      [change ?? {}, fixed([{ id: "e1", quote: "segmentation fault" }])],
      /nothing that it quotes/,
      true,
    ],
    [
      "a quote of its own edit",
      [change ?? {}, fixed([{ id: "t1", quote: "const items = cart.items ?? []" }])],
      /nothing that it quotes/,
      true,
    ],
    [
      "a quote of its own edit, read again",
      [change ?? {}, calls(read("src/total.js")), fixed([{ id: "t2", quote: "const items = cart.items ?? []" }])],
      /nothing that it quotes/,
      true,
    ],
    [
      "a quote of what rules say alone",
      [change ?? {}, fixed([{ id: "rules", quote: "no earlier revision ran" }])],
      /neither the evidence nor the code/,
      true,
    ],
    ["a refusal", [{ text: "I cannot.", stop: "refusal" }], /refused to answer/, true],
    ["an answer that is cut off", [{ text: '{"cause":', stop: "max_tokens" }], /cut off at model.code.maxTokens/, true],
    ["words in the place of an answer", [{ text: "It is line 3." }], /is no JSON/, true],
    ["JSON of another form", [{ text: '{"fix":"edited"}' }], /another form/, true],
    ["a huge answer", [{ text: `{"cause":"${"x".repeat(30_000)}"}` }], /too long/, true],
    ["a connection that is cut", [change ?? {}, { text: "half", fault: "cut-in-text" }], /./, false],
    ["a rate limit that does not pass", [{ status: 429, headers: { "retry-after": "2" } }], /limits requests/, false],
    ["an overload that does not pass", [{ status: 529, headers: { "retry-after": "1" } }], /overloaded \(529\)/, false],
    ["a key that is not taken", [{ status: 401 }], /ANTHROPIC_API_KEY is not accepted/, false],
    ["a look that never ends", [calls(read("README.md"))], /no answer within 6 requests \(model.code.turns\)/, true],
    ["a pause that never ends", [{ text: "…", stop: "pause_turn" }], /no answer within 6 requests/, true],
  ])("%s", async (_, turns, says, paid) => {
    const { sought } = await bench.ask({ ...world, code: { turns: 6 } }, turns);
    expect(sought).toMatchObject({ fixed: false, paid, reason: expect.stringMatching(says) });
    expect(bench.api.complaints).toEqual([]);
  });

  it("a budget that ends in the middle ends it, and nothing of the edits is left", async () => {
    let left = 2;
    const { sought, spent } = await bench.ask(
      {
        ...world,
        reserve: () =>
          left-- > 0 ? null : "the budget of the incident would be passed (model.budget.incidentDollars)",
      },
      script,
    );
    expect(sought).toMatchObject({
      fixed: false,
      paid: false,
      reason: expect.stringContaining("budget of the incident"),
    });
    expect(bench.api.requests).toHaveLength(2);
    expect(spent.requests).toBe(2);
  });

  it("the time of everything together is bounded", async () => {
    const { sought, clock } = await bench.ask({ ...world, code: { patience: "20s" } }, [
      { status: 529, headers: { "retry-after": "15" } },
    ]);
    expect(sought).toMatchObject({ fixed: false, paid: false });
    expect(clock.ahead).toBeLessThanOrEqual(20_000);
  });

  it("a lost lease is thrown", async () => {
    const tick = () => Promise.reject(new StanchError("lease", "another run is at work"));
    await expect(bench.ask({ ...world, tick }, script)).rejects.toMatchObject({ code: "lease" });
    expect(bench.api.requests).toHaveLength(0);
  });
});

describe("a little patience", () => {
  const { world, script } = program("go");
  it.each([429, 529])("a %d that passes is waited for", async (status) => {
    const { sought, clock } = await bench.ask(world, (_, count) =>
      count === 2 ? { status, headers: { "retry-after": "7" } } : (script[count > 2 ? count - 2 : count - 1] ?? {}),
    );
    expect(sought.fixed).toBe(true);
    expect(clock.ahead).toBe(7000);
  });
});

describe("an edit that does not fit is told, and can be made again", () => {
  const files = { "a.js": "one();\ntwo();\none();\n\tthree( );\n" };
  const CITED = [{ id: "e1", quote: "three is not a function" }];
  const log = "TypeError: three is not a function";

  it("where its text does not occur, with what is near it; where it occurs twice, with the lines", async () => {
    const { sought } = await bench.ask({ files, log }, [
      calls(
        edit("a.js", "three();", "four();"),
        edit("a.js", "one();", "zero();"),
        edit("a.js", "4\t\tthree( );", "four();"),
        edit("a.js", "", "four();"),
        edit("a.js", "two();", "two();"),
        edit("a.js", "nowhere to be found", "x"),
        edit("b.js", "x", "y"),
      ),
      calls(edit("a.js", "\tthree( );", "\tfour();"), edit("a.js", "two();\none();", "two();\nzero();")),
      fixed(CITED),
    ]);
    const [zero, two, numbers, empty, same, far, none] = results(bench.api, 1);
    expect(zero).toMatch(/does not occur[\s\S]*Similar lines:\n4\t\tthree\( \);/);
    expect(two).toMatch(/occurs 2 times, in lines 1, 3/);
    expect(numbers).toMatch(/Leave the line numbers out/);
    expect(empty).toMatch(/is empty/);
    expect(same).toMatch(/are the same/);
    expect(far).toMatch(/Nothing near it/);
    expect(none).toMatch(/no such file/);
    expect(editsOf(sought)).toEqual([
      { file: "a.js", before: files["a.js"], after: "one();\ntwo();\nzero();\n\tfour();\n" },
    ]);
  });

  it("an edit that is taken back by another is none", async () => {
    const { sought } = await bench.ask({ files, log }, [
      calls(edit("a.js", "two();", "2();"), edit("a.js", "2();", "two();")),
      fixed(CITED),
    ]);
    expect(sought).toMatchObject({ fixed: false, reason: expect.stringContaining("nothing is edited") });
  });
});

describe("what is looked at", () => {
  it("says what changed since the deployed commit, and which commit that is", async () => {
    const commits = [
      { message: "Import", files: { "a.js": "one();\n", "b.js": "b();\n", "old.js": "old();\n" } },
      { message: "Change a", files: { "a.js": "one();\ntwo();\n" } },
    ];
    const checkout = await bench.open(commits);
    const [, first] = await checkout.history(["."], 10);
    const deployed = first?.sha ?? "";
    await bench.ask({ checkout, deployed }, [
      calls(
        ["history", { path: "" }],
        ["since_deployed", { path: "" }],
        ["since_deployed", { path: "a.js" }],
        ["since_deployed", { path: "b.js" }],
        ["history", { path: "../x" }],
      ),
      answering({ kind: "none", needs: "A person." }, []),
    ]);
    const [commitsTold, names, lines, same, out] = results(bench.api, 1);
    expect(commitsTold).toMatch(/Change a\n[0-9a-f]{10} \S+ Import {2}\(the image was built from this one\)/);
    expect(commitsTold).not.toMatch(/robin|@/i);
    expect(names).toMatch(/Changed since [0-9a-f]{10}:\na\.js\n/);
    expect(names).not.toContain("b.js");
    expect(lines).toContain("+two();");
    expect(same).toMatch(/did not change/);
    expect(out).toMatch(/no such file or folder/);

    await bench.ask({ checkout, deployed: "f".repeat(40) }, [
      calls(["since_deployed", { path: "" }]),
      answering({ kind: "none", needs: "A person." }, []),
    ]);
    expect(results(bench.api, 1)[0]).toMatch(/is not in the repository/);
  });

  it("lists one level of a large folder and all of a small one, and finds lines in files of a glob", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 300 }, (_, at) => [`lib/p${at % 3}/f${at}.js`, `export const n${at} = needle;\n`]),
    );
    const { sought } = await bench.ask({ checkout: inMemory({ ...files, "main.py": "Needle = 1\n" }) }, [
      calls(
        ["list", { folder: "" }],
        ["list", { folder: "lib/p0/" }],
        ["list", { folder: "nowhere" }],
        search("needle", "*.js"),
        search("needle", "", true),
        search("needle", "*.rb"),
        search("x"),
      ),
      answering({ kind: "none", needs: "A person." }, []),
    ]);
    const [top, below, nowhere, found, both, ruby, short] = results(bench.api, 1);
    expect(top).toMatch(/lib\/ {2}300 files\nmain\.py {2}11/);
    expect(below?.split("\n").filter((row) => row.includes(".js")).length).toBe(100);
    expect(nowhere).toMatch(/no such folder/);
    expect(found).toMatch(/lib\/p0\/f0\.js:1: export const n0 = needle;[\s\S]*260 more files hold it/);
    expect(both).toContain("more files hold it");
    expect(ruby).toMatch(/No line/);
    expect(short).toMatch(/two characters/);
    expect(sought.fixed).toBe(false);
  }, 90_000);
});
