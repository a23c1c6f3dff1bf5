import { describe, expect, it } from "vitest";
import { CLOSING } from "../../src/pull-request/closing.ts";
import { parseIssue } from "../../src/pull-request/issue-marker.ts";
import { phases } from "./incident.ts";
import { issues, recorded, runs, states, undeclared } from "./issues.ts";
import { deployment, isKilled, REPOSITORY, type World } from "./world.ts";

const PROPOSE = { mode: "propose" };
const comments = (world: World) => issues(world)[0]?.comments.map((comment) => comment.body);
const posts = (world: World) =>
  world.host.requests.filter((row) => row.method !== "GET" && row.path.includes("/issues")).map((row) => row.path);
/** Git says it again, with enough memory. */
const declare = (world: World, memory = "128Mi") =>
  world.host.commit(REPOSITORY, "main", { "apps/app.yaml": deployment({ memory }) }, { message: "Back" });

describe.concurrent("Git that no rule can correct", { timeout: 90_000 }, () => {
  it("is told as one issue, with the change and the reason, and not as a pull request", async () => {
    await using world = await undeclared();
    const message = await runs(world, ["escalated"]);
    expect(world.memory()).toBe("128Mi");
    expect(world.host.pulls(REPOSITORY)).toEqual([]);
    const [issue] = issues(world);
    expect(message).toContain(`Reported in ${world.host.url}/${REPOSITORY}/issues/1.`);
    expect(recorded(world)).toMatchObject({ repository: REPOSITORY, number: 1, about: "git" });
    expect(issue).toMatchObject({ state: "open", labels: ["stanch"], user: "stanch[bot]" });
    expect(issue?.title).toMatch(/^shop\/app: Git must say: .*64Mi → 128Mi/);
    expect([...(issue?.title ?? "")].length).toBeLessThanOrEqual(72);
    const body = issue?.body ?? "";
    expect(parseIssue(body)).toMatchObject({ untouched: true, marker: { incident: expect.stringMatching(/^shop\//) } });
    expect(body).toMatch(/\*\*What broke:\*\* `Deployment shop\/app` since .*\n- \*\*Live:\*\* .*recovered/);
    expect(body).toMatch(/-\s+memory: 64Mi\n\+\s+memory: 128Mi/);
    expect(body).toContain("is in none of the sources");
    expect(body).toContain(`kubectl get incident -n shop ${world.incidents()[0]?.metadata.name}`);
    expect(body).toContain("<details><summary>Evidence");
  });

  it("is told once, however often it is looked at, and anew only when it would say something else", async () => {
    await using world = await undeclared();
    await runs(world, ["escalated"], PROPOSE);
    const before = posts(world).length;
    await world.clock.sleep(300_000);
    await runs(world, ["escalated"], PROPOSE);
    expect(posts(world)).toHaveLength(before);
    const first = issues(world)[0]?.body;
    await world.host.commit(REPOSITORY, "main", { "apps/app.yaml": deployment({ memory: "32Mi" }) }, { message: "x" });
    await runs(world, ["escalated"], PROPOSE);
    expect(states(world)).toEqual(["open"]);
    expect(issues(world)[0]?.body).not.toBe(first);
    expect(issues(world)[0]?.body).toContain("disagreed before the change");
  });

  it("keeps what a person has written into it", async () => {
    await using world = await undeclared();
    await runs(world, ["escalated"], PROPOSE);
    const [issue] = issues(world);
    if (issue !== undefined) issue.body += "\nI am on it. Ada";
    await declare(world, "96Mi");
    await runs(world, ["escalated"], PROPOSE);
    expect(issues(world)[0]?.body).toContain("I am on it. Ada");
  });

  it("is found again by its marker when the incident was lost, or the run died before it was written down", async () => {
    await using world = await undeclared();
    await runs(world, ["escalated"], PROPOSE);
    for (const incident of world.incidents()) await world.store.remove(incident);
    await runs(world, ["escalated"], PROPOSE);
    expect(states(world)).toEqual(["open"]);
    expect(recorded(world)?.number).toBe(1);
  });

  it("is found again when the answer to its opening was lost", async () => {
    await using world = await undeclared();
    const report = await world.run(
      ({ api, hosts }) => ({
        api,
        hosts: {
          ...hosts,
          codeHost: {
            ...hosts.codeHost,
            async createIssue(...args) {
              await hosts.codeHost.createIssue(...args);
              throw new Error("socket hang up");
            },
          },
        },
      }),
      PROPOSE,
    );
    expect(report.outcomes.map((outcome) => outcome.kind)).toEqual(["escalated"]);
    expect(report.outcomes[0]?.message).toContain(`No issue tells of it in ${REPOSITORY}: socket hang up`);
    expect(recorded(world)).toMatchObject({ repository: REPOSITORY });
    await runs(world, ["escalated"], PROPOSE);
    expect(states(world)).toEqual(["open"]);
    expect(recorded(world)?.number).toBe(1);
  });

  it("is over when Git says it: the issue is closed with a sentence, and opened again when the fault comes back", async () => {
    await using world = await undeclared();
    await runs(world, ["escalated"]);
    await declare(world);
    await runs(world, ["resolved"]);
    expect(phases(world)).toEqual(["Resolved"]);
    expect(states(world)).toEqual(["closed"]);
    expect(comments(world)).toEqual([CLOSING]);
    expect(recorded(world)?.closedAt).toMatch(/^\d{4}-/);
    await runs(world, []);
    expect(comments(world)).toEqual([CLOSING]);

    await world.host.commit(REPOSITORY, "main", { "apps/app.yaml": null }, { message: "Away again" });
    await world.api.patch({ apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" }, [
      { op: "replace", path: "/spec/template/spec/containers/0/resources/limits/memory", value: "64Mi" },
    ]);
    await world.clock.sleep(1_800_000);
    await world.until(() => isKilled(world));
    await runs(world, ["escalated"]);
    expect(states(world)).toEqual(["open"]);
    expect(comments(world)).toHaveLength(2);
    expect(recorded(world)?.closedAt).toBeUndefined();
  });

  it("is closed by the next run where this one died between the sentence and the closing", async () => {
    await using world = await undeclared();
    await runs(world, ["escalated"]);
    await declare(world);
    world.host.faults.add({ method: "PATCH", path: /\/issues\/1$/, status: 403, times: 1 });
    await runs(world, ["resolved"]);
    expect(states(world)).toEqual(["open"]);
    await runs(world, []);
    expect(states(world)).toEqual(["closed"]);
    expect(comments(world)).toEqual([CLOSING]);
  });
});

describe.concurrent("an issue that a person closed", { timeout: 90_000 }, () => {
  it("is a no: it is not opened again, not even after the silence, nor by an incident that knows nothing of it", async () => {
    const soon = { ...PROPOSE, followUp: { silence: "1h" } };
    await using world = await undeclared();
    await runs(world, ["escalated"], soon);
    world.host.closeIssue(REPOSITORY, 1, { as: "ada" });
    expect(await runs(world, ["closed"], soon)).toMatch(/^#1 was closed by ada\. The problem is left alone until/);
    expect(phases(world)).toEqual(["Silenced"]);
    await world.clock.sleep(600_000);
    await runs(world, [], soon);
    await world.clock.sleep(7_200_000);
    await world.until(() => isKilled(world));
    expect(await runs(world, ["closed"], soon)).toContain("#1 was closed by ada: a person said no");
    expect(states(world)).toEqual(["closed"]);
    expect(comments(world)).toEqual([]);
  });

  it("as not planned takes the live change back, as a refused pull request does", async () => {
    await using world = await undeclared();
    await runs(world, ["escalated"]);
    world.host.closeIssue(REPOSITORY, 1, { as: "ada", reason: "not_planned" });
    expect(await runs(world, ["waiting", "closed"])).toMatch(/#1 was closed by ada\. Live change taken back/);
    expect(world.memory()).toBe("64Mi");
    expect(phases(world)).toEqual(["Silenced"]);
  });

  it("as done leaves the live change until Git is seen to say the same", async () => {
    await using world = await undeclared();
    await runs(world, ["escalated"]);
    world.host.closeIssue(REPOSITORY, 1, { as: "ada" });
    expect((await world.run()).outcomes.map((outcome) => outcome.kind)).toContain("waiting");
    expect(world.memory()).toBe("128Mi");
    await declare(world);
    await runs(world, ["resolved"]);
    expect(comments(world)).toEqual([]);
  });

  it("and that was deleted stays away", async () => {
    await using world = await undeclared();
    await runs(world, ["escalated"], PROPOSE);
    world.host.faults.add({ path: /\/issues\/1$/, status: 410, body: { message: "This issue was deleted" }, times: 9 });
    expect(await runs(world, ["closed"], PROPOSE)).toContain("#1 was deleted");
    expect(states(world)).toEqual(["open"]);
  });
});

describe.concurrent("where no issue can be opened", { timeout: 90_000 }, () => {
  it.each<[string, (world: World) => void, RegExp]>([
    ["issues are switched off", (world) => world.host.allowIssues(REPOSITORY, false), /Not Found|Issues are disabled/],
    [
      "only opening says that they are switched off",
      (world) =>
        world.host.faults.add({
          method: "POST",
          path: /\/issues$/,
          status: 410,
          body: { message: "Issues are disabled for this repo" },
        }),
      /Issues are disabled for this repo \(410\) \(GitHub has switched this off/,
    ],
    [
      "the token may not",
      (world) =>
        world.host.faults.add({
          method: "POST",
          path: /\/issues$/,
          status: 403,
          body: { message: "Resource not accessible by personal access token" },
        }),
      /not accessible by personal access token \(403\) \(the token needs .*issues: write/,
    ],
  ])("because %s, the incident says so and nothing else is lost", async (_, prepare, sentence) => {
    await using world = await undeclared();
    prepare(world);
    const message = await runs(world, ["escalated"]);
    expect(message).toContain(`No issue tells of it in ${REPOSITORY}: `);
    expect(message).toMatch(sentence);
    expect(message).toMatch(/^The live change stands, and Git still says the opposite/);
    expect(world.memory()).toBe("128Mi");
    expect(issues(world)).toEqual([]);
    // The live change has healed the symptom: only the follow-up can tell it once it may.
    world.host.faults.clear();
    world.host.allowIssues(REPOSITORY, true);
    await world.run();
    expect(states(world)).toEqual(["open"]);
    expect(recorded(world)?.number).toBe(1);
  });

  it("because none is wanted, nobody is told", async () => {
    await using world = await undeclared();
    const message = await runs(world, ["escalated"], { issues: { enabled: false } });
    expect(message).not.toMatch(/issue/);
    expect(issues(world)).toEqual([]);
  });

  it("because enough were opened in this run, the next one goes on", async () => {
    await using world = await undeclared();
    const message = await runs(world, ["escalated"], { ...PROPOSE, issues: { perRun: 0 } });
    expect(message).toContain("The issue waits for the next run: 0 were opened in this one.");
    await runs(world, ["escalated"], PROPOSE);
    expect(states(world)).toEqual(["open"]);
  });

  it("because two repositories may be meant, it is in none of them", async () => {
    await using world = await undeclared();
    await world.host.addRepository("acme/other", {
      commits: [
        { message: "Import", files: { "apps/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n" } },
      ],
    });
    const sources = [REPOSITORY, "acme/other"].map((repository) => ({
      repository,
      path: "apps",
      namespaces: ["shop"],
    }));
    await runs(world, ["escalated"], { sources });
    expect([...issues(world), ...issues(world, "acme/other")]).toEqual([]);
  });
});
