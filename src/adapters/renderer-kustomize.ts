import { execFile } from "node:child_process";
import { access, constants, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { messageOf, StanchError } from "../errors.ts";
import { readClosure } from "../gitops/kustomize-closure.ts";
import { declaredIn, withNamespace } from "../gitops/manifest.ts";
import { parseOnce } from "../gitops/parse-cache.ts";
import { openTree } from "../gitops/tree.ts";
import type { KubeObject, Source } from "../model.ts";
import type { Rendered } from "../ports.ts";

export interface KustomizeOptions {
  /** The PATH to look for `kustomize` and `kubectl` on. */
  readonly path: string;
  /** A program to use instead of what is on the PATH: `kustomize` or `kubectl`, by its absolute path. */
  readonly program?: string;
  /** Milliseconds for one render; 30 s. */
  readonly timeoutMs?: number;
  /** Bytes of output for one render; 64 MiB. */
  readonly maxBytes?: number;
}

interface Program {
  readonly file: string;
  readonly kubectl: boolean;
  readonly version: string;
}

type Version = { readonly tool: string; readonly version?: string; readonly missing?: string };

export function createKustomize(options: KustomizeOptions): {
  render(directory: string, source: Source): Promise<Rendered>;
  version(): Promise<Version>;
} {
  let found: Promise<Program | null> | undefined;
  const program = (): Promise<Program | null> => (found ??= findProgram(options));
  return {
    async render(directory, source) {
      const tree = await openTree(directory);
      const closure = await readClosure(tree, source.path);
      const [remote] = closure.remotes;
      if (remote !== undefined) {
        throw new StanchError(
          "render",
          `${remote.file} pulls in ${remote.reference}, and Stanch renders without network`,
          {
            hint: "vendor the remote base into the repository",
          },
        );
      }
      const tool = await program();
      if (tool === null)
        throw new StanchError("render", MISSING, { hint: "install kustomize or kubectl where Stanch runs" });
      const output = await run(tool.file, buildArguments(tool, source.path), tree.directory, options);
      return { objects: objectsOf(output, source), tool: describe(tool) };
    },
    async version() {
      const tool = await program();
      return tool === null
        ? { tool: "kustomize", missing: MISSING }
        : { tool: tool.kubectl ? "kubectl kustomize" : "kustomize", version: tool.version };
    },
  };
}

const MISSING = "neither kustomize nor kubectl is on the PATH";

function describe(tool: Program): string {
  return `${tool.kubectl ? "kubectl kustomize" : "kustomize"} ${tool.version}`;
}

function buildArguments(tool: Program, path: string): string[] {
  // The restrictor is spelled out so that no configuration of the user's can loosen it.
  const target = path === "." ? "." : `./${path}`;
  return tool.kubectl
    ? ["kustomize", target, "--load-restrictor=LoadRestrictionsRootOnly"]
    : ["build", target, "--load-restrictor", "LoadRestrictionsRootOnly"];
}

function objectsOf(output: string, source: Source): KubeObject[] {
  // Documents are parsed one by one, so that a probe parses again only what it changed.
  return output.split(/^---\n/m).flatMap((text) => {
    const parsed = parseOnce(text);
    if (!parsed.ok) throw new StanchError("render", `the output for ${source.path} is not valid YAML: ${parsed.error}`);
    return parsed.values
      .flatMap((value) => declaredIn(value))
      .map(({ object }) => withNamespace(object, source.namespace));
  });
}

async function findProgram(options: KustomizeOptions): Promise<Program | null> {
  const candidates =
    options.program === undefined
      ? ["kustomize", "kubectl"].flatMap((name) =>
          options.path
            .split(delimiter)
            .filter((folder) => folder !== "")
            .map((folder) => join(folder, name)),
        )
      : [options.program];
  for (const file of candidates) {
    const executable = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (!executable) continue;
    const kubectl = /kubectl[^/\\]*$/.test(file);
    const version = await versionOf(file, kubectl, options).catch(() => null);
    if (version !== null) return { file, kubectl, version };
  }
  return null;
}

async function versionOf(file: string, kubectl: boolean, options: KustomizeOptions): Promise<string> {
  const output = await run(file, kubectl ? ["version", "--client", "-o", "json"] : ["version"], tmpdir(), options);
  if (!kubectl) return /v\d+\.\d+\.\d+\S*/.exec(output)?.[0] ?? output.trim().slice(0, 40);
  const answer = JSON.parse(output) as { kustomizeVersion?: string };
  return answer.kustomizeVersion ?? "of unknown version";
}

async function run(file: string, args: readonly string[], cwd: string, options: KustomizeOptions): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "stanch-render-"));
  try {
    return await new Promise((done, fail) => {
      execFile(
        file,
        args,
        {
          cwd,
          encoding: "utf8",
          timeout: options.timeoutMs ?? 30_000,
          killSignal: "SIGKILL",
          maxBuffer: options.maxBytes ?? 64 * 1024 * 1024,
          windowsHide: true,
          env: environment(options.path, home),
        },
        (error, stdout, stderr) => {
          if (error === null) done(stdout);
          else fail(fault(error, stderr, [cwd, home], options));
        },
      );
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
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

function fault(
  error: Error & { code?: unknown; killed?: boolean },
  stderr: string,
  paths: readonly string[],
  options: KustomizeOptions,
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
    `kustomize says: ${withoutPaths(text, paths)
      .replace(/^[Ee]rror: /, "")
      .slice(0, 600)}`,
  );
}

/** The machine's own folders are nobody's business and differ from run to run. */
function withoutPaths(text: string, paths: readonly string[]): string {
  let out = text;
  for (const path of paths) out = out.replaceAll(`${path}/`, "").replaceAll(path, ".");
  return out.replaceAll(/'?\/(?:tmp|private|var|root|home)\/[^\s:'"]*/g, "(a path outside of the repository)");
}
