import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { HELP } from "../../src/commands/flags.ts";
import { version } from "../../src/version.ts";
import { program } from "./command.ts";

const COMMANDS = ["run", "scan", "incidents", "undo", "doctor", "rbac", "metrics", "notify", "demo"];

describe("help", () => {
  it("is there before anything heavy is loaded", async () => {
    const preload = join(tmpdir(), `stanch-loads-${process.pid}.mjs`);
    await writeFile(
      preload,
      'import { registerHooks } from "node:module"; import { writeSync } from "node:fs";\n' +
        'registerHooks({ load(url, context, next) { writeSync(2, "LOAD " + url + "\\n"); return next(url, context); } });\n',
    );
    for (const words of [["--help"], ["scan", "--help"], ["help", "run"], ["--version"], ["scann"]]) {
      const { error } = await program(words, { preload });
      const loaded = [...error.matchAll(/^LOAD (.*)$/gm)].map((match) => match[1] ?? "");
      expect(loaded.length).toBeGreaterThan(3);
      expect(loaded.filter((url) => url.includes("node_modules"))).toEqual([]);
      expect(loaded.filter((url) => /adapters|detectors|remedies|gitops|compose/.test(url))).toEqual([]);
    }
    await rm(preload);
  });

  it("names every command and flag, and each command has its own", async () => {
    const { out, code } = await program(["--help"]);
    expect(code).toBe(0);
    expect(out).toBe(HELP);
    for (const name of COMMANDS) expect(out).toMatch(new RegExp(`^  ${name} `, "m"));
    for (const flag of [
      "-n, --namespace",
      "-A, --all-namespaces",
      "-l, --selector",
      "--context",
      "--kubeconfig",
      "-o, --output",
      "--dry-run",
    ])
      expect(out).toContain(flag);
    for (const words of [
      ["undo", "-h"],
      ["help", "undo"],
    ])
      expect((await program(words)).out).toMatch(/^stanch undo NAME\n[\s\S]*Exit codes:/);
    expect((await program(["help"])).out).toBe(HELP);
  });

  it("without a command shows the help, and is a mistake", async () => {
    expect(await program([])).toEqual({ code: 2, out: HELP, error: "" });
    expect((await program(["--version"])).out).toBe(`stanch ${version}\n`);
  });

  it("documents the same exit codes as the README", async () => {
    const readme = await readFile(resolve(import.meta.dirname, "../../README.md"), "utf8");
    const inReadme = [...readme.matchAll(/^\| (\d) +\| (.+?) +\|$/gm)].map((match) => [
      match[1],
      match[2]?.replaceAll("`", ""),
    ]);
    const inHelp = [...HELP.matchAll(/^ {2}(\d) {2}(.+)$/gm)].map((match) => [match[1], match[2]]);
    expect(inHelp).toHaveLength(5);
    expect(inReadme).toEqual(inHelp);
  });
});

describe("mistakes on the command line", () => {
  it.each<[string[], string, string]>([
    [["scann"], 'there is no command "scann"', 'did you mean "stanch scan"?'],
    [["scann", "--help"], 'there is no command "scann"', 'did you mean "stanch scan"?'],
    [["help", "docter"], 'there is no command "docter"', 'did you mean "stanch doctor"?'],
    [
      ["frobnicate"],
      'there is no command "frobnicate"',
      "commands: run, scan, drift, incidents, undo, explain, doctor, rbac, metrics, notify, demo",
    ],
    [["constructor"], 'there is no command "constructor"', "commands: run"],
    [["scan", "--namespce", "x"], "there is no flag --namespce", "did you mean --namespace?"],
    [["scan", "--all-namespace"], "there is no flag --all-namespace", "did you mean --all-namespaces?"],
    [["run", "--dryrun"], "there is no flag --dryrun", "did you mean --dry-run?"],
    [["scan", "-x"], "there is no flag -x", "see stanch --help"],
    [["scan", "-n"], "--namespace needs a value", "see stanch --help"],
    [["scan", "-n", "-A"], "-n needs a value", "see stanch --help"],
    [["scan", "--dry-run=false"], "does not take an argument", "see stanch --help"],
    [["scan", "shop"], '"shop" is one word too many for stanch scan', "see stanch scan --help"],
    [["undo", "a", "b"], '"b" is one word too many', "see stanch undo --help"],
    [["undo"], "undo needs the name of an incident", "stanch incidents -A"],
    [["scan", "-o", "yaml"], "--output yaml is not known", "use table or json"],
    [["scan", "--log-level", "loud"], "--log-level loud is not known", "use debug, info, warn or error"],
    [["scan", "-c", "/none.yaml"], "the configuration /none.yaml cannot be read", "check --config"],
    [["scan", "--kubeconfig", "/none"], "the kubeconfig cannot be read", "check --kubeconfig"],
    [["scan", "-n", "kube-system"], "namespace kube-system is never watched", "left alone"],
    [["scan"], "no cluster is configured", "set KUBECONFIG, pass --kubeconfig, or run inside a pod"],
  ])("stanch %j", async (words, sentence, hint) => {
    const said = await program(words);
    expect(said.code).toBe(2);
    expect(said.out).toBe("");
    expect(said.error).toMatch(/^stanch: /);
    expect(said.error).toContain(sentence);
    expect(said.error).toContain(hint);
    expect(said.error).not.toMatch(/\n\s+at /);
  });
});
