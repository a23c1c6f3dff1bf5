import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const call = promisify(execFile);

/** A monitoring program on the PATH or in the lab's cache; null, said loudly, when there is none. */
export async function findProgram(name: "promtool" | "prometheus" | "pushgateway"): Promise<string | null> {
  const lab = process.env["LAB_CACHE"] ?? join(homedir(), ".cache/stanch-lab");
  for (const folder of [...(process.env["PATH"] ?? "").split(delimiter), join(lab, "bin")]) {
    const file = join(folder, name);
    if (
      await access(file).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  process.stderr.write(
    `SKIPPED: there is no ${name}; tests with it do not run (docs/metrics.md says how to build it)\n`,
  );
  return null;
}

/** What a program says, with its exit code. */
export async function said(
  program: string,
  words: readonly string[],
  options: { readonly input?: string; readonly cwd?: string } = {},
): Promise<{ readonly code: number; readonly text: string }> {
  const running = call(program, [...words], options.cwd === undefined ? {} : { cwd: options.cwd });
  if (options.input !== undefined) running.child.stdin?.end(options.input);
  try {
    const { stdout, stderr } = await running;
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    const failed = error as { code?: number; stdout?: string; stderr?: string };
    return { code: typeof failed.code === "number" ? failed.code : 1, text: `${failed.stdout}${failed.stderr}` };
  }
}
