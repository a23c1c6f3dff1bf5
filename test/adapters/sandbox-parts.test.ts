import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outputTail } from "../../src/adapters/output-tail.ts";
import { createSandbox } from "../../src/adapters/sandbox.ts";
import { hardLimits, LIMITS, limitedCommand, sandboxArguments } from "../../src/adapters/sandbox-arguments.ts";
import { seccompFilter } from "../../src/adapters/sandbox-filter.ts";
import { resolveToolchain } from "../../src/adapters/sandbox-toolchain.ts";
import { exhausted, memorySupplies } from "../../src/adapters/sandbox-watch.ts";
import { parseConfig } from "../../src/config/load.ts";
import { toolchainFault } from "../../src/config/toolchain.ts";
import { PATH } from "./sandbox-bench.ts";

/** What can be tested of the sandbox where none can be made. */
const layout = {
  work: "/tmp/box/work",
  etc: "/tmp/box/etc",
  machine: ["--ro-bind", "/usr", "/usr"],
  toolchain: [{ folder: "/opt/go", source: "/data/go", programs: "/opt/go/bin" }],
  limits: LIMITS,
  statusFd: 3,
  filterFd: 4,
};

describe("the arguments of bwrap", () => {
  const args = sandboxArguments(layout);
  const line = ` ${args.join(" ")} `;

  it.each(
    "--unshare-user --unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup-try --disable-userns --cap-drop ALL|--new-session --die-with-parent --clearenv|--proc /proc|--tmpfs /tmp|--remount-ro /|--remount-ro /dev|--seccomp 4|--json-status-fd 3|--ro-bind /data/go /opt/go|--setenv PATH /opt/go/bin:/usr/local/bin:/usr/bin:/bin"
      .split("|")
      .flatMap((part) => (part.startsWith("--unshare") ? part.replace(" ALL", "=ALL").split(" ") : [part])),
  )("have %s", (option) => expect(line).toContain(` ${option.replace("=ALL", " ALL")} `));

  it("bind one folder to be written to, and share nothing", () => {
    expect(args.filter((word) => word === "--bind")).toHaveLength(1);
    expect(line).toContain(" --bind /tmp/box/work /check ");
    expect(args.filter((word) => /^--(dev-bind|share|userns|cap-add|bind-try|unsetenv)/.test(word))).toEqual([]);
  });

  it("mount the root read-only after everything else", () => {
    expect(args.lastIndexOf("--bind")).toBeLessThan(args.indexOf("/", args.indexOf("--bind")));
    const mounts = ["--ro-bind", "--bind", "--tmpfs", "--proc", "--dev"].map((name) => args.lastIndexOf(name));
    const root = args.findIndex((word, index) => word === "--remount-ro" && args[index + 1] === "/");
    expect(Math.max(...mounts)).toBeLessThan(root);
  });

  it("never pass a command through a shell's eyes, nor a limit over what this process has", () => {
    const hostile = ["a; rm -rf /", "$(id)", "--", "-c"];
    const command = limitedCommand(hostile, LIMITS, { "Max open files": 1024 });
    expect(command.slice(-hostile.length)).toEqual(hostile);
    expect(command).toContain("--nofile=1024");
    expect(command).toContain(`--nproc=${LIMITS.processes}`);
  });

  it("know this process's own limits", () => {
    const text =
      "Limit                     Soft Limit           Hard Limit           Units     \n" +
      "Max file size             unlimited            unlimited            bytes     \n" +
      "Max processes             96364                96365                processes \n" +
      "Max open files            1024                 4096                 files     \n";
    expect(hardLimits(text)).toEqual({ "Max processes": 96365, "Max open files": 4096 });
  });
});

describe("the filter of system calls", () => {
  /** What the kernel answers, by the program itself. */
  function answer(filter: Buffer, call: { arch: number; number: number; first?: number }): number {
    let accumulator = 0;
    for (let at = 0; at < filter.length; at += 8) {
      const [code, then, otherwise, value] = [
        filter.readUInt16LE(at),
        filter.readUInt8(at + 2),
        filter.readUInt8(at + 3),
        filter.readUInt32LE(at + 4),
      ];
      if (code === 0x06) return value;
      if (code === 0x20) accumulator = { 0: call.number, 4: call.arch, 16: call.first ?? 0 }[value] ?? Number.NaN;
      else at += 8 * ((code === 0x15 ? accumulator === value : accumulator >= value) ? then : otherwise);
    }
    throw new Error("it has no end");
  }
  const ALLOW = 0x7fff_0000;
  const errno = (number: number) => 0x0005_0000 + number;

  it.each([
    ["x64", 0xc000_003e, { read: 0, clone: 56, execve: 59, socket: 41, keyctl: 250, bpf: 321, io_uring: 425 }],
    ["arm64", 0xc000_00b7, { read: 63, clone: 220, execve: 221, socket: 198, keyctl: 219, bpf: 280, io_uring: 425 }],
  ])("on %s", (name, arch, calls) => {
    const filter = seccompFilter(name) as Buffer;
    const ask = (number: number, first?: number) =>
      answer(filter, { arch, number, ...(first === undefined ? {} : { first }) });
    for (const number of [calls.read, calls.clone, calls.execve]) expect(ask(number)).toBe(ALLOW);
    for (const number of [calls.keyctl, calls.bpf]) expect(ask(number)).toBe(errno(1));
    expect(ask(calls.io_uring)).toBe(errno(38));
    expect(ask(0x4000_0000 + calls.socket)).toBe(errno(38));
    for (const family of [1, 2, 10, 16]) expect(ask(calls.socket, family)).toBe(ALLOW);
    for (const family of [17, 31, 38, 40]) expect(ask(calls.socket, family)).toBe(errno(97));
    expect(answer(filter, { arch: 0x4000_0003, number: calls.read })).toBe(0x8000_0000);
  });

  it("is none where the numbers are not known", () => expect(seccompFilter("s390x")).toBeNull());
});

describe("the end of an output", () => {
  it("is what a cut of the whole would be, however it arrives", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 90_000 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 50_000 }),
        (chunks, limit) => {
          const tail = outputTail(limit);
          for (const chunk of chunks) tail.add(Buffer.from(chunk));
          const whole = Buffer.concat(chunks);
          let end = whole.subarray(Math.max(0, whole.length - limit));
          for (let n = 0; n < 3 && whole.length > limit && ((end[0] ?? 0) & 0xc0) === 0x80; n += 1)
            end = end.subarray(1);
          expect(tail.text()).toBe(new TextDecoder().decode(end));
        },
      ),
      { numRuns: 40 },
    );
  });

  it("begins with a whole character", () => {
    const tail = outputTail(4);
    tail.add(Buffer.from("ä€€"));
    expect(tail.text()).toBe("€");
  });
});

describe("what is left of memory and disk", () => {
  const meminfo = "MemTotal:       16000000 kB\nMemFree:  100 kB\nMemAvailable:    8000000 kB\n";

  it("is the machine's, and the container's without what is merely cached", () => {
    expect(memorySupplies({ meminfo, max: "max\n", stat: "" })).toEqual([{ of: "memory", free: 8_192_000_000 }]);
    const stat =
      "anon 300\nfile 5000\nkernel 40\nkernel_stack 20\npagetables 10\nsock 5\nshmem 100\nslab_unreclaimable 65\n";
    expect(memorySupplies({ meminfo: "", max: "1000\n", stat })).toEqual([{ of: "memory", free: 500 }]);
    expect(memorySupplies({ meminfo: "", max: "", stat: "" })).toEqual([]);
  });

  it("is enough until less than a quarter of it is left", () => {
    const supplies = (memory: number, disk: number) => [
      { of: "memory" as const, free: memory },
      { of: "disk" as const, free: disk },
    ];
    expect(exhausted(supplies(100, 100), supplies(25, 25))).toBeNull();
    expect(exhausted(supplies(100, 100), supplies(24, 100))).toBe("memory");
    expect(exhausted(supplies(100, 100), supplies(100, 24))).toBe("disk");
    expect(exhausted(supplies(100, 100), [])).toBeNull();
  });
});

/** A new folder where a toolchain may lie: beside this file, or, for a clone in /tmp or in /check, where programs are installed. */
function toolchainFolder(): string | null {
  for (const base of [import.meta.dirname, "/opt", "/usr/local"].filter((path) => toolchainFault(path) === null))
    try {
      return realpathSync(mkdtempSync(join(base, ".toolchain-")));
    } catch {
      // Not ours to write to.
    }
  return null;
}

describe("a toolchain", () => {
  const made = toolchainFolder();
  const folder = made ?? "";
  afterAll(() => made !== null && rmSync(made, { recursive: true }));

  it.each(["/opt/go", "/opt", "/usr/lib/jvm/java-21", "/home/ci/.nvm/versions/node/v24", "/nix/store", "/srv/tools"])(
    "may be %s",
    (path) => expect(toolchainFault(path)).toBeNull(),
  );

  it.each([
    ["", "no absolute path"],
    ["opt/go", "no absolute path"],
    ["/opt/go:/etc", "a colon"],
    ["/opt/\ngo", "no absolute path"],
    ["/opt/../etc", "not written plainly"],
    ["/opt//go", "not written plainly"],
    ["/opt/go/", "not written plainly"],
    ["/", "too wide"],
    ["/home", "too wide"],
    ["/home/ci", "too wide"],
    ["/root", "lies in /root"],
    ["/root/go", "lies in /root"],
    ["/etc", "lies in /etc"],
    ["/etc/kubernetes", "lies in /etc"],
    ["/var/run/secrets/kubernetes.io/serviceaccount", "lies in /var"],
    ["/run/secrets", "lies in /run"],
    ["/proc/1/root", "lies in /proc"],
    ["/sys/fs", "lies in /sys"],
    ["/dev", "lies in /dev"],
    ["/tmp/go", "lies in /tmp"],
    ["/check", "lies in /check"],
    ["/home/ci/.kube/bin", "credentials"],
    ["/opt/secrets", "credentials"],
  ])("may not be %j", (path, why) => {
    expect(toolchainFault(path)).toContain(why);
    expect(() => parseConfig(`model:\n  code:\n    toolchain: [${JSON.stringify(path)}]\n`)).toThrow(
      /model\.code\.toolchain/,
    );
  });

  it.skipIf(made === null)("is what the path leads to, and its bin comes first", async () => {
    mkdirSync(join(folder, "go/bin"), { recursive: true });
    symlinkSync(join(folder, "go"), join(folder, "current"));
    expect(await resolveToolchain([join(folder, "current")], [])).toEqual([
      { folder: join(folder, "current"), source: join(folder, "go"), programs: join(folder, "current/bin") },
    ]);
    symlinkSync("/etc", join(folder, "odd"));
    expect(await resolveToolchain([join(folder, "odd")], [])).toMatchObject({
      fault: expect.stringContaining("leads to /etc, which lies in /etc"),
    });
  });

  it("is there, and lies where one may", async () => {
    const faultOf = async (path: string) => (await resolveToolchain([path], [])) as { fault?: string };
    expect((await faultOf("/opt/nowhere")).fault).toBe("model.code.toolchain: /opt/nowhere is no folder here");
    expect((await faultOf("/tmp")).fault).toContain("no program under test may see");
  });

  it.skipIf(made === null)("holds neither credentials nor anything of Stanch's own", async () => {
    const [cache, tools] = [join(folder, "cache"), join(folder, "tools")];
    for (const path of [cache, tools]) mkdirSync(path);
    writeFileSync(join(tools, ".netrc"), "");
    const refused = async (path: string) => (await resolveToolchain([path], [cache])) as { fault?: string };
    for (const path of [folder, cache]) expect((await refused(path)).fault).toContain("what Stanch itself keeps");
    expect((await refused(tools)).fault).toContain("looks like credentials (.netrc)");
  });
});

describe("where no sandbox can be made", () => {
  let folder = "";
  let programs = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "stanch-no-sandbox-"));
    programs = join(folder, "bin");
    mkdirSync(programs);
    for (const path of [folder, programs]) chmodSync(path, 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function bwrapThat(script: string): Promise<string> {
    writeFileSync(join(programs, "bwrap"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const sandbox = createSandbox({ path: `${programs}:${PATH}`, toolchain: [], closed: [] });
    const reason = (await sandbox.unavailable()) ?? "";
    const marker = join(folder, "ran");
    const request = { directory: folder, command: ["touch", marker], timeoutMs: 5000, outputBytes: 100 };
    expect(await sandbox.run(request)).toEqual({ ran: false, reason });
    expect(() => rmSync(marker)).toThrow();
    expect(reason).not.toMatch(/^$|\.$/);
    return reason;
  }

  it.each([
    [
      "bwrap: No permissions to create new namespace, likely because …",
      /may not make a user namespace here: .*docs\/image\.md/,
    ],
    ["bwrap: setting up uid map: Permission denied", /user namespace/],
    ["bwrap: Can't mount proc on /newroot/proc: Operation not permitted", /hostUsers: false and procMount: Unmasked/],
    ["bwrap: Unknown option --disable-userns", /too old: 0\.8/],
    ["bwrap: something else", /could not make a sandbox \(bwrap: something else\)/],
  ])("%s", async (words, sentence) => {
    if (process.platform !== "linux") return;
    expect(await bwrapThat(`echo "${words}" >&2; exit 1`)).toMatch(sentence);
  });

  it("a bwrap that only pretends is found out, and nothing is run", async () => {
    if (process.platform !== "linux") return;
    // Drops its arguments up to the command's, and says what bwrap would say.
    const pretend =
      'echo "{ \\"child-pid\\": $$ }" >&3; while [ "$1" != "--" ]; do shift; done; shift; "$@"; code=$?; echo "{ \\"exit-code\\": $code }" >&3; exit $code';
    expect(await bwrapThat(pretend)).toMatch(/so that nothing is run in it$/);
  });

  it("says that bwrap is missing", async () => {
    const none = createSandbox({ path: "/nowhere", toolchain: [], closed: [] });
    const sentence =
      process.platform === "linux" ? /bwrap is not installed where Stanch runs: install bubblewrap/ : /Linux/;
    expect(await none.unavailable()).toMatch(sentence);
    expect(await none.run({ directory: "/", command: ["true"], timeoutMs: 1000, outputBytes: 10 })).toMatchObject({
      ran: false,
      reason: expect.stringMatching(sentence),
    });
  });

  it("says that a toolchain cannot be shown", async () => {
    const bad = createSandbox({ path: PATH, toolchain: ["/etc/kubernetes"], closed: [] });
    expect(await bad.unavailable()).toMatch(/\/etc\/kubernetes|not installed|Linux/);
  });
});
