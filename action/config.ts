import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { parseConfig } from "../src/config/load.ts";
import type { Config } from "../src/config/schema.ts";
import { StanchError } from "../src/errors.ts";
import type { Checkout } from "../src/ports.ts";
import type { Inputs, Runner } from "./inputs.ts";

/** The configuration of the checkout, where there is one. Throws StanchError `config` for one that was named and is not there. */
export async function ownConfig({ config, configNamed }: Inputs, { workspace }: Runner): Promise<Config> {
  const file = isAbsolute(config) ? config : join(workspace, config);
  const text = await readFile(file, "utf8").catch(() => null);
  if (text === null && configNamed)
    throw new StanchError("config", `input \`config\`: there is no file ${config}`, {
      hint: "check the repository out first (actions/checkout), correct the path, or leave the input out",
    });
  return parseConfig(text ?? "", config);
}

/** The configuration as the base has it: what a pull request changes of it counts once it is merged. */
export async function baseConfig({ config, configNamed }: Inputs, base: Checkout): Promise<Config> {
  const text = await base.read(config.replace(/^\.?\/+/, ""));
  if (text === null && configNamed)
    throw new StanchError("config", `input \`config\`: there is no file ${config} in the base of the pull request`, {
      hint: "correct the path, which is relative to the top of the repository, or leave the input out",
    });
  return parseConfig(text ?? "", config);
}
