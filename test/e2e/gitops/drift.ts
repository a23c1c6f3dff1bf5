import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { parse, parseAllDocuments, stringify } from "yaml";
import { kubectl } from "../lab.ts";
import type { RenderRoot } from "./trees/tree.ts";

const call = promisify(execFile);

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  metadata: {
    readonly name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
}

/**
 * `kubectl diff` between what a root of the repository renders to and the cluster; "" when there is no drift. The
 * engines' own marks (Flux' labels, Helm's and Argo CD's tracking) are in no repository: they are taken over from the live
 * object before, so that whatever is left in the diff is drift.
 */
export async function driftOf(files: Readonly<Record<string, string>>, root: RenderRoot): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "stanch-drift-"));
  try {
    for (const [file, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
    }
    const manifests = parseAllDocuments(await render(folder, files, root))
      .map((document) => document.toJS() as Manifest | null)
      .filter((manifest) => manifest !== null);
    for (const manifest of manifests) {
      manifest.metadata.namespace ??= root.namespace;
      await takeMarks(manifest);
    }
    if (manifests.length === 0) throw new Error(`${root.namespace}: nothing was rendered`);
    const input = manifests.map((manifest) => JSON.stringify(manifest)).join("\n---\n");
    return await kubectl(["diff", "-f", "-"], { input, may: [1] });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** By the engines' own tools, and not by the product's renderers. */
async function render(folder: string, files: Readonly<Record<string, string>>, root: RenderRoot): Promise<string> {
  if (root.tool === "plain")
    return Object.entries(files)
      .filter(([file]) => file.startsWith(`${root.path}/`))
      .map(([, text]) => text)
      .join("\n---\n");
  if (root.tool === "kustomize") {
    const outer =
      root.patchesOf === undefined ? {} : (parse(files[root.patchesOf] ?? "") as { spec: { patches: object[] } }).spec;
    const wrapper = join(folder, "as-flux-does");
    await mkdir(wrapper);
    await writeFile(
      join(wrapper, "kustomization.yaml"),
      stringify({
        resources: [relative(wrapper, join(folder, root.path))],
        ...("patches" in outer ? { patches: outer.patches } : {}),
      }),
    );
    return kubectl(["kustomize", wrapper]);
  }
  const text = await readFile(join(folder, root.inline.file), "utf8");
  const inline = root.inline.at.reduce((at, key) => (at as Record<string, unknown>)[key], parse(text) as unknown);
  await writeFile(join(folder, "inline.yaml"), stringify(inline));
  const values = [...root.valueFiles, "inline.yaml"].flatMap((file) => ["-f", join(folder, file)]);
  const words = ["template", root.release, join(folder, root.chart), "-n", root.namespace, ...values];
  return (await call("helm", words)).stdout;
}

const MARKS =
  /^(kustomize\.toolkit\.fluxcd\.io|helm\.toolkit\.fluxcd\.io|meta\.helm\.sh|argocd\.argoproj\.io)\/(name|namespace|release-name|release-namespace|tracking-id)$/;

async function takeMarks(manifest: Manifest): Promise<void> {
  const { namespace = "", name } = manifest.metadata;
  const text = await kubectl(["-n", namespace, "get", manifest.kind, name, "-o", "json", "--ignore-not-found"]);
  if (text === "") return;
  const live = (JSON.parse(text) as Manifest).metadata;
  for (const field of ["labels", "annotations"] as const) {
    const marks = Object.entries(live[field] ?? {}).filter(
      ([key, value]) => MARKS.test(key) || (key === "app.kubernetes.io/managed-by" && value === "Helm"),
    );
    if (marks.length > 0) manifest.metadata[field] = { ...manifest.metadata[field], ...Object.fromEntries(marks) };
  }
}
