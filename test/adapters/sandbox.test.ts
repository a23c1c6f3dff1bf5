import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bench, canSandbox, makeBench } from "./sandbox-bench.ts";

/** What a hostile program tries, and that it would succeed without the argument of bwrap that stands against it. */
const possible = await canSandbox();
const CANARY = "canary-8d1f6c02b7";
const HOST_FILE = join(tmpdir(), `stanch-host-${process.pid}`);
const LISTENER = `stanch-abstract-${process.pid}`;

describe.skipIf(!possible)("a hostile program in the sandbox", { timeout: 180_000 }, () => {
  let bench: Bench;
  let port = 0;
  let reached = 0;
  const servers: net.Server[] = [];

  beforeAll(async () => {
    bench = makeBench();
    for (const where of [{ port: 0, host: "127.0.0.1" }, { path: `\0${LISTENER}` }]) {
      const server = net.createServer((socket) => {
        reached += 1;
        socket.end("REACHED\n");
      });
      server.listen(where);
      await once(server, "listening");
      servers.push(server);
    }
    port = (servers[0]?.address() as net.AddressInfo | undefined)?.port ?? 0;
    writeFileSync(HOST_FILE, CANARY, { mode: 0o644 });
    for (const name of ["ANTHROPIC_API_KEY", "GITHUB_TOKEN"]) process.env[name] = CANARY;
  });
  afterAll(() => {
    for (const server of servers) server.close();
    for (const name of ["ANTHROPIC_API_KEY", "GITHUB_TOKEN"]) delete process.env[name];
    rmSync(HOST_FILE, { force: true });
    bench?.close();
  });

  const connect = (address: string) =>
    `perl -MSocket -e 'socket(my $s, ${address.startsWith("pack_sockaddr_un") ? "AF_UNIX" : "AF_INET"}, SOCK_STREAM, 0) or die; connect($s, ${address}) or die "REFUSED $!\\n"; print <$s>'`;

  it("reaches no server of the machine, on its loopback or by an abstract socket", async () => {
    const tcp = connect(`pack_sockaddr_in(${port}, inet_aton("127.0.0.1"))`);
    const abstract = connect(`pack_sockaddr_un("\\0${LISTENER}")`);
    const before = reached;
    expect((await bench.sh(tcp)).output).toContain("REFUSED");
    expect((await bench.sh(abstract)).output).toContain("REFUSED");
    expect(reached).toBe(before);
    expect(await bench.without(["--unshare-net"], tcp)).toContain("REACHED");
    expect(await bench.without(["--unshare-net"], abstract)).toContain("REACHED");
  });

  it("has a loopback of its own, which is up, and nothing else", async () => {
    const { output } = await bench.sh(
      `cat /proc/net/dev; perl -MSocket -e 'socket(my $l, AF_INET, SOCK_STREAM, 0); bind($l, pack_sockaddr_in(8080, inet_aton("127.0.0.1"))) or die; listen($l, 1); print "LISTENS\\n"; socket(my $s, AF_INET, SOCK_STREAM, 0); connect($s, pack_sockaddr_in(8080, INADDR_LOOPBACK)) and print "OWN\\n"; socket($s, AF_INET, SOCK_STREAM, 0); connect($s, pack_sockaddr_in(53, inet_aton("1.1.1.1"))) or print "$!\\n"'`,
    );
    expect([...output.matchAll(/^ *(\w+):/gm)].map(([, name]) => name)).toEqual(["lo"]);
    expect(output).toContain("LISTENS\nOWN\nNetwork is unreachable");
  });

  it("finds no variable of Stanch, in its own environment or in another process's", async () => {
    expect(spawnSync("env", { encoding: "utf8" }).stdout).toContain(CANARY);
    const { output } = await bench.sh("env; echo; cat /proc/*/environ | tr '\\0' '\\n'");
    expect(output).toContain("CI=true");
    expect(output).not.toContain(CANARY);
    expect(new Set([...output.matchAll(/^(\w+)=/gm)].map(([, name]) => name))).toEqual(
      new Set(
        "PATH HOME TMPDIR LANG TZ USER CI PWD GOPROXY GOTOOLCHAIN npm_config_offline npm_config_update_notifier".split(
          " ",
        ),
      ),
    );
    // Of bwrap's own environment the path alone is there, and even that does not go on.
    expect(await bench.without(["--clearenv"], "env")).not.toContain(CANARY);
  });

  it("sees programs and its own files, and no other folder of the machine", async () => {
    const here = new Set([
      "bin",
      "check",
      "dev",
      "etc",
      "lib",
      "lib32",
      "lib64",
      "libx32",
      "proc",
      "sbin",
      "tmp",
      "usr",
    ]);
    const seen = (await bench.sh("ls -A /")).output.trim().split("\n");
    expect(seen.filter((name) => !here.has(name))).toEqual([]);
    expect(seen).toContain("usr");
    const closed =
      "/root /home /run /var /sys /opt /srv /mnt /etc/shadow /etc/kubernetes /etc/ssl/private /etc/hostname";
    expect((await bench.sh(`ls -d ${closed} 2>/dev/null; ls -A /tmp /tmp/home`)).output).toBe(
      "/tmp:\nhome\n\n/tmp/home:\n",
    );
    expect((await bench.sh("cat /etc/passwd")).output.split("\n")).toHaveLength(3);
  });

  it("gets out by no link", async () => {
    symlinkSync(HOST_FILE, join(bench.directory, "link"));
    symlinkSync("/etc/shadow", join(bench.directory, "shadow"));
    symlinkSync("/", join(bench.directory, "top"));
    try {
      const { output } = await bench.sh(`cat link shadow top${HOST_FILE} ../${HOST_FILE}; echo x > link; ls -l link`);
      expect(output).not.toContain(CANARY);
      expect(output).toMatch(/cat: shadow: No such file/);
      expect(readFileSync(HOST_FILE, "utf8")).toBe(CANARY);
    } finally {
      for (const name of ["link", "shadow", "top"]) rmSync(join(bench.directory, name));
    }
  });

  it("writes nowhere but to its copy and to /tmp", async () => {
    const write =
      "for d in / /usr /usr/bin /etc /etc/ssl /dev /proc /tmp /dev/shm .; do touch $d/x 2>/dev/null && echo $d; done";
    expect((await bench.sh(write)).output).toBe("/tmp\n/dev/shm\n.\n");
    expect(readdirSync(bench.directory)).toEqual([]);
    expect(readdirSync(bench.temporary)).toEqual([]);
    expect((await bench.without(["--remount-ro", "/"], write)).split("\n")).toContain("/");
    expect((await bench.without(["--remount-ro", "/dev"], write)).split("\n")).toContain("/dev");
    expect((await bench.sh("echo x > /etc/passwd; echo x > /usr/bin/env; rm -f /usr/bin/env; env")).output).toContain(
      "CI=true",
    );
  });

  it("sees, signals and traces no process but its own", async () => {
    const look = `ls -d /proc/${process.pid} && echo SEEN; kill -0 ${process.pid} && echo SIGNALLED`;
    expect((await bench.sh(look)).output).not.toMatch(/^(SEEN|SIGNALLED)/m);
    expect(await bench.without(["--unshare-pid"], look)).toContain("SEEN");
    expect((await bench.sh("kill -9 1; kill -9 -1; echo ALIVE")).output).toContain("ALIVE");
  });

  it("shares no memory, name or terminal with the machine", async () => {
    const id = /\d+/.exec(execFileSync("ipcmk", ["-M", "4096"], { encoding: "utf8" }))?.[0] ?? "";
    try {
      const segments = "cut -c1-30 /proc/sysvipc/shm";
      expect((await bench.sh(segments)).output.trim().split("\n")).toHaveLength(1);
      expect((await bench.without(["--unshare-ipc"], segments)).trim().split("\n").length).toBeGreaterThan(1);
    } finally {
      execFileSync("ipcrm", ["-m", id]);
    }
    expect((await bench.sh("cat /proc/sys/kernel/hostname")).output).toBe("check\n");
    // Sixth is the session: 0 is one that began outside.
    const session = "cut -d' ' -f6 /proc/self/stat; test -t 0 && echo TTY; : >/dev/tty && echo TTY; cat";
    expect((await bench.sh(session)).output).toMatch(/^[1-9]\d*\n(?![\s\S]*TTY)/);
    expect(await bench.without(["--new-session"], session)).toMatch(/^0\n/);
  });

  it("has no capability, gets none, and makes no namespace", async () => {
    const { output } = await bench.sh("cat /proc/self/status; cut -d' ' -f5,6 /proc/self/mountinfo");
    for (const set of ["Inh", "Prm", "Eff", "Bnd", "Amb"]) expect(output).toMatch(new RegExp(`^Cap${set}:\\s0+$`, "m"));
    expect(output).toMatch(/^NoNewPrivs:\s1$/m);
    // A set user id is ignored wherever a file may stand.
    const mounts = [...output.matchAll(/^(\/\S*) (\S+)$/gm)];
    expect(mounts.length).toBeGreaterThan(5);
    for (const [, , flags] of mounts) expect(flags).toContain("nosuid");
    const unshare = "unshare --user --map-root-user sh -c 'echo MADE; cat /proc/self/status | grep CapEff'";
    expect((await bench.sh(unshare)).output).not.toContain("MADE");
    expect(await bench.without(["--disable-userns"], unshare)).toContain("MADE");
    expect((await bench.sh("mount -t tmpfs x /tmp && echo MOUNTED")).output).not.toContain("MOUNTED");
  });

  it("makes no system call that leads past namespaces", async () => {
    const [keyctl, vsock] = [process.arch === "arm64" ? 219 : 250, 40];
    // The id of the session's keyring, which is Stanch's own; a socket to a virtual machine's host.
    const keys = `perl -e 'my $id = syscall(${keyctl}, 0, -3, 1); print $id > 0 ? "KEYRING\\n" : "NO $!\\n"'`;
    const host = `perl -e 'print socket(my $s, ${vsock}, 1, 0) ? "VSOCK\\n" : "NO $!\\n"'`;
    const ring = 'perl -e \'print syscall(425, 4, 0) == -1 ? "NO $!\\n" : "RING\\n"\'';
    expect((await bench.sh(`${keys}; ${host}; ${ring}`)).output).toBe(
      "NO Operation not permitted\nNO Address family not supported by protocol\nNO Function not implemented\n",
    );
    const open = await bench.without(["--seccomp", "4"], `${keys}; ${host}`);
    expect(open).toContain("KEYRING");
    // Where the kernel knows such sockets at all.
    if (spawnSync("sh", ["-c", host], { encoding: "utf8" }).stdout.includes("VSOCK")) expect(open).toContain("VSOCK");
  });

  it.skipIf(process.arch !== "x64")("makes none by other numbers, x32's or a 32-bit program's", async () => {
    // Both ask for their own process id, and the second exits with 7.
    const x32 = 'perl -e \'print syscall(0x40000000 + 39) == -1 ? "NO $!\\n" : "PID\\n"\'';
    expect((await bench.sh(x32)).output).toBe("NO Function not implemented\n");
    bench.write({ "i386.hex": I386 });
    const i386 = `perl -ne 'print pack("H*", $_)' i386.hex > i386; chmod +x i386; ./i386; echo "ends with $?"`;
    try {
      expect((await bench.sh(i386)).output).toMatch(/ends with (159|126)/);
      // 126: the kernel runs no such program, with or without a sandbox.
      expect(await bench.without(["--seccomp", "4"], i386)).toMatch(/ends with (7|126)/);
    } finally {
      rmSync(join(bench.directory, "i386.hex"));
    }
  });
});

/** A program for i386 in 96 bytes: its header, one segment, and `mov eax, 1; mov ebx, 7; int 0x80`. */
const I386 =
  "7f454c4601010100000000000000000002000300010000005480040834000000" +
  "000000000000000034002000010000000000000001000000000000000080040800800408" +
  "60000000600000000500000000100000b801000000bb07000000cd80";
