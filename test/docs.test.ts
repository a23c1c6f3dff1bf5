import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { OPTIONS } from "../src/commands/flags.ts";
import { Config } from "../src/config/schema.ts";

const root = resolve(import.meta.dirname, "..");
const pages = [
  ...readdirSync(root).filter((file) => file.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
];
const textOf = (page: string): string => readFileSync(join(root, page), "utf8");

/** Fenced blocks with their language; what stands outside of them is prose. */
function blocks(text: string): { language: string; code: string }[] {
  return [...text.matchAll(/^ *(`{3,})([\w-]*)\n([\s\S]*?)^ *\1$/gm)].map(([, , language, code]) => ({
    language: language ?? "",
    code: code ?? "",
  }));
}

const proseOf = (text: string): string => text.replaceAll(/^ *(`{3,})[\w-]*\n[\s\S]*?^ *\1$/gm, "");

/** GitHub's anchor of a heading. */
function anchors(text: string): string[] {
  return [...proseOf(text).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    (title ?? "")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Subcommands, as the command line's own table has them. */
const commands = [
  ...readFileSync(join(root, "src/cli.ts"), "utf8").matchAll(/^ {2}"?([a-z-]+)"?: \(\) => import\(/gm),
].map(([, name]) => name);

describe.each(pages)("%s", (page) => {
  const text = textOf(page);

  it("has no link that leads nowhere", () => {
    const wrong: string[] = [];
    for (const [, target = ""] of proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file = "", anchor] = target.split("#");
      const path = file === "" ? page : join(dirname(page), file);
      if (!existsSync(join(root, path))) wrong.push(target);
      else if (anchor !== undefined && !anchors(textOf(path)).includes(anchor)) wrong.push(target);
    }
    expect(wrong).toEqual([]);
  });

  it("names no file that is not there", () => {
    const named = [...proseOf(text).matchAll(/`((?:src|test|docs|deploy|scripts|action)\/[\w./-]+)`/g)];
    // What is built or written by a reader is none of the repository's.
    const wrong = named.map(([, path]) => path ?? "").filter((path) => !existsSync(join(root, path)));
    expect(wrong).toEqual([]);
  });

  it("shows no command and no flag that the command line does not know", () => {
    const wrong: string[] = [];
    const lines = [
      ...blocks(text).flatMap(({ code }) => code.split("\n")),
      ...[...proseOf(text).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? ""),
    ];
    for (const line of lines) {
      const [, words] = /(?:^|\s)(?:npm run (?:-s )?stanch -- |\$ stanch |^stanch )([^|#>]*)/.exec(line) ?? [];
      if (words === undefined) continue;
      const [command, ...rest] = words.trim().split(/\s+/);
      if (command !== undefined && /^[a-z]/.test(command) && !commands.includes(command)) wrong.push(line);
      for (const word of rest) {
        const [, flag] = /^--([a-z-]+)/.exec(word) ?? [];
        if (flag !== undefined && !Object.hasOwn(OPTIONS, flag)) wrong.push(line);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("shows configuration that is valid", () => {
    const shown = blocks(text).filter(({ language, code }) => language === "yaml" && code.startsWith("# stanch.yaml"));
    for (const { code } of shown) {
      const result = Config.safeParse(parse(code));
      expect(result.success ? [] : result.error.issues).toEqual([]);
    }
  });
});

describe("the documentation as a whole", () => {
  it("is reached from the README, page by page", () => {
    const reached = new Set<string>();
    const queue = ["README.md"];
    for (const page of queue) {
      if (reached.has(page)) continue;
      reached.add(page);
      for (const [, target = ""] of proseOf(textOf(page)).matchAll(/\]\(([^)\s#]+)/g)) {
        const path = join(dirname(page), target);
        if (path.endsWith(".md") && pages.includes(path)) queue.push(path);
      }
    }
    expect(pages.filter((page) => !reached.has(page))).toEqual([]);
  });

  it("knows the command line", () => {
    expect(commands).toContain("run");
    expect(commands.length).toBeGreaterThan(5);
  });
});
