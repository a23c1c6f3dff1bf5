import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { GitHub } from "../../src/adapters/github.ts";
import type { CheckAnnotation, CheckRunRequest } from "../../src/ports.ts";
import { type GitHubBench, REPOSITORY, startBench } from "./github-bench.ts";

let bench: GitHubBench;
let sha = "";
let app: GitHub;
const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

beforeAll(async () => {
  bench = await startBench();
  bench.host.addToken("pat-0123456789", { login: "robot", permission: "write" });
  bench.host.addToken("other-0123456789", { login: "other[bot]", permission: "write", app: "other" });
  app = await bench.client({ auth: { appId: "7", privateKey } });
});
afterAll(() => bench[Symbol.asyncDispose]());
let count = 0;
beforeEach(async () => {
  bench.host.faults.clear();
  count += 1;
  await bench.branch(`review-${count}`);
  sha = await bench.host.commit(REPOSITORY, `review-${count}`, { "b.yaml": `b: ${count}\n` }, { message: "Three" });
});

const note = (line: number, change: Partial<CheckAnnotation> = {}): CheckAnnotation => ({
  path: "a.yaml",
  startLine: line,
  endLine: line,
  level: "warning",
  title: "t",
  message: `line ${line}`,
  ...change,
});
const asked = (change: Partial<CheckRunRequest> = {}): CheckRunRequest => ({
  sha,
  name: "drift",
  externalId: "one",
  conclusion: "neutral",
  title: "t",
  summary: "s",
  text: "x",
  annotations: [],
  ...change,
});
const checks = () => bench.host.checks(REPOSITORY).filter((check) => check.sha === sha);
const writes = () =>
  bench.host.requests.filter((row) => row.method !== "GET" && row.path.includes("check-runs")).length;

describe("check runs", () => {
  it("are made, read by commit and by branch, and written anew only when they would say something else", async () => {
    const made = await app.publishCheck(REPOSITORY, asked());
    expect(made).toMatchObject({
      name: "drift",
      externalId: "one",
      sha,
      conclusion: "neutral",
      app: "stanch",
      text: "x",
    });
    const before = writes();
    expect(await app.publishCheck(REPOSITORY, asked())).toEqual(made);
    expect(writes()).toBe(before);
    const changed = await app.publishCheck(REPOSITORY, asked({ conclusion: "success" }));
    expect(changed).toMatchObject({ id: made.id, conclusion: "success" });
    expect(checks()).toHaveLength(1);
    const branch = { ref: `review-${count}`, name: "drift" };
    expect(await app.readCheck(REPOSITORY, branch)).toMatchObject({ id: made.id, conclusion: "success" });
    expect(await app.readCheck(REPOSITORY, { ref: sha, name: "drift", externalId: "two" })).toBeNull();
    expect(await app.readCheck(REPOSITORY, { ref: sha, name: "Drift" })).toBeNull();
    await expect(app.readCheck(REPOSITORY, { ref: "none", name: "drift" })).rejects.toMatchObject({
      code: "code-host",
    });
  });

  it("mark any number of lines, fifty a request; lines are never marked twice", async () => {
    const annotations = Array.from({ length: 120 }, (_, index) => note(index + 1));
    const before = writes();
    const first = await app.publishCheck(REPOSITORY, asked({ annotations }));
    expect(writes() - before).toBe(3);
    expect(first.annotations).toBe(120);
    expect((await app.publishCheck(REPOSITORY, asked({ annotations: annotations.toReversed() }))).id).toBe(first.id);
    expect(writes() - before).toBe(3);
    // GitHub only appends: what is marked otherwise is another check run of the name.
    const next = await app.publishCheck(
      REPOSITORY,
      asked({ annotations: [...annotations.slice(1), note(7, { title: "u" })] }),
    );
    expect(next.id).not.toBe(first.id);
    expect(next.annotations).toBe(120);
    expect(await app.readCheck(REPOSITORY, { ref: sha, name: "drift" })).toMatchObject({ id: next.id });
  });

  it("that were left half written are not read, and are made again", async () => {
    const annotations = Array.from({ length: 80 }, (_, index) => note(index + 1));
    bench.host.faults.add({ method: "PATCH", path: /check-runs/, status: 500, times: 9 });
    await expect(app.publishCheck(REPOSITORY, asked({ annotations }))).rejects.toMatchObject({ code: "code-host" });
    expect(checks()).toMatchObject([{ status: "in_progress", annotations: { length: 50 } }]);
    expect(await app.readCheck(REPOSITORY, { ref: sha, name: "drift" })).toBeNull();
    bench.host.faults.clear();
    expect((await app.publishCheck(REPOSITORY, asked({ annotations }))).annotations).toBe(80);
    expect(await app.readCheck(REPOSITORY, { ref: sha, name: "drift" })).toMatchObject({ annotations: 80 });
  });

  it("of another App are not ours", async () => {
    const other = await bench.client({ auth: { token: "other-0123456789" } });
    const theirs = await other.publishCheck(REPOSITORY, asked());
    const ours = await app.publishCheck(REPOSITORY, asked({ conclusion: "success" }));
    expect(ours.id).not.toBe(theirs.id);
    expect(checks().map((check) => [check.app, check.conclusion])).toEqual([
      ["other", "neutral"],
      ["stanch", "success"],
    ]);
  });

  it("stay within GitHub's limits, in letters and not in code units", async () => {
    const wide = "🌊".repeat(70_000);
    const made = await app.publishCheck(
      REPOSITORY,
      asked({
        title: wide,
        summary: wide,
        text: wide,
        annotations: [note(0, { title: wide, message: wide, endLine: -1 })],
      }),
    );
    expect([...made.summary]).toHaveLength(65_535);
    expect([...made.text]).toHaveLength(65_535);
    expect(checks()[0]?.annotations).toMatchObject([{ start_line: 1, end_line: 1 }]);
    // Written once: what was cut is compared as it was cut.
    const before = writes();
    await app.publishCheck(
      REPOSITORY,
      asked({
        title: wide,
        summary: wide,
        text: wide,
        annotations: [note(0, { title: wide, message: wide, endLine: -1 })],
      }),
    );
    expect(writes()).toBe(before);
  });

  it("are an App's to write: a plain token is refused with what to do, a rate limit is not mistaken for that", async () => {
    const plain = await bench.client({ auth: { token: "pat-0123456789" } });
    await expect(plain.publishCheck(REPOSITORY, asked())).rejects.toMatchObject({
      code: "forbidden",
      hint: expect.stringContaining("GitHub App"),
    });
    bench.host.faults.add({
      method: "POST",
      path: /check-runs/,
      status: 403,
      times: 9,
      headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Math.ceil(Date.now() / 1000) + 900) },
      body: { message: "API rate limit exceeded" },
    });
    await expect(app.publishCheck(REPOSITORY, asked())).rejects.toMatchObject({ code: "code-host" });
    bench.host.faults.clear();
    bench.host.faults.add({
      method: "POST",
      path: /check-runs/,
      status: 403,
      body: { message: "Resource not accessible by integration" },
    });
    await expect(app.publishCheck(REPOSITORY, asked())).rejects.toMatchObject({
      code: "forbidden",
      hint: expect.stringContaining("checks: write"),
    });
  });
});

describe("statuses, commits and people", () => {
  it("a status is set once for what it says", async () => {
    const plain = await bench.client({ auth: { token: "pat-0123456789" } });
    const status = { sha, context: "stanch/drift", state: "failure", description: "d".repeat(200) } as const;
    await plain.publishStatus(REPOSITORY, status);
    await plain.publishStatus(REPOSITORY, status);
    await plain.publishStatus(REPOSITORY, { ...status, url: "https://example.com/" });
    await plain.publishStatus(REPOSITORY, { ...status, state: "success" });
    const rows = bench.host.statuses(REPOSITORY).filter((row) => row.sha === sha);
    expect(rows.map((row) => [row.state, row.url])).toEqual([
      ["failure", null],
      ["failure", "https://example.com/"],
      ["success", null],
    ]);
  });

  it("says which commits a branch has, newest first", async () => {
    const commits = await app.recentCommits(REPOSITORY, `review-${count}`, 5);
    expect(commits[0]).toBe(sha);
    expect(commits).toHaveLength(3);
    expect(await app.recentCommits(REPOSITORY, sha, 1)).toEqual([sha]);
  });

  it("says what a person may do; a bot, and who is no collaborator, nothing", async () => {
    for (const [login, role] of [
      ["ada", "admin"],
      ["may", "maintain"],
      ["tri", "triage"],
      ["rex", "read"],
      ["own", "release-manager"],
    ] as const)
      bench.host.addCollaborator(REPOSITORY, login, role);
    const said = await Promise.all(
      ["ada", "may", "tri", "rex", "own", "eve", "dependabot[bot]"].map((login) => app.permissionOf(REPOSITORY, login)),
    );
    expect(said).toEqual(["admin", "maintain", "triage", "read", "write", "none", "none"]);
    bench.host.faults.add({ path: /permission/, status: 500, times: 9 });
    await expect(app.permissionOf(REPOSITORY, "ada")).rejects.toMatchObject({ code: "code-host" });
  });

  it("knows its own name, as App and as user", async () => {
    expect(await app.login(REPOSITORY)).toBe("stanch[bot]");
    expect(await (await bench.client({ auth: { token: "pat-0123456789" } })).login(REPOSITORY)).toBe("robot");
    // Not knowing it for a moment is no other name.
    const fresh = await bench.client({ auth: { token: "pat-0123456789" } });
    bench.host.faults.add({ path: /^\/user$/, status: 500, times: 9 });
    await expect(fresh.login(REPOSITORY)).rejects.toMatchObject({ code: "code-host" });
  });

  it("knows its own name with the token of another App's installation; a workflow's where nobody says it", async () => {
    const other = { auth: { token: "other-0123456789" } };
    expect(await (await bench.client(other)).login(REPOSITORY)).toBe("other[bot]");
    const forbidden = {
      data: null,
      errors: [{ type: "FORBIDDEN", message: "Resource not accessible by integration" }],
    };
    for (const fault of [{ status: 404 }, { status: 200, body: forbidden }]) {
      bench.host.faults.add({ path: /graphql$/, times: 1, ...fault });
      expect(await (await bench.client(other)).login(REPOSITORY)).toBe("github-actions[bot]");
    }
    bench.host.faults.add({ path: /graphql$/, status: 502, times: 9 });
    const fresh = await bench.client(other);
    await expect(fresh.login(REPOSITORY)).rejects.toMatchObject({ code: "code-host" });
    bench.host.faults.clear();
    expect(await fresh.login(REPOSITORY)).toBe("other[bot]");
  });
});

describe("comments", () => {
  it("are read on every page, since a moment, made, changed and deleted", async () => {
    const { number } = await app.createIssue(REPOSITORY, { title: "t", body: "b", labels: [] });
    for (let index = 0; index < 131; index += 1)
      bench.host.comment(REPOSITORY, number, { as: "ada", body: `c${index}` });
    const all = await app.allComments(REPOSITORY, number);
    expect(all.map((comment) => comment.body)).toEqual(Array.from({ length: 131 }, (_, index) => `c${index}`));
    expect(all[0]).toMatchObject({ author: "ada", bot: false });
    const made = await app.createComment(REPOSITORY, number, "ours");
    expect(made).toMatchObject({ author: "stanch[bot]", bot: true, body: "ours" });
    await app.updateComment(REPOSITORY, made.id, "ours, changed");
    const last = (await app.allComments(REPOSITORY, number, made.createdAt)).at(-1);
    expect(last).toMatchObject({ id: made.id, body: "ours, changed" });
    expect(Date.parse(last?.updatedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(made.createdAt));
    await app.deleteComment(REPOSITORY, made.id);
    await app.deleteComment(REPOSITORY, made.id);
    expect(await app.allComments(REPOSITORY, number)).toHaveLength(131);
    expect(await app.allComments(REPOSITORY, number, new Date(Date.now() + 60_000).toISOString())).toEqual([]);
  });

  it("are made once even when the answer is lost, and cut where GitHub would refuse them", async () => {
    const { number } = await app.createIssue(REPOSITORY, { title: "t", body: "b", labels: [] });
    bench.host.faults.add({ method: "POST", path: /comments$/, status: 502, times: 5 });
    await expect(app.createComment(REPOSITORY, number, "x")).rejects.toMatchObject({ code: "code-host" });
    bench.host.faults.clear();
    const made = await app.createComment(REPOSITORY, number, "🌊".repeat(70_000));
    expect([...made.body]).toHaveLength(65_536);
  });
});

describe("issues of somebody", () => {
  it("are found by who opened them, whoever asks", async () => {
    const plain = await bench.client({ auth: { token: "pat-0123456789" } });
    const issue = await plain.createIssue(REPOSITORY, { title: "t", body: "<drift>", labels: [] });
    await app.createIssue(REPOSITORY, { title: "t", body: "<drift>", labels: [] });
    const isMeant = (body: string) => body === "<drift>";
    expect((await app.issueBy(REPOSITORY, "Robot", isMeant))?.number).toBe(issue.number);
    expect(await app.issueBy(REPOSITORY, "eve", isMeant)).toBeNull();
  });

  it("say who wrote them last, with the body that this one wrote", async () => {
    const { number } = await app.createIssue(REPOSITORY, { title: "t", body: "<edit>", labels: [] });
    const isMeant = (body: string) => body.startsWith("<edit>");
    const seen = () => app.issueBy(REPOSITORY, "stanch[bot]", isMeant);
    expect(await seen()).toMatchObject({ number, body: "<edit>", writtenBy: "stanch[bot]" });
    bench.host.editIssue(REPOSITORY, number, { as: "eve", body: "<edit> by eve" });
    expect(await seen()).toMatchObject({ body: "<edit> by eve", writtenBy: "eve" });
    await app.updateIssue(REPOSITORY, number, { body: "<edit> again" });
    expect(await seen()).toMatchObject({ body: "<edit> again", writtenBy: "stanch[bot]" });
    bench.host.faults.add({ path: /graphql$/, status: 404 });
    expect(await seen()).toMatchObject({ writtenBy: null });
  });
});
