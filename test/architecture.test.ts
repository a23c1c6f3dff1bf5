import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { detectors } from "../src/detectors/index.ts";
import { remedies } from "../src/remedies/index.ts";

const root = resolve(import.meta.dirname, "..");
const SDKS = [
  "@octokit/",
  "@kubernetes/client-node",
  "@anthropic-ai/sdk",
  "simple-git",
  "@opentelemetry/",
  "prom-client",
  "@slack/",
  "standardwebhooks",
];

/** Folder or file of src → what it may import from src. Everything may import model, errors and what is pure and below it. */
const PURE = ["model", "errors", "ports", "config", "kube", "redact", "log", "version"];
const LAYERS: Record<string, readonly string[]> = {
  model: [],
  errors: [],
  version: [],
  ports: ["model"],
  redact: [],
  log: ["ports", "redact"],
  config: ["errors", "config"],
  kube: ["model", "ports", "kube", "errors"],
  gitops: [...PURE, "gitops"],
  drift: [...PURE, "drift", "gitops", "incident", "observe", "workbench", "pull-request"],
  review: [...PURE, "drift", "review", "gitops", "detectors", "pull-request", "observe"],
  chat: [...PURE, "chat", "pull-request", "incident", "run", "take-back", "heal"],
  metrics: [...PURE, "metrics", "incident"],
  notify: [...PURE, "notify", "incident", "pull-request", "run"],
  advice: [...PURE, "advice", "gitops", "remedies", "incident", "run", "workbench"],
  "code-fix": [...PURE, "code-fix", "advice", "gitops"],
  "pull-request": [...PURE, "pull-request", "incident"],
  incident: [...PURE, "incident"],
  observe: [...PURE, "observe", "gitops"],
  detectors: [...PURE, "detectors"],
  remedies: [...PURE, "remedies", "gitops"],
  guards: [...PURE, "guards", "remedies", "gitops"],
  "branch-place": [...PURE, "pull-request", "run"],
  "mark-ready": [...PURE, "run"],
  steps: [
    ...PURE,
    "steps",
    "detectors",
    "remedies",
    "guards",
    "gitops",
    "pull-request",
    "incident",
    "observe",
    "run",
    "branch-place",
    "mark-ready",
    "recent",
    "losses",
  ],
  recent: [...PURE, "gitops", "run"],
  losses: [...PURE, "losses", "gitops", "recent", "remedies"],
  run: [...PURE, "incident", "metrics", "observe", "workbench"],
  remember: [...PURE, "incident", "metrics", "run"],
  telemetry: [...PURE, "adapters", "incident", "metrics"],
  sight: [...PURE, "advice", "remedies", "gitops", "run"],
  "secret-values": [...PURE, "run"],
  "model-account": [...PURE, "advice", "incident", "run"],
  advise: [...PURE, "advice", "steps", "remedies", "incident", "run", "sight", "secret-values", "model-account"],
  workbench: [...PURE, "gitops", "remedies"],
  "hold-choices": [...PURE, "gitops", "run"],
  context: [...PURE, "observe", "steps", "guards", "incident", "remedies", "run", "hold-choices"],
  mend: [...PURE, "advice", "branch-place", "code-evidence", "incident", "pull-request", "run", "seek-code", "steps"],
  "code-evidence": [...PURE, "advice"],
  "seek-code": [
    ...PURE,
    "advice",
    "code-evidence",
    "code-fix",
    "incident",
    "model-account",
    "run",
    "secret-values",
    "steps",
  ],
  "follow-code": [...PURE, "pull-request", "incident", "run", "chat"],
  "tell-program": [...PURE, "steps", "incident", "run", "remedies", "observe"],
  escalate: [...PURE, "steps", "incident", "run", "remedies", "tell-program", "mend"],
  contain: [...PURE, "steps", "incident", "run", "tell-program"],
  "mend-contained": [...PURE, "steps", "incident", "run", "contain", "mend"],
  "while-contained": [...PURE, "steps", "incident", "run", "contain", "mend-contained", "resolve", "take-back"],
  "follow-issue": [...PURE, "steps", "pull-request", "incident", "run", "take-back", "chat"],
  "take-back": [...PURE, "steps", "incident", "run"],
  homes: [...PURE, "gitops", "workbench"],
  resolve: [...PURE, "incident", "run", "take-back"],
  "await-sync": [...PURE, "steps", "gitops", "incident", "run"],
  heal: [
    ...PURE,
    "gitops",
    "steps",
    "incident",
    "run",
    "workbench",
    "take-back",
    "resolve",
    "await-sync",
    "homes",
    "word",
    "contain",
    "mend-contained",
  ],
  word: [...PURE, "advice", "incident", "run", "secret-values", "model-account"],
  "git-ahead": [...PURE, "gitops", "incident", "run", "await-sync"],
  treat: [...PURE, "steps", "incident", "run", "context", "heal", "take-back", "git-ahead", "escalate"],
  "after-merge": [...PURE, "steps", "incident", "run", "observe", "take-back", "resolve", "await-sync"],
  "while-open": [
    ...PURE,
    "steps",
    "pull-request",
    "incident",
    "run",
    "take-back",
    "resolve",
    "await-sync",
    "after-merge",
    "chat",
  ],
  "follow-up": [
    ...PURE,
    "steps",
    "incident",
    "run",
    "observe",
    "heal",
    "treat",
    "take-back",
    "resolve",
    "await-sync",
    "after-merge",
    "while-open",
    "while-contained",
  ],
  pipeline: [
    ...PURE,
    "advise",
    "gitops",
    "steps",
    "incident",
    "run",
    "context",
    "treat",
    "follow-up",
    "follow-issue",
    "follow-code",
    "remember",
    "notify",
  ],
  adapters: [...PURE, "adapters", "gitops", "metrics", "notify", "run"],
  "compose-model": [...PURE, "adapters", "run"],
  "compose-checks": [...PURE, "adapters", "run"],
  compose: [
    "compose-checks",
    "compose-model",
    ...PURE,
    "adapters",
    "incident",
    "metrics",
    "observe",
    "run",
    "workbench",
    "commands",
  ],
  commands: [
    ...PURE,
    "advice",
    "advise",
    "code-fix",
    "context",
    "gitops",
    "commands",
    "compose",
    "pipeline",
    "run",
    "steps",
    "incident",
    "remedies",
    "workbench",
    "demo",
    "drift",
    "homes",
    "take-back",
    "metrics",
    "remember",
    "telemetry",
    "notify",
  ],
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

/** The goldens of a scenario folder. */
function goldens(id: string): string[] {
  const folder = join(root, "test/scenarios", id);
  const found = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  return found.filter((file) => file.endsWith("golden.json")).map((file) => readFileSync(join(folder, file), "utf8"));
}

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

  for (const [what, ids, mark] of [
    ["detector", detectors.map((detector) => detector.id), (id: string) => new RegExp(`"detector": "${id}"`)],
    // Chosen, and not only refused.
    ["remedy", remedies.map((remedy) => remedy.id), (id: string) => new RegExp(`"remedy": "${id}",\\s+"title"`)],
  ] as const) {
    it(`every ${what} has a scenario folder in which it speaks`, () => {
      const missing = ids
        .filter((id) => !goldens(id).some((golden) => mark(id).test(golden)))
        .map(
          (id) =>
            `add test/scenarios/${id}/<case>/ with cluster.yaml, healthy.yaml and repository/, in which ${id} speaks`,
        );
      expect(missing).toEqual([]);
      expect(ids.length).toBeGreaterThan(5);
    });
  }

  it("every remedy has a test that it helps, that it refuses, and that hostile parameters change nothing", () => {
    const untested = remedies.filter(({ id }) => {
      const file = join(root, "test/remedies", `${id}.test.ts`);
      const text = existsSync(file) ? readFileSync(file, "utf8") : "";
      return !["helps(", "refuses(", "tried("].every((call) => text.includes(call));
    });
    expect(untested.map(({ id }) => `add test/remedies/${id}.test.ts with helps, refuses and tried`)).toEqual([]);
  });

  it("every scenario folder is a detector's or a remedy's", () => {
    const known: readonly string[] = [...detectors, ...remedies].map((entry) => entry.id);
    const folders = readdirSync(join(root, "test/scenarios"), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(folders.map((entry) => entry.name).filter((name) => !known.includes(name))).toEqual([]);
  });

  it("files stay small", () => {
    const long = files
      .map((file) => ({ file, lines: readFileSync(join(root, "src", file), "utf8").split("\n").length }))
      // The vocabulary and the doors are one page each on purpose.
      .filter(({ file, lines }) => file !== "model.ts" && file !== "ports.ts" && lines > 330);
    expect(long).toEqual([]);
  });

  it("has no folder without a noun", () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|common|types|lib)(\/|\.ts$)/.test(file))).toEqual([]);
  });
});
