import { describe, expect, it } from "vitest";
import { CLOSING } from "../../src/pull-request/closing.ts";
import { parseIssue } from "../../src/pull-request/issue-marker.ts";
import { phases } from "./incident.ts";
import { APPS, crashing, IMAGE, issues, loops, REVISION, recorded, runs, states, withoutSecrets } from "./issues.ts";
import { deployment, REPOSITORY, type World } from "./world.ts";

const APP = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" };
const CONTAINER = "/spec/template/spec/containers/0/image";
const deployImage = (world: World, value: string) => world.api.patch(APP, [{ op: "replace", path: CONTAINER, value }]);
const all = (world: World) => [...issues(world), ...issues(world, APPS)];

describe.concurrent("a program that ends by itself", { timeout: 90_000 }, () => {
  it("is told in the repository that its image names, with the log and without its secrets", async () => {
    await using world = await crashing();
    const message = await runs(world, ["escalated"]);
    expect(message).toContain("A person is needed");
    expect(message).toContain(`Reported in ${world.host.url}/${APPS}/issues/1.`);
    expect(issues(world)).toEqual([]);
    const [issue] = issues(world, APPS);
    expect(issue?.title).toBe("shop/app: Container app ends with an error (exit code 1)");
    const body = issue?.body ?? "";
    expect(parseIssue(body).untouched).toBe(true);
    expect(body).toContain("panic: cannot reach the database");
    expect(body).toContain(`Image: \`${IMAGE}\``);
    expect(body).toMatch(/Digest: `sha256:[0-9a-f]{64}`/);
    expect(body).toContain(`Built from commit: \`${REVISION}\``);
    expect(body).toMatch(/Deployed with: `[0-9a-f]{10}` Import|Found here by: the label org\.opencontainers/);
    withoutSecrets(`${body}${JSON.stringify(world.incidents())}`);
    expect(recorded(world)).toMatchObject({ repository: APPS, number: 1, about: "program" });
    expect(world.incidents()[0]?.status?.image).toMatchObject({ reference: IMAGE, revision: REVISION });
  });

  it("is told once, and the registry is asked once", async () => {
    await using world = await crashing();
    await runs(world, ["escalated"]);
    const [first] = issues(world, APPS);
    const body = first?.body;
    const asked = world.cluster.requests.filter((row) => row.path.startsWith("/v2/")).length;
    await world.clock.sleep(300_000);
    await runs(world, ["escalated"]);
    expect(states(world, APPS)).toEqual(["open"]);
    expect(issues(world, APPS)[0]?.body).toBe(body);
    expect(world.cluster.requests.filter((row) => row.path.startsWith("/v2/"))).toHaveLength(asked);
  });

  it("is over with a version that runs: the issue is closed", async () => {
    await using world = await crashing();
    await runs(world, ["escalated"]);
    await deployImage(world, "example.com/app:1.1.0");
    await world.api.patch(APP, [
      { op: "replace", path: "/spec/template/spec/containers/0/resources/limits/memory", value: "512Mi" },
    ]);
    await world.clock.sleep(1_800_000);
    await runs(world, ["resolved"]);
    expect(states(world, APPS)).toEqual(["closed"]);
    expect(issues(world, APPS)[0]?.comments.map((comment) => comment.body)).toEqual([CLOSING]);
  });

  it("whose issue a person closed is left alone; closed as done, what begins afterwards is another one", async () => {
    const soon = { followUp: { silence: "1h" } };
    await using world = await crashing();
    await runs(world, ["escalated"], soon);
    world.host.closeIssue(APPS, 1, { as: "ada" });
    await runs(world, ["closed"], soon);
    expect(phases(world)).toEqual(["Silenced"]);
    await world.clock.sleep(7_200_000);
    // The incident's silence is over, the same pods still fail: the answer is the same.
    await runs(world, ["closed"], soon);
    expect(states(world, APPS)).toEqual(["closed"]);
    for (const incident of world.incidents()) await world.store.remove(incident);
    for (const pod of world.cluster.list("v1", "Pod", "shop"))
      await world.api.delete({ apiVersion: "v1", kind: "Pod", namespace: "shop", name: pod.metadata.name });
    const issue = issues(world, APPS)[0];
    if (issue !== undefined) issue.closedAt = new Date(world.clock.now().getTime() - 60_000).toISOString();
    await world.clock.sleep(60_000);
    await loops(world);
    await runs(world, ["escalated"], soon);
    expect(states(world, APPS)).toEqual(["closed", "open"]);
    expect(issues(world, APPS)[1]?.body).toContain("**Before.** #1 was about the same and was closed as done");
  });

  it("is found again by its marker when the run died before it was written down", async () => {
    await using world = await crashing();
    await runs(world, ["escalated"]);
    for (const incident of world.incidents()) await world.store.remove(incident);
    await runs(world, ["escalated"]);
    expect(states(world, APPS)).toEqual(["open"]);
    expect(recorded(world)?.number).toBe(1);
  });
});

describe.concurrent("the repository of a program", { timeout: 90_000 }, () => {
  it("may be named by the workload, or by the configuration", async () => {
    await using world = await crashing({
      source: null,
      annotations: `stanch.dev/app-repository: ${APPS}`,
    });
    await runs(world, ["escalated"]);
    expect(issues(world, APPS)[0]?.body).toContain("the annotation stanch.dev/app-repository of the workload");
    await using other = await crashing({ source: null, open: true });
    await runs(other, ["escalated"], { apps: [{ images: ["example.com/c*"], repository: APPS }] });
    expect(states(other, APPS)).toEqual(["open"]);
  });

  it.each<[string, Parameters<typeof crashing>[0], object, RegExp]>([
    [
      "nobody names",
      { source: null },
      {},
      /example\.com\/cart:1\.0\.0 has no label org\.opencontainers\.image\.source/,
    ],
    ["lies elsewhere", { source: "https://gitlab.example/acme/cart" }, {}, /cannot be followed: .*gitlab\.example/],
    ["everybody may read", { open: true }, {}, /acme\/cart, named by the label .*, is public/],
    ["is not to be told", {}, { issues: { apps: false } }, /A person is needed(?!.*developers)/],
    [
      "an annotation does not name",
      { source: null, annotations: "stanch.dev/app-repository: a/b/c" },
      {},
      /is not owner\/name/,
    ],
    ["is not there", { source: null, annotations: "stanch.dev/app-repository: acme/none" }, {}, /cannot be looked at/],
  ])("that %s is not written to, and the incident says so", async (_, options, settings, sentence) => {
    await using world = await crashing(options);
    expect(await runs(world, ["escalated"], settings)).toMatch(sentence);
    expect(all(world)).toEqual([]);
  });

  it("of another owner is not written to, unless the configuration names the owner", async () => {
    await using world = await crashing({ source: null, annotations: "stanch.dev/app-repository: other/cart" });
    await world.host.addRepository("other/cart", { commits: [{ message: "Import", files: { a: "b\n" } }] });
    expect(await runs(world, ["escalated"])).toContain("has another owner than the sources");
    expect(issues(world, "other/cart")).toEqual([]);
    await runs(world, ["escalated"], { issues: { owners: ["Other"] } });
    expect(states(world, "other/cart")).toEqual(["open"]);
  });

  it("whose issues are switched off is named in the incident", async () => {
    await using world = await crashing();
    world.host.allowIssues(APPS, false);
    const message = await runs(world, ["escalated"]);
    expect(message).toContain(`No issue tells of it in ${APPS}: `);
    expect(message).toMatch(/Not Found|disabled/);
    expect(phases(world)).toEqual(["Escalated"]);
  });

  it("is not told when the namespace is out of scope, or in a storm", async () => {
    await using world = await crashing();
    await runs(world, [], { scope: { excludeNamespaces: ["shop"] } });
    expect(all(world)).toEqual([]);
    const other = deployment({ name: "other", image: IMAGE });
    await world.host.commit(REPOSITORY, "main", { "apps/other.yaml": other }, { message: "Other" });
    const { parse } = await import("yaml");
    world.cluster.apply([parse(other)]);
    await world.clock.sleep(1_800_000);
    await runs(world, ["escalated", "escalated"], { guard: { storm: 1, cooldown: "0s" } });
    expect(all(world)).toEqual([]);
  });

  it("is told of no more problems in one run than is allowed", async () => {
    await using world = await crashing();
    const message = await runs(world, ["escalated"], { issues: { perRun: 0 } });
    expect(message).toContain("The issue waits for the next run");
    await runs(world, ["escalated"]);
    expect(states(world, APPS)).toEqual(["open"]);
  });
});

describe.concurrent("nothing is told", { timeout: 90_000 }, () => {
  it("of a program whose fault another change heals", async () => {
    await using world = await crashing();
    await deployImage(world, "example.com/app:1.0.0");
    await world.clock.sleep(1_800_000);
    await world.run();
    expect(issues(world, APPS)).toEqual([]);
  });

  it("by a run that observes, or a dry run", async () => {
    await using world = await crashing();
    await world.run(undefined, { mode: "observe" });
    await world.run(undefined, {}, { dryRun: true });
    expect(all(world)).toEqual([]);
  });
});
