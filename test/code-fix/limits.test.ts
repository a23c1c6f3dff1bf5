import { describe, expect, it } from "vitest";
import { makeRedactor } from "../../src/advice/redaction.ts";
import { additionsIn, isTest, REFUSED, TOLD } from "../../src/code-fix/additions.ts";
import { cautionsOf, changedLines, EDIT_LIMITS, editsProblem } from "../../src/code-fix/edit-limits.ts";
import { FILE_LIMITS, type FileFacts, fileProblem } from "../../src/code-fix/file-limits.ts";
import { isPlainPath, type LimitSettings, PATH_LIMITS, pathProblem } from "../../src/code-fix/path-limits.ts";

const settings: LimitSettings = { folder: ".", edit: [], lockfiles: false, files: 3, lines: 20, fileBytes: 20_000 };
const redactor = makeRedactor(["correct horse battery"]);
const reasonOf = (id: string): string => PATH_LIMITS.find((limit) => limit.id === id)?.reason ?? "?";

/** Paths that each row is about. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  outside: [],
  git: [".gitattributes", ".gitmodules", "lib/.gitignore", ".git/hooks/pre-commit", ".GIT/config"],
  automation: [
    ".github/workflows/ci.yml",
    ".GitHub/workflows/ci.js",
    ".github/scripts/run.js",
    "sub/.github/actions/x/index.js",
    ".gitlab-ci.yml",
    "ci/.gitlab-ci.release.yml",
    ".circleci/config.yml",
    "Jenkinsfile",
    "ci/Jenkinsfile.groovy",
    "azure-pipelines.yml",
    "azure-pipelines-release.yaml",
    ".buildkite/pipeline.sh",
    ".travis.yml",
    ".drone.star",
    "cloudbuild.yaml",
    "action.yml",
    "renovate.json",
    ".goreleaser.yaml",
  ],
  owners: ["CODEOWNERS", "docs/CODEOWNERS", "OWNERS", "pkg/OWNERS_ALIASES", "Codeowners"],
  hooks: [".husky/pre-commit", ".githooks/pre-push", ".pre-commit-config.yaml", "lefthook.yml", "githooks/x.py"],
  editor: [
    ".vscode/tasks.json",
    ".devcontainer/devcontainer.json",
    ".idea/run.xml",
    "AGENTS.md",
    "CLAUDE.md",
    ".cursor/rules.js",
  ],
  secrets: [
    ".env",
    ".env.production",
    "config/prod.env",
    "env",
    "src/secrets.go",
    "key.pem",
    "deploy/credentials.js",
    ".npmrc",
    ".aws/config.py",
  ],
  vendored: ["vendor/a/b.go", "web/node_modules/x/index.js", "third_party/z.c", "Pods/A/b.m", ".venv/lib/x.py"],
  built: [
    "dist/app.js",
    "web/build/main.js",
    "target/classes/A.java",
    "api/cart.pb.go",
    "cart_pb2.py",
    "cart_pb2_grpc.py",
    "zz_generated.deepcopy.go",
    "lib/jquery.min.js",
    "web/app.bundle.js",
    "web/app.js.map",
    "src/__generated__/types.ts",
    "src/__snapshots__/a.snap",
    "schema.generated.ts",
  ],
  lockfile: [
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lockb",
    "go.sum",
    "go.work.sum",
    "Cargo.lock",
    "poetry.lock",
    "uv.lock",
    "Gemfile.lock",
    "composer.lock",
    "packages.lock.json",
    "gradle.lockfile",
    "web/deno.lock",
    "Package.resolved",
  ],
  hidden: [".eslintrc.js", ".babelrc.cjs", "lib/.hidden/x.go", ".storybook/main.ts"],
  build: [
    "Dockerfile",
    "Dockerfile.dev",
    "api.Dockerfile",
    "Makefile",
    "package.json",
    "setup.py",
    "pyproject.toml",
    "requirements-dev.txt",
    "build.gradle",
    "build.gradle.kts",
    "pom.xml",
    "CMakeLists.txt",
    "Rakefile",
    "Gemfile",
    "go.mod",
    "Cargo.toml",
    "build.rs",
    "vite.config.ts",
    "jest.config.js",
    "conftest.py",
    "docker-compose.yml",
    "cart.csproj",
  ],
  script: ["entrypoint.sh", "scripts/release.js", "tools/gen.go", "run.ps1", "hack/update.py"],
  migration: ["db/migrations/0007_carts.sql", "alembic/versions.py", "db/migrate/1_carts.rb", "sql/V1__carts.sql"],
  kind: ["config/app.yaml", "README.md", "api/cart.proto", "data.json", "app.toml", "LICENSE", "image.png"],
};

describe("paths", () => {
  it("every row of the table is tried, its example among them", () => {
    expect(Object.keys(PATHS)).toEqual(PATH_LIMITS.map((limit) => limit.id));
    for (const { id, example } of PATH_LIMITS)
      if (id !== "outside") expect(pathProblem(example, settings)).toBe(reasonOf(id));
  });

  it.each(Object.entries(PATHS).flatMap(([id, paths]) => paths.map((path) => [id, path] as const)))(
    "%s: %s",
    (id, path) => {
      expect(pathProblem(path, settings)).toBe(reasonOf(id));
    },
  );

  it.each([
    "src/app.js",
    "main.go",
    "src/build/plan.go",
    "internal/tools/a.go",
    "lib/deploy/a.rb",
    "src/target/aim.java",
    "templates/index.html",
    "queries/cart.sql",
    "a b/[id]/page.tsx",
    "test/cart_test.go",
    "pkg/environment.go",
    "src/tokenizer.py",
  ])("%s may be edited", (path) => {
    expect(pathProblem(path, settings)).toBeNull();
  });

  it.each([
    "../etc/passwd.go",
    "/etc/x.go",
    "a/../../x.go",
    "./a.go",
    "a//b.go",
    "a/./b.go",
    "",
    "a.go ",
    "a /b.go",
    " a/b.go",
    "a./b.go",
    ".github./workflows/x.js",
    ".github /x.js",
    "a\\b.go",
    "a\nb.go",
    "a\0.go",
    "a\u202eog.go",
    ".g\u200cithub/x.js",
    ".ɡithub/x.js",
    "ｓrc/app.js",
    "srс/app.js",
    "GIT~1/x.js",
    "a.go:stream",
    `${"a/".repeat(300)}a.go`,
  ])("%j is no plain path", (path) => {
    expect(isPlainPath(path)).toBe(false);
    expect(pathProblem(path, { ...settings, edit: ["**/*"] })).toMatch(/no plain path/);
  });

  it("what lies outside of the program's folder is not edited, nor what only looks like it", () => {
    const inside = { ...settings, folder: "services/cart", edit: ["**/*"] };
    expect(pathProblem("services/cart/a.go", inside)).toBeNull();
    for (const path of ["services/cartel/a.go", "services/other/a.go", "a.go", "Services/Cart/a.go", "services/cart"])
      expect(pathProblem(path, inside)).toBe(reasonOf("outside"));
    expect(pathProblem("services/cart/scripts/x.js", { ...inside, edit: [] })).toBe(reasonOf("script"));
  });

  it("globs lift what they may, and nothing else", () => {
    const all = { ...settings, edit: ["**"] };
    for (const { id, lifted } of PATH_LIMITS)
      for (const path of PATHS[id] ?? [])
        expect([path, pathProblem(path, all)]).toEqual([path, lifted === "edit" ? null : reasonOf(id)]);
    expect(pathProblem("config/app.yaml", { ...settings, edit: ["config/*.yaml"] })).toBeNull();
    expect(pathProblem("config/sub/app.yaml", { ...settings, edit: ["config/*.yaml"] })).toBe(reasonOf("kind"));
  });

  it("lock files may be edited where that is set, and only then", () => {
    for (const path of PATHS["lockfile"] ?? []) expect(pathProblem(path, { ...settings, lockfiles: true })).toBeNull();
    expect(pathProblem(".github/yarn.lock", { ...settings, lockfiles: true })).toBe(reasonOf("automation"));
    expect(pathProblem("vendor/x/go.sum", { ...settings, lockfiles: true })).toBe(reasonOf("vendored"));
  });
});

const facts = (over: Partial<FileFacts> = {}): FileFacts => ({
  mode: "100644",
  bytes: 10,
  text: "package a\n",
  attributes: { generated: false, vendored: false, filtered: false },
  ...over,
});
const attributes = { generated: false, vendored: false, filtered: false };

/** Files that each row is about. */
const FILES: Readonly<Record<string, readonly Partial<FileFacts>[]>> = {
  link: [{ mode: "120000" }, { mode: "160000" }],
  large: [{ bytes: 20_001 }],
  binary: [{ text: null }, { text: "a\0b" }],
  lfs: [{ text: "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n" }],
  filtered: [{ attributes: { ...attributes, filtered: true } }],
  secret: [{ text: "a: ENC[AES256_GCM,data:x]\n" }, { text: "kind: Secret\n" }, { text: "$ANSIBLE_VAULT;1.1\n" }],
  generated: [
    { text: "// Code generated by protoc. DO NOT EDIT.\n" },
    { text: "/* @generated */\n" },
    { text: "# This file is generated\n" },
    { text: "// <auto-generated/>\n" },
    { attributes: { ...attributes, generated: true } },
  ],
  vendored: [{ attributes: { ...attributes, vendored: true } }],
  minified: [{ text: `${"a;".repeat(3000)}\n` }, { text: `${"b".repeat(400)}\n`.repeat(5) }],
  manifest: [{ text: "apiVersion: v1\nkind: ConfigMap\n" }],
};

describe("files", () => {
  it("every row of the table is tried", () => {
    expect(Object.keys(FILES)).toEqual(FILE_LIMITS.map((limit) => limit.id));
    expect(fileProblem(facts(), settings)).toBeNull();
    expect(fileProblem(facts({ mode: "100755" }), settings)).toBeNull();
  });
  it.each(Object.entries(FILES).flatMap(([id, list]) => list.map((over, index) => [id, index, over] as const)))(
    "%s %d",
    (id, _, over) => {
      expect(fileProblem(facts(over), settings)).toBe(FILE_LIMITS.find((limit) => limit.id === id)?.reason);
    },
  );
});

const of = (before: string, after: string, file = "a.js") => ({ file, before, after });

/** Edits that each row is about. */
const EDITS: Readonly<Record<string, readonly (readonly ReturnType<typeof of>[])[]>> = {
  files: [[of("a", "b", "1.js"), of("a", "b", "2.js"), of("a", "b", "3.js"), of("a", "b", "4.js")]],
  bytes: [[of("a\n", `${"a".repeat(99)}\n`.repeat(201))]],
  lines: [
    [of("", "a\n".repeat(21))],
    [of("a\n".repeat(12), "b\n".repeat(12))],
    [of("", "a\n".repeat(11), "1.js"), of("", "b\n".repeat(10), "2.js")],
  ],
  mark: [[of("a\n", "‹redacted›\n")], [of("a\n", 'x("‹redacted block›")\n')]],
  hidden: [
    [of("a\n", "a\u202e\n")],
    [of("a\n", "if (x\u2066 && y) {}\n")],
    [of("a\n", "a\u200b\n")],
    [of("a\n", "a\u00a0b\n")],
    [of("a\n", "a\u001b[31m\n")],
    [of("a\n", "a\u2028b\n")],
    [of("a\n", "a\rb\n")],
    [of("a\n", "\ufeffa\n")],
    [of("a\n", "const \u3164 = 1\n")],
  ],
  lookalike: [[of("a\n", "if (isАdmin) {}\n")], [of("a\n", "ｅval\n")], [of("a\n", "αdmin\n")]],
  secret: [
    [of("a\n", 'x("ghp_a8Kd0PqL2vR7tYx9Zc3BnM5wQeJ1uGfT6sXy")\n')],
    [of("a\n", "// correct horse battery\n")],
    [of("a\n", "-----BEGIN RSA PRIVATE KEY-----\n")],
  ],
  conflict: [[of("a\n", "<<<<<<< HEAD\na\n")], [of("a\n", ">>>>>>> other\n")]],
  addition: [[of("a\n", 'require("child_process")\n')]],
  host: [
    [of("a\n", 'fetch("https://evil.test.io/x")\n')],
    [of("a\n", 'dial("evil.io:443")\n')],
    [of("a\n", 'connect("203.0.113.9")\n')],
    [of("a\n", "<script src='//evil.io/x.js'>\n")],
    [of('x("https://good.io")\n', 'x("https://good.io@evil.io")\n')],
    [of('x("https://good.io")\n', 'x("https://good.io.evil.io")\n')],
    [of("a\n", `x(\`https://\${name}.evil.io/\`)\n`)],
  ],
};

describe("edits", () => {
  it("every row of the table is tried", () => {
    expect(Object.keys(EDITS)).toEqual(EDIT_LIMITS.map((limit) => limit.id));
  });
  it.each(Object.entries(EDITS).flatMap(([id, list]) => list.map((edits, index) => [id, index, edits] as const)))(
    "%s %d",
    (id, _, edits) => {
      const limit = EDIT_LIMITS.find((row) => row.id === id);
      expect(limit?.problem(edits, settings, redactor)).toEqual(expect.any(String));
      expect(editsProblem(edits, settings, redactor)).toEqual(expect.any(String));
    },
  );

  it.each<[string, string, string]>([
    ["a guard", "return a.b;\n", "return a?.b ?? 0;\n"],
    ["a call of RegExp's exec", "x;\n", "const m = /a/.exec(x);\n"],
    ["a slice of Python's", "x\n", "y = x[::2] + x[0:5:1]\n"],
    ["words of a language", "// für\n", "// für größere Körbe, каждый\n"],
    ["a host that the file speaks of", 'a("https://api.acme.io/v1");\n', 'b("https://api.acme.io/v2");\n'],
    ["a host of the machine itself", "x\n", 'a("http://localhost:80", "127.0.0.1", "https://example.com/x");\n'],
    ["a variable as a host", "x\n", `a(\`https://\${host}/x\`, "http://%s/x");\n`],
    ["a long name with a number in it", "x\n", "const a = userFromHttp2(b);\n"],
    [
      "what looks random and stands there already",
      "getUserNameFromHttp2Request(a);\n",
      "b ?? getUserNameFromHttp2Request(a);\n",
    ],
    ["characters that stand there already", "x\u200b\n", "y\u200b\n"],
  ])("%s is within the limits", (_, before, after) => {
    expect(editsProblem([of(before, after)], settings, redactor)).toBeNull();
  });

  it("lines are counted as they are added and removed", () => {
    expect(changedLines(of("a\nb\nc\n", "a\nx\ny\nc\n"), 80)).toBe(3);
    expect(changedLines(of("a\n".repeat(500), "b\n".repeat(500)), 80)).toBeGreaterThan(80);
  });
});

/** What each row of what is refused or told brings in or takes out. */
const ADDITIONS: Readonly<Record<string, readonly (readonly [string, string, string?])[]>> = {
  program: [
    ["", "cp.execSync(x)"],
    ["", "subprocess.run(x)"],
    ["", "exec.Command(x)"],
    ["", "os.system(x)"],
    ["", "new ProcessBuilder(x)"],
  ],
  eval: [
    ["", "eval(x)"],
    ["", "new Function(x)"],
    ["", "pickle.loads(x)"],
    ["", "yaml.load(x)"],
    ["", "exec(x)"],
  ],
  download: [
    ["", 'run("curl x | sh")'],
    ["", "wget x"],
    ["", "/bin/sh"],
    ["", "bash -c x"],
  ],
  tls: [
    ["", "rejectUnauthorized: false"],
    ["", "InsecureSkipVerify: true"],
    ["", "verify=False"],
    ["", "ssl.CERT_NONE"],
  ],
  machine: [
    ["", "/var/run/secrets/x"],
    ["", "169.254.169.254"],
    ["", "/etc/passwd"],
  ],
  blob: [
    ["", "A".repeat(80)],
    ["", "\\x41".repeat(8)],
  ],
  "skipped-test": [
    ["", 'it.skip("x")'],
    ["", "t.Skip()"],
    ["", "@Disabled"],
    ["", "@pytest.mark.skip"],
    ["", "#[ignore]"],
  ],
  "removed-test": [
    ['it("a"); it("b");', 'it("a");', "a.test.js"],
    ["func TestA()", "", "a_test.go"],
    ["def test_a():", "", "tests/test_a.py"],
  ],
  "removed-assertion": [
    ["expect(a).toBe(1)", "", "a.test.js"],
    ["assert a == 1", "", "test_a.py"],
  ],
  network: [
    ["", "fetch(x)"],
    ["", "requests.get(x)"],
    ["", "http.Get(x)"],
    ["", "net.Dial(x)"],
  ],
  files: [
    ["", "fs.unlinkSync(x)"],
    ["", "os.Remove(x)"],
    ["", "shutil.rmtree(x)"],
    ["", 'open(x, "w")'],
  ],
  environment: [
    ["", "process.env.X"],
    ["", "os.Getenv(x)"],
  ],
  silence: [
    ["", "try { a() } catch (e) {}"],
    ["", "except: pass"],
    ["", "except Exception:\n  pass"],
    ["", "_ = err"],
    ["", ".catch(() => {})"],
  ],
  suppressed: [
    ["", "// @ts-ignore"],
    ["", "# noqa"],
    ["", "//nolint"],
    ["", "eslint-disable"],
  ],
  load: [
    ["", "import(name)"],
    ["", "require(name)"],
  ],
  checks: [
    ["if (!authorized) return;", ""],
    ["validate(x);", ""],
  ],
};

describe("what an edit brings in", () => {
  it("every row is tried", () => {
    expect(Object.keys(ADDITIONS)).toEqual([...REFUSED, ...TOLD].map((row) => row.id));
  });
  it.each(Object.entries(ADDITIONS).flatMap(([id, list]) => list.map((row) => [id, row] as const)))(
    "%s %j",
    (id, [before, after, file = "a.js"]) => {
      const found = additionsIn([...REFUSED, ...TOLD], of(`${before}\n`, `${after}\n`, file)).map((row) => row.id);
      expect(found).toContain(id);
      // The other way round it is no such thing.
      expect(
        additionsIn([...REFUSED, ...TOLD], of(`${after}\n`, `${before}\n`, file)).map((row) => row.id),
      ).not.toContain(id);
    },
  );

  it("cautions name what is new, in plain words", () => {
    expect(
      cautionsOf([
        of('import a from "a";\n', 'import a from "a";\nimport b from "left-pad";\nfetch(b);\n', "src/a.js"),
        of("import os\n", "import os\nfrom yaml import x\n", "a.py"),
        of('import (\n\t"fmt"\n)\n', 'import (\n\t"fmt"\n\t"acme.example/x"\n)\n', "a_test.go"),
      ]),
    ).toEqual([
      "src/a.js imports left-pad, which it did not",
      "src/a.js: it makes a network call that was not there",
      "a.py imports yaml, which it did not",
      "a_test.go is a test",
      "a_test.go imports acme.example/x, which it did not",
    ]);
    expect(cautionsOf([of("return a.b;\n", "return a?.b;\n")])).toEqual([]);
  });

  it("tests are known by their names", () => {
    for (const path of [
      "a.test.ts",
      "a_test.go",
      "test/a.js",
      "tests/test_a.py",
      "src/CartTest.java",
      "spec/a_spec.rb",
    ])
      expect(isTest(path)).toBe(true);
    for (const path of ["src/testimony.js", "latest/a.go", "contest.py"]) expect(isTest(path)).toBe(false);
  });

  it("takes no longer for what was made to take long", () => {
    const hostile = ["\n", " ", "a.", "catch ", "except ", "[", "import ", '"', "verify = ", "--", "_ = ", "\\x41"].map(
      (piece) => piece.repeat(Math.floor(200_000 / piece.length)),
    );
    const began = process.cpuUsage();
    for (const text of hostile) {
      const edit = of(text, `${text}x`);
      additionsIn([...REFUSED, ...TOLD], edit);
      cautionsOf([edit]);
      editsProblem([edit], { ...settings, fileBytes: 1e6 }, redactor);
    }
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(15_000);
  }, 180_000);
});
