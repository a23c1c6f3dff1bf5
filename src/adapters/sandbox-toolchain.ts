import { lstat, readdir, readlink, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { isCredentialName, isWithin, toolchainFault } from "../config/toolchain.ts";

/** A folder that programs under test may read. */
export interface Toolchain {
  /** Where it stands inside: the path that was configured. */
  readonly folder: string;
  /** What that is on this machine, without symbolic links. */
  readonly source: string;
  /** Where its programs are inside. */
  readonly programs: string;
}

/** Of the machine's own folders: programs and libraries, and nothing that a person or a service keeps. */
const PROGRAMS = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
/** Of /etc, what programs need to start. `ssl/private` and everything else of it stays outside. */
const OF_ETC = [
  "alternatives",
  "ca-certificates.conf",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "mime.types",
  "pki/ca-trust/extracted",
  "pki/tls/certs",
  "protocols",
  "services",
  "ssl/certs",
  "ssl/openssl.cnf",
];
/** Debian's Java is half in /etc. */
const JAVA = /^java-\d+-openjdk$/;

/** The arguments of bwrap that bring in the machine's programs, read-only. */
export async function machineArguments(): Promise<readonly string[]> {
  const out: string[] = [];
  for (const path of PROGRAMS) {
    const found = await lstat(path).catch(() => null);
    // Nearly everywhere all but the first are links into it.
    if (found?.isSymbolicLink() === true) out.push("--symlink", await readlink(path), path);
    else if (found?.isDirectory() === true) out.push("--ro-bind", path, path);
  }
  const java = (await readdir("/etc").catch(() => [])).filter((name) => JAVA.test(name));
  for (const name of [...OF_ETC, ...java]) out.push("--ro-bind-try", `/etc/${name}`, `/etc/${name}`);
  return out;
}

/**
 * The configured folders as they are on this machine, or a sentence without a full stop on the first that cannot be shown. `closed` are folders of
 * Stanch's own: neither they, nor what is in them, nor what they are in.
 */
export async function resolveToolchain(
  folders: readonly string[],
  closed: readonly string[],
): Promise<readonly Toolchain[] | { readonly fault: string }> {
  const own = await Promise.all(closed.map((path) => realpath(path).catch(() => path)));
  const out: Toolchain[] = [];
  for (const folder of folders) {
    const refuse = (why: string) => ({ fault: `model.code.toolchain: ${folder} ${why}` });
    const source = await realpath(folder).catch(() => null);
    if (source === null || (await stat(source)).isDirectory() !== true) return refuse("is no folder here");
    for (const path of new Set([folder, source])) {
      const fault = toolchainFault(path);
      if (fault !== null) return refuse(path === folder ? fault : `leads to ${path}, which ${fault}`);
      const touched = own.find((other) => isWithin(path, other) || isWithin(other, path));
      if (touched !== undefined) return refuse("holds, or lies in, what Stanch itself keeps or reads");
    }
    const names = await readdir(source).catch(() => []);
    const credentials = names.find(isCredentialName);
    if (credentials !== undefined) return refuse(`holds what looks like credentials (${credentials})`);
    const bin = await stat(join(source, "bin")).catch(() => null);
    out.push({ folder, source, programs: bin?.isDirectory() === true ? `${folder}/bin` : folder });
  }
  return out;
}
