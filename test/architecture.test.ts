import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");
const SDKS = ["@octokit/", "@kubernetes/client-node", "@anthropic-ai/sdk", "simple-git"];

/** Folder or file of src → what it may import from src. Everything may import model, errors and what is pure and below it. */
const PURE = ["model", "errors", "ports", "config", "kube", "redact", "log", "version"];
const LAYERS: Record<string, readonly string[]> = {
  model: [],
  errors: [],
  version: [],
  ports: ["model"],
  redact: [],
  log: ["ports"],
  config: ["errors", "config"],
  kube: ["model", "ports", "kube", "errors"],
  gitops: [...PURE, "gitops"],
  "pull-request": [...PURE, "pull-request", "incident"],
  incident: [...PURE, "incident"],
  observe: [...PURE, "observe"],
  detectors: [...PURE, "detectors"],
  remedies: [...PURE, "remedies", "gitops"],
  guards: [...PURE, "guards", "remedies"],
  steps: [...PURE, "steps", "detectors", "remedies", "guards", "gitops", "pull-request", "incident", "observe", "run"],
  run: [...PURE, "incident", "observe", "workbench"],
  workbench: [...PURE, "gitops", "remedies"],
  context: [...PURE, "observe", "steps", "guards", "incident", "remedies", "run"],
  "take-back": [...PURE, "steps", "incident", "run"],
  heal: [...PURE, "steps", "incident", "run", "workbench", "take-back"],
  treat: [...PURE, "steps", "incident", "run", "context", "heal", "take-back"],
  "follow-up": [...PURE, "steps", "pull-request", "incident", "run", "observe", "heal", "treat", "take-back"],
  pipeline: [...PURE, "steps", "incident", "run", "context", "treat", "follow-up"],
  adapters: [...PURE, "adapters", "gitops"],
  compose: [...PURE, "adapters", "incident", "observe", "run", "workbench", "commands"],
  commands: [...PURE, "commands", "compose", "pipeline", "run", "steps", "incident", "remedies", "workbench", "demo"],
  demo: [...PURE, "demo", "compose", "pipeline", "incident", "run", "commands", "adapters"],
  cli: ["commands", "config", "errors", "version"],
};

const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".ts"),
);
const layerOf = (file: string): string => (file.includes("/") ? (file.split("/")[0] ?? "") : file.replace(/\.ts$/, ""));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, "src", file), "utf8");
  const found = [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/g),
    ...text.matchAll(/()\bimport\("([^"]+)"\)/g),
  ];
  return found.map(([, type, to]) => ({ from: file, to: to ?? "", typeOnly: type !== undefined && type !== "" }));
}

const imports = files.flatMap(importsOf);

describe("architecture", () => {
  it("imports point one way", () => {
    const wrong = imports
      .filter((entry) => entry.to.startsWith("."))
      .map((entry) => ({
        ...entry,
        target: relative(join(root, "src"), resolve(root, "src", dirname(entry.from), entry.to)),
      }))
      .filter((entry) => !entry.target.startsWith(".."))
      .filter(
        (entry) =>
          layerOf(entry.from) !== layerOf(entry.target) &&
          LAYERS[layerOf(entry.from)]?.includes(layerOf(entry.target)) !== true,
      )
      .map((entry) => `src/${entry.from} must not import src/${entry.target}`);
    expect(wrong).toEqual([]);
  });

  it("SDKs are loaded at run time in adapters only", () => {
    const wrong = imports
      .filter(
        (entry) =>
          !entry.typeOnly && SDKS.some((sdk) => entry.to.startsWith(sdk)) && layerOf(entry.from) !== "adapters",
      )
      .map((entry) => `src/${entry.from} imports ${entry.to}`);
    expect(wrong).toEqual([]);
  });

  it("no step calls another", () => {
    const wrong = imports
      .filter((entry) => !entry.typeOnly && entry.from.startsWith("steps/") && /^\.\/[a-z-]+\.ts$/.test(entry.to))
      .map((entry) => `src/${entry.from} imports ${entry.to}`);
    expect(wrong).toEqual([]);
  });

  it("only the adapters' clock asks the machine for the time", () => {
    const wrong = files.filter(
      (file) =>
        !file.startsWith("adapters/") &&
        !file.startsWith("demo/") &&
        /\bDate\.now\(\)|new Date\(\)|\bsetTimeout\(/.test(readFileSync(join(root, "src", file), "utf8")),
    );
    expect(wrong).toEqual([]);
  });

  it("the environment is read in the entries only", () => {
    const wrong = files.filter(
      (file) =>
        file !== "cli.ts" &&
        !file.startsWith("demo/") &&
        readFileSync(join(root, "src", file), "utf8").includes("process.env"),
    );
    expect(wrong).toEqual([]);
  });

  for (const [folder, list] of [
    ["detectors", "detector.ts"],
    ["remedies", "remedy.ts"],
    ["guards", "guard.ts"],
  ] as const) {
    it(`every catalogue entry of ${folder} is registered`, () => {
      const index = readFileSync(join(root, "src", folder, "index.ts"), "utf8");
      const marks = {
        detectors: /export const \w+: Detector\b/,
        remedies: /export const \w+ = defineRemedy\(/,
        guards: /export const \w+: Guard\b/,
      } as const;
      const entries = readdirSync(join(root, "src", folder)).filter(
        (file) =>
          file !== "index.ts" &&
          file !== list &&
          marks[folder].test(readFileSync(join(root, "src", folder, file), "utf8")),
      );
      expect(
        entries.filter((file) => !index.includes(`./${file}`)).map((file) => `add ${file} to src/${folder}/index.ts`),
      ).toEqual([]);
      expect(entries.length).toBeGreaterThan(0);
    });
  }

  it("files stay small", () => {
    const long = files
      .map((file) => ({ file, lines: readFileSync(join(root, "src", file), "utf8").split("\n").length }))
      // The vocabulary is one page on purpose.
      .filter(({ file, lines }) => file !== "model.ts" && lines > 330);
    expect(long).toEqual([]);
  });

  it("has no folder without a noun", () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|common|types|lib)(\/|\.ts$)/.test(file))).toEqual([]);
  });
});
