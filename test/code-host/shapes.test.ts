import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedCodeHost, startCodeHost } from "../../src/demo/code-host/code-host.ts";
import { type Description, faultsOf, schemaOf } from "./schema-check.ts";

// Not imported: thirteen megabytes are nothing for a type checker.
const require = createRequire(import.meta.url);
const api = require("@octokit/openapi/generated/api.github.com.json") as Description;

const TOKEN = "shape-token-0123456789";
const JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiI3In0.c2ln";
const REPO = "/repos/{owner}/{repo}";
let host: EmbeddedCodeHost;
let commit = "";

beforeAll(async () => {
  host = await startCodeHost();
  host.addToken(TOKEN, { login: "stanch[bot]", permission: "write" });
  host.addToken("app", { login: "stanch[bot]", permission: "write", app: "stanch" });
  host.addToken("other", { login: "other[bot]", permission: "write", app: "other" });
  host.addToken("person", { login: "ada", permission: "write" });
  host.addToken("reader", { login: "reader", permission: "read" });
  await host.addRepository("acme/shop", { commits: [{ message: "Import", files: { "a.yaml": "a: 1\n" } }] });
  await host.addRepository("acme/old", { commits: [{ message: "Import", files: { "a.yaml": "a: 1\n" } }] });
  host.archive("acme/old");
  await host.addRepository("acme/mute", { commits: [{ message: "Import", files: { "a.yaml": "a: 1\n" } }] });
  host.allowIssues("acme/mute", false);
  host.estrange("acme/shop", ["stranger"]);
  host.addCollaborator("acme/shop", "ada", "maintain");
  host.addAccount("robin@example.com", "robin");
  for (const name of ["stanch/c/one", "stanch/c/two", "stanch/c/three"]) {
    await host.branch("acme/shop", name, "main");
    commit = await host.commit("acme/shop", name, { "a.yaml": `a: ${name}\n` }, { message: "Two" });
  }
}, 20_000);
afterAll(() => host.close());

interface Call {
  readonly method: string;
  /** As GitHub describes it. */
  readonly path: string;
  /** What stands for the parts in braces that are no owner or repository. */
  readonly at?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  readonly status: number;
  readonly token?: string;
  readonly repository?: string;
}

async function ask(call: Call): Promise<unknown> {
  const [owner = "", repo = ""] = (call.repository ?? "acme/shop").split("/");
  const parts: Record<string, string> = { owner, repo, ...call.at };
  const path = call.path
    .replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parts[name] ?? ""))
    .replace("COMMIT", commit);
  const answer = await fetch(`${host.apiUrl}${path}${call.query ?? ""}`, {
    method: call.method,
    headers: { authorization: `Bearer ${call.token ?? TOKEN}`, "content-type": "application/json" },
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body).replace('"COMMIT"', `"${commit}"`) }),
  });
  const text = await answer.text();
  expect(answer.status, text).toBe(call.status);
  return text === "" ? undefined : JSON.parse(text);
}

async function isAsDescribed(call: Call): Promise<void> {
  const body = await ask(call);
  const schema = schemaOf(api, call.method, call.path, call.status);
  expect(body === undefined, "204 has no body, everything else has one").toBe(call.status === 204);
  if (schema !== undefined) expect(faultsOf(body, schema, api)).toEqual([]);
}

const PULLS = `${REPO}/pulls`;
const PULL = `${REPO}/pulls/{pull_number}`;
const ISSUES = `${REPO}/issues`;
const ISSUE = `${REPO}/issues/{issue_number}`;
const COMMIT = `${REPO}/commits/{ref}`;
const one = { pull_number: "1", issue_number: "1" };
const two = { pull_number: "2", issue_number: "2" };
const three = { issue_number: "3" };
const CHECKS = `${REPO}/check-runs`;
const CHECK = `${REPO}/check-runs/{check_run_id}`;
const STATUSES = `${REPO}/statuses/{sha}`;
const PERMISSION = `${REPO}/collaborators/{username}/permission`;
const COMMENT = `${REPO}/issues/comments/{comment_id}`;
const main = { check_run_id: "500001" };
const note = { path: "a.yaml", start_line: 1, end_line: 1, annotation_level: "warning", message: "m", title: "t" };
const check = (output: object = {}) => ({
  name: "drift",
  head_sha: "COMMIT",
  external_id: "e",
  output: { title: "t", summary: "s", ...output },
});
const request = (head: string) => ({ title: "t", body: "b", head, base: "main" });

describe("the embedded code host answers as GitHub describes itself", () => {
  // In this order: what is made above is looked at below.
  it.each<Call>([
    { method: "GET", path: "/user", status: 200 },
    { method: "GET", path: REPO, status: 200 },
    { method: "GET", path: REPO, status: 200, repository: "acme/old" },
    { method: "GET", path: `${REPO}/git/ref/{ref}`, at: { ref: "heads/main" }, status: 200 },
    { method: "POST", path: PULLS, body: request("stanch/c/one"), status: 201 },
    { method: "POST", path: PULLS, body: { ...request("stanch/c/two"), draft: true }, status: 201 },
    { method: "POST", path: `${ISSUE}/comments`, at: one, body: { body: "hello" }, status: 201 },
    { method: "POST", path: `${ISSUE}/labels`, at: one, body: { labels: ["stanch"] }, status: 200 },
    { method: "POST", path: `${PULL}/requested_reviewers`, at: one, body: { reviewers: ["robin"] }, status: 201 },
    { method: "POST", path: `${PULL}/requested_reviewers`, at: one, body: { team_reviewers: ["shop"] }, status: 201 },
    { method: "POST", path: ISSUES, body: { title: "t", body: "b", labels: ["stanch"] }, status: 201 },
    { method: "GET", path: ISSUE, at: three, status: 200 },
    { method: "GET", path: ISSUES, query: "?state=all&creator=stanch%5Bbot%5D&labels=stanch", status: 200 },
    { method: "GET", path: ISSUES, query: "?state=all", status: 200 },
    { method: "POST", path: `${ISSUE}/comments`, at: three, body: { body: "hello" }, status: 201 },
    { method: "POST", path: `${ISSUE}/labels`, at: three, body: { labels: ["x"] }, status: 200 },
    { method: "GET", path: `${ISSUE}/comments`, at: three, status: 200 },
    { method: "PATCH", path: ISSUE, at: three, body: { state: "closed", state_reason: "not_planned" }, status: 200 },
    { method: "PATCH", path: ISSUE, at: three, body: { state: "open", title: "u" }, status: 200 },
    { method: "GET", path: COMMIT, at: { ref: "COMMIT" }, status: 200 },
    { method: "POST", path: CHECKS, body: check({ annotations: [note] }), token: "app", status: 201 },
    { method: "PATCH", path: CHECK, at: main, body: { conclusion: "neutral" }, token: "app", status: 200 },
    { method: "GET", path: `${COMMIT}/check-runs`, at: { ref: "COMMIT" }, query: "?check_name=drift", status: 200 },
    { method: "GET", path: `${COMMIT}/check-runs`, at: { ref: "heads/main" }, token: "reader", status: 200 },
    { method: "GET", path: `${CHECK}/annotations`, at: main, status: 200 },
    { method: "POST", path: STATUSES, at: { sha: "COMMIT" }, body: { state: "success" }, status: 201 },
    { method: "GET", path: `${COMMIT}/statuses`, at: { ref: "COMMIT" }, status: 200 },
    { method: "GET", path: `${REPO}/commits`, query: "?sha=main", status: 200 },
    { method: "GET", path: PERMISSION, at: { username: "ada" }, status: 200 },
    { method: "GET", path: PERMISSION, at: { username: "eve" }, status: 200 },
    { method: "PATCH", path: COMMENT, at: { comment_id: "3001" }, body: { body: "changed" }, status: 200 },
    { method: "DELETE", path: COMMENT, at: { comment_id: "3001" }, status: 204 },
    { method: "GET", path: "/app", token: JWT, status: 200 },
    { method: "GET", path: PULL, at: one, status: 200 },
    { method: "GET", path: PULLS, query: "?state=all&per_page=1", status: 200 },
    { method: "GET", path: `${PULL}/commits`, at: one, status: 200 },
    { method: "GET", path: ISSUE, at: one, status: 200 },
    { method: "GET", path: `${ISSUE}/comments`, at: one, status: 200 },
    { method: "PATCH", path: PULL, at: two, body: { title: "u", state: "closed" }, status: 200 },
    { method: "GET", path: PULL, at: two, status: 200 },
    { method: "GET", path: ISSUE, at: two, status: 200 },
    { method: "PUT", path: `${PULL}/merge`, at: one, status: 200 },
    { method: "GET", path: PULL, at: one, status: 200 },
    { method: "GET", path: PULLS, query: "?state=all", status: 200 },
    { method: "DELETE", path: `${REPO}/git/refs/{ref}`, at: { ref: "heads/stanch/c/one" }, status: 204 },
    { method: "GET", path: `${REPO}/installation`, token: JWT, status: 200 },
    {
      method: "POST",
      path: "/app/installations/{installation_id}/access_tokens",
      at: { installation_id: "4242" },
      token: JWT,
      status: 201,
    },
  ])("$method $path: $status", isAsDescribed);

  it.each<Call>([
    { method: "GET", path: "/user", token: "wrong", status: 401 },
    { method: "GET", path: "/user", token: "app", status: 403 },
    { method: "GET", path: REPO, repository: "acme/none", status: 404 },
    { method: "GET", path: `${REPO}/git/ref/{ref}`, at: { ref: "heads/none" }, status: 404 },
    { method: "GET", path: PULL, at: { pull_number: "99" }, status: 404 },
    { method: "POST", path: PULLS, body: request("stanch/c/three"), token: "reader", status: 403 },
    { method: "POST", path: PULLS, body: request("none"), status: 422 },
    { method: "POST", path: PULLS, body: request("main"), status: 422 },
    { method: "POST", path: PULLS, body: { ...request("stanch/c/three"), body: "x".repeat(65_537) }, status: 422 },
    { method: "POST", path: `${ISSUE}/comments`, at: one, body: { body: "x".repeat(65_537) }, status: 422 },
    { method: "PUT", path: `${PULL}/merge`, at: two, status: 405 },
    { method: "POST", path: ISSUES, body: { title: "t" }, repository: "acme/mute", status: 410 },
    { method: "GET", path: ISSUES, repository: "acme/mute", status: 404 },
    { method: "POST", path: ISSUES, body: { title: "t" }, token: "reader", status: 403 },
    { method: "POST", path: ISSUES, body: {}, status: 422 },
    { method: "POST", path: ISSUES, body: { title: "t", body: "x".repeat(65_537) }, status: 422 },
    { method: "GET", path: COMMIT, at: { ref: "0".repeat(40) }, status: 422 },
    {
      method: "POST",
      path: `${PULL}/requested_reviewers`,
      at: { pull_number: "2" },
      body: { reviewers: ["stranger"] },
      status: 422,
    },
    { method: "DELETE", path: `${REPO}/git/refs/{ref}`, at: { ref: "heads/none" }, status: 422 },
  ])("refuses $method $path: $status", isAsDescribed);

  // GitHub's description has no answer for these: they are worded as GitHub words them.
  it.each<Call & { readonly says: string }>([
    {
      method: "POST",
      path: CHECKS,
      body: check(),
      token: "person",
      status: 403,
      says: "authenticate via a GitHub App",
    },
    { method: "POST", path: CHECKS, body: check(), status: 403, says: "not accessible by personal access token" },
    { method: "PATCH", path: CHECK, at: main, body: {}, token: "other", status: 403, says: "GitHub App that created" },
    {
      method: "POST",
      path: CHECKS,
      body: check({ annotations: Array.from({ length: 51 }, () => note) }),
      token: "app",
      status: 422,
      says: "No more than 50",
    },
    {
      method: "POST",
      path: CHECKS,
      body: check({ text: "x".repeat(65_536) }),
      token: "app",
      status: 422,
      says: "text",
    },
    { method: "POST", path: CHECKS, body: { name: "drift" }, token: "app", status: 422, says: "No commit found" },
    {
      method: "POST",
      path: STATUSES,
      at: { sha: "COMMIT" },
      body: { state: "success", description: "x".repeat(141) },
      status: 422,
      says: "140",
    },
    { method: "GET", path: PERMISSION, at: { username: "dependabot[bot]" }, status: 404, says: "is not a user" },
    { method: "PATCH", path: COMMENT, at: { comment_id: "1" }, body: { body: "x" }, status: 404, says: "Not Found" },
  ])("refuses $method $path: $status, $says", async ({ says, ...call }) => {
    expect(JSON.stringify(await ask(call))).toContain(says);
  });
});

// GraphQL is not in that description: its objects are worded as GitHub's reference has them.
describe("the embedded code host answers GraphQL as GitHub does", () => {
  const query = (text: string, token: string, variables: object = {}) =>
    ask({ method: "POST", path: "/graphql", body: { query: text, variables }, token, status: 200 });
  const edit =
    "query ($owner: String!, $name: String!, $number: Int!) { repository(owner: $owner, name: $name) { issue(number: $number) { body lastEditedAt editor { __typename login } } } }";

  it("who asks: a user by name, an installation as its App's bot", async () => {
    const viewer = "query { viewer { login } }";
    expect(await query(viewer, "person")).toEqual({ data: { viewer: { login: "ada" } } });
    expect(await query(viewer, "other")).toEqual({ data: { viewer: { login: "other[bot]" } } });
  });

  it("who edited an issue: nobody, an App by its slug, or a person", async () => {
    const made = (await ask({ method: "POST", path: ISSUES, body: { title: "t", body: "b" }, status: 201 })) as {
      number: number;
    };
    const at = { owner: "acme", name: "shop", number: made.number };
    const said = async (): Promise<unknown> =>
      ((await query(edit, "reader", at)) as { data: { repository: { issue: unknown } } }).data.repository.issue;
    expect(await said()).toEqual({ body: "b", lastEditedAt: null, editor: null });
    const change = (token: string, body: object) =>
      ask({ method: "PATCH", path: ISSUE, at: { issue_number: String(made.number) }, body, token, status: 200 });
    // Neither the same text nor another title is an edit of it.
    await change("person", { body: "b", title: "u", state: "closed" });
    expect(await said()).toMatchObject({ lastEditedAt: null, editor: null });
    await change("app", { body: "c" });
    const when = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
    expect(await said()).toEqual({ body: "c", lastEditedAt: when, editor: { __typename: "Bot", login: "stanch" } });
    await change("person", { body: "d" });
    expect(await said()).toMatchObject({ editor: { __typename: "User", login: "ada" } });
  });

  it("what is not there is an error, with status 200", async () => {
    const none = { data: { repository: { issue: null } }, errors: [{ type: "NOT_FOUND" }] };
    expect(await query(edit, "reader", { owner: "acme", name: "shop", number: 999 })).toMatchObject(none);
    const nowhere = await query(edit, "reader", { owner: "acme", name: "none", number: 1 });
    expect(nowhere).toMatchObject({ data: { repository: null }, errors: [{ path: ["repository"] }] });
  });
});

describe("the check itself", () => {
  it("finds what is missing, of another type, or no date", () => {
    const schema = schemaOf(api, "GET", "/repos/{owner}/{repo}/pulls/{pull_number}", 200);
    const faults = faultsOf({ number: "1", created_at: "yesterday", state: "ajar" }, schema ?? {}, api);
    expect(faults).toContain('$.number: "1" is no integer');
    expect(faults).toContain('$.created_at: "yesterday" is no date-time');
    expect(faults).toContain('$.state: "ajar" is none of open, closed');
    expect(faults).toContain("$.html_url is missing");
  });
});
