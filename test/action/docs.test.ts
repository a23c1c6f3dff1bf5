import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readInputs } from "../../action/inputs.ts";
import manifest from "../../package.json" with { type: "json" };

const top = resolve(import.meta.dirname, "../..");
const page = readFileSync(resolve(top, "docs/action.md"), "utf8");

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | boolean | number>>;
}
interface Job {
  readonly steps: readonly Step[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
}
interface Workflow {
  readonly name: string;
  readonly on: unknown;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}
interface Action {
  readonly inputs: Readonly<Record<string, { description: string; required?: boolean; default?: string }>>;
  readonly outputs: Readonly<Record<string, { description: string }>>;
  readonly runs: { readonly using: string; readonly main: string };
}

const action = parse(readFileSync(resolve(top, "action.yml"), "utf8")) as Action;
const workflows = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)]
  .map((match) => parse(match[1] ?? "") as Workflow)
  .filter((workflow) => "jobs" in workflow);
const steps = workflows.flatMap((workflow) =>
  Object.values(workflow.jobs).flatMap((job) =>
    job.steps.filter(({ uses }) => uses?.startsWith("stanch-dev/stanch@")).map((step) => ({ workflow, job, step })),
  ),
);

/** The least that a step needs. */
function permissionsOf({ with: inputs = {} }: Step): Readonly<Record<string, string>> {
  const published = inputs["publisher"] === undefined ? {} : { checks: "read", issues: "read" };
  const comment = inputs["mode"] === "review" ? { "pull-requests": "write" } : {};
  return { contents: "read", ...published, ...comment };
}

describe("the documentation's workflows", () => {
  it("are there: scheduled drift, review, a kubeconfig, a release", () => {
    expect(workflows.map(({ name }) => name)).toEqual(["Drift", "Stanch", "Drift", "Release"]);
    expect(steps.length).toBe(4);
  });

  it("use inputs that there are, and are understood by the Action", () => {
    for (const { step } of steps) {
      const given = step.with ?? {};
      expect(Object.keys(given).filter((name) => !Object.hasOwn(action.inputs, name))).toEqual([]);
      const env = Object.fromEntries(
        Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, String(value)]),
      );
      const inputs = readInputs(env);
      expect(inputs.publisher === "" && inputs.kubeconfig === "" && inputs.mode === "drift").toBe(false);
    }
  });

  it("give exactly the rights that are needed", () => {
    for (const { workflow, job, step } of steps) {
      expect(job.permissions).toBeUndefined();
      expect(workflow.permissions, workflow.name).toEqual(permissionsOf(step));
    }
  });

  it("pin versions, and end", () => {
    for (const workflow of workflows)
      for (const job of Object.values(workflow.jobs)) {
        expect(job["timeout-minutes"]).toBeGreaterThan(0);
        for (const { uses } of job.steps)
          if (uses !== undefined) expect(uses).toMatch(/^(actions\/[\w-]+@v\d+|stanch-dev\/stanch@v\d+\.\d+\.\d+)$/);
      }
    for (const { step } of steps) expect(step.uses).toBe(`stanch-dev/stanch@v${manifest.version}`);
    // An id of a commit that somebody made up would be taken for the real one.
    expect(page).not.toMatch(/\b[0-9a-f]{40}\b/);
  });

  it("never run with secrets beside a stranger's code", () => {
    for (const { on } of workflows) expect(JSON.stringify(on)).not.toMatch(/pull_request_target|workflow_run/);
  });

  it("have every input, default and output in their tables", () => {
    for (const [name, { default: value }] of Object.entries(action.inputs)) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\` `));
      expect(row, name).toBeDefined();
      if (value !== undefined && !value.includes("${{")) expect(row, name).toContain(`\`${value}\``);
    }
    for (const name of Object.keys(action.outputs)) expect(page).toMatch(new RegExp(`^\\| \`${name}\` `, "m"));
  });
});

describe("action.yml", () => {
  it("runs what a release bundles, on Node 24", async () => {
    const { default: bundles } = await import("../../rolldown.config.ts");
    const built = (bundles as { input: Record<string, string>; output: { dir: string } }[]).map(
      ({ input, output }) => `${output.dir}/${Object.keys(input)[0]}.mjs`,
    );
    expect(built).toContain(action.runs.main);
    expect(action.runs.using).toBe("node24");
  });

  it("has the defaults that the Action has", () => {
    const declared = Object.entries(action.inputs).flatMap(([name, { default: value }]) =>
      value === undefined || value.includes("${{") ? [] : [[`INPUT_${name.toUpperCase()}`, value]],
    );
    const bare = readInputs({ INPUT_MODE: "review" });
    expect(readInputs({ INPUT_MODE: "review", ...Object.fromEntries(declared) })).toEqual(bare);
  });
});
