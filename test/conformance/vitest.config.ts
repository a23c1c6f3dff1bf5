import { defineConfig } from "vitest/config";

/** The conformance suite against the cluster of KUBECONFIG: one file at a time, with the patience that real pods need. */
export default defineConfig({
  test: {
    include: ["test/conformance/**/*.test.ts"],
    testTimeout: 180_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
