import { describe, expect, it } from "vitest";
import { StanchError } from "../../src/errors.ts";
import { owners, phases, proposed, pulls, said } from "./incident.ts";
import { HOSTILE, states, undeclared } from "./issues.ts";
import { REPOSITORY, TOKEN, type World } from "./world.ts";

/** People with roles, as GitHub knows them. */
function staffed(world: World): World {
  for (const [login, role] of [
    ["ada", "write"],
    ["max", "admin"],
    ["tri", "triage"],
    ["rex", "read"],
  ] as const)
    world.host.addCollaborator(REPOSITORY, login, role);
  return world;
}
const talk = (world: World, number = 1) =>
  [...world.host.pulls(REPOSITORY), ...world.host.issues(REPOSITORY)].find((one) => one.number === number)?.comments ??
  [];
const answers = (world: World, number = 1) =>
  talk(world, number)
    .filter((comment) => comment.user === "stanch[bot]")
    .map((comment) => comment.body);
const asks = (world: World, body: string, as = "ada", number = 1) =>
  world.host.comment(REPOSITORY, number, { as, body });
const status = (world: World) => world.incidents()[0]?.status;

describe.concurrent("a person with write permission", () => {
  it("takes the live change back, and is answered once", async () => {
    await using world = staffed(await proposed());
    const id = asks(world, "Not now.\n\n/stanch undo");
    expect(said(await world.run())).toEqual(["rolled-back"]);
    expect(world.memory()).toBe("64Mi");
    expect(owners(world)).not.toContain("stanch");
    expect(pulls(world)).toEqual(["open"]);
    expect(phases(world)).toEqual(["Proposed"]);
    expect(answers(world)).toEqual([expect.stringContaining("taken back")]);
    expect(answers(world)[0]).toContain(`{"to":${id}}`);
    expect(said(await world.run())).toEqual(["waiting"]);
    // Edited or not, it counted once.
    world.host.editComment(REPOSITORY, id, "/stanch undo\nand more");
    expect(said(await world.run())).toEqual(["waiting"]);
    expect(answers(world)).toHaveLength(1);
    // Merged, it is deployed and over as ever.
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    await world.deploy();
    await world.clock.sleep(60_000);
    expect(said(await world.run())).toEqual(["resolved"]);
  });

  it("leaves the problem alone for a time of their choice: the pull request is closed and the change taken back", async () => {
    await using world = staffed(await proposed());
    asks(world, "/stanch ignore 2h", "max");
    expect(said(await world.run())).toEqual(["closed"]);
    expect(pulls(world)).toEqual(["closed"]);
    expect(phases(world)).toEqual(["Silenced"]);
    expect(world.memory()).toBe("64Mi");
    const until = Date.parse(status(world)?.silencedUntil ?? "") - world.clock.now().getTime();
    expect(until / 3_600_000).toBeGreaterThan(1.9);
    expect(until / 3_600_000).toBeLessThanOrEqual(2);
    expect(answers(world)).toEqual([expect.stringContaining("left alone until")]);
    expect(said(await world.run())).toEqual([]);
  });

  it("has it explained without a secret in it, is helped, and told what is no command", async () => {
    await using world = staffed(await proposed());
    asks(world, "/stanch explain");
    asks(world, "/stanch hlep", "max");
    asks(world, "/stanch help");
    asks(world, "/stanch hold 4h");
    expect(said(await world.run())).toEqual(["waiting"]);
    const [explained = "", unclear, help, held] = answers(world);
    expect(explained).toContain("**What happened**");
    expect(explained).toContain("Proposed");
    expect(explained).toContain("kubectl get incident");
    for (const text of [...HOSTILE.slice(1, 4), TOKEN]) expect(explained).not.toContain(text);
    expect(unclear).toContain("did you mean `/stanch help`?");
    expect(help).toContain("/stanch retry");
    expect(held).toContain("nothing is held here");
    expect(world.memory()).toBe("128Mi");
  });

  it("has the pull request built anew", async () => {
    await using world = staffed(await proposed());
    const head = world.host.pulls(REPOSITORY)[0]?.headSha;
    await world.host.commit(REPOSITORY, "main", { "apps/note.txt": "x\n" }, { message: "Meanwhile" });
    asks(world, "/stanch retry");
    expect(said(await world.run())).toEqual(["updated"]);
    expect(answers(world)).toEqual([expect.stringContaining("Updated")]);
    expect(phases(world)).toEqual(["Proposed"]);
    expect(world.host.pulls(REPOSITORY)).toHaveLength(1);
    expect(world.host.pulls(REPOSITORY)[0]?.state).toBe("open");
    expect(head).toBeDefined();
  });
});

describe.concurrent("who may not", () => {
  it("asks in vain, and is told so a few times only", async () => {
    await using world = staffed(await proposed());
    for (const [as, body] of [
      ["rex", "/stanch undo"],
      ["tri", "/stanch ignore 9d"],
      ["eve", "/stanch undo"],
      ["eve", "/stanch undo"],
      ["eve", "/stanch retry"],
    ] as const)
      asks(world, body, as);
    expect(said(await world.run())).toEqual(["waiting"]);
    expect(world.memory()).toBe("128Mi");
    expect(pulls(world)).toEqual(["open"]);
    expect(answers(world)).toHaveLength(3);
    for (const text of answers(world)) expect(text).toContain("only those who may write");
    await world.run();
    expect(answers(world)).toHaveLength(3);
  });

  it("keeps nobody from being heard who may, however often it asks", async () => {
    await using world = staffed(await proposed());
    for (let index = 0; index < 205; index++) asks(world, "/stanch undo", "eve");
    asks(world, "/stanch help");
    expect(said(await world.run())).toEqual(["waiting"]);
    expect(answers(world)).toHaveLength(4);
    expect(answers(world).at(-1)).toContain("/stanch retry");
    const rights = world.host.requests.filter(({ path }) => path.includes("/collaborators/eve/"));
    expect(rights).toHaveLength(1);
    expect(status(world)?.chat?.handled).toHaveLength(4);
    expect(world.memory()).toBe("128Mi");
  });

  it("bots, ourselves, quotes, code and hidden text say nothing", async () => {
    await using world = staffed(await proposed());
    world.host.addCollaborator(REPOSITORY, "dependabot[bot]", "admin");
    world.host.addCollaborator(REPOSITORY, "stanch[bot]", "admin");
    asks(world, "/stanch undo", "dependabot[bot]");
    asks(world, "/stanch undo", "stanch[bot]");
    for (const body of ["> /stanch undo", "```\n/stanch undo\n```", "<!--\n/stanch undo\n-->", "do not /stanch undo"])
      asks(world, body);
    const before = talk(world).length;
    expect(said(await world.run())).toEqual(["waiting"]);
    expect(talk(world)).toHaveLength(before);
    expect(world.memory()).toBe("128Mi");
  });

  it("a forged answer keeps no command from being heard", async () => {
    await using world = staffed(await proposed());
    const id = asks(world, "/stanch undo");
    asks(world, `<!-- stanch answer v1 {"to":${id}} -->\ndone`, "eve");
    expect(said(await world.run())).toEqual(["rolled-back"]);
    expect(answers(world)).toHaveLength(1);
  });

  it("a comment that becomes a command when it is edited is heard then", async () => {
    await using world = staffed(await proposed());
    const id = asks(world, "I wonder.");
    expect(said(await world.run())).toEqual(["waiting"]);
    world.host.editComment(REPOSITORY, id, "/stanch undo");
    expect(said(await world.run())).toEqual(["rolled-back"]);
  });

  it("nothing is read where it is switched off", async () => {
    await using world = staffed(await proposed());
    asks(world, "/stanch undo");
    const before = world.host.requests.length;
    expect(said(await world.run(undefined, { chat: { enabled: false } }))).toEqual(["waiting"]);
    expect(world.host.requests.slice(before).filter((row) => row.path.endsWith("/comments"))).toEqual([]);
  });
});

describe.concurrent("much talk", () => {
  it("is read on all pages, costs one call when nothing is new, and a few commands a run", async () => {
    await using world = staffed(await proposed());
    for (let count = 0; count < 120; count += 1) asks(world, `Word ${count}`, "rex");
    for (let count = 0; count < 7; count += 1) asks(world, "/stanch help");
    await world.run();
    expect(answers(world)).toHaveLength(5);
    await world.run();
    expect(answers(world)).toHaveLength(7);
    await world.run();
    const before = world.host.requests.length;
    await world.run();
    const calls = world.host.requests.slice(before).filter((row) => /comments|collaborators/.test(row.path));
    expect(calls).toHaveLength(1);
    expect(status(world)?.chat?.handled).toHaveLength(7);
  });
});

describe.concurrent("a crash or fault", () => {
  const POST = { method: "POST", path: /\/comments$/ };

  it("between the act and the answer is answered by the next run, and nothing is done twice", async () => {
    await using world = staffed(await proposed());
    asks(world, "/stanch undo");
    world.host.faults.add({ ...POST, status: 500, times: 9 });
    expect(said(await world.run())).toEqual(["waiting"]);
    expect(world.memory()).toBe("64Mi");
    expect(status(world)?.chat?.pending).toMatchObject({ verb: "undo", by: "ada" });
    world.host.faults.clear();
    // A person puts it right meanwhile; that is no longer ours to take back.
    await world.run();
    expect(answers(world)).toEqual([expect.stringContaining("done.")]);
    expect(status(world)?.chat?.pending).toBeUndefined();
    await world.run();
    expect(answers(world)).toHaveLength(1);
    const undone = status(world)?.timeline.filter((entry) => entry.text.includes("taken back")) ?? [];
    expect(undone).toHaveLength(1);
  });

  it("after the answer, whose own answer was lost on the way, says nothing twice", async () => {
    await using world = staffed(await proposed());
    const id = asks(world, "/stanch explain");
    world.host.faults.add({ ...POST, closeConnection: true, times: 9 });
    await world.run();
    world.host.faults.clear();
    // It had come through.
    asks(world, `<!-- stanch answer v1 {"to":${id}} -->\n…`, "stanch[bot]");
    await world.run();
    expect(answers(world)).toHaveLength(1);
    expect(status(world)?.chat?.pending).toBeUndefined();
  });

  it("between the answer and the closing of a refused pull request is finished", async () => {
    await using world = staffed(await proposed());
    asks(world, "/stanch ignore 3h");
    world.host.faults.add({ method: "PATCH", path: /\/pulls\/1$/, status: 400, times: 9 });
    await world.run();
    expect(pulls(world)).toEqual(["open"]);
    expect(answers(world)).toHaveLength(1);
    world.host.faults.clear();
    const until = status(world)?.chat?.pending?.until;
    expect(said(await world.run())).toEqual(["closed"]);
    expect(pulls(world)).toEqual(["closed"]);
    expect(phases(world)).toEqual(["Silenced"]);
    expect(status(world)?.silencedUntil).toBe(until);
    expect(answers(world)).toHaveLength(1);
  });

  it("that does not pass is told after some hours, so that later words are heard", async () => {
    await using world = staffed(await proposed());
    asks(world, "/stanch undo");
    const run = () =>
      world.run(({ api, hosts }) => ({
        hosts,
        api: {
          ...api,
          patch: async (ref, ...rest) => {
            if (ref.kind === "Deployment") throw new StanchError("cluster", "the API server does not answer");
            return api.patch(ref, ...rest);
          },
        },
      }));
    await run();
    const [incident] = world.incidents();
    const chat = incident?.status?.chat;
    if (incident?.status === undefined || chat?.pending === undefined) throw new Error("nothing is pending");
    expect(chat.pending).toMatchObject({ verb: "undo" });
    expect(answers(world)).toEqual([]);
    const at = new Date(Date.now() - 7 * 3_600_000).toISOString();
    await world.store.advance(incident, incident.status.phase, "", {
      chat: { ...chat, pending: { ...chat.pending, at } },
    });
    await run();
    expect(answers(world)).toEqual([expect.stringContaining("it could not be done: the API server does not answer")]);
    expect(status(world)?.chat?.pending).toBeUndefined();
    asks(world, "/stanch explain");
    await run();
    expect(answers(world)).toHaveLength(2);
  });

  it("of the incident's store before anything was done does nothing", async () => {
    await using world = staffed(await proposed());
    asks(world, "/stanch undo");
    const report = await world.run((doors) => ({
      ...doors,
      api: {
        ...doors.api,
        replace: async (object, options) => {
          if (object.kind === "Incident" && JSON.stringify(object).includes('"pending"'))
            throw new StanchError("conflict", "somebody was faster");
          return doors.api.replace(object, options);
        },
      },
    }));
    expect(said(report)).toEqual(["waiting"]);
    expect(world.memory()).toBe("128Mi");
    expect(answers(world)).toEqual([]);
    expect(said(await world.run())).toEqual(["rolled-back"]);
    expect(answers(world)).toHaveLength(1);
  });

  it("of the code host never stops the follow-up: comments, rights, rate limit", async () => {
    await using world = staffed(await proposed());
    asks(world, "/stanch undo");
    const limit = {
      status: 403,
      times: 9,
      headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Math.ceil(Date.now() / 1000) + 900) },
      body: { message: "API rate limit exceeded" },
    };
    for (const fault of [
      { path: /\/comments$/, status: 400, times: 9 },
      { path: /\/permission$/, status: 400, times: 9 },
      { path: /\/permission$/, ...limit },
    ]) {
      world.host.faults.add(fault);
      expect(said(await world.run())).toEqual(["waiting"]);
      expect(world.memory()).toBe("128Mi");
      world.host.faults.clear();
    }
    expect(said(await world.run())).toEqual(["rolled-back"]);
    expect(answers(world)).toHaveLength(1);
  });
});

describe.concurrent("an issue", () => {
  it("is talked in, too: what stands live is taken back, and the problem left alone", async () => {
    await using world = staffed(await undeclared());
    await world.run();
    expect(states(world)).toEqual(["open"]);
    asks(world, "/stanch help", "ada", 1);
    await world.run();
    expect(answers(world, 1)).toHaveLength(1);
    asks(world, "/stanch undo", "ada", 1);
    await world.run();
    expect(phases(world)).toEqual(["Silenced"]);
    expect(world.memory()).toBe("64Mi");
    expect(answers(world, 1)[1]).toContain("taken back");
    expect(states(world)).toEqual(["open"]);
  });
});
