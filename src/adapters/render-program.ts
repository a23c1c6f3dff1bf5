import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { messageOf, StanchError } from "../errors.ts";
import { declaredIn, shortcomingOf, withNamespace } from "../gitops/manifest.ts";
import { parseOnce } from "../gitops/parse-cache.ts";
import type { KubeObject, Source } from "../model.ts";
import { redactShapes } from "../redact.ts";
import { goNetwork } from "./network.ts";
import { RENDER_BYTES, watchMemory } from "./render-memory.ts";

export interface RenderOptions {
  /** The PATH to look for `kustomize`, `kubectl` and `helm` on. */
  readonly path: string;
  /** A program to use instead of what is on the PATH: `kustomize` or `kubectl`, by its absolute path. */
  readonly program?: string;
  /** Milliseconds for one render; 30 s. */
  readonly timeoutMs?: number;
  /** Bytes of output for one render; 64 MiB. */
  readonly maxBytes?: number;
  /** Bytes of memory for one render; 512 MiB. */
  readonly memoryBytes?: number;
  /** What charts are told of the cluster (`.Capabilities`), as its deployer tells them; asked once. Null: nothing is known. */
  readonly cluster?: () => Promise<ClusterFacts | null>;
}

export interface ClusterFacts {
  /** `v1.34.1`. */
  readonly kubeVersion: string;
  /** `apps/v1`, `apps/v1/Deployment`. */
  readonly apiVersions: readonly string[];
}

/**
 * The objects of a renderer's output. Documents are parsed one by one, so that a probe parses again only what it changed. Throws StanchError
 * `render` for what Helm and the API server would refuse, because it says no kind or no name: left out, it would look like a deletion.
 */
export function objectsOf(output: string, source: Source): KubeObject[] {
  return output.split(/^---\n/m).flatMap((text, index) => {
    const parsed = parseOnce(text);
    if (!parsed.ok) throw new StanchError("render", `the output for ${source.path} is not valid YAML: ${parsed.error}`);
    for (const value of parsed.values) {
      const short = shortcomingOf(value);
      if (short === null) continue;
      // Helm says of which template a document comes.
      const template = /^# Source: (.+)$/m.exec(text)?.[1];
      const place = template === undefined ? `document ${index + 1} of the output for ${source.path}` : template.trim();
      throw new StanchError("render", `${place} renders ${short}`, {
        hint: "look for a value that is not set or has another name, and for a line that is missing",
      });
    }
    return parsed.values
      .flatMap((value) => declaredIn(value))
      .map(({ object }) => withNamespace(object, source.namespace));
  });
}

/**
 * Runs a renderer in a scrubbed environment, with limits of time, output and memory, and answers what it wrote. Throws
 * StanchError `render` with the program's own words, without paths of this machine; `names` says what files of ours hold.
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  cwd: string,
  options: RenderOptions & { readonly network?: NodeJS.ProcessEnv },
  names: ReadonlyMap<string, string> = new Map(),
): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "stanch-render-"));
  try {
    return await new Promise((done, fail) => {
      const memoryBytes = options.memoryBytes ?? RENDER_BYTES;
      const program = execFile(
        file,
        args,
        {
          cwd,
          encoding: "utf8",
          timeout: options.timeoutMs ?? 30_000,
          killSignal: "SIGKILL",
          maxBuffer: options.maxBytes ?? 64 * 1024 * 1024,
          windowsHide: true,
          env:
            options.network === undefined
              ? environment(options.path, home)
              : connected(options.network, options.path, home),
        },
        (error, stdout, stderr) => {
          if (exceeded()) fail(tooMuchMemory(memoryBytes));
          else if (error === null) done(stdout);
          else fail(fault(basename(file), error, named(stderr, names), [cwd, home], options));
        },
      );
      const exceeded = watchMemory(program, memoryBytes);
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function named(text: string, names: ReadonlyMap<string, string>): string {
  let out = text;
  for (const [path, name] of names) out = out.replaceAll(path, name);
  return out;
}

/** No credentials, no home, no configuration; and proxies that lead nowhere for whatever still tries the network. */
function environment(path: string, home: string): NodeJS.ProcessEnv {
  const nowhere = "http://127.0.0.1:9";
  return {
    PATH: path,
    HOME: home,
    LANG: "C.UTF-8",
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    ALL_PROXY: nowhere,
    NO_PROXY: "",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: "none",
    KUBECONFIG: "/dev/null",
  };
}

/** With the network as `env` describes it, its proxies and certificates, and with nothing else of it. */
function connected(env: NodeJS.ProcessEnv, path: string, home: string): NodeJS.ProcessEnv {
  return { PATH: path, HOME: home, LANG: "C.UTF-8", KUBECONFIG: "/dev/null", ...goNetwork(env) };
}

function tooMuchMemory(bytes: number): StanchError {
  return new StanchError("render", `rendering takes more memory than ${Math.round(bytes / 2 ** 20)} MiB`, {
    hint: "look for what a template or an overlay repeats without end",
  });
}

function fault(
  program: string,
  error: Error & { code?: unknown; killed?: boolean },
  stderr: string,
  paths: readonly string[],
  options: RenderOptions,
): StanchError {
  if (error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER")
    return new StanchError("render", "the rendered output is too large");
  if (error.killed === true)
    return new StanchError("render", `rendering took longer than ${(options.timeoutMs ?? 30_000) / 1000} s`);
  const text =
    stderr
      .split("\n")
      .filter((line) => !line.startsWith("# Warning:") && line.trim() !== "")
      .join(" ") || messageOf(error);
  return new StanchError(
    "render",
    // A proxy's address may hold a password.
    `${program} says: ${withoutPaths(redactShapes(withoutLogHead(text)), paths)
      .replace(/^[Ee]rror: /, "")
      .slice(0, 600)}`,
  );
}

/** kubectl logs its fault with time and process, which differ from run to run: `E1124 22:17:45.780259 168 run.go:72] "command failed" err="…"`. */
function withoutLogHead(text: string): string {
  const said = /^[EF]\d{4} [\d:.]+ +\d+ [^\]]*\] "[^"]*" err="([\s\S]*)"$/.exec(text.trim())?.[1];
  return said === undefined ? text : said.replaceAll('\\"', '"').replaceAll("\\n", " ");
}

/** The machine's own folders are nobody's business and differ from run to run. */
function withoutPaths(text: string, paths: readonly string[]): string {
  let out = text;
  for (const path of paths) out = out.replaceAll(`${path}/`, "").replaceAll(path, ".");
  return out.replaceAll(/'?\/(?:tmp|private|var|root|home)\/[^\s:'"]*/g, "(a path outside of the repository)");
}
