import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StanchError } from "../errors.ts";
import { capabilityArguments, setArguments } from "../gitops/helm-arguments.ts";
import { helmInputs } from "../gitops/helm-inputs.ts";
import { isInput, placeName } from "../gitops/input.ts";
import { inputOf } from "../gitops/input-value.ts";
import { postKustomizations } from "../gitops/post-renderers.ts";
import { joinPath, openTree } from "../gitops/tree.ts";
import { openTrial } from "../gitops/trial.ts";
import type { Source } from "../model.ts";
import type { Rendered } from "../ports.ts";
import { executables } from "./programs.ts";
import { type ClusterFacts, objectsOf, type RenderOptions, runProgram } from "./render-program.ts";
import type { Kustomize } from "./renderer-kustomize.ts";

const MISSING = "helm is not on the PATH";

interface Program {
  readonly file: string;
  readonly version: string;
}

/**
 * Renders a chart of the repository by `helm template`, as its deployer does: release name, namespace, values in order, what is set one by
 * one, what the cluster is, and Flux's post renderers. Hooks and tests are left out: they are no part of what runs. Never with the
 * network: dependencies must be vendored.
 */
export function createHelm(
  options: RenderOptions,
  kustomize: Pick<Kustomize, "build">,
): {
  render(directory: string, source: Source): Promise<Rendered>;
  version(): Promise<{ readonly tool: string; readonly version?: string; readonly missing?: string }>;
} {
  let found: Promise<Program | null> | undefined;
  let facts: Promise<ClusterFacts | null> | undefined;
  const program = (): Promise<Program | null> => (found ??= findProgram(options));
  const cluster = async (): Promise<ClusterFacts | null> => {
    facts ??= options.cluster?.() ?? Promise.resolve(null);
    // A question that failed is asked again by the next render.
    return facts.catch((error: unknown) => {
      facts = undefined;
      throw error;
    });
  };
  return {
    async render(directory, source) {
      const tree = await openTree(directory);
      const { values, files } = await helmInputs(tree, source);
      const set = setArguments(source);
      const tool = await program();
      if (tool === null) throw new StanchError("render", MISSING, { hint: "install helm where Stanch runs" });
      const known = await cluster();
      const folder = await realpath(await mkdtemp(join(tmpdir(), "stanch-helm-")));
      const own = joinPath(source.path === "" ? "." : source.path, "values.yaml");
      // Helm cannot be told to leave a chart's own values out: they are not in the copy.
      const bare = source.helm?.noDefaults === true && (await tree.kind(own)) === "file";
      const trial = bare ? await openTrial(tree.directory) : null;
      try {
        await trial?.add([...files].filter((file) => file !== own));
        const placed = await placeInputs(values, source, folder);
        if (bare && values.includes(own))
          placed.set(own, await placeText(folder, "own.yaml", (await tree.read(own)) ?? ""));
        const args = [
          ...argumentsOf(source, values, placed),
          ...set,
          ...(known === null ? [] : capabilityArguments(known)),
          ...unpacked(files, tool),
        ];
        const names = new Map([...placed].map(([name, file]) => [file, placeName(name, source)]));
        const output = await runProgram(tool.file, args, trial?.directory ?? tree.directory, options, names);
        const post = await postRendered(output, source, folder, kustomize);
        return { objects: objectsOf(post.output, source), tool: [`helm ${tool.version}`, ...post.tools].join(", ") };
      } finally {
        await trial?.close();
        await rm(folder, { recursive: true, force: true });
      }
    },
    async version() {
      const tool = await program();
      return tool === null ? { tool: "helm", missing: MISSING } : { tool: "helm", version: tool.version };
    },
  };
}

/** Writes the values that are no files of the repository into a folder of our own: where each of them is. */
async function placeInputs(values: readonly string[], source: Source, folder: string): Promise<Map<string, string>> {
  const placed = new Map<string, string>();
  for (const [index, name] of values.filter(isInput).entries())
    placed.set(name, await placeText(folder, `values-${index}.yaml`, inputOf(source, name).text));
  return placed;
}

async function placeText(folder: string, name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
}

/** Runs what the owner lets Kustomize do to the output, in order. Without objects there is nothing to do it to. */
async function postRendered(
  output: string,
  source: Source,
  folder: string,
  kustomize: Pick<Kustomize, "build">,
): Promise<{ readonly output: string; readonly tools: readonly string[] }> {
  let text = output;
  const tools = new Set<string>();
  for (const { resource, file, kustomization } of postKustomizations(source)) {
    if (objectsOf(text, source).length === 0) break;
    const own = await mkdtemp(join(folder, "post-"));
    await writeFile(join(own, resource), text);
    await writeFile(join(own, file), kustomization);
    const built = await kustomize.build(own, ".");
    text = built.output;
    tools.add(built.tool);
  }
  return { output: text, tools: [...tools] };
}

function argumentsOf(source: Source, values: readonly string[], placed: ReadonlyMap<string, string>): string[] {
  const chart = source.path === "." || source.path === "" ? "." : `./${source.path}`;
  return [
    "template",
    releaseOf(source),
    chart,
    ...(source.namespace === undefined ? [] : ["--namespace", source.namespace]),
    ...values.flatMap((file) => ["--values", placed.get(file) ?? `./${file}`]),
    ...(source.helm?.skipCrds === true ? [] : ["--include-crds"]),
    "--no-hooks",
    "--skip-tests",
  ];
}

/** An Application or a HelmRelease may name its release as it likes: what Helm would take for an option must never reach it. */
function releaseOf({ helm, owner }: Source): string {
  const release = helm?.release ?? "release";
  if (release.length > 53 || !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(release))
    throw new StanchError("render", `the release name in ${owner.name} is none that Helm takes`, {
      hint: "use lower-case letters, digits and dashes, 53 at most",
    });
  return release;
}

/** What a schema in a packed chart refers to, Helm would read: nobody has looked into it. Helm before 3.16 cannot leave it out. */
function unpacked(files: ReadonlySet<string>, { version }: Program): string[] {
  const [, major = 0, minor = 0] = /^v(\d+)\.(\d+)/.exec(version)?.map(Number) ?? [];
  const packed = [...files].some((file) => /\.(?:tgz|tar\.gz)$/.test(file));
  return packed && (major > 3 || minor >= 16) ? ["--skip-schema-validation"] : [];
}

async function findProgram(options: RenderOptions): Promise<Program | null> {
  for await (const file of executables(["helm"], options.path)) {
    const output = await runProgram(file, ["version", "--short"], tmpdir(), options).catch(() => null);
    if (output !== null)
      return { file, version: /v\d+\.\d+\.\d+[\w.-]*/.exec(output)?.[0] ?? output.trim().slice(0, 40) };
  }
  return null;
}
