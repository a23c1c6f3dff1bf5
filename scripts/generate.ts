/** Writes what is generated from the code: `npm run generate`. A test fails when a file is not what this would write. */
import { writeFile } from "node:fs/promises";
import { generated } from "./generated.ts";

for (const [file, text] of Object.entries(await generated()))
  await writeFile(new URL(`../${file}`, import.meta.url), text);
