import { existsSync } from "node:fs";
import { defineConfig, type RolldownOptions } from "rolldown";
import { thirdPartyLicenses } from "./scripts/third-party-licenses.ts";

/** What is bundled: `dist/<folder>/<name>.mjs`, its lazy chunks and the licences of what is inside. */
export const ENTRIES = [
  { folder: "cli", name: "stanch", input: "src/cli.ts" },
  { folder: "action", name: "main", input: "action/main.ts" },
];

export default defineConfig(
  // The image is built from the command line's sources alone.
  ENTRIES.filter(({ input }) => existsSync(input)).map(
    ({ folder, name, input }): RolldownOptions => ({
      input: { [name]: input },
      platform: "node",
      // Its modules only define things: without this, every generated model of the API comes along (1.4 MB instead of 0.9).
      treeshake: { moduleSideEffects: (id: string) => !/[\\/]@kubernetes[\\/]client-node[\\/]/.test(id) },
      plugins: [thirdPartyLicenses()],
      output: {
        dir: `dist/${folder}`,
        cleanDir: true,
        format: "esm",
        // .mjs: runs wherever it is copied to, without a package.json beside it.
        entryFileNames: "[name].mjs",
        chunkFileNames: "chunks/[name]-[hash].mjs",
        // Names stay, so that a stack trace in a bug report can be read.
        minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
      },
    }),
  ),
);
