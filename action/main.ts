import { type Environment, environment, readInputs, readRunner } from "./inputs.ts";
import { exitCode, output, sayFault } from "./report.ts";

/** The step: inputs → mode → exit code. A fault of any kind ends it as an error and never as "no drift". */
async function main(env: Environment): Promise<number> {
  let failOn: "drift" | "error" | "never" = "error";
  try {
    const inputs = readInputs(env);
    const runner = readRunner(env);
    failOn = inputs.failOn;
    const end =
      inputs.mode === "review"
        ? await (await import("./review.ts")).reviewMode(inputs, runner, env)
        : await (await import("./drift.ts")).driftMode(inputs, runner, env);
    return exitCode(end, failOn);
  } catch (error) {
    sayFault(error);
    output({ result: "error" });
    return exitCode("error", failOn);
  }
}

process.exitCode = await main(environment);
