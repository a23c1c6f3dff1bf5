import { tmpdir } from "node:os";
import { StanchError } from "../errors.ts";
import { helmInputs } from "../gitops/helm-inputs.ts";
import { openTree } from "../gitops/tree.ts";
import type { Source } from "../model.ts";
import type { Rendered } from "../ports.ts";
import { executables, objectsOf, type RenderOptions, runProgram } from "./render-program.ts";

const MISSING = "helm is not on the PATH";

interface Program {
  readonly file: string;
  readonly version: string;
}

/**
 * Renders a chart of the repository by `helm template`, as its deployer does: release name, namespace, values files in order.
 * Hooks and tests are left out: they are no part of what runs. Never with the network: dependencies must be vendored.
 */
export function createHelm(options: RenderOptions): {
  render(directory: string, source: Source): Promise<Rendered>;
  version(): Promise<{ readonly tool: string; readonly version?: string; readonly missing?: string }>;
} {
  let found: Promise<Program | null> | undefined;
  const program = (): Promise<Program | null> => (found ??= findProgram(options));
  return {
    async render(directory, source) {
      const tree = await openTree(directory);
      const { values, files } = await helmInputs(tree, source);
      const tool = await program();
      if (tool === null) throw new StanchError("render", MISSING, { hint: "install helm where Stanch runs" });
      const output = await runProgram(
        tool.file,
        [...argumentsOf(source, values), ...unpacked(files, tool)],
        tree.directory,
        options,
      );
      return { objects: objectsOf(output, source), tool: `helm ${tool.version}` };
    },
    async version() {
      const tool = await program();
      return tool === null ? { tool: "helm", missing: MISSING } : { tool: "helm", version: tool.version };
    },
  };
}

function argumentsOf(source: Source, values: readonly string[]): string[] {
  const chart = source.path === "." || source.path === "" ? "." : `./${source.path}`;
  return [
    "template",
    source.helm?.release ?? "release",
    chart,
    ...(source.namespace === undefined ? [] : ["--namespace", source.namespace]),
    ...values.flatMap((file) => ["--values", `./${file}`]),
    "--include-crds",
    "--no-hooks",
    "--skip-tests",
  ];
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
