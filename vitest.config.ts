import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**", "test/bench/**", "test/judge/**"],
    // A limit for what hangs, and no measure of speed: a busy machine is many times slower.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Tests wait for git and for renderers half of the time, so that one worker more than there are processors keeps them all busy. Within a
    // file few go on at once: they share one thread, and each would wait for all the others within its own limit.
    maxWorkers: availableParallelism() + 1,
    maxConcurrency: 2,
    // Tests never read the developer's git configuration, identity or credential helpers.
    env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", GIT_TERMINAL_PROMPT: "0" },
  },
});
