import { tmpdir } from "node:os";
import { StanchError } from "../errors.ts";
import { readClosure } from "../gitops/kustomize-closure.ts";
import { openTree } from "../gitops/tree.ts";
import type { Source } from "../model.ts";
import type { Rendered } from "../ports.ts";
import { executables, objectsOf, type RenderOptions, runProgram } from "./render-program.ts";

interface Program {
  readonly file: string;
  readonly kubectl: boolean;
  readonly version: string;
}

type Version = { readonly tool: string; readonly version?: string; readonly missing?: string };

export function createKustomize(options: RenderOptions): {
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
      const output = await runProgram(tool.file, buildArguments(tool, source.path), tree.directory, options);
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

async function findProgram(options: RenderOptions): Promise<Program | null> {
  const candidates =
    options.program === undefined ? executables(["kustomize", "kubectl"], options.path) : [options.program];
  for await (const file of candidates) {
    const kubectl = /kubectl[^/\\]*$/.test(file);
    const version = await versionOf(file, kubectl, options).catch(() => null);
    if (version !== null) return { file, kubectl, version };
  }
  return null;
}

async function versionOf(file: string, kubectl: boolean, options: RenderOptions): Promise<string> {
  const output = await runProgram(
    file,
    kubectl ? ["version", "--client", "-o", "json"] : ["version"],
    tmpdir(),
    options,
  );
  if (!kubectl) return /v\d+\.\d+\.\d+\S*/.exec(output)?.[0] ?? output.trim().slice(0, 40);
  const answer = JSON.parse(output) as { kustomizeVersion?: string };
  return answer.kustomizeVersion ?? "of unknown version";
}
