import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Folders of tests that change nothing outside of their own values: one process runs many of their files, and loads the program once. */
const PURE = ["advice", "chat", "detectors", "guards", "kube", "losses", "observe", "pull-request", "remedies"].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);

export default defineConfig({
  test: {
    // A limit for what hangs, and no measure of speed: a busy machine is many times slower.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Tests wait for git and for renderers half of the time, so that one worker more than there are processors keeps them all busy. Within a
    // file few go on at once: they share one thread, and each would wait for all the others within its own limit.
    maxWorkers: availableParallelism() + 1,
    maxConcurrency: 2,
    // Tests never read the developer's git configuration, identity or credential helpers.
    env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", GIT_TERMINAL_PROMPT: "0" },
    projects: [
      { extends: true, test: { name: "pure", include: PURE, isolate: false } },
      {
        extends: true,
        test: {
          name: "whole",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/bench/**", "test/judge/**", ...PURE],
        },
      },
    ],
  },
});
