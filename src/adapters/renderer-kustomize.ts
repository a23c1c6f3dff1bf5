import { tmpdir } from "node:os";
import { StanchError } from "../errors.ts";
import { closureOf, composeRoot } from "../gitops/composition.ts";
import { looseTexts } from "../gitops/loose-kustomize.ts";
import { openTree } from "../gitops/tree.ts";
import { openTrial } from "../gitops/trial.ts";
import type { FileEdit, Source } from "../model.ts";
import type { Rendered } from "../ports.ts";
import { executables } from "./programs.ts";
import { objectsOf, type RenderOptions, runProgram } from "./render-program.ts";

interface Program {
  readonly file: string;
  readonly kubectl: boolean;
  readonly version: string;
}

type Version = { readonly tool: string; readonly version?: string; readonly missing?: string };

/** What a build may load: as Kustomize's own default, files of a kustomization's folder only; or files of anywhere, as Flux builds. */
type Restriction = "LoadRestrictionsRootOnly" | "LoadRestrictionsNone";

export interface Kustomize {
  render(directory: string, source: Source): Promise<Rendered>;
  /** Builds a folder of ours alone, "." for its top. The output, and which program made it. */
  build(directory: string, path: string): Promise<{ readonly output: string; readonly tool: string }>;
  version(): Promise<Version>;
}

export function createKustomize(options: RenderOptions): Kustomize {
  let found: Promise<Program | null> | undefined;
  const search = (): Promise<Program | null> => (found ??= findProgram(options));
  const program = async (): Promise<Program> => {
    const tool = await search();
    if (tool === null)
      throw new StanchError("render", MISSING, { hint: "install kustomize or kubectl where Stanch runs" });
    return tool;
  };
  async function run(directory: string, path: string, restriction: Restriction): Promise<string> {
    const tool = await program();
    return runProgram(tool.file, buildArguments(tool, path, restriction), directory, options);
  }
  return {
    async render(directory, source) {
      const tree = await openTree(directory);
      const closure = await closureOf(tree, source);
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
      const composed = await composeRoot(tree, source);
      const loose = closure.crosses && source.owner.kind === "flux";
      const tool = describe(await program());
      const path = source.path === "" ? "." : source.path;
      if (composed === null && !loose)
        return { objects: objectsOf(await run(tree.directory, path, "LoadRestrictionsRootOnly"), source), tool };
      const texts = loose ? await looseTexts(tree, closure, composed) : new Map<string, string>();
      if (composed !== null && !loose) texts.set(composed.file, composed.text);
      const edits: FileEdit[] = [...texts].map(([file, after]) => ({ file, before: "", after }));
      // What the engine changes in a kustomization is changed in a copy of our own, and so is everything that is read freely:
      // there are no links in it, and nothing that the closure does not name.
      const trial = await openTrial(tree.directory);
      try {
        await trial.add(closure.files);
        const output = await trial.withEdits(edits, () =>
          run(trial.directory, path, loose ? "LoadRestrictionsNone" : "LoadRestrictionsRootOnly"),
        );
        return { objects: objectsOf(output, source), tool };
      } finally {
        await trial.close();
      }
    },
    async build(directory, path) {
      const output = await run(directory, path, "LoadRestrictionsRootOnly");
      return { output, tool: describe(await program()) };
    },
    async version() {
      const tool = await search();
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

function buildArguments(tool: Program, path: string, restriction: Restriction): string[] {
  // The restrictor is spelled out so that no configuration of the user's can loosen it.
  const target = path === "." ? "." : `./${path}`;
  return tool.kubectl
    ? ["kustomize", target, `--load-restrictor=${restriction}`]
    : ["build", target, "--load-restrictor", restriction];
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
