import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type GitHubBench, REPOSITORY, startBench } from "./github-bench.ts";

let bench: GitHubBench;
beforeAll(async () => {
  bench = await startBench();
  bench.host.addToken("stranger-0123456789", { login: "eve", permission: "write" });
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.host.faults.clear());

const about = (mark: string) => (body: string) => body.startsWith(mark);
const made = async (body: string, client = bench.client()) =>
  (await client).createIssue(REPOSITORY, { title: `t ${body}`, body, labels: ["stanch"] });

describe("issues", () => {
  it("are opened, found, read, changed, closed and opened again", async () => {
    const opened = await made("<one>");
    expect(opened).toMatchObject({
      repository: REPOSITORY,
      url: `${bench.host.url}/${REPOSITORY}/issues/${opened.number}`,
      title: "t <one>",
      body: "<one>",
      author: "stanch[bot]",
      state: "open",
    });
    expect(bench.host.issues(REPOSITORY).at(-1)?.labels).toEqual(["stanch"]);
    const client = await bench.client();
    expect(await client.findIssue(REPOSITORY, about("<one>"))).toEqual(opened);
    expect(await client.findIssue(REPOSITORY, about("<none>"))).toBeNull();
    expect(await client.issue(REPOSITORY, opened.number)).toEqual(opened);
    expect(await client.updateIssue(REPOSITORY, opened.number, { title: "u", body: "v" })).toMatchObject({
      title: "u",
      body: "v",
      state: "open",
    });
    const closed = await client.updateIssue(REPOSITORY, opened.number, { state: "closed" });
    expect(closed).toMatchObject({ state: "closed", reason: "completed", closedBy: "stanch[bot]" });
    expect(closed.closedAt).toMatch(/^\d{4}-/);
    const again = await client.updateIssue(REPOSITORY, opened.number, { state: "open" });
    expect(again).toMatchObject({ state: "open" });
    expect(again.reason).toBeUndefined();
    await client.comment(REPOSITORY, opened.number, "hello");
    expect(await client.comments(REPOSITORY, opened.number)).toEqual([{ author: "stanch[bot]", body: "hello" }]);
  });

  it("closed by a person say by whom and why", async () => {
    const { number } = await made("<closed>");
    bench.host.closeIssue(REPOSITORY, number, { as: "ada", reason: "not_planned" });
    const client = await bench.client();
    const expected = { state: "closed", closedBy: "ada", reason: "not_planned" };
    expect(await client.findIssue(REPOSITORY, about("<closed>"))).toMatchObject(expected);
  });

  it("of others are not ours, though they copy the mark; nor is a pull request", async () => {
    const stranger = bench.client({ auth: { token: "stranger-0123456789" } });
    await made("<copied>", stranger);
    await bench.branch("stanch/c/copied");
    const request = { title: "t", body: "<copied>", head: "stanch/c/copied", base: "main", draft: false };
    await (await bench.client()).createPullRequest(REPOSITORY, request);
    expect(await (await bench.client()).findIssue(REPOSITORY, about("<copied>"))).toBeNull();
    expect((await (await stranger).findIssue(REPOSITORY, about("<copied>")))?.author).toBe("eve");
  });

  it("are looked through on all pages, the newest first", async () => {
    const first = await made("<paged> first");
    const second = await made("<paged> second");
    const stored = bench.host.issues(REPOSITORY) as unknown as { number: number; body: string }[];
    const like = stored.at(-1);
    for (let count = 0; count < 230; count += 1)
      stored.push({ ...like, number: 1000 + count, body: `other ${count}` } as (typeof stored)[number]);
    const client = await bench.client();
    expect((await client.findIssue(REPOSITORY, about("<paged>")))?.number).toBe(second.number);
    expect((await client.findIssue(REPOSITORY, about("<paged> first")))?.number).toBe(first.number);
    stored.splice(stored.length - 230, 230);
  });

  it("are opened once, even when the answer is lost", async () => {
    bench.host.faults.add({ method: "POST", path: /\/issues$/, status: 502, times: 5 });
    const before = bench.host.requests.length;
    await expect(made("<lost>")).rejects.toMatchObject({ code: "code-host" });
    expect(bench.host.requests.slice(before).filter((row) => row.method === "POST")).toHaveLength(1);
  });

  it("that are switched off say so, and one that was deleted is none", async () => {
    const { number } = await made("<deleted>");
    const client = await bench.client();
    const path = new RegExp(`/issues/${number}$`);
    bench.host.faults.add({ path, status: 410, body: { message: "This issue was deleted" } });
    expect(await client.issue(REPOSITORY, number)).toBeNull();
    bench.host.allowIssues(REPOSITORY, false);
    await expect(client.issue(REPOSITORY, number)).rejects.toMatchObject({ code: "code-host" });
    await expect(made("<off>")).rejects.toMatchObject({
      message: expect.stringContaining("Issues are disabled"),
      hint: expect.stringContaining("settings"),
    });
    bench.host.allowIssues(REPOSITORY, true);
  });

  it("belong to the App, and to a token that may not ask for its name when a bot opened them", async () => {
    const privateKey = generateKeyPairSync("rsa", { modulusLength: 2048 })
      .privateKey.export({ type: "pkcs1", format: "pem" })
      .toString();
    const app = bench.client({ auth: { appId: "7", privateKey } });
    const { number } = await made("<app>", app);
    expect((await (await app).findIssue(REPOSITORY, about("<app>")))?.number).toBe(number);
    await made("<nameless>", bench.client({ auth: { token: "stranger-0123456789" } }));
    bench.host.faults.add({ path: /^\/user$/, status: 403, times: 9 });
    bench.host.faults.add({ path: /graphql$/, status: 403, times: 9 });
    const nameless = await bench.client();
    expect((await nameless.findIssue(REPOSITORY, about("<app>")))?.number).toBe(number);
    expect(await nameless.findIssue(REPOSITORY, about("<nameless>"))).toBeNull();
  });

  it("are not missed, to be opened once more, because nobody says for a moment who we are", async () => {
    const robot = { auth: { token: "stranger-0123456789" } };
    const { number } = await made("<passing>", bench.client(robot));
    for (const fault of [{ status: 502 }, { status: 403, body: { message: "API rate limit exceeded" } }]) {
      bench.host.faults.add({ path: /^\/user$/, times: 9, ...fault });
      const client = await bench.client(robot);
      await expect(client.findIssue(REPOSITORY, about("<passing>"))).rejects.toMatchObject({ code: "code-host" });
      bench.host.faults.clear();
      expect((await client.findIssue(REPOSITORY, about("<passing>")))?.number).toBe(number);
    }
  });
});

describe("who is who", () => {
  it("a commit's author, by the account that the address belongs to", async () => {
    const sha = await bench.branch("stanch/c/who");
    const client = await bench.client();
    expect(await client.authorOf(REPOSITORY, sha)).toBeNull();
    bench.host.addAccount("robin@example.com", "robin");
    expect(await client.authorOf(REPOSITORY, sha)).toBe("robin");
    bench.host.addAccount("robin@example.com", "renovate[bot]");
    expect(await client.authorOf(REPOSITORY, sha)).toBeNull();
    await expect(client.authorOf(REPOSITORY, "0".repeat(40))).rejects.toMatchObject({ code: "code-host" });
  });

  it("a repository that everybody may read", async () => {
    await bench.host.addRepository("acme/open", {
      commits: [{ message: "Import", files: { "a.yaml": "a: 1\n" } }],
      public: true,
    });
    const client = await bench.client();
    expect(await client.isPublic("acme/open")).toBe(true);
    expect(await client.isPublic(REPOSITORY)).toBe(false);
  });

  it("users and teams are asked for a review, and a stranger is refused", async () => {
    await bench.branch("stanch/c/review");
    const client = await bench.client();
    const request = { title: "t", body: "b", head: "stanch/c/review", base: "main", draft: false };
    const { number, author } = await client.createPullRequest(REPOSITORY, request);
    expect(author).toBe("stanch[bot]");
    await client.requestReviewers(REPOSITORY, number, { users: ["robin"], teams: ["shop"] });
    bench.host.estrange(REPOSITORY, ["eve"]);
    await expect(
      client.requestReviewers(REPOSITORY, number, { users: ["ada", "eve"], teams: [] }),
    ).rejects.toMatchObject({ message: expect.stringContaining("not a collaborator") });
    expect(bench.host.pulls(REPOSITORY).at(-1)).toMatchObject({ reviewers: ["robin"], teams: ["shop"] });
  });
});
