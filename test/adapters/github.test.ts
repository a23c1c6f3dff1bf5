import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type GitHubBench, REPOSITORY, startBench, TOKEN } from "./github-bench.ts";

let bench: GitHubBench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.host.faults.clear());

const pull = (head: string, more: object = {}) => ({
  title: `fix: ${head}`,
  body: "why",
  head,
  base: "main",
  draft: false,
  ...more,
});
const made = async (head: string) => {
  await bench.branch(head);
  return (await bench.client()).createPullRequest(REPOSITORY, pull(head));
};

describe("every call", () => {
  it("looks at the repository", async () => {
    const { host } = bench;
    expect(await (await bench.client()).check(REPOSITORY)).toEqual({
      login: "stanch[bot]",
      push: true,
      defaultBranch: "main",
      archived: false,
    });
    host.addToken("reader-0123456789", { login: "reader", permission: "read" });
    const reader = await bench.client({ auth: { token: "reader-0123456789" } });
    expect(await reader.check(REPOSITORY)).toMatchObject({ login: "reader", push: false });
  });

  it("opens, finds, reads, changes and closes a pull request", async () => {
    const head = await bench.branch("stanch/c/one");
    const opened = await (await bench.client()).createPullRequest(REPOSITORY, pull("stanch/c/one", { draft: true }));
    expect(opened).toMatchObject({
      repository: REPOSITORY,
      branch: "stanch/c/one",
      base: "main",
      head,
      draft: true,
      state: "open",
      merged: false,
      title: "fix: stanch/c/one",
      body: "why",
      labels: [],
    });
    expect(opened.url).toBe(`${bench.host.url}/${REPOSITORY}/pull/${opened.number}`);
    const client = await bench.client();
    expect(await client.pullRequests(REPOSITORY, "stanch/c/one")).toEqual([opened]);
    expect(await client.pullRequests(REPOSITORY, "stanch/c/on")).toEqual([]);
    expect(await client.openPullRequests(REPOSITORY, "stanch/")).toContainEqual(opened);
    expect(await client.openPullRequests(REPOSITORY, "other/")).toEqual([]);
    expect(await client.commitsOf(REPOSITORY, opened.number)).toEqual([
      { sha: head, author: "robin@example.com", committer: "robin@example.com", message: "Two" },
    ]);
    const changed = await client.updatePullRequest(REPOSITORY, opened.number, { title: "t", body: "b" });
    expect(changed).toMatchObject({ title: "t", body: "b", state: "open" });
    const closing = await bench.client();
    expect(await closing.updatePullRequest(REPOSITORY, opened.number, { state: "closed" })).toMatchObject({
      state: "closed",
      merged: false,
    });
    expect(await closing.pullRequest(REPOSITORY, opened.number)).toMatchObject({ closedBy: "stanch[bot]" });
  });

  it("tells merged from closed", async () => {
    const { number } = await made("stanch/c/merged");
    await bench.host.merge(REPOSITORY, number, { as: "robin" });
    const client = await bench.client();
    const seen = await client.pullRequest(REPOSITORY, number);
    expect(seen).toMatchObject({ state: "closed", merged: true });
    expect(seen.mergedAt).toMatch(/^\d{4}-/);
    expect(seen.mergeCommit).toMatch(/^[0-9a-f]{40}$/);
    expect((await client.pullRequests(REPOSITORY, "stanch/c/merged"))[0]).toMatchObject({ merged: true });
  });

  it("comments, labels, asks for reviews", async () => {
    const { number } = await made("stanch/c/talk");
    await (await bench.client()).comment(REPOSITORY, number, "hello");
    await (await bench.client()).addLabels(REPOSITORY, number, ["stanch", "needs-proof"]);
    await (await bench.client()).addLabels(REPOSITORY, number, []);
    await (await bench.client()).requestReviewers(REPOSITORY, number, { users: ["robin"], teams: ["shop"] });
    const client = await bench.client();
    expect(await client.comments(REPOSITORY, number)).toEqual([{ author: "stanch[bot]", body: "hello" }]);
    expect((await client.pullRequest(REPOSITORY, number)).labels).toEqual(["stanch", "needs-proof"]);
  });

  it("takes labels off, once and again, and makes a draft ready for review", async () => {
    const { number } = await made("stanch/c/ready");
    const client = await bench.client();
    await client.addLabels(REPOSITORY, number, ["stanch", "needs proof/yet"]);
    await client.removeLabel(REPOSITORY, number, "needs proof/yet");
    await client.removeLabel(REPOSITORY, number, "needs proof/yet");
    const stored = bench.host.pulls(REPOSITORY).find((row) => row.number === number);
    if (stored !== undefined) stored.draft = true;
    await client.markReady(REPOSITORY, number);
    await client.markReady(REPOSITORY, number);
    expect(await client.pullRequest(REPOSITORY, number)).toMatchObject({ draft: false, labels: ["stanch"] });
    if (stored !== undefined) stored.draft = true;
    bench.host.faults.add({
      method: "POST",
      path: /graphql$/,
      status: 200,
      body: { data: null, errors: [{ type: "FORBIDDEN", message: "Resource not accessible by integration" }] },
    });
    await expect(client.markReady(REPOSITORY, number)).rejects.toThrow(
      `cannot mark #${number} ready for review in ${REPOSITORY}: `,
    );
    bench.host.faults.clear();
  });

  it("reads all pages of comments", async () => {
    const { number } = await made("stanch/c/pages");
    const stored = bench.host.pulls(REPOSITORY).find((row) => row.number === number);
    for (let index = 0; index < 230; index += 1)
      stored?.comments.push({ id: index + 1, user: "robin", body: String(index), at: new Date().toISOString() });
    const all = await (await bench.client()).comments(REPOSITORY, number);
    expect(all.map((row) => row.body)).toEqual(Array.from({ length: 230 }, (_, index) => String(index)));
  });

  it("looks at branches and deletes them", async () => {
    const head = await bench.branch("stanch/c/branch");
    const client = await bench.client();
    expect(await client.branchHead(REPOSITORY, "stanch/c/branch")).toBe(head);
    await client.deleteBranch(REPOSITORY, "stanch/c/branch");
    expect(await client.branchHead(REPOSITORY, "stanch/c/branch")).toBeNull();
  });

  it("hands the token to git and to nobody else", async () => {
    expect(await (await bench.client()).gitToken(REPOSITORY)).toBe(TOKEN);
  });

  it("leaves a pause between two writes, as GitHub asks", async () => {
    bench.slept.length = 0;
    const { number } = await made("stanch/c/pause");
    const client = await bench.client({ pauseMs: 60_000 });
    await client.updatePullRequest(REPOSITORY, number, { title: "one" });
    await client.updatePullRequest(REPOSITORY, number, { title: "two" });
    expect(bench.slept).toHaveLength(1);
    expect(bench.slept[0]).toBeGreaterThan(50_000);
  });
});

describe("answers that were lost, and hosts that differ", () => {
  it("takes the pull request that is there when the answer to its creation was lost", async () => {
    const first = await made("stanch/c/lost");
    bench.host.faults.add({ method: "POST", path: /\/pulls$/, status: 502 });
    const again = await (await bench.client()).createPullRequest(REPOSITORY, pull("stanch/c/lost"));
    expect(again.number).toBe(first.number);
  });

  it("opens without draft where the plan has none", async () => {
    await bench.branch("stanch/c/draft");
    bench.host.faults.add({
      method: "POST",
      path: /\/pulls$/,
      status: 422,
      body: {
        message: "Validation Failed",
        errors: [{ message: "Draft pull requests are not supported in this repository." }],
      },
    });
    const client = await bench.client();
    expect(await client.createPullRequest(REPOSITORY, pull("stanch/c/draft", { draft: true }))).toMatchObject({
      draft: false,
      state: "open",
    });
  }, 15_000);

  it("does not trust a host that ignores the filter by branch", async () => {
    const { number } = await made("stanch/c/filter");
    const stored = bench.host.pulls(REPOSITORY).find((row) => row.number === number);
    expect(stored).toBeDefined();
    bench.host.faults.add({
      method: "GET",
      path: /\/pulls$/,
      status: 200,
      body: [
        { number, head: { ref: "somebody/else", repo: { id: 1 } }, base: { ref: "main", repo: { id: 1 } }, labels: [] },
      ],
    });
    expect(await (await bench.client()).pullRequests(REPOSITORY, "stanch/c/filter")).toEqual([]);
  });

  it("does not take a fork's branch for its own, whatever it is called", async () => {
    const fork = { head: { ref: "stanch/c/fork", sha: "x", repo: { id: 2 } }, base: { ref: "main", repo: { id: 1 } } };
    const gone = { ...fork, head: { ...fork.head, repo: null } };
    const body = [fork, gone].map((row, index) => ({
      ...row,
      number: index + 1,
      state: "open",
      labels: [],
      title: "t",
    }));
    for (let call = 0; call < 2; call += 1)
      bench.host.faults.add({ method: "GET", path: /\/pulls$/, status: 200, body });
    const client = await bench.client();
    expect(await client.pullRequests(REPOSITORY, "stanch/c/fork")).toEqual([]);
    // Five of a stranger's would otherwise use up what may be open.
    expect(await client.openPullRequests(REPOSITORY, "stanch/")).toEqual([]);
  });
});
