import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createGitHub, type GitHub } from "../../src/adapters/github.ts";
import { parseConfig } from "../../src/config/load.ts";
import { type EmbeddedCodeHost, startCodeHost } from "../../src/demo/code-host/code-host.ts";
import type { DriftReport, RootReport } from "../../src/drift/model.ts";
import { publishDrift } from "../../src/drift/publish.ts";
import { format } from "../../src/drift/published.ts";
import { readPublished } from "../../src/drift/read-published.ts";
import { createLog } from "../../src/log.ts";
import type { Clock } from "../../src/ports.ts";
import { field, item, report, root } from "./reports.ts";

const REPOSITORY = "acme/shop";
const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const APP = { appId: "7", privateKey };
const PAT = { token: "pat-0123456789" };

let host: EmbeddedCodeHost;
let head = "";
let app: GitHub;
let pat: GitHub;
let hours = 0;

const clock: Clock = { now: () => new Date(), sleep: async () => undefined };
const log = createLog({ format: "json", level: "error", interactive: false, write: () => undefined, now: clock.now });
const client = (auth: typeof APP | typeof PAT) =>
  createGitHub({ apiUrl: host.apiUrl, auth, allowHttp: false, pauseMs: 0, log, clock, secondMs: 1 });

beforeEach(async () => {
  host = await startCodeHost();
  host.addToken(PAT.token, { login: "robot", permission: "write" });
  host.addToken("evil-0123456789", { login: "evil[bot]", permission: "write", app: "evil" });
  await host.addRepository(REPOSITORY, { commits: [{ message: "Import", files: { "deploy/app.yaml": "a: 1\n" } }] });
  await host.addRepository("acme/open", {
    commits: [{ message: "Import", files: { "a.yaml": "a: 1\n" } }],
    public: true,
  });
  app = await client(APP);
  pat = await client(PAT);
  head = (await app.branchHead(REPOSITORY, "main")) ?? "";
  hours = 0;
});
afterEach(() => host.close());

/** A report of now, and as many hours later as were waited. */
function now(change: Partial<DriftReport> = {}): DriftReport {
  return report({
    takenAt: new Date(Date.UTC(2026, 0, 1, 12 + hours)).toISOString(),
    roots: [root({ head, deployed: head })],
    ...change,
  });
}
const clean = (change: Partial<DriftReport> = {}) => now({ roots: [root({ head, items: [], inSync: 3 })], ...change });
const other = () => now({ roots: [root({ head, items: [item({ fields: [field({ live: { value: 9 } })] })] })] });

async function publish(given: DriftReport, by = app, settings: object = {}, dryRun = false) {
  const config = parseConfig(JSON.stringify(settings));
  const before = host.requests.length;
  const notes = await publishDrift(given, { codeHost: by, config, clock, log, dryRun });
  const writes = host.requests.slice(before).filter((row) => row.method !== "GET" && !row.path.startsWith("/app"));
  return {
    kinds: notes.map((note) => note.kind),
    text: notes.map((note) => note.text).join("; "),
    writes: writes.length,
  };
}
const issues = () => host.issues(REPOSITORY);
const checks = () => host.checks(REPOSITORY);
const read = (by = "stanch[bot]", reader = pat, cluster = "prod") =>
  readPublished(reader, { repository: REPOSITORY, branch: "main", cluster, by });

describe("an App", () => {
  it("publishes a check run and an issue, is read back, and writes nothing the second time", async () => {
    expect(await publish(now())).toMatchObject({ kinds: ["published"], writes: 2 });
    expect(checks()).toMatchObject([
      { sha: head, app: "stanch", conclusion: "action_required", title: "1 drifted, 2 in sync" },
    ]);
    expect(checks()[0]?.annotations).toMatchObject([{ path: "deploy/app.yaml", start_line: 7 }]);
    expect(issues()).toMatchObject([{ state: "open", user: "stanch[bot]", labels: ["stanch", "drift"] }]);
    expect(issues()[0]?.title).toBe("Drift in cluster prod: 1 drifted");
    expect(issues()[0]?.body).not.toContain("stanch drift report v1");
    expect(await read()).toMatchObject({ found: true, end: "drift", behind: 0, sha: head, report: now() });
    expect(await publish(now())).toEqual({ kinds: ["unchanged"], text: "it says the same already", writes: 0 });
    hours = 2;
    // Its readers must know that it still holds; the issue says the same.
    expect(await publish(now())).toMatchObject({ kinds: ["published"], writes: 1 });
    expect(checks()).toHaveLength(1);
    expect(await read()).toMatchObject({ report: { takenAt: now().takenAt } });
  });

  it("closes the issue when nothing drifts, and opens it again when something does, at once with what it says", async () => {
    await publish(now());
    expect(await publish(clean())).toMatchObject({ writes: 2 });
    expect(issues()).toMatchObject([{ state: "closed", closedBy: "stanch[bot]", title: "No drift in cluster prod" }]);
    expect(checks().at(-1)).toMatchObject({ conclusion: "success" });
    expect(await publish(clean())).toMatchObject({ writes: 0 });
    await publish(now());
    expect(issues()).toMatchObject([{ state: "open", title: "Drift in cluster prod: 1 drifted" }]);
    expect(issues()[0]?.comments).toEqual([]);
    expect(await read()).toMatchObject({ end: "drift" });
  });

  it("opens no issue for what is clean, waits, is under a hotfix or could not be compared; says the last by the check", async () => {
    await publish(clean());
    await publish(now({ roots: [root({ head, items: [item({ class: "hotfix" }), item({ class: "pending" })] })] }));
    await publish(now({ roots: [root({ head, items: [], error: "cannot render" })] }));
    expect(issues()).toEqual([]);
    expect(await read()).toMatchObject({ found: true, end: "error", report: { roots: [{ error: "cannot render" }] } });
    expect(checks().at(-1)).toMatchObject({
      conclusion: "failure",
      title: "1 source could not be compared, 2 in sync",
    });
  });

  it("never closes an issue because something could not be compared", async () => {
    await publish(now());
    await publish(clean({ gaps: ["pods could not be read"] }));
    expect(issues()).toMatchObject([{ state: "open" }]);
    expect(issues()[0]?.body).toContain("pods could not be read");
  });

  it("leaves the words of a person, and a person's closing until something else drifts", async () => {
    await publish(now());
    host.closeIssue(REPOSITORY, 1, { as: "ada" });
    expect(await publish(now())).toMatchObject({ writes: 0 });
    await publish(other());
    expect(issues()).toMatchObject([{ state: "open" }]);
    host.closeIssue(REPOSITORY, 1, { as: "ada" });
    // Clean in between: then the same drift is another one.
    await publish(clean());
    expect(issues()).toMatchObject([{ state: "closed" }]);
    await publish(other());
    expect(issues()).toMatchObject([{ state: "open" }]);
    host.closeIssue(REPOSITORY, 1, { as: "ada", reason: "not_planned" });
    await publish(now());
    await publish(clean());
    await publish(other());
    expect(issues()).toMatchObject([{ state: "closed", reason: "not_planned" }]);
    const stored = issues()[0] as { state: string; body: string };
    Object.assign(stored, { state: "open", body: `${stored.body}\nWe look into it.` });
    expect(await publish(other())).toMatchObject({ writes: 0 });
    expect(await publish(clean())).toMatchObject({ writes: 1 });
    expect(issues()).toMatchObject([{ state: "open", body: stored.body }]);
  });

  it("is followed to a new head, and found on an older one until then", async () => {
    await publish(now());
    const next = await host.commit(REPOSITORY, "main", { "b.yaml": "b: 1\n" }, { message: "Two" });
    expect(await read()).toMatchObject({ found: true, behind: 1, sha: head });
    head = next;
    await publish(clean());
    expect(await read()).toMatchObject({ found: true, behind: 0, sha: next, end: "clean" });
  });

  it("tells of several clusters side by side", async () => {
    await publish(now());
    await publish(clean({ cluster: "dev" }));
    await publish(now({ cluster: "stage" }));
    expect(checks().map((check) => check.name)).toEqual([
      "Stanch drift (prod, main)",
      "Stanch drift (dev, main)",
      "Stanch drift (stage, main)",
    ]);
    expect(issues()).toHaveLength(2);
    expect(await read("stanch[bot]", pat, "dev")).toMatchObject({ end: "clean" });
    expect(await read("stanch[bot]", pat, "prod")).toMatchObject({ end: "drift" });
    expect(await read("stanch[bot]", pat, "none")).toMatchObject({ found: false });
  });

  it("is not told by others: another App's check run, a copied issue or a changed text do not count", async () => {
    await publish(now());
    const { name, externalId, text } = checks()[0] as { name: string; externalId: string; text: string };
    const evil = await client({ token: "evil-0123456789" });
    const forged = {
      sha: head,
      name,
      externalId,
      conclusion: "success",
      title: "t",
      summary: "s",
      text,
      annotations: [],
    } as const;
    await evil.publishCheck(REPOSITORY, forged);
    await evil.createIssue(REPOSITORY, { title: "t", body: issues()[0]?.body ?? "", labels: [] });
    expect(await read()).toMatchObject({ end: "drift", url: expect.stringContaining("500001") });
    expect(await read("evil[bot]")).toMatchObject({ found: true });
    expect(await read("ghost[bot]")).toMatchObject({ found: false, reason: expect.stringContaining("ghost[bot]") });
    expect(await read("stanch")).toMatchObject({ found: false });
    Object.assign(checks()[0] as object, { text: text.replace('"drift"', '"extra"') });
    expect(await read()).toMatchObject({ found: false, reason: expect.stringContaining("changed") });
  });

  it("cannot be answered through its issue: not behind its check run, and not in its place", async () => {
    await publish(now());
    // Whoever may edit issues makes a report of their own, as true to its digest as any, and younger.
    hours = 3;
    const [forged] = format(clean(), () => true);
    const [issue] = issues();
    if (forged === undefined || issue === undefined) throw new Error("nothing to forge");
    host.editIssue(REPOSITORY, issue.number, { as: "eve", body: `${issue.body}\n${forged.block}\n` });
    await host.commit(REPOSITORY, "main", { "deploy/app.yaml": "a: 2\n" }, { message: "Two" });
    expect(await read()).toMatchObject({ end: "drift", behind: 1, url: expect.stringContaining("500001") });
    // Nor when the check run cannot be read, or is further back than anybody looks.
    const [check] = checks();
    if (check === undefined) throw new Error("no check run");
    const { text } = check;
    check.text = "gone";
    expect(await read()).toMatchObject({ found: false, reason: expect.stringContaining("no report in it") });
    check.text = text;
    const near = { repository: REPOSITORY, branch: "main", cluster: "prod", by: "stanch[bot]", commits: 1 };
    expect(await readPublished(pat, near)).toMatchObject({
      found: false,
      reason: expect.stringContaining("eve wrote it last"),
    });
  });

  it("that may write no check runs is believed in an issue that it wrote last itself", async () => {
    const refused = { method: "POST", path: /check-runs/, status: 403, times: 9 };
    host.faults.add({ ...refused, body: { message: "Resource not accessible by integration" } });
    await publish(now());
    expect(checks()).toEqual([]);
    expect(await read()).toMatchObject({ found: true, end: "drift" });
    hours = 2;
    await publish(clean());
    expect(await read()).toMatchObject({ found: true, end: "clean" });
  });
});

describe("a plain token", () => {
  it("says it by a commit status and an issue that holds the report", async () => {
    expect(await publish(now(), pat)).toMatchObject({ kinds: ["published"] });
    expect(checks()).toEqual([]);
    expect(host.statuses(REPOSITORY)).toMatchObject([
      { sha: head, state: "failure", context: "Stanch drift (prod, main)", description: "1 drifted, 2 in sync" },
    ]);
    expect(await read("robot", app)).toMatchObject({ found: true, end: "drift", report: now() });
    const again = await publish(now(), pat);
    expect(again.kinds).toEqual(["unchanged"]);
    expect(host.statuses(REPOSITORY)).toHaveLength(1);
    await publish(clean(), pat);
    expect(issues()).toMatchObject([{ state: "closed" }]);
    expect(await read("robot", app)).toMatchObject({ end: "clean" });
    // Kept fresh though it is closed.
    hours = 2;
    await publish(clean(), pat);
    expect(await read("robot", app)).toMatchObject({ end: "clean", report: { takenAt: clean().takenAt } });
    expect(issues()).toMatchObject([{ state: "closed" }]);
    await publish(clean({ gaps: ["no right"] }), pat);
    expect(await read("robot", app)).toMatchObject({ end: "error" });
    await publish(now(), pat);
    expect(issues()).toMatchObject([{ state: "open" }]);
  });

  it("also holds a clean report, in an issue that is closed at once", async () => {
    await publish(clean(), pat);
    expect(issues()).toMatchObject([{ state: "closed", title: "No drift in cluster prod" }]);
    expect(await read("robot", app)).toMatchObject({ end: "clean" });
    await publish(now(), pat);
    expect(issues()).toMatchObject([{ state: "open" }]);
  });

  it("is not believed where somebody else wrote its issue last, or nobody can say who", async () => {
    await publish(now(), pat);
    const [forged] = format(clean(), () => true);
    const [issue] = issues();
    if (forged === undefined || issue === undefined) throw new Error("nothing to forge");
    const { body } = issue;
    host.editIssue(REPOSITORY, issue.number, {
      as: "eve",
      body: body.replace(/<!-- stanch drift report.*$/s, forged.block),
    });
    expect(await read("robot", app)).toMatchObject({
      found: false,
      reason: expect.stringContaining("eve wrote it last"),
    });
    host.editIssue(REPOSITORY, issue.number, { as: "robot", body });
    expect(await read("robot", app)).toMatchObject({ found: true, end: "drift" });
    // A bot is no person of the same name.
    host.editIssue(REPOSITORY, issue.number, { as: "robot[bot]", body: `${body} ` });
    expect(await read("robot", app)).toMatchObject({ found: false });
    host.editIssue(REPOSITORY, issue.number, { as: "robot", body });
    host.faults.add({ path: /graphql$/, status: 404, times: 9 });
    expect(await read("robot", app)).toMatchObject({ found: false, reason: expect.stringContaining("nobody can say") });
    host.faults.clear();
    host.faults.add({ path: /graphql$/, status: 502, times: 9 });
    await expect(read("robot", app)).rejects.toMatchObject({ code: "code-host" });
  });

  it("does not take a person's edit for a report", async () => {
    await publish(now(), pat);
    const stored = issues()[0] as { body: string };
    stored.body = stored.body.replace('"class":"drift"', '"class":"in-sync"');
    expect(await read("robot", app)).toMatchObject({ found: false, reason: expect.stringContaining("changed") });
  });
});

describe("what goes wrong", () => {
  it("in the middle is finished by the next run, and nothing is said twice", async () => {
    host.faults.add({ method: "POST", path: /\/issues$/, status: 502, times: 1 });
    expect(await publish(now())).toMatchObject({ kinds: ["failed"] });
    expect(checks()).toHaveLength(1);
    expect(await publish(now())).toMatchObject({ kinds: ["published"], writes: 1 });
    host.faults.add({ method: "PATCH", path: /\/issues\//, closeConnection: true, times: 9 });
    expect(await publish(clean())).toMatchObject({ kinds: ["failed"] });
    host.faults.clear();
    await publish(clean());
    expect(issues()).toMatchObject([{ state: "closed" }]);
    expect(checks()).toHaveLength(2);
  });

  it("for one repository does not keep the others from being told", async () => {
    const roots = [
      root({ head }),
      root({ id: "b", repository: "acme/none", head }),
      root({ id: "c", repository: "../x" }),
    ];
    const said = await publish(now({ roots }));
    expect(said.kinds.toSorted()).toEqual(["failed", "left", "published"]);
  });

  it("a rate limit is a fault and no missing right", async () => {
    host.faults.add({
      method: "POST",
      path: /check-runs/,
      status: 403,
      times: 9,
      headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Math.ceil(Date.now() / 1000) + 900) },
      body: { message: "API rate limit exceeded" },
    });
    expect(await publish(now())).toMatchObject({ kinds: ["failed"], text: expect.stringContaining("rate limit") });
    expect(host.statuses(REPOSITORY)).toEqual([]);
    expect(issues()).toEqual([]);
  });

  it("issues that are switched off are named, after the check run", async () => {
    host.allowIssues(REPOSITORY, false);
    expect(await publish(now())).toMatchObject({ kinds: ["failed"] });
    expect(checks()).toHaveLength(1);
    expect(await publish(now(), app, { drift: { issue: false } })).toMatchObject({ kinds: ["unchanged"] });
  });

  it("a branch that is gone, and a head that was never read", async () => {
    await publish(
      now({ roots: [root({ branch: "gone", items: [], error: "no branch" })].map(({ head: _, ...one }) => one) }),
    );
    expect(checks()).toEqual([]);
    const [unread] = [root({ items: [], error: "cannot clone" })].map(({ head: _, ...one }) => one);
    await publish(now({ roots: unread === undefined ? [] : [unread] }));
    expect(checks()).toMatchObject([{ sha: head, conclusion: "failure" }]);
  });
});

describe("a root that could not be compared and knows no branch", () => {
  const [lost] = [root({ branch: "", path: "lost", id: "lost", items: [], error: "it does not render" })].map(
    ({ head: _, ...one }) => one,
  ) as [RootReport];

  it("is told on every branch of its repository, or on the default one", async () => {
    await publish(now({ roots: [root({ head, items: [], inSync: 3 }), lost] }));
    expect(checks()).toMatchObject([{ name: "Stanch drift (prod, main)", conclusion: "failure" }]);
    expect(await read("stanch[bot]")).toMatchObject({ end: "error" });
    await publish(now({ cluster: "two", roots: [lost] }));
    expect(checks()).toContainEqual(
      expect.objectContaining({ name: "Stanch drift (two, main)", conclusion: "failure" }),
    );
  });

  it("is read back from an issue, too", async () => {
    await publish(now({ roots: [root({ head, items: [], inSync: 3 }), lost] }), pat);
    expect(await read("robot", app)).toMatchObject({ found: true, end: "error" });
  });

  it("of which nobody knows the repository is told to nobody, and that is said", async () => {
    const said = await publish(now({ roots: [{ ...lost, repository: "" }] }));
    expect(said).toMatchObject({ kinds: ["left"], text: expect.stringContaining("lost") });
  });
});

describe("a repository", () => {
  it("that is spelt in two ways is told once, of all", async () => {
    const roots = [root({ head, id: "a" }), root({ head, id: "b", repository: "Acme/Shop", items: [], inSync: 3 })];
    expect(await publish(now({ roots }))).toMatchObject({ kinds: ["published"] });
    expect(checks()).toMatchObject([{ conclusion: "action_required" }]);
    expect(await read("stanch[bot]")).toMatchObject({ end: "drift", counts: { drift: 1, "in-sync": 5 } });
  });

  it("whose issue tells of other branches has no report of this one", async () => {
    await publish(now({ roots: [root({ head, branch: "production", items: [], inSync: 3 })] }), pat);
    expect(await read("robot", app)).toMatchObject({ found: false, reason: expect.stringContaining("production") });
  });
});

describe("limits", () => {
  it("only repositories of the configuration are told, and nothing is written on a dry run", async () => {
    const only = { github: { repositories: ["other/*"] } };
    expect(await publish(now(), app, only)).toMatchObject({ kinds: ["left"], writes: 0 });
    expect(await publish(now(), app, {}, true)).toMatchObject({
      kinds: ["unchanged"],
      writes: 0,
      text: expect.stringContaining("would"),
    });
  });

  it("values stay out of public repositories unless that is wanted", async () => {
    const value = "three-hundred-things";
    const sha = (await app.branchHead("acme/open", "main")) ?? "";
    const given = now({
      roots: [root({ repository: "acme/open", head: sha, items: [item({ fields: [field({ live: { value } })] })] })],
    });
    await publish(given);
    const all = () => JSON.stringify([host.checks("acme/open"), host.issues("acme/open")]);
    expect(all()).toContain("spec.replicas");
    expect(all()).not.toContain(value);
    await publish(given, app, { drift: { values: "always" } });
    expect(all()).toContain(value);
  });
});
