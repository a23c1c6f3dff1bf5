import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { HANDOVER } from "../../src/pull-request/handover.ts";
import { formatMarker, parseMarker } from "../../src/pull-request/marker.ts";
import { formatWithdrawal } from "../../src/pull-request/withdrawal.ts";
import { AFTER, BEFORE, FILE, PROVED, type Proposing, startProposing } from "./propose-bench.ts";

let bench: Awaited<ReturnType<typeof startProposing>>;
let at: Proposing;
beforeAll(async () => {
  bench = await startProposing();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(async () => {
  at = await bench.fresh();
  at.host.faults.clear();
});

const BRANCH = /^stanch\/test\/shop-deployment-cart-[0-9a-f]{8}$/;
const pulls = () => at.host.pulls(at.repository);
const first = () => {
  const [pull] = pulls();
  if (pull === undefined) throw new Error("there is no pull request");
  return pull;
};
const phase = async () => (await at.incident()).status?.phase;
const read = (branch: string, file = FILE) => at.host.read(at.repository, branch, file);
const byHand = (branch: string) =>
  at.host.commit(at.repository, branch, { [FILE]: "memory: 99Mi\n" }, { message: "By hand" });
/** A refused change is not to be pushed again, nor any of it said on GitHub. */
const writes = (from: number) =>
  at.host.requests.slice(from).filter((row) => row.method !== "GET" && !row.path.endsWith("git-upload-pack"));

describe("nothing is there", () => {
  it("opens a pull request from a branch that follows from the change", async () => {
    const outcome = await at.propose();
    expect(outcome.kind).toBe("proposed");
    expect(pulls()).toHaveLength(1);
    expect(first()).toMatchObject({ state: "open", draft: false, base: "main", labels: ["stanch"] });
    expect(first().title).toBe("fix(shop/cart): raise memory limit 64Mi → 128Mi");
    expect(first().head).toMatch(BRANCH);
    expect(parseMarker(first().body)?.incident).toMatch(/^shop\/cart-oomkilled-/);
    expect(await read(first().head)).toBe(AFTER);
    expect(await phase()).toBe("Proposed");
    expect((await at.incident()).status?.pullRequest).toMatchObject({ number: 1, branch: first().head });
  });

  it("opens a draft that says so while not everything is proved", async () => {
    const proof = { ...PROVED, complete: false, checks: [{ id: "P3", result: "not-run", text: "no tool" }] as const };
    await at.propose({ proof });
    expect(first()).toMatchObject({ draft: true, labels: ["stanch", "needs-proof"] });
    expect(first().body).toContain("this is a draft");
    expect((await at.incident()).status?.message).toContain("as a draft");
  });

  it("is a draft until the proof is complete, and then ready for review", async () => {
    const proof = { ...PROVED, complete: false, checks: [{ id: "P3", result: "not-run", text: "no tool" }] as const };
    await at.propose({ proof });
    // As if it had died between the two writes: the label is what is met again.
    at.host.faults.add({ method: "DELETE", path: /\/labels\//, status: 400, times: 9 });
    await at.propose();
    expect(first()).toMatchObject({ draft: false, labels: ["stanch", "needs-proof"] });
    at.host.faults.clear();
    await at.propose();
    expect(first()).toMatchObject({ draft: false, labels: ["stanch"] });
    expect(first().body).not.toContain("this is a draft");
  });

  it("stays a draft where a person made it one, or GitHub does not do it", async () => {
    await at.propose();
    first().draft = true;
    await at.propose();
    expect(first()).toMatchObject({ draft: true, labels: ["stanch"] });
    first().labels = ["stanch", "needs-proof"];
    at.host.faults.add({ method: "POST", path: /graphql$/, status: 403, times: 9 });
    expect((await at.propose()).kind).toBe("updated");
    expect(first()).toMatchObject({ draft: true, labels: ["stanch", "needs-proof"] });
    expect(at.logged.join("")).toContain("draft not marked ready for review");
  });

  it("goes on without labels where they cannot be set", async () => {
    at.host.faults.add({ method: "POST", path: /\/labels$/, status: 404, body: { message: "Label does not exist" } });
    expect((await at.propose()).kind).toBe("proposed");
    expect(first().labels).toEqual([]);
    expect(at.logged.join("")).toContain("labels not set");
  });

  it("commits the report as a file where one is asked for, also over that of an earlier round", async () => {
    const settings = { pullRequest: { report: "/docs/incidents/" } };
    await at.propose({ settings });
    const { name } = (await at.incident()).metadata;
    const file = `docs/incidents/${name}.md`;
    expect(await read(first().head, file)).toContain(`# Incident ${name}`);
    await at.host.merge(at.repository, 1, { as: "robin" });
    await at.host.commit(at.repository, "main", { [FILE]: "memory: 32Mi\n" }, { message: "Oops" });
    expect((await at.propose({ settings, text: "again" })).kind).toBe("proposed");
    expect(await read(pulls()[1]?.head ?? "", file)).toContain("again");
  });

  it("opens no more than configured in one run", async () => {
    const tally = { ripe: 1, hotfixes: 0, opened: 5 };
    expect(await at.propose({ tally })).toMatchObject({ kind: "waiting" });
    expect(pulls()).toEqual([]);
    expect(await phase()).toBe("Verified");
  });

  it("opens nothing when the edits change nothing", async () => {
    await at.host.commit(at.repository, "main", { [FILE]: AFTER }, { message: "Fixed by hand" });
    expect(await at.propose()).toMatchObject({ kind: "failed", message: expect.stringContaining("change nothing") });
    expect(pulls()).toEqual([]);
  });
});

describe("one is open", () => {
  it("is found again; nothing is pushed twice, and only what is new is said", async () => {
    await at.propose();
    const [head, body] = [first().headSha, first().body];
    expect((await at.propose()).kind).toBe("updated");
    expect(pulls()).toHaveLength(1);
    expect(first().headSha).toBe(head);
    expect(parseMarker(first().body)?.fp).toBe(parseMarker(body)?.fp);
    await at.propose({ text: "something new was seen" });
    expect(first().body).toContain("something new was seen");
    expect(first().headSha).toBe(head);
  });

  it("is brought onto the new base when that has moved", async () => {
    await at.propose();
    await at.host.commit(at.repository, "main", { "other.txt": "x\n" }, { message: "Other" });
    expect((await at.propose()).kind).toBe("updated");
    expect(await read(first().head, "other.txt")).toBe("x\n");
    expect(await read(first().head)).toBe(AFTER);
  });

  it("with a person's commits is left as it is, which is said once", async () => {
    await at.propose();
    const [theirs, title, body] = [await byHand(first().head), first().title, first().body];
    const before = at.host.requests.length;
    for (let run = 0; run < 2; run += 1)
      expect(await at.propose()).toMatchObject({ kind: "waiting", message: expect.stringContaining("of a person") });
    expect(writes(before).map((row) => row.path.replace(/.*\/issues/, ""))).toEqual(["/1/comments", "/1/labels"]);
    expect(first().comments.map((comment) => comment.body)).toEqual([HANDOVER]);
    expect(first()).toMatchObject({ labels: ["stanch", "edited"], title, body });
    expect(await read(theirs)).toBe("memory: 99Mi\n");
    expect(await phase()).toBe("Proposed");
  });

  it("is not overwritten when a person pushes between our look and our push", async () => {
    await at.propose();
    await at.host.commit(at.repository, "main", { "other.txt": "x\n" }, { message: "Other" });
    const outcome = await at.propose({ meanwhile: () => byHand(first().head) });
    expect(outcome).toMatchObject({ kind: "failed", message: expect.stringContaining("moved by somebody else") });
    expect(await read(first().head)).toBe("memory: 99Mi\n");
  });

  it("keeps a description that a person has rewritten", async () => {
    await at.propose();
    first().body = "I have looked into this; see the thread.";
    await at.propose({ text: "something new" });
    expect(first().body).toBe("I have looked into this; see the thread.");
    first().body = `${formatMarker({ fp: "f".repeat(16), incident: "other/incident", body: "0".repeat(16) })}\nforged`;
    await at.propose({ text: "something newer" });
    expect(first().body).toContain("forged");
  });
});

describe("after a crash", () => {
  it("finishes where a branch stands without a pull request", async () => {
    at.host.faults.add({ method: "POST", path: /\/pulls$/, status: 404, body: { message: "Not Found" } });
    await expect(at.propose()).rejects.toMatchObject({ code: "code-host" });
    expect(pulls()).toEqual([]);
    expect((await at.propose()).kind).toBe("proposed");
    expect(await read(first().head)).toBe(AFTER);
  });

  it("leaves such a branch alone when a person has committed to it", async () => {
    at.host.faults.add({ method: "POST", path: /\/pulls$/, status: 404, body: { message: "Not Found" } });
    await expect(at.propose()).rejects.toThrow();
    const branch = at.host.requests.findLast((row) => row.path.includes("/git/ref/"))?.path.split("heads%2F")[1] ?? "";
    const name = decodeURIComponent(branch);
    await byHand(name);
    expect(await at.propose()).toMatchObject({
      kind: "waiting",
      message: expect.stringContaining(`Branch ${name} has`),
    });
    expect(await read(name)).toBe("memory: 99Mi\n");
    expect(pulls()).toEqual([]);
  });
});

describe("one was merged", () => {
  const again = async () => {
    const last = pulls().at(-1)?.number ?? 0;
    await at.host.merge(at.repository, last, { as: "robin" });
    await at.host.commit(at.repository, "main", { [FILE]: BEFORE }, { message: "Back" });
    return at.propose();
  };

  it("a follow-up has a branch of its own, and after three a person is asked", async () => {
    await at.propose();
    expect((await again()).kind).toBe("proposed");
    expect(pulls()[1]?.head).toBe(`${first().head}-2`);
    expect((await again()).kind).toBe("proposed");
    expect(pulls()[2]?.head).toBe(`${first().head}-3`);
    expect(await again()).toMatchObject({
      kind: "escalated",
      message:
        "3 pull requests for this change were merged (last #3), and the problem is still there. A person must look.",
    });
    expect(pulls()).toHaveLength(3);
    expect(await phase()).toBe("Escalated");
  });
});

describe("one was closed unmerged", () => {
  const hotfix = { changes: [], appliedAt: new Date().toISOString(), objects: {} };

  it("is not opened again: the problem is silenced", async () => {
    await at.propose();
    at.host.closePull(at.repository, 1, { as: "robin" });
    const before = at.host.requests.length;
    expect(await at.propose()).toMatchObject({ kind: "closed", message: expect.stringContaining("a person said no") });
    expect(writes(before)).toEqual([]);
    const { status } = await at.incident();
    expect(status?.phase).toBe("Silenced");
    expect(Date.parse(status?.silencedUntil ?? "")).toBeGreaterThan(Date.now() + 13 * 86_400_000);
    // A live change that stands now is left to the follow-up, which takes it back.
    expect((await at.propose({ hotfix })).kind).toBe("closed");
    expect(await phase()).toBe("Proposed");
    expect((await at.incident()).status?.pullRequest?.number).toBe(1);
  });

  it("by Stanch itself, because Git was fixed another way, was refused by nobody", async () => {
    await at.propose();
    const comment = { id: 1, user: "stanch[bot]", body: formatWithdrawal("main"), at: new Date().toISOString() };
    first().comments.push(comment);
    at.host.closePull(at.repository, 1, { as: "stanch[bot]" });
    expect((await at.propose()).kind).toBe("proposed");
    expect(pulls().map((pull) => pull.state)).toEqual(["closed", "open"]);
    expect(pulls()[1]?.head).toBe(first().head);
  });

  it("by a person is a no, whatever they or anybody else write", async () => {
    await at.propose();
    for (const user of ["robin", "stanch[bot]"])
      first().comments.push({ id: 1, user, body: `> ${formatWithdrawal("main")}`, at: new Date().toISOString() });
    first().comments.push({ id: 2, user: "eve", body: formatWithdrawal("main"), at: new Date().toISOString() });
    at.host.closePull(at.repository, 1, { as: "robin" });
    expect((await at.propose()).kind).toBe("closed");
  });
});

describe("the code host fails", () => {
  it("while the pull request is opened: a fault that says what to do, and nothing is lost", async () => {
    at.host.faults.add({ method: "POST", path: /\/pulls$/, status: 401, body: { message: "Bad credentials" } });
    const hint = expect.stringContaining("renew GITHUB_TOKEN");
    await expect(at.propose()).rejects.toMatchObject({ code: "code-host", hint });
    expect(await phase()).toBe("Verified");
    expect((await at.propose()).kind).toBe("proposed");
  });
});

describe("who is asked to look", () => {
  const culprit = { author: "Robin", email: "robin@example.com", at: "2026-01-02T03:04:05Z", subject: "Less memory" };
  const owners = (text: string, file = ".github/CODEOWNERS") =>
    at.host.commit(at.repository, "main", { [file]: text }, { message: "Owners" });
  const bad = async () => ({
    ...culprit,
    sha: await at.host.commit(at.repository, "main", { "other.yaml": "a: 1\n" }, { message: "Less memory" }),
  });
  const warned = (text: string) => expect(at.logged.join("")).toContain(text);
  const asked = () => ({ users: first().reviewers, teams: first().teams });

  it("the owners of the edited file, in the place that GitHub reads", async () => {
    await owners("* @everybody\n/apps/ @acme/shop @ada\n");
    await owners("* @nobody\n", "CODEOWNERS");
    await at.propose();
    expect(asked()).toEqual({ users: ["ada"], teams: ["shop"] });
  });

  it("and the author of the bad commit, by the account that it belongs to", async () => {
    at.host.addAccount("robin@example.com", "robin");
    await owners("* @ada\n", "docs/CODEOWNERS");
    await at.propose({ culprit: await bad() });
    expect(asked()).toEqual({ users: ["ada", "robin"], teams: [] });
    expect(first().body).toContain("Less memory of Robin, 2026-01-02 03:04 UTC.");
    expect(first().body).toContain("**How Git is corrected.** By a patch forward, and not by a revert");
  });

  it("by lines taken back where that is what was done", async () => {
    await at.propose({ culprit: await bad(), via: "revert of 1a2b3c4" });
    expect(first().body).toContain("**How Git is corrected.** The lines of that commit");
    await at.propose({ culprit: await bad(), via: "revert of 1a2b3c4" });
    expect(pulls()).toHaveLength(1);
  });

  it("never ourselves, nor a bot; and nobody where nobody is known", async () => {
    at.host.addAccount("robin@example.com", "renovate[bot]");
    await owners("* @stanch[bot] robin@example.com\n");
    const from = at.host.requests.length;
    await at.propose({ culprit: await bad() });
    expect(at.host.requests.slice(from).some((row) => row.path.endsWith("/requested_reviewers"))).toBe(false);
  });

  it("once, when it is opened", async () => {
    await owners("* @ada\n");
    await at.propose();
    const from = at.host.requests.length;
    expect((await at.propose({ text: "more is known" })).kind).toBe("updated");
    expect(at.host.requests.slice(from).some((row) => row.path.endsWith("/requested_reviewers"))).toBe(false);
  });

  it("each alone where one of them is no collaborator, which is worth a line in the log", async () => {
    at.host.estrange(at.repository, ["eve"]);
    await owners("* @eve @ada @acme/shop\n");
    expect((await at.propose()).kind).toBe("proposed");
    expect(asked()).toEqual({ users: ["ada"], teams: ["shop"] });
    warned("review not asked for");
  });

  it("nobody, where the host does not answer: the pull request stands", async () => {
    await owners("* @ada\n");
    at.host.faults.add({ path: /\/requested_reviewers$/, status: 403, times: 9 });
    at.host.faults.add({ path: /\/commits\/[0-9a-f]{40}$/, status: 404, times: 9 });
    expect((await at.propose({ culprit: await bad() })).kind).toBe("proposed");
    expect(await phase()).toBe("Proposed");
    warned("reviewers not known");
    warned("review not asked for");
  });
});
