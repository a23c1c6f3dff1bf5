import { execFileSync, spawn } from "node:child_process";
import { closeSync, cpSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createSandbox } from "../../src/adapters/sandbox.ts";
import { type Bench, canSandbox, makeBench, PATH, processesWith } from "./sandbox-bench.ts";

/** What a program takes, and that nothing of it is left. */
const possible = await canSandbox();
const CHILD = fileURLToPath(new URL("./sandbox-child.ts", import.meta.url));
const MIB = 1024 * 1024;
/** A number that no other process sleeps for. */
const unique = () => `${40_000 + Math.floor(Math.random() * 9999)}.${process.pid}`;

describe.skipIf(!possible)("what a program in the sandbox may take", { timeout: 240_000 }, () => {
  let bench: Bench;
  beforeAll(() => {
    bench = makeBench();
  });
  afterAll(() => bench?.close());
  const nothingIsLeft = () => expect(readdirSync(bench.temporary)).toEqual([]);

  it("time: what asks to live on is killed, with everything that it started", async () => {
    const word = unique();
    const result = await bench.sh(
      `trap '' TERM INT HUP; sleep ${word} & setsid sleep ${word} & echo up; sleep ${word}`,
      {
        timeoutMs: 1500,
      },
    );
    expect(result).toMatchObject({ exit: null, timedOut: true, output: "up\n" });
    expect(result.ms).toBeGreaterThanOrEqual(1500);
    expect(result.ms).toBeLessThan(60_000);
    expect(processesWith(word)).toEqual([]);
    nothingIsLeft();
  });

  it("a daemon that forked twice and holds nothing of ours is gone before the answer", async () => {
    const word = unique();
    const result = await bench.sh(
      `(setsid sh -c 'exec sleep ${word}' </dev/null >/dev/null 2>&1 &); sleep 0.3; pgrep -f ${word} >/dev/null && echo up`,
    );
    expect(result).toMatchObject({ exit: 0, timedOut: false, output: "up\n" });
    expect(processesWith(word)).toEqual([]);
  });

  it("everything ends when Stanch is killed", async () => {
    const word = unique();
    const child = spawn(process.execPath, [CHILD, bench.temporary, bench.directory, `sleep ${word}`], {
      stdio: "ignore",
    });
    await vi.waitFor(() => expect(processesWith(word).length).toBeGreaterThan(0), { timeout: 60_000, interval: 50 });
    child.kill("SIGKILL");
    await vi.waitFor(() => expect(processesWith(word)).toEqual([]), { timeout: 30_000, interval: 50 });
    for (const name of readdirSync(bench.temporary)) rmSync(join(bench.temporary, name), { recursive: true });
  });

  it("gets no descriptor that Stanch was started with", async () => {
    const file = join(bench.temporary, "secret");
    writeFileSync(file, "canary");
    const fd = openSync(file, "r");
    // Node itself closes the first sixteen, and no others after a gap.
    const stdio = ["ignore", "pipe", "inherit", ...Array(37).fill("ignore"), fd] as const;
    const script = `perl -e 'open my $f, "<&=", 40; print <$f>'; for n in /proc/self/fd/*; do readlink $n; done`;
    const child = spawn(process.execPath, [CHILD, bench.temporary, bench.directory, script], { stdio: [...stdio] });
    let said = "";
    child.stdout?.on("data", (chunk) => {
      said += chunk;
    });
    await new Promise((done) => child.once("close", done));
    closeSync(fd);
    rmSync(file);
    const { output } = JSON.parse(said) as { output: string };
    expect(output).toContain("/dev/null");
    expect(output).not.toContain("canary");
    expect(output).not.toContain("secret");
  });

  it("output: the end of a flood, in little memory", async () => {
    const before = process.memoryUsage().rss;
    const result = await bench.sh("yes 0123456789abcdef | head -c 150000000; echo; echo THE END", {
      outputBytes: 2000,
    });
    expect(result.exit).toBe(0);
    expect(result.output).toMatch(/0123456789abcdef\n[\s\S]*THE END\n$/);
    expect(Buffer.byteLength(result.output)).toBeLessThanOrEqual(2000);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * MIB);
  });

  it("output: both streams as they came, what is no text, and /dev/stderr", async () => {
    const result = await bench.sh("echo one; echo two >&2; echo three > /dev/stderr; printf '\\377\\376\\n'; exit 7");
    expect(result).toMatchObject({ exit: 7, output: "one\ntwo\nthree\n\u{fffd}\u{fffd}\n" });
  });

  it("processes: a fork bomb ends at the limit, and with its time", async () => {
    const word = unique();
    const forks = `i=0; while [ $i -lt 150 ]; do sleep ${word} & i=$((i+1)); done; echo ALL`;
    const bounded = await bench.sh(forks, { limits: { processes: 60 } });
    expect(bounded.output).not.toContain("ALL");
    expect(bounded.output).toMatch(/fork/i);
    expect((await bench.sh(forks, { limits: { processes: 400 } })).output).toContain("ALL");
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, processesWith(word).length);
    }, 100);
    const bomb = `b() { sh -c 'sleep ${word}' ${word} & b | b & }; b; sleep ${word}`;
    const result = await bench.sh(bomb, { limits: { processes: 60 }, timeoutMs: 2000 });
    clearInterval(watch);
    // The shell that was asked for may not even be able to sleep, and ends before its time.
    expect(result.exit).not.toBe(0);
    expect(most).toBeLessThanOrEqual(60);
    expect(processesWith(word)).toEqual([]);
  });

  it("memory: a process gets so much, and /tmp and /dev/shm are bounded", async () => {
    const hog = 'perl -e \'my $x = "a" x (100 * 1024 * 1024); print "GOT ", length $x\'';
    expect((await bench.sh(hog, { limits: { processBytes: 50 * MIB } })).output).not.toContain("GOT");
    expect((await bench.sh(hog, { limits: { processBytes: 400 * MIB } })).output).toContain("GOT");
    const fill =
      "for d in /tmp /dev/shm; do dd if=/dev/zero of=$d/x bs=1M count=100 2>&1 | grep -o 'No space left'; stat -c %s $d/x; done";
    const [tmp, tmpBytes, shm, shmBytes] = (await bench.sh(fill, { limits: { tmpBytes: 10 * MIB } })).output.split(
      "\n",
    );
    expect([tmp, shm]).toEqual(["No space left", "No space left"]);
    expect([Number(tmpBytes), Number(shmBytes)]).toEqual([10 * MIB, 64 * MIB]);
  });

  it("disk: no file over the limit, and not too many together", async () => {
    const one = await bench.sh("yes > file; stat -c %s file", { limits: { fileBytes: 5 * MIB } });
    expect(one.output).toContain(String(5 * MIB));
    const many = "i=0; while :; do head -c 1048576 /dev/zero > f$i; i=$((i+1)); sleep 0.01; done";
    const result = await bench.sh(many, { limits: { diskBytes: 20 * MIB } });
    expect(result).toMatchObject({ exit: null, timedOut: false });
    expect(result.output).toContain("ended by Stanch: it took too much disk");
    nothingIsLeft();
  });

  it("leaves nothing behind that cannot be removed", async () => {
    const deep = `perl -e 'for (1..60) { my $d = "d" x 200; mkdir $d and chdir $d or die $!; print "." if $_ == 60 }'`;
    const { output } = await bench.sh(
      `(${deep}); mkdir -p shut/in; chmod 0 shut/in; chmod 0 shut; mkfifo pipe; touch -- -rf`,
    );
    expect(output).toBe(".");
    nothingIsLeft();
    expect(readdirSync(bench.directory)).toEqual([]);
  });

  it("says what could not be run", async () => {
    const run = (command: readonly string[], directory = bench.directory) =>
      bench.sandbox().run({ directory, command, timeoutMs: 10_000, outputBytes: 1000 });
    expect(await run(["no-such-go", "test"])).toEqual({
      ran: false,
      reason: "no-such-go is not installed where Stanch runs",
    });
    expect(await run(["true"], "/nowhere/at/all")).toMatchObject({
      ran: false,
      reason: expect.stringContaining("/nowhere"),
    });
    expect(await run(["echo", "a\0b"])).toMatchObject({ ran: false });
    expect(await run([])).toMatchObject({ ran: false });
    expect(await run(["sh", "-c", "kill -9 $$"])).toMatchObject({ ran: true, exit: null, timedOut: false });
    // Said by the command itself, it is a command's word.
    expect(await run(["sh", "-c", "echo 'stanch: no such program' >&2; exit 127"])).toMatchObject({
      ran: true,
      exit: 127,
    });
    nothingIsLeft();
  });

  it("runs a program's tests with a toolchain: they pass with the right fix and fail with the wrong one", async () => {
    const own = dirname(dirname(execFileSync("readlink", ["-f", process.execPath], { encoding: "utf8" }).trim()));
    const allowed = createSandbox({ path: PATH, toolchain: [own], closed: [] });
    // A clone may stand where no toolchain may, such as in /tmp: then node comes along in the repository.
    const bound = (await allowed.unavailable()) === null;
    const sandbox = bound ? allowed : bench.sandbox();
    if (!bound) cpSync(process.execPath, join(bench.directory, "node"));
    bench.write({
      "package.json": '{ "type": "module" }',
      "total.test.js":
        'import assert from "node:assert";\nimport { test } from "node:test";\nimport { total } from "./total.js";\n' +
        'test("an empty cart costs nothing", () => assert.equal(total([]), 0));\ntest("prices add up", () => assert.equal(total([2, 3]), 5));\n',
    });
    const check = async (code: string) => {
      bench.write({ "total.js": code });
      const result = await sandbox.run({
        directory: bench.directory,
        command: [bound ? "node" : "./node", "--test"],
        timeoutMs: 60_000,
        outputBytes: 20_000,
      });
      if (!result.ran) throw new Error(result.reason);
      return result;
    };
    const right = await check("export const total = (prices) => prices.reduce((sum, price) => sum + price, 0);\n");
    expect(right.output).toMatch(/pass 2/);
    expect(right.exit).toBe(0);
    const wrong = await check("export const total = (prices) => prices.reduce((sum, price) => sum + price);\n");
    expect(wrong.output).toMatch(/Reduce of empty array|fail 1/);
    expect(wrong.exit).toBe(1);
    expect(readFileSync(join(bench.directory, "package.json"), "utf8")).toContain("module");
  });
});
