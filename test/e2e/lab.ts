import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { RunReport } from "../../src/run.ts";

const call = promisify(execFile);
const ROOT = new URL("../..", import.meta.url).pathname;

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program, with what it said; a failure is an answer. */
async function said(
  program: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  input?: string,
): Promise<Said> {
  const running = call(program, [...words], { env, maxBuffer: 64 * 1024 * 1024, timeout: 300_000 });
  if (input !== undefined) running.child.stdin?.end(input);
  try {
    const { stdout, stderr } = await running;
    return { code: 0, stdout, stderr };
  } catch (error) {
    const failed = error as { code?: number; stdout?: string; stderr?: string };
    return {
      code: typeof failed.code === "number" ? failed.code : 1,
      stdout: failed.stdout ?? "",
      stderr: failed.stderr ?? "",
    };
  }
}

/** kubectl against the cluster of KUBECONFIG. Throws with its words unless `may` allows the exit code. */
export async function kubectl(
  words: readonly string[],
  options: { readonly input?: string; readonly may?: readonly number[] } = {},
): Promise<string> {
  const result = await said("kubectl", words, process.env, options.input);
  if (result.code !== 0 && options.may?.includes(result.code) !== true)
    throw new Error(`kubectl ${words.join(" ")}: ${result.stderr}`);
  return result.stdout;
}

/** The real command line; the report of a run is parsed. */
export async function stanch(
  words: readonly string[],
  token: string,
): Promise<Said & { readonly report: RunReport | null }> {
  const result = await said(process.execPath, [join(ROOT, "src", "cli.ts"), ...words, "-o", "json"], {
    ...process.env,
    GITHUB_TOKEN: token,
  });
  let report: RunReport | null = null;
  try {
    report = JSON.parse(result.stdout) as RunReport;
  } catch {
    // A fault is told on standard error.
  }
  return { ...result, report };
}

export async function writeConfig(folder: string, settings: object): Promise<string> {
  const file = join(folder, "stanch.yaml");
  // JSON is YAML.
  await writeFile(file, JSON.stringify(settings));
  return file;
}

/** What stands in a namespace, with its version. Of pods the uid: the kubelet writes their status when it likes. */
export async function versions(namespace: string): Promise<Record<string, string>> {
  const list = JSON.parse(
    await kubectl(["-n", namespace, "get", "deployments,replicasets,pods,configmaps,services", "-o", "json"]),
  ) as { items: { kind: string; metadata: { name: string; uid: string; resourceVersion: string } }[] };
  return Object.fromEntries(
    list.items.map((item) => [
      `${item.kind}/${item.metadata.name}`,
      item.kind === "Pod" ? item.metadata.uid : item.metadata.resourceVersion,
    ]),
  );
}
