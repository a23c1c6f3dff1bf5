import { dirname, resolve } from "node:path";
import type { Config } from "./config/schema.ts";
import type { CheckDoor } from "./run.ts";

/** Where check commands of `apps` are run on a model's fix; undefined where no such fix is wanted, or none is checked. */
export async function composeChecks(
  { model, apps }: Config,
  env: Readonly<Record<string, string | undefined>>,
  own: { readonly cache: string; readonly configFile: string | undefined },
): Promise<CheckDoor | undefined> {
  const { code } = model;
  if (!model.enabled || !code.enabled || code.checks === 0) return undefined;
  if (apps.every((entry) => entry.check === undefined)) return undefined;
  const [{ createSandbox }, { createCodeChecks }] = await Promise.all([
    import("./adapters/sandbox.ts"),
    import("./adapters/code-check.ts"),
  ]);
  const home = env["HOME"] ?? "";
  const closed = [
    own.cache,
    ...(own.configFile === undefined ? [] : [dirname(own.configFile)]),
    ...(model.record === "" ? [] : [model.record]),
    ...(home === "" ? [] : [home]),
  ];
  return createCodeChecks(
    createSandbox({
      path: env["PATH"] ?? "",
      toolchain: code.toolchain,
      closed: closed.map((folder) => resolve(folder)),
    }),
  );
}
