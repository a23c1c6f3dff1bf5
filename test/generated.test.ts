import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { generated } from "../scripts/generated.ts";

describe("generated files are what the code says (npm run generate)", async () => {
  for (const [file, text] of Object.entries(await generated())) {
    it(file, async () => {
      expect(await readFile(new URL(`../${file}`, import.meta.url), "utf8")).toBe(text);
    });
  }
});
