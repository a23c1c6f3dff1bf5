import { execFile, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "../../src/model.ts";

const ROOT = resolve(import.meta.dirname, "../..");
export const CHART = join(ROOT, "deploy/chart");
export const RELEASE = "stanch";
export const NAMESPACE = "stanch-system";

/** Without it the tests of the chart are skipped, and say so. */
export const hasHelm = spawnSync("helm", ["version"]).status === 0;
if (!hasHelm) process.stderr.write("SKIPPED: the tests of the chart need helm on the PATH\n");

const VALUES = join(import.meta.dirname, "values");
/** Name and path of every combination of values that is tested. */
export const combinations = readdirSync(VALUES).map(
  (file) => [file.replace(/\.yaml$/, ""), join(VALUES, file)] as const,
);

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** helm, with what it said; a failure is an answer. */
export async function helm(words: readonly string[]): Promise<Said> {
  try {
    const { stdout, stderr } = await promisify(execFile)("helm", [...words], { maxBuffer: 64 * 1024 * 1024 });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const failed = error as { code?: number; stdout?: string; stderr?: string };
    return { code: failed.code ?? 1, stdout: failed.stdout ?? "", stderr: failed.stderr ?? "" };
  }
}

const RENDERED = new Map<string, Promise<Said>>();

/** What the chart renders for a file of values. Throws with helm's words. */
export async function render(
  values: string,
  options: { readonly chart?: string; readonly release?: string; readonly upgrade?: boolean } = {},
): Promise<KubeObject[]> {
  const { release = RELEASE, chart = CHART } = options;
  const words = ["template", release, chart, "--namespace", NAMESPACE, "--kube-version", "1.29.0", "--values", values];
  if (options.upgrade === true) words.push("--is-upgrade");
  // What is not made for one test renders the same in all of them.
  const fixed = chart === CHART && values.startsWith(VALUES);
  const asked = (fixed ? RENDERED.get(`${release} ${values}`) : undefined) ?? helm(words);
  if (fixed) RENDERED.set(`${release} ${values}`, asked);
  const { code, stdout, stderr } = await asked;
  if (code !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null);
}
