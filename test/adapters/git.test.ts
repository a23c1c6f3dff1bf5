import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { StanchError } from "../../src/errors.ts";
import type { Checkout } from "../../src/ports.ts";
import { AUTHOR, everythingIn, type GitBench, startGitBench, TOKEN } from "./git-bench.ts";

const MANIFEST = "apps/app.yaml";
const BRANCH = "stanch/test/one";
let bench: GitBench;
let REPOSITORY = "";
let count = 0;

beforeAll(async () => {
  bench = await startGitBench();
  vi.stubEnv("TMPDIR", bench.folder);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await bench[Symbol.asyncDispose]();
});
beforeEach(async () => {
  bench.host.faults.clear();
  await rm(bench.cache, { recursive: true, force: true });
  REPOSITORY = `acme/shop-${++count}`;
  await bench.host.addRepository(REPOSITORY, {
    commits: [
      { message: "Import", files: { [MANIFEST]: "memory: 32Mi\n", "big.txt": "x".repeat(100_000) } },
      { message: "More memory", files: { [MANIFEST]: "memory: 64Mi\n" } },
    ],
    protectedBranches: ["main"],
  });
});

const edit = (after: string, before = "memory: 64Mi\n") => ({ file: MANIFEST, before, after });
const publish = (checkout: Checkout, expected: string | null, after = "memory: 128Mi\n") =>
  checkout.publish({ branch: BRANCH, message: "fix: memory\n", edits: [edit(after)], expected });
const faultOf = async (work: Promise<unknown>): Promise<StanchError> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StanchError);
  return error as StanchError;
};
const secrets = [TOKEN, Buffer.from(`x-access-token:${TOKEN}`).toString("base64")];

describe("fetching", () => {
  it("clones without old contents, and the second time fetches into the same clone", async () => {
    const repositories = bench.repositories();
    const first = await repositories.open(REPOSITORY, "main");
    expect(await first.read(MANIFEST)).toBe("memory: 64Mi\n");
    expect(await readFile(join(first.directory, MANIFEST), "utf8")).toBe("memory: 64Mi\n");
    expect((await first.history([MANIFEST], 10)).map((commit) => commit.subject)).toEqual(["More memory", "Import"]);
    expect(await first.blame(MANIFEST, 1)).toMatchObject({ subject: "More memory", email: "robin@example.com" });
    expect(await bench.argv()).toContain("--filter=blob:none");
    const [clone = ""] = await readdir(bench.cache);
    const born = (await stat(join(bench.cache, clone))).ino;
    await first.close();

    await bench.host.commit(REPOSITORY, "main", { [MANIFEST]: "memory: 96Mi\n" }, { message: "Even more" });
    const clones = (await bench.argv()).split("\n").filter((line) => line.startsWith("clone")).length;
    const second = await bench.repositories().open(REPOSITORY, "main");
    expect(await second.read(MANIFEST)).toBe("memory: 96Mi\n");
    expect((await stat(join(bench.cache, clone))).ino).toBe(born);
    expect((await bench.argv()).split("\n").filter((line) => line.startsWith("clone")).length).toBe(clones);
    await second.close();
  });

  it("shows an older tree beside the present one, and cleans up both", async () => {
    const checkout = await bench.repositories().open(REPOSITORY, "main");
    const [, old] = await checkout.history(["."], 2);
    const tree = await checkout.treeAt(old?.sha ?? "");
    expect(await readFile(join(tree, MANIFEST), "utf8")).toBe("memory: 32Mi\n");
    expect(await checkout.treeAt(old?.sha ?? "")).toBe(tree);
    await checkout.close();
    for (const gone of [tree, checkout.directory]) await expect(stat(gone)).rejects.toThrow("ENOENT");
  });

  it("serves two readers at once", async () => {
    const repositories = bench.repositories();
    const both = await Promise.all([repositories.open(REPOSITORY, "main"), repositories.open(REPOSITORY, "main")]);
    expect(both[0]?.directory).not.toBe(both[1]?.directory);
    for (const checkout of both) await checkout.close();
  });

  it.each([
    ["a head that is garbage", (cache: string) => writeFile(join(cache, "HEAD"), "garbage\n")],
    ["a lock that a killed git left", (cache: string) => writeFile(join(cache, "packed-refs.lock"), "")],
    ["no objects", (cache: string) => rm(join(cache, "objects"), { recursive: true })],
    [
      "files that are neither there nor to be asked for",
      async (cache: string) => {
        const config = join(cache, "config");
        await writeFile(
          config,
          (await readFile(config, "utf8")).replace(/^\s*(promisor|partialclonefilter) = .*$/gm, ""),
        );
        const packs = join(cache, "objects/pack");
        for (const name of await readdir(packs)) if (name.endsWith(".promisor")) await rm(join(packs, name));
      },
    ],
  ])("makes a clone anew that cannot be used any more: %s", async (_, spoil) => {
    await (await bench.repositories().open(REPOSITORY, "main")).close();
    const [clone = ""] = await readdir(bench.cache);
    await bench.host.branch(REPOSITORY, "other", "main");
    await bench.host.commit(REPOSITORY, "main", { "new.txt": "new\n" }, { message: "New" });
    await spoil(join(bench.cache, clone));
    const checkout = await bench.repositories().open(REPOSITORY, "main");
    expect(await checkout.read("new.txt")).toBe("new\n");
    await checkout.close();
  });

  it("makes one clone where many processes clone at once, and all can use it", async () => {
    const opened = await Promise.all([1, 2, 3, 4].map(() => bench.repositories().open(REPOSITORY, "main")));
    for (const checkout of opened) await checkout.close();
    expect(await readdir(bench.cache)).toHaveLength(1);
    const checkout = await bench.repositories().open(REPOSITORY, "main");
    expect(await checkout.files()).not.toEqual([]);
    await checkout.close();
  });

  it("takes away what a killed process left of a clone, when that is a day old", async () => {
    await (await bench.repositories().open(REPOSITORY, "main")).close();
    const [clone = ""] = await readdir(bench.cache);
    for (const name of ["aaaa", "bbbb.old", "cccc"])
      await mkdir(join(bench.cache, `${clone}.${name}/objects`), { recursive: true });
    const before = new Date(Date.now() - 2 * 86_400_000);
    for (const name of ["aaaa", "bbbb.old"]) await utimes(join(bench.cache, `${clone}.${name}`), before, before);
    await rm(join(bench.cache, clone), { recursive: true });
    await (await bench.repositories().open(REPOSITORY, "main")).close();
    expect((await readdir(bench.cache)).sort()).toEqual([clone, `${clone}.cccc`]);
  });

  it("reads text only, and only what is a file", async () => {
    const checkout = await bench.repositories().open(REPOSITORY, "main");
    expect(await checkout.read("none.yaml")).toBeNull();
    expect(await checkout.read("apps")).toBeNull();
    expect(await checkout.read("../../../etc/passwd")).toBeNull();
    await checkout.close();
  });
});

describe("faults of fetching", () => {
  const open = (options: Parameters<GitBench["repositories"]>[0] = {}, branch = "main", repository = REPOSITORY) =>
    faultOf(bench.repositories(options).open(repository, branch));

  it.each<[string, () => Promise<StanchError>, RegExp, RegExp]>([
    [
      "a repository that is gone",
      () => open({}, "main", "acme/none"),
      /acme\/none/,
      /does not exist, or the token does not see/,
    ],
    ["a branch that is gone", () => open({}, "trunk"), /acme\/shop-\d+ has no branch "trunk"/, /`branch`/],
    ["a branch that is an option", () => open({}, "--upload-pack=x"), /has no branch/, /`branch`/],
    ["a token that is not accepted", () => open({ token: "wrong-0123456789" }), /acme\/shop/, /GITHUB_TOKEN/],
    [
      "a host that is not there",
      () => open({ remote: "http://127.0.0.1:9/acme/shop.git" }),
      /shop/,
      /cannot be reached/,
    ],
  ])("%s", async (_, fails, sentence, hint) => {
    const error = await fails();
    expect(error.code).toBe("git");
    expect(error.message).toMatch(sentence);
    expect(error.hint).toMatch(hint);
    for (const secret of [...secrets, "wrong-0123456789"]) expect(inspect(error, { depth: 9 })).not.toContain(secret);
  });

  it.each([
    [503, /fault of its own/],
    [429, /patience/],
    [403, /contents: write/],
  ])("an answer %i", async (status, hint) => {
    bench.host.faults.add({ path: /info\/refs/, status, times: 9 });
    expect((await open()).hint).toMatch(hint);
  });

  it("a network that is cut in the middle of the clone leaves nothing behind", async () => {
    const trees = async () => (await readdir(bench.folder)).filter((name) => name.startsWith("stanch-tree-")).length;
    const before = await trees();
    const noise = randomBytes(40_000).toString("hex");
    // Commit messages are in the pack even when contents are not.
    await bench.host.commit(REPOSITORY, "main", { "new.txt": "new\n" }, { message: noise });
    const upstream = new URL(bench.host.url);
    // The first answers pass; the pack is cut.
    const proxy = net.createServer((near) => {
      const far = net.connect(Number(upstream.port), upstream.hostname);
      let bytes = 0;
      near.pipe(far);
      far.on("data", (chunk) => {
        bytes += chunk.length;
        if (bytes > 6000) near.destroy();
        else near.write(chunk);
      });
      for (const socket of [near, far]) socket.on("error", () => undefined);
      near.on("close", () => far.destroy());
      far.on("close", () => near.end());
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const { port } = proxy.address() as net.AddressInfo;
    const error = await open({ remote: `http://127.0.0.1:${port}/${REPOSITORY}.git` });
    expect(error.hint).toContain("cannot be reached");
    proxy.close();
    expect(await readdir(bench.cache)).toEqual([]);
    expect(await trees()).toBe(before);
  });
});

describe("the token", () => {
  it("is in no file, no argument, no log", async () => {
    const checkout = await bench.repositories().open(REPOSITORY, "main");
    await publish(checkout, null);
    await checkout.treeAt((await checkout.history(["."], 2))[1]?.sha ?? "");
    const seen = [
      await everythingIn(bench.cache),
      await everythingIn(join(checkout.directory, "..")),
      await bench.argv(),
      bench.logged.join(""),
    ].join("\n");
    await checkout.close();
    expect(seen).toContain("partialclonefilter");
    for (const secret of secrets) expect(seen).not.toContain(secret);
  });

  it("is sent to no other host, even when the repository's own sends us there", async () => {
    const heard: string[] = [];
    // Takes the first request without asking, as somebody who collects tokens would.
    const advertisement = "001e# service=git-upload-pack\n0000000eversion 2\n000cls-refs\n0000";
    const other = http.createServer((request, response) => {
      heard.push(`${request.method} ${inspect(request.headers)}`);
      const type = "application/x-git-upload-pack-advertisement";
      if (request.method === "GET") response.writeHead(200, { "content-type": type }).end(advertisement);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as net.AddressInfo;
    const location = `http://127.0.0.1:${port}/acme/shop.git/info/refs?service=git-upload-pack`;
    bench.host.faults.add({ path: /info\/refs/, status: 301, headers: { location }, times: 9 });
    const error = await faultOf(bench.repositories().open(REPOSITORY, "main"));
    other.close();
    for (const secret of secrets) expect(heard.join("")).not.toContain(secret);
    expect(error.hint).toContain("renamed or moved");
  });
});

describe("publishing", () => {
  let checkout: Checkout;
  beforeEach(async () => {
    checkout = await bench.repositories().open(REPOSITORY, "main");
  });
  afterEach(() => checkout.close());
  const reopened = async (): Promise<Checkout> => {
    await checkout.close();
    checkout = await bench.repositories().open(REPOSITORY, "main");
    return checkout;
  };

  it("pushes one commit of its own on top of the base", async () => {
    const result = await publish(checkout, null);
    expect(result.pushed).toBe(true);
    expect(await bench.host.read(REPOSITORY, BRANCH, MANIFEST)).toBe("memory: 128Mi\n");
    const seen = await bench.repositories().open(REPOSITORY, BRANCH);
    expect((await seen.history(["."], 5))[0]).toMatchObject({ ...{ author: AUTHOR.name }, email: AUTHOR.email });
    expect((await seen.history(["."], 5))[1]?.sha).toBe(checkout.revision);
    await seen.close();
  });

  it("says when the edits change nothing, and when the branch says it already", async () => {
    expect(await publish(checkout, null, "memory: 64Mi\n")).toMatchObject({ pushed: false, reason: "unchanged" });
    const first = await publish(checkout, null);
    const head = first.pushed ? first.head : "";
    expect(await publish(await reopened(), head)).toMatchObject({ pushed: false, reason: "unchanged" });
  });

  it("replaces its own commit when the base has moved", async () => {
    const first = await publish(checkout, null);
    await bench.host.commit(REPOSITORY, "main", { "new.txt": "new\n" }, { message: "New" });
    const second = await publish(await reopened(), first.pushed ? first.head : "");
    expect(second.pushed).toBe(true);
    expect(await bench.host.read(REPOSITORY, BRANCH, "new.txt")).toBe("new\n");
  });

  const commitOfPerson = () =>
    bench.host.commit(REPOSITORY, BRANCH, { [MANIFEST]: "memory: 99Mi\n" }, { message: "By hand" });

  it("never replaces a person's commit, even when asked to", async () => {
    await publish(checkout, null);
    const person = await commitOfPerson();
    expect(await publish(await reopened(), person)).toMatchObject({ pushed: false, reason: "edited" });
    expect(await bench.host.read(REPOSITORY, BRANCH, MANIFEST)).toBe("memory: 99Mi\n");
  });

  it("replaces what is its own by author and committer, whoever moved the branch there", async () => {
    await bench.host.branch(REPOSITORY, BRANCH, "main");
    const head = await bench.host.commit(REPOSITORY, BRANCH, { "x.txt": "x" }, { message: "x", author: AUTHOR });
    expect((await publish(await reopened(), head)).pushed).toBe(true);
  });

  it("sees a person who pushes in between", async () => {
    const first = await publish(checkout, null);
    await reopened();
    await commitOfPerson();
    const result = await publish(checkout, first.pushed ? first.head : "", "memory: 256Mi\n");
    expect(result).toMatchObject({ pushed: false, reason: "moved", message: expect.stringContaining(BRANCH) });
    expect(await bench.host.read(REPOSITORY, BRANCH, MANIFEST)).toBe("memory: 99Mi\n");
  });

  it("does not take over a branch that it does not expect", async () => {
    await bench.host.branch(REPOSITORY, BRANCH, "main");
    await commitOfPerson();
    expect(await publish(checkout, null)).toMatchObject({ pushed: false, reason: "moved" });
  });

  it("of two runs at once, one wins and the other hears of it", async () => {
    const other = await bench.repositories().open(REPOSITORY, "main");
    const results = await Promise.all([publish(checkout, null), publish(other, null, "memory: 512Mi\n")]);
    expect(results.filter((result) => result.pushed)).toHaveLength(1);
    expect(results.find((result) => !result.pushed)).toMatchObject({ reason: "moved" });
    await other.close();
  });

  it("says what the host says of a protected branch", async () => {
    const result = await checkout.publish({
      branch: "main",
      message: "fix: memory\n",
      edits: [edit("memory: 128Mi\n")],
      expected: checkout.revision,
    });
    expect(result).toMatchObject({ pushed: false, reason: "refused", message: expect.stringContaining("GH006") });
    expect(await bench.host.read(REPOSITORY, "main", MANIFEST)).toBe("memory: 64Mi\n");
  });

  it("edits only what is there as it was", async () => {
    const stale = checkout.publish({
      branch: BRANCH,
      message: "m",
      edits: [edit("memory: 1Gi\n", "memory: 16Mi\n")],
      expected: null,
    });
    await expect(stale).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining(MANIFEST) });
  });

  it.each([
    ["a token that may only read", "reader-0123456789", /contents: write/],
    ["a token that was revoked meanwhile", "gone-0123456789", /GITHUB_TOKEN/],
  ])("%s", async (_, token, hint) => {
    bench.host.addToken("reader-0123456789", { login: "reader", permission: "read" });
    if (token.startsWith("gone")) bench.host.faults.add({ path: /git-receive-pack|info\/refs/, status: 401, times: 9 });
    const reader = await bench
      .repositories({ token: token.startsWith("gone") ? TOKEN : token })
      .open(REPOSITORY, "main")
      .catch((error: unknown) => error);
    const error = reader instanceof StanchError ? reader : await faultOf(publish(reader as Checkout, null));
    expect(error.hint).toMatch(hint);
  });

  it("says when the repository is archived meanwhile", async () => {
    bench.host.archive(REPOSITORY);
    expect((await faultOf(publish(checkout, null))).hint).toContain("contents: write");
  });
});
