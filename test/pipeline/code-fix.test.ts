import { describe, expect, it, vi } from "vitest";
import { parseCodeMarker } from "../../src/pull-request/code-marker.ts";
import { parseMarker } from "../../src/pull-request/marker.ts";
import { code, failing, pulls } from "./code.ts";
import { AFTER, BEFORE, FILE, NONE } from "./code-answers.ts";
import { phases } from "./incident.ts";
import { APPS, issues, REVISION, states, withoutSecrets } from "./issues.ts";
import { REPOSITORY } from "./world.ts";

vi.mock("../../src/code-fix/seek.ts", async () => ({ seekFix: (await import("./code-answers.ts")).scripted }));

describe.concurrent("a program that ends with a stack trace", { timeout: 400_000 }, () => {
  it("gets a draft with exactly the model's edits, which says who wrote it; a second run asks and changes nothing", async () => {
    await using world = await failing();
    const message = await world.expect(["escalated"]);
    expect(world.asked()).toBe(1);
    const [pull] = pulls(world);
    expect(pull).toMatchObject({ state: "open", draft: true, base: "main", labels: ["stanch", "written-by-model"] });
    expect(pull?.head).toMatch(/^stanch\/test\/code-cart-[0-9a-f]{8}$/);
    expect(pull?.title).toBe("fix(shop/app): Run without an argument does nothing instead of ending");
    expect(await world.host.read(APPS, pull?.head ?? "", FILE)).toBe(AFTER);
    expect(await world.host.read(APPS, "main", FILE)).toBe(BEFORE);
    expect(await world.host.read(APPS, pull?.head ?? "", "go.mod")).toBe("module cart\n");

    const body = pull?.body ?? "";
    expect(parseMarker(body)).toBeNull();
    expect(parseCodeMarker(body)).toMatchObject({ incident: expect.stringMatching(/^shop\/app-crashloop-/) });
    expect(body.split("\n").slice(1, 4).join("\n")).toContain("**A model wrote this code** (`claude-opus-5-5`)");
    expect(body).toContain("It is a draft, and Stanch never merges it.");
    expect(body).toContain("**Nothing was run.** The configuration names no check command");
    expect(body).toContain("**Reported in** #1; merging this does not close it.");
    expect(body).toContain("+\tif len(os.Args) > 1 {");
    expect(body).toContain(`Built from commit: \`${REVISION}\``);
    expect(body).toContain("**Mind:** a branch is added that no test covers.");
    expect(body).toContain("**Mind:** that is not the commit that runs.");
    expect(body).toContain("panic: runtime error: index out of range");
    expect(body).toContain("1 request, $0.25");
    withoutSecrets(`${body}${JSON.stringify(world.incidents())}`);
    // Quoted, the log's own words do nothing: they stand in a fence.
    expect(body.split("```text")[0]).not.toContain("octocat");

    expect(message).toContain(`A draft fix of the program waits for people: ${world.host.url}/${APPS}/pull/2.`);
    expect(states(world, APPS)).toEqual(["open"]);
    expect(issues(world, APPS)[0]?.body).toContain(`is proposed in [#2](${world.host.url}/${APPS}/pull/2)`);
    expect(issues(world)).toEqual([]);
    expect(world.host.pulls(REPOSITORY)).toEqual([]);
    expect(phases(world)).toEqual(["Escalated"]);
    expect(code(world)).toMatchObject({
      outcome: "fix",
      asked: 1,
      dollars: 0.25,
      pullRequest: { number: 2, draft: true },
    });
    expect(code(world)).not.toHaveProperty("fix");

    await world.clock.sleep(300_000);
    const [before, seen] = [world.host.requests.length, JSON.stringify(world.incidents()[0]?.status?.timeline)];
    expect(await world.expect(["escalated"])).toBe(message);
    expect(world.asked()).toBe(1);
    expect(
      world.host.requests.slice(before).filter((row) => row.method !== "GET" && !row.path.includes("git-upload")),
    ).toEqual([]);
    expect(JSON.stringify(world.incidents()[0]?.status?.timeline)).toBe(seen);
    const events = world.cluster.list("v1", "Event", "shop").map((event) => event["reason"]);
    expect(events.filter((reason) => reason === "StanchCodeFix")).toHaveLength(2);
  });

  it("whose model finds nothing is reported as before, and it is not asked again", async () => {
    await using world = await failing();
    world.answer(NONE);
    expect(await world.expect(["escalated"])).toContain("No fix of it is written: the fault lies in another service.");
    expect(await world.expect(["escalated"])).toContain(
      `A model found no fix in ${APPS}: the fault lies in another service.`,
    );
    expect(world.asked()).toBe(1);
    expect(pulls(world)).toEqual([]);
    expect(states(world, APPS)).toEqual(["open"]);
    expect(code(world)).toMatchObject({ outcome: "none", asked: 1, dollars: 0.25 });
  });
});
