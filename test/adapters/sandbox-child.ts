/** A process with a sandbox, for tests that kill it: `node sandbox-child.ts TEMPORARY DIRECTORY SCRIPT`. Prints the result. */
import { createSandbox } from "../../src/adapters/sandbox.ts";

const [temporary = "", directory = "", script = ""] = process.argv.slice(2);
const sandbox = createSandbox({ path: process.env["PATH"] ?? "", toolchain: [], closed: [], temporary });
const result = await sandbox.run({
  directory,
  command: ["sh", "-c", script],
  timeoutMs: 30_000,
  outputBytes: 10_000,
});
process.stdout.write(JSON.stringify(result));
