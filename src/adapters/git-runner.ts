import { simpleGit } from "simple-git";
import { messageOf, StanchError } from "../errors.ts";
import { redactShapes } from "../redact.ts";

/** What git may be told by environment: everything of the user's own is left out. */
const GUARDED = [
  "GIT_TERMINAL_PROMPT",
  "GIT_CONFIG_NOSYSTEM",
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_SYSTEM",
  "GIT_ALLOW_PROTOCOL",
  "GIT_LFS_SKIP_SMUDGE",
  "GIT_NO_LAZY_FETCH",
  "GIT_CONFIG_COUNT",
  "GIT_INDEX_FILE",
  "GIT_AUTHOR_NAME",
  "GIT_AUTHOR_EMAIL",
  "GIT_COMMITTER_NAME",
  "GIT_COMMITTER_EMAIL",
];
const TIMEOUT_MS = 120_000;

export interface GitAccess {
  /** https URL of the repository, without credentials. */
  readonly remote: string;
  readonly token: string | undefined;
  /** Where programs are ($PATH). */
  readonly path: string;
  /** Proxies and certificate authorities, as variables (`gitNetwork`). */
  readonly network?: Readonly<Record<string, string>>;
}

export interface Git {
  (args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
  /** A blob's bytes as they are. */
  blob(name: string): Promise<Buffer>;
}

/**
 * Git in a folder. The token reaches it in the environment, for its own remote only: it stands in no argument, no remote and no
 * file. Hooks, prompts, filters and the machine's own configuration are off. Throws StanchError `git` without the token in it.
 */
export function gitIn(folder: string, access: GitAccess): Git {
  const url = new URL(access.remote);
  const config: [string, string][] = [
    ["core.hooksPath", "/dev/null"],
    ["core.autocrlf", "false"],
    ["core.quotePath", "false"],
    ["gc.auto", "0"],
    ["maintenance.auto", "false"],
    ["advice.detachedHead", "false"],
    ["commit.gpgSign", "false"],
    // Git sends a header of the configuration to wherever the first answer leads, and with it the token.
    ["http.followRedirects", "false"],
  ];
  if (access.token !== undefined && access.token !== "")
    config.push([
      `http.${url.origin}/.extraHeader`,
      `Authorization: Basic ${Buffer.from(`x-access-token:${access.token}`).toString("base64")}`,
    ]);
  const base: Record<string, string> = {
    ...access.network,
    PATH: access.path,
    HOME: folder,
    LC_ALL: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_ALLOW_PROTOCOL: url.protocol === "https:" ? "https" : "http:https",
    GIT_LFS_SKIP_SMUDGE: "1",
    GIT_CONFIG_COUNT: String(config.length),
  };
  config.forEach(([key, value], index) => {
    base[`GIT_CONFIG_KEY_${index}`] = key;
    base[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  const allowed = [
    ...GUARDED,
    ...Object.keys(access.network ?? {}),
    ...config.flatMap((_, index) => [`GIT_CONFIG_KEY_${index}`, `GIT_CONFIG_VALUE_${index}`]),
  ];
  const build = (env: Readonly<Record<string, string>>) =>
    simpleGit({
      baseDir: folder,
      allowEnvironment: allowed,
      timeout: { block: TIMEOUT_MS },
      // Each of these is a value of our own above, never one from outside.
      unsafe: {
        allowUnsafeConfigEnvCount: true,
        allowUnsafeConfigPaths: true,
        allowUnsafeHooksPath: true,
        allowUnsafeProtocolOverride: true,
      },
    }).env({ ...base, ...env });
  const run = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> => {
    try {
      return await build(env).raw([...args]);
    } catch (error) {
      throw gitFault(error, access, args[0] ?? "git");
    }
  };
  return Object.assign(run, {
    async blob(name: string) {
      try {
        return (await build({}).binaryCatFile(["blob", name])) as Buffer;
      } catch (error) {
        throw gitFault(error, access, "cat-file");
      }
    },
  });
}

function gitFault(error: unknown, access: GitAccess, verb: string): StanchError {
  const secrets =
    access.token === undefined || access.token === ""
      ? []
      : [access.token, Buffer.from(`x-access-token:${access.token}`).toString("base64")];
  const said = secrets.reduce((at, secret) => at.replaceAll(secret, "‹token›"), messageOf(error));
  // A proxy's address may hold a password.
  const text = redactShapes(said).slice(0, 600);
  const { host } = new URL(access.remote);
  const hint = hintFor(text, host);
  return new StanchError(
    "git",
    `git ${verb} failed for ${new URL(access.remote).pathname.replace(/^\//, "")}: ${text}`,
    hint === undefined ? {} : { hint },
  );
}

function hintFor(text: string, host: string): string | undefined {
  if (/certificate|\bCAfile\b/i.test(text))
    return `${host} shows a certificate that is not trusted here: set NODE_EXTRA_CA_CERTS to a file with its authority`;
  if (/Authentication failed|could not read Username|error: 401/i.test(text))
    return `the token is not accepted by ${host}: set GITHUB_TOKEN to one with contents: write on this repository`;
  if (/error: 403|denied to/i.test(text))
    return "the token may not do this: it needs contents: write on this repository";
  if (/repository .*not found|error: 404/i.test(text))
    return "the repository does not exist, or the token does not see it";
  if (/Remote branch .* not found|couldn't find remote ref|unknown revision|invalid reference/i.test(text))
    return "the branch does not exist: correct `branch` of this source";
  if (/error: 30\d|redirect/i.test(text))
    return "the repository was renamed or moved, and a token is not sent elsewhere: correct `sources`";
  if (/error: 429|rate limit/i.test(text)) return `${host} asks for patience: the next run tries again`;
  if (/error: 5\d\d/i.test(text)) return `${host} has a fault of its own; the next run tries again`;
  if (
    /Could not resolve host|Connection refused|timed out|timeout|unable to access|early EOF|hung up|RPC failed/i.test(
      text,
    )
  )
    return `${host} cannot be reached: check the network, proxy and github.apiUrl`;
  if (/No space left/i.test(text)) return "the disk of git.cache is full";
  return undefined;
}
