import { describe, expect, it } from "vitest";
import { settingsOf, startCase } from "../pipeline/held.ts";
import { pulls } from "../pipeline/incident.ts";
import { undeclared } from "../pipeline/issues.ts";
import { deployment, REPOSITORY, type World } from "../pipeline/world.ts";
import { runTelling } from "./told.ts";

const PEOPLE = [{ name: "owners", type: "github" }];
const OWNERS = "* @nobody\napps/ @ada @Stanch[bot] @stanch @acme/platform @other/team mail@acme.example\n";
const HOUR = 3_600_000;

const own = (world: World, text = OWNERS, branch = "main"): Promise<string> =>
  world.host.commit(REPOSITORY, branch, { ".github/CODEOWNERS": text }, { message: "Owners" });
const calls = (world: World): string[] =>
  world.host
    .pulls(REPOSITORY)
    .flatMap(({ comments }) => comments.map(({ body }) => body))
    .filter((body) => body.startsWith("<!-- stanch mention"));

describe.concurrent("code owners", () => {
  it("are called once before the hotfix is taken back: those of the branch that is merged into, and valid names only", async () => {
    const settings = settingsOf("flux-object");
    await using world = await startCase("flux-object");
    await own(world);
    await runTelling(world, PEOPLE, settings);
    expect(pulls(world)).toEqual(["open"]);
    expect(calls(world)).toEqual([]);
    // Somebody who may push to the branch chooses nobody.
    await own(world, "* @victim\n", world.host.pulls(REPOSITORY)[0]?.head);
    await world.clock.sleep(21 * HOUR);
    await runTelling(world, PEOPLE, settings);
    expect(calls(world)).toHaveLength(1);
    const [line = "", text = ""] = calls(world)[0]?.split("\n") ?? [];
    expect(line).toMatch(/^<!-- stanch mention v1 msg_[0-9a-f]{32} -->$/);
    expect(text).toMatch(/^@ada @stanch @acme\/platform: The hotfix is held until .* UTC and is taken back then/);
    expect(text).not.toMatch(/@nobody|@victim|@other|mail@|\[bot\]/);
    for (let times = 0; times < 2; times += 1) {
      await world.clock.sleep(HOUR / 2);
      await runTelling(world, PEOPLE, settings);
    }
    expect(calls(world)).toHaveLength(1);
  }, 180_000);

  it("are not called again after a crash between the comment and the note of it", async () => {
    const settings = settingsOf("flux-object");
    await using world = await startCase("flux-object");
    await own(world);
    await runTelling(world, PEOPLE, settings);
    await world.clock.sleep(21 * HOUR);
    let commented = false;
    await runTelling(world, PEOPLE, settings, {
      wrap: ({ api, hosts }) => ({
        api: {
          ...api,
          replace: async (object, options) => {
            if (commented && object.kind === "Incident") throw new Error("the run was killed");
            return api.replace(object, options);
          },
        },
        hosts: {
          ...hosts,
          codeHost: {
            ...hosts.codeHost,
            async comment(repository, number, body) {
              await hosts.codeHost.comment(repository, number, body);
              commented = true;
            },
          },
        },
      }),
    });
    expect(commented).toBe(true);
    await runTelling(world, PEOPLE, settings);
    await runTelling(world, PEOPLE, settings);
    expect(calls(world)).toHaveLength(1);
  }, 180_000);

  it("are not called in a draft", async () => {
    const settings = settingsOf("flux-object");
    await using world = await startCase("flux-object");
    await own(world);
    await runTelling(world, PEOPLE, settings);
    await world.clock.sleep(21 * HOUR);
    const wrap: Parameters<World["run"]>[0] = ({ api, hosts }) => ({
      api,
      hosts: {
        ...hosts,
        codeHost: {
          ...hosts.codeHost,
          pullRequest: async (repository, number) => ({
            ...(await hosts.codeHost.pullRequest(repository, number)),
            draft: true,
          }),
        },
      },
    });
    await runTelling(world, PEOPLE, settings, { wrap });
    expect(calls(world)).toEqual([]);
  }, 180_000);

  it("are called in the issue where Git cannot be corrected by rule, and for nobody where it is not known what they own", async () => {
    await using world = await undeclared();
    await own(world);
    const settings = { mode: "propose" };
    await runTelling(world, PEOPLE, settings);
    const said = (): string[] =>
      (world.host.issues(REPOSITORY)[0]?.comments ?? [])
        .map(({ body }) => body)
        .filter((body) => body.startsWith("<!-- stanch mention"));
    expect(world.incidents()[0]?.status?.phase).toBe("Escalated");
    expect(said()).toEqual([]);

    await using other = await undeclared();
    await own(other);
    await other.host.commit(
      REPOSITORY,
      "main",
      { "apps/app.yaml": deployment({ memory: "32Mi" }) },
      { message: "Other" },
    );
    for (let times = 0; times < 2; times += 1) await runTelling(other, PEOPLE, settings);
    const [issue] = other.host.issues(REPOSITORY);
    const calls = (issue?.comments ?? [])
      .map(({ body }) => body)
      .filter((body) => body.startsWith("<!-- stanch mention"));
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatch(/\n@ada @stanch @acme\/platform: /);
  }, 180_000);
});
