import { describe, expect, it } from "vitest";
import { createAnthropic } from "../../src/adapters/anthropic.ts";
import { Recording } from "../../src/advice/exchange.ts";
import { makeRedactor } from "../../src/advice/redaction.ts";
import { replayFix } from "../../src/code-fix/recording.ts";
import { Config } from "../../src/config/schema.ts";
import { calls, edit, fixed, KEY, read } from "../code-fix/bench.ts";
import { startMessagesApi } from "../model/messages-api.ts";
import { code, failing, pulls } from "./code.ts";
import { AFTER, BEFORE, FILE } from "./code-answers.ts";
import { APPS } from "./issues.ts";

describe("a program that ends with a stack trace, and the whole way over the wire", { timeout: 400_000 }, () => {
  it("from its log to the draft and to a recording that comes to the same", async () => {
    await using api = await startMessagesApi();
    await using world = await failing();
    const saved: string[] = [];
    api.script([
      calls(read(FILE)),
      calls(edit(FILE, BEFORE, AFTER), edit("go.mod", "module cart", "module evil")),
      fixed([
        { id: "t1", quote: "os.Args[1]" },
        { id: "summary", quote: "exit code 2" },
      ]),
    ]);
    const { outcomes } = await world.cycle({}, (doors) => ({
      ...doors,
      hosts: {
        ...doors.hosts,
        model: {
          secrets: [],
          draw: () => "d0123456789abcdef01",
          ...doors.hosts.model,
          advisor: createAnthropic({ apiKey: KEY, baseUrl: api.url }),
          save: async (_: string, text: string) => void saved.push(text),
        },
      },
    }));
    expect(api.complaints).toEqual([]);
    expect(api.requests).toHaveLength(3);
    expect(outcomes.map(({ message }) => message).join("\n")).toContain("A draft fix of the program waits for people");
    const [pull] = pulls(world);
    expect(pull).toMatchObject({ state: "open", draft: true });
    expect(await world.host.read(APPS, pull?.head ?? "", FILE)).toBe(AFTER);
    expect(await world.host.read(APPS, pull?.head ?? "", "go.mod")).toBe("module cart\n");
    expect(code(world)).toMatchObject({ outcome: "fix", requests: 3 });
    for (const body of api.bodies) expect(body).not.toContain("hunter2-very-secret");

    expect(saved).toHaveLength(1);
    const settings = Config.parse({}).model;
    const clock = { now: () => new Date(0), sleep: async () => undefined };
    const recording = Recording.parse(JSON.parse(saved[0] ?? "{}"));
    const again = await replayFix(recording, { settings, redactor: makeRedactor([]), clock });
    expect(again).toMatchObject({ fixed: true, edits: [{ file: FILE, before: BEFORE, after: AFTER }] });
  });
});
