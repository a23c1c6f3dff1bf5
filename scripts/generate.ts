/** Writes what is generated from the code: `npm run generate`. A test fails when a file is not what this would write. */
import { mkdir, writeFile } from "node:fs/promises";
import { generated } from "./generated.ts";
import { manifests } from "./manifests.ts";

async function write(files: Record<string, string>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    const target = new URL(`../${file}`, import.meta.url);
    await mkdir(new URL(".", target), { recursive: true });
    await writeFile(target, text);
  }
}

await write(await generated());
// The chart's own files are written by now.
const plain = await manifests();
if (plain === null) process.stderr.write("helm is not on the PATH: deploy/manifests was left as it is\n");
else await write(plain);
