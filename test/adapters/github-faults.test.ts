import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { gitRemote } from "../../src/adapters/github-address.ts";
import { StanchError } from "../../src/errors.ts";
import { type GitHubBench, REPOSITORY, startBench, TOKEN } from "./github-bench.ts";

let bench: GitHubBench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => {
  bench.host.faults.clear();
  bench.slept.length = 0;
  bench.logged.length = 0;
});

/** The typed fault of a call; it and everything logged on the way are free of credentials. */
async function faultOf(call: Promise<unknown>, secret = TOKEN): Promise<StanchError> {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StanchError);
  const everything = `${inspect(error, { depth: 12 })}${(error as Error).stack}${bench.logged.join("")}`;
  expect(everything).not.toContain(secret);
  expect(everything).not.toContain(Buffer.from(`x-access-token:${secret}`).toString("base64"));
  return error as StanchError;
}

const REPO = /^\/repos\/acme\/shop$/;
const check = async () => (await bench.client()).check(REPOSITORY);
const secondary = { message: "You have exceeded a secondary rate limit. Please wait a few minutes." };

describe("a fault that passes", () => {
  it.each([500, 502, 503, 504])("%i is tried again", async (status) => {
    bench.host.faults.add({ path: REPO, status, times: 2 });
    expect(await check()).toMatchObject({ push: true });
  });

  it("a cut connection is tried again", async () => {
    bench.host.faults.add({ path: REPO, closeConnection: true });
    expect(await check()).toMatchObject({ push: true });
  });

  it.each([403, 429])("%i with a secondary rate limit waits for as long as it says", async (status) => {
    bench.host.faults.add({ path: REPO, status, headers: { "retry-after": "20" }, body: secondary, times: 2 });
    const started = performance.now();
    expect(await check()).toMatchObject({ push: true });
    expect(performance.now() - started).toBeGreaterThan(35);
    expect(bench.logged.join("")).toContain('"kind":"secondary"');
  });

  it("a bare 429 waits for as long as it says", async () => {
    bench.host.faults.add({ path: REPO, status: 429, headers: { "retry-after": "7" }, body: "slow down", times: 2 });
    expect(await check()).toMatchObject({ push: true });
    expect(bench.slept).toEqual([7000, 7000]);
  });

  it("a bare 429 without a number waits a little", async () => {
    bench.host.faults.add({ path: REPO, status: 429 });
    expect(await check()).toMatchObject({ push: true });
    expect(bench.slept).toEqual([10_000]);
  });
});

describe("a fault that stays", () => {
  const later = String(Math.ceil(Date.now() / 1000) + 1800);
  it.each<[string, { status: number; headers?: Record<string, string>; body?: unknown }, RegExp, RegExp]>([
    ["5xx", { status: 503 }, /cannot look at the repository in acme\/shop: Server Error \(503\)/, /next run tries/],
    [
      "primary rate limit",
      {
        status: 403,
        headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": later },
        body: { message: "API rate limit exceeded for user ID 1." },
      },
      /API rate limit exceeded/,
      /used up until \d{4}-.*the next run goes on/,
    ],
    [
      "secondary rate limit beyond our patience",
      { status: 403, headers: { "retry-after": "600" }, body: secondary },
      /secondary rate limit/,
      /rate limit is used up; the next run/,
    ],
    ["429 beyond our patience", { status: 429, headers: { "retry-after": "600" } }, /\(429\)/, /rate limit is used up/],
    ["401", { status: 401, body: { message: "Bad credentials" } }, /Bad credentials \(401\)/, /renew GITHUB_TOKEN/],
    [
      "403 without scope",
      { status: 403, body: { message: "Resource not accessible by personal access token" } },
      /not accessible by personal access token/,
      /contents: write, pull requests: write/,
    ],
    ["404", { status: 404, body: { message: "Not Found" } }, /acme\/shop: Not Found \(404\)/, /does not exist, or/],
    ["410", { status: 410, body: { message: "Issues are disabled for this repo" } }, /\(410\)/, /settings/],
    ["451", { status: 451, body: { message: "Repository access blocked" } }, /\(451\)/, /`sources`/],
    ["409", { status: 409, body: { message: "Git Repository is empty." } }, /empty/, /next run/],
    [
      "an archived repository",
      { status: 403, body: { message: "Repository was archived so is read-only." } },
      /archived/,
      /unarchive it, or take it out of `sources`/,
    ],
    [
      "422 of a protected branch",
      { status: 422, body: { message: "Repository rule violations found" } },
      /rule violations/,
      /ruleset/,
    ],
    [
      "422 of a field",
      { status: 422, body: { message: "Validation Failed", errors: [{ field: "base", code: "invalid" }] } },
      /Validation Failed: base invalid \(422\)/,
      /did not accept/,
    ],
    ["an answer that is no JSON", { status: 418, body: "<html>" }, /\(418\)/, /^$/],
  ])("%s", async (_, fault, sentence, hint) => {
    bench.host.faults.add({ path: REPO, times: 99, ...fault });
    const error = await faultOf(check());
    expect(error.code).toBe("code-host");
    expect(error.message).toMatch(sentence);
    expect(error.hint ?? "").toMatch(hint);
    expect(bench.slept.every((ms) => ms <= 60_000)).toBe(true);
  });

  it("a limit that never ends is not waited for for ever", async () => {
    bench.host.faults.add({ path: REPO, status: 429, headers: { "retry-after": "1" }, times: 99 });
    expect((await faultOf(check())).hint).toContain("rate limit");
    expect(bench.slept).toHaveLength(2);
  });

  it("a host that cannot be reached is not called a fault of GitHub's", async () => {
    const client = await bench.client({ apiUrl: "http://127.0.0.1:9" });
    const error = await faultOf(client.check(REPOSITORY));
    expect(error.message).toMatch(/cannot look at the repository in acme\/shop: /);
    expect(error.message).not.toContain("500");
    expect(error.hint).toContain("cannot be reached: check the network, proxy and github.apiUrl");
  });

  it("a token that the host repeats is taken out", async () => {
    bench.host.faults.add({ path: REPO, status: 422, body: { message: `no such token ${TOKEN}` } });
    expect((await faultOf(check())).message).toContain("‹token›");
  });
});

describe("what GitHub itself refuses", () => {
  const request = { title: "t", body: "b", head: "stanch/c/none", base: "main", draft: false };
  it.each<[string, object, RegExp]>([
    ["a head that is not there", {}, /head invalid/],
    ["a base that is not there", { head: "main", base: "trunk" }, /base invalid/],
    ["a branch without a commit of its own", { head: "main" }, /No commits between main and main/],
    ["a body beyond its limit", { body: "x".repeat(65_537) }, /body is too long/],
  ])("%s", async (_, change, sentence) => {
    const error = await faultOf((await bench.client()).createPullRequest(REPOSITORY, { ...request, ...change }));
    expect(error.message).toMatch(/^cannot open the pull request in acme\/shop: /);
    expect(error.message).toMatch(sentence);
  });

  it("a token that may only read, and one that is unknown", async () => {
    bench.host.addToken("reader-0123456789", { login: "reader", permission: "read" });
    const reader = await bench.client({ auth: { token: "reader-0123456789" } });
    const refused = await faultOf(reader.createPullRequest(REPOSITORY, request), "reader-0123456789");
    expect(refused.hint).toContain("pull requests: write");
    const wrong = await bench.client({ auth: { token: "wrong-0123456789" } });
    const error = await faultOf(wrong.check(REPOSITORY), "wrong-0123456789");
    expect(error).toMatchObject({ code: "code-host", hint: expect.stringContaining("renew GITHUB_TOKEN") });
  });

  it("no token at all", async () => {
    const none = await bench.client({ auth: { token: "" } });
    expect(await none.check(REPOSITORY).catch((error: StanchError) => error.hint)).toContain("set GITHUB_TOKEN");
  });

  it("a token with a line break in it, which HTTP would quote", async () => {
    const broken = await bench.client({ auth: { token: `${TOKEN}\nx` } }).catch((error: unknown) => error);
    expect(broken).toMatchObject({ code: "config", hint: expect.stringContaining("line break") });
    expect(inspect(broken)).not.toContain(TOKEN);
  });
});

describe("as a GitHub App", () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pkcs1 = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  const pkcs8 = privateKey.export({ type: "pkcs8", format: "pem" }).toString();

  it.each([
    ["PKCS#1, as GitHub makes it", pkcs1],
    ["PKCS#8", pkcs8],
    ["with its line breaks written out", pkcs1.replaceAll("\n", "\\n")],
  ])("finds its installation and works with the installation's token: %s", async (_, key) => {
    const client = await bench.client({ auth: { appId: "7", privateKey: key } });
    expect(await client.check(REPOSITORY)).toMatchObject({ login: "app 7", push: true });
    const token = await client.gitToken(REPOSITORY);
    expect(token).toMatch(/^ghs_/);
    expect(await client.gitToken(REPOSITORY)).toBe(token);
  });

  it("uses the configured installation without looking for it", async () => {
    const before = bench.host.requests.length;
    const auth = { appId: "7", privateKey: pkcs1, installationId: "4242" };
    await (await bench.client({ auth })).branchHead(REPOSITORY, "main");
    const paths = bench.host.requests.slice(before).map((row) => row.path);
    expect(paths).toEqual(["/app/installations/4242/access_tokens", "/repos/acme/shop/git/ref/heads%2Fmain"]);
  });

  it("says when it is not installed, and asks again the next time", async () => {
    const client = await bench.client({ auth: { appId: "7", privateKey: pkcs1 } });
    bench.host.faults.add({ path: /\/installation$/, status: 404, body: { message: "Not Found" } });
    const error = await faultOf(client.check(REPOSITORY), pkcs1.split("\n")[3]);
    expect(error.hint).toContain("the App is not installed on it");
    expect(await client.check(REPOSITORY)).toMatchObject({ push: true });
  });

  it("says when the key is not accepted, and when it is none", async () => {
    bench.host.faults.add({
      path: /access_tokens$/,
      status: 401,
      body: { message: "A JSON web token could not be decoded" },
    });
    const auth = { appId: "8", privateKey: pkcs1, installationId: "1" };
    const error = await faultOf((await bench.client({ auth })).check(REPOSITORY), pkcs1.split("\n")[3]);
    expect(error.hint).toContain("STANCH_GITHUB_APP_KEY");
    const none = await bench.client({ auth: { appId: "8", privateKey: "hunter2-is-no-key" } });
    const bad = await faultOf(none.check(REPOSITORY), "hunter2");
    expect(bad).toMatchObject({ code: "config", message: expect.stringContaining("STANCH_GITHUB_APP_KEY") });
  });
});

describe("addresses", () => {
  it.each([
    ["https://api.github.com", "https://github.com/acme/shop.git"],
    ["https://ghe.example.com/api/v3", "https://ghe.example.com/acme/shop.git"],
    ["https://ghe.example.com/api/v3/", "https://ghe.example.com/acme/shop.git"],
    ["https://ghe.example.com:8443/git/api/v3", "https://ghe.example.com:8443/git/acme/shop.git"],
    ["http://127.0.0.1:8080/api/v3", "http://127.0.0.1:8080/acme/shop.git"],
  ])("git's remote follows from %s", (apiUrl, remote) => {
    expect(gitRemote(apiUrl, REPOSITORY)).toBe(remote);
  });

  it.each(["http://ghe.example.com/api/v3", "ftp://ghe.example.com", "http://127.0.0.1.example.com"])(
    "%s would send the token in the clear",
    async (apiUrl) => {
      const error = await faultOf(bench.client({ apiUrl }));
      expect(error).toMatchObject({ code: "config", hint: expect.stringContaining("https") });
    },
  );

  it("takes no credentials in the address", async () => {
    const error = await faultOf(bench.client({ apiUrl: "https://me:hunter2@ghe.example.com/api/v3" }), "hunter2");
    expect(error.hint).toContain("https://ghe.example.com/api/v3");
  });

  it("works under /api/v3, as an Enterprise server answers", async () => {
    expect(bench.host.apiUrl).toMatch(/\/api\/v3$/);
    await expect((await bench.client({ apiUrl: `${bench.host.apiUrl}/` })).check(REPOSITORY)).resolves.toBeDefined();
  });
});
