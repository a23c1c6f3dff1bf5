import { readdirSync, readFileSync } from "node:fs";
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
    job.steps.filter(({ uses }) => uses?.startsWith("stanch/stanch@")).map((step) => ({ workflow, job, step })),
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
          if (uses !== undefined) expect(uses).toMatch(/^(actions\/[\w-]+@v\d+|stanch\/stanch@action-v\d+\.\d+\.\d+)$/);
      }
    for (const { step } of steps) expect(step.uses).toBe(`stanch/stanch@action-v${manifest.version}`);
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

describe("the project's own workflows", () => {
  const folder = resolve(top, ".github/workflows");
  const own = new Map(readdirSync(folder).map((name) => [name, readFileSync(resolve(folder, name), "utf8")]));
  const parsed = [...own.values()].map((text) => parse(text) as Workflow);

  it("pin every action to a commit, and say its version", () => {
    const uses = [...own.values()].flatMap((text) => text.match(/^.*\buses:.*$/gm) ?? []);
    expect(uses.length).toBeGreaterThan(10);
    for (const line of uses) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    const commits = new Map<string, Set<string>>();
    for (const line of uses) {
      const [name = "", commit = ""] = line.replace(/.*uses: /, "").split("@");
      commits.set(name, (commits.get(name) ?? new Set()).add(commit));
    }
    for (const [name, set] of commits) expect([...set], name).toHaveLength(1);
  });

  it("release what the documentation names: a tag that holds the bundle, this version, this image", () => {
    const release = own.get("release.yml") ?? "";
    expect(release).toContain('git tag "action-v$VERSION"');
    expect(release).toContain('git push origin "action-v$VERSION"');
    expect(release).toContain(`git add --force ${action.runs.main.split("/").slice(0, -1).join("/")}`);
    const values = parse(readFileSync(resolve(top, "deploy/chart/values.yaml"), "utf8")) as {
      image: { repository: string };
    };
    expect(values.image.repository).toBe(`ghcr.io/${steps[0]?.step.uses?.split("@")[0]}`);
  });

  it("use the helm that is in the image", () => {
    const [, helm] =
      /helm\.sh\/helm\/v3 (v[\d.]+)/.exec(readFileSync(resolve(top, "deploy/tools/go.mod"), "utf8")) ?? [];
    const versions = parsed.flatMap(({ jobs }) =>
      Object.values(jobs).flatMap(({ steps }) =>
        steps.filter(({ uses }) => uses?.startsWith("azure/setup-helm@")).map(({ with: given }) => given?.["version"]),
      ),
    );
    expect(versions).toEqual([helm, helm]);
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
