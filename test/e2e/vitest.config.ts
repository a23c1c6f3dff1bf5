import { defineConfig } from "vitest/config";

/** The main job against the cluster of KUBECONFIG, with real containers that really fail. */
export default defineConfig({
  test: {
    include: ["test/e2e/**/*.test.ts"],
    testTimeout: 420_000,
    hookTimeout: 180_000,
    fileParallelism: false,
    env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", GIT_TERMINAL_PROMPT: "0" },
  },
});
