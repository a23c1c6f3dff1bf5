import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAnthropic } from "../../src/adapters/anthropic.ts";
import { answering, calls, edit, read } from "../code-fix/bench.ts";
import { type MessagesApi, type Scripted, startMessagesApi } from "../model/messages-api.ts";
import { code, type Failing, failing, NAMED, pulls } from "./code.ts";
import { AFTER, FILE } from "./code-answers.ts";
import { APPS, states, withoutSecrets } from "./issues.ts";

/** The whole way over real HTTP: cluster, code host, Messages API, and the loop of `src/code-fix` between them. */
let api: MessagesApi;
beforeAll(async () => {
  api = await startMessagesApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const SCRIPT: readonly Scripted[] = [
  calls(read(FILE)),
  calls(edit(FILE, "\trun(os.Args[1])\n", "\tif len(os.Args) > 1 {\n\t\trun(os.Args[1])\n\t}\n")),
  answering(
    { kind: "edited", summary: "Run only with an argument." },
    [{ id: "t1", quote: "run(os.Args[1])" }],
    "main reads os.Args of a program without arguments.",
  ),
];
const advisor = (url: string) => createAnthropic({ apiKey: "k-of-a-test", baseUrl: url });
const SOON = { model: { timeout: "2s" } };

async function asking(script: readonly Scripted[], url = api.url): Promise<Failing> {
  const world = await failing();
  api.script(script);
  world.behind(advisor(url));
  return world;
}

describe("stanch run, with a model that writes code", { timeout: 400_000 }, () => {
  it("ends in an issue and a draft with exactly the intended edit; a second run sends nothing", async () => {
    await using world = await asking(SCRIPT);
    const kept: string[] = [];
    world.behind(advisor(api.url), async (name, text) => void kept.push(`${name}\n${text}`));
    const sent = api.bodies.length;
    expect(await world.expect(["escalated"], SOON)).toContain("A draft fix of the program waits for people: ");
    expect(api.complaints).toEqual([]);
    expect(api.bodies.length - sent).toBe(3);
    expect(states(world, APPS)).toEqual(["open"]);
    const [pull] = pulls(world);
    expect(pull).toMatchObject({ draft: true, title: "fix(shop/app): Run only with an argument" });
    expect(await world.host.read(APPS, pull?.head ?? "", FILE)).toBe(AFTER);
    expect(pull?.body).toContain("main reads os.Args of a program without arguments.");
    expect(pull?.body).toContain("`t1`: `run(os.Args[1])`");
    expect(pull?.body).toContain("its edits are within all limits");
    const spent = code(world);
    expect(spent).toMatchObject({ requests: 3, asked: 1 });
    expect(spent?.dollars).toBeGreaterThan(0);
    withoutSecrets(api.bodies.slice(sent).join("\n") + kept.join("\n") + pull?.body);
    expect(kept).toHaveLength(1);
    expect(kept[0]).toContain("index out of range");

    await world.clock.sleep(300_000);
    await world.expect(["escalated"], SOON);
    expect(api.bodies.length - sent).toBe(3);
    expect(code(world)?.dollars).toBe(spent?.dollars);
  });

  it("puts what the check command did into the draft, without what is a secret in it", async () => {
    await using world = await asking(SCRIPT);
    const seen: string[] = [];
    const report = await world.cycle(
      { ...SOON, apps: [{ ...NAMED.apps[0], check: { command: ["go", "test", "./..."] } }] },
      ({ api: cluster, hosts }) => ({
        api: cluster,
        hosts: {
          ...hosts,
          checks: {
            unavailable: async () => null,
            async run({ edits, command, folder }) {
              seen.push(`${command.join(" ")} in ${folder}: ${edits.map(({ file }) => file).join(", ")}`);
              return {
                ran: true,
                exit: 0,
                timedOut: false,
                output: "ok cart\nDB_PASSWORD=hunter2-very-secret",
                ms: 900,
              };
            },
          },
        },
      }),
    );
    expect(report.outcomes.map(({ kind }) => kind)).toEqual(["escalated"]);
    expect(seen).toContain(`go test ./... in .: ${FILE}`);
    expect(pulls(world)[0]?.body).toContain("`go test ./...` **passed** after 0.9 s, without network and credentials.");
    expect(pulls(world)[0]?.body).toContain("ok cart");
    withoutSecrets(`${pulls(world)[0]?.body}${JSON.stringify(world.incidents())}`);
  });

  it("is stopped by the incident's budget before anything is sent", async () => {
    await using world = await asking(SCRIPT);
    const sent = api.bodies.length;
    const settings = { model: { ...SOON.model, budget: { incidentDollars: 0.001 } } };
    expect(await world.expect(["escalated"], settings)).toMatch(/No fix of it is written: .*(budget|incidentDollars)/i);
    expect(api.bodies.length).toBe(sent);
    expect(pulls(world)).toEqual([]);
  });

  it("ends as without a model wherever the network to it is cut, and is asked again by the next run", async () => {
    await using world = await asking(SCRIPT);
    const budget = { model: { ...SOON.model, budget: { incidentDollars: 50, runDollars: 50, dayDollars: 500 } } };
    world.behind(advisor("http://127.0.0.1:9"));
    expect(await world.expect(["escalated"], budget)).toContain("No fix of it is written: ");
    world.behind(advisor(api.url));
    for (const fault of ["cut-before", "cut-in-headers", "cut-in-text", "cut-before-stop", "hang-in-text"] as const)
      for (const at of [1, 3]) {
        // After a look, where there is one: a cut in the middle of an exchange.
        api.script((_sent, count) =>
          count < at ? (SCRIPT[count - 1] ?? {}) : { text: "half of it, and then nothing more", fault },
        );
        expect(await world.expect(["escalated"], budget), `${fault} at ${at}`).toContain("No fix of it is written: ");
        expect(pulls(world)).toEqual([]);
        expect(code(world)).toMatchObject({ asked: 0, evidence: "" });
      }
    expect(states(world, APPS)).toEqual(["open"]);
    api.script(SCRIPT);
    await world.expect(["escalated"], budget);
    expect(pulls(world)).toHaveLength(1);
  });

  it("is paid for a refusal, or for nonsense, and not asked the same again", async () => {
    for (const answer of [{ text: "no", stop: "refusal" }, { text: "{}" }] as const) {
      await using world = await asking([answer]);
      await world.expect(["escalated"], SOON);
      const sent = api.bodies.length;
      expect(await world.expect(["escalated"], SOON)).toContain(`A model found no fix in ${APPS}: `);
      expect(api.bodies.length).toBe(sent);
      expect(pulls(world)).toEqual([]);
    }
  });
});
