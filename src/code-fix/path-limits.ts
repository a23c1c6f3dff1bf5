import { isWithheld } from "../advice/withheld.ts";
import { wildmatch } from "../gitops/attributes.ts";

export interface LimitSettings {
  /** Folder of the program, "." for all of the repository (`apps[].path`). */
  readonly folder: string;
  /** `model.code.edit` */
  readonly edit: readonly string[];
  readonly lockfiles: boolean;
  readonly files: number;
  readonly lines: number;
  readonly fileBytes: number;
}

/** One kind of file that is not edited. */
export interface PathLimit {
  readonly id: string;
  /** A sentence without a full stop: what the file is, and why it is left alone. */
  readonly reason: string;
  /** What lifts it: nothing, a glob of `model.code.edit`, or `model.code.lockfiles`. */
  readonly lifted: "never" | "edit" | "lockfiles";
  /** An example, for the table of the documentation. */
  readonly example: string;
  /** `path` and its parts as the least strict file system would read them: folded, in lower case. */
  hits(path: string, parts: readonly string[], settings: LimitSettings): boolean;
}

const OUTSIDE = "it lies outside of the program's folder";
const isAll = (folder: string): boolean => folder === "." || folder === "";
const name = (parts: readonly string[]): string => parts.at(-1) ?? "";
const some = (pattern: RegExp) => (_: string, parts: readonly string[]) => parts.some((part) => pattern.test(part));
const called = (pattern: RegExp) => (_: string, parts: readonly string[]) => pattern.test(name(parts));

/** In order: the first that hits is told. Those that nothing lifts come first. */
export const PATH_LIMITS: readonly PathLimit[] = [
  {
    id: "outside",
    reason: OUTSIDE,
    lifted: "never",
    example: "../other/main.go",
    hits: (path, _, { folder }) => !isAll(folder) && !path.startsWith(`${folded(folder)}/`),
  },
  {
    id: "git",
    reason: "it tells Git what to do",
    lifted: "never",
    example: ".gitattributes",
    hits: some(/^\.git(?:$|attributes$|ignore$|modules$|config$|keep$|-blame-ignore-revs$)|^\.mailmap$|^\.lfsconfig$/),
  },
  {
    id: "automation",
    reason: "it runs with the rights of the repository's automation",
    lifted: "never",
    example: ".github/workflows/ci.yml",
    hits: some(
      /^(?:\.github|\.gitea|\.forgejo|\.gitlab|\.?gitlab-ci.*|\.circleci|\.buildkite|\.travis.*|\.drone.*|\.woodpecker.*|\.semaphore|\.teamcity|\.tekton|\.harness|\.azure-?pipelines?.*|\.ci|jenkinsfile.*|.*\.jenkinsfile|azure-pipelines?|\.renovaterc.*|\.releaserc.*|renovate\.json5?|release-please.*\.json|action\.ya?ml|(?:azure-pipelines?|bitbucket-pipelines|buildkite|\.?appveyor|cloudbuild|buildspec|codefresh|wercker|screwdriver|dependabot|\.?goreleaser)(?:[.-].*)?\.ya?ml)$/,
    ),
  },
  {
    id: "owners",
    reason: "it says who must agree to a change",
    lifted: "never",
    example: "CODEOWNERS",
    hits: called(/^(?:codeowners|owners|owners_aliases|maintainers)(?:\.\w+)?$/),
  },
  {
    id: "hooks",
    reason: "it runs on the machine of whoever commits",
    lifted: "never",
    example: ".husky/pre-commit",
    hits: some(/^(?:\.husky|\.?githooks?|git-hooks|\.?pre-commit.*|\.?lefthook.*|\.lintstaged.*|\.overcommit.*)$/),
  },
  {
    id: "editor",
    reason: "it runs in the editor of whoever opens the repository, or instructs a program there",
    lifted: "never",
    example: ".vscode/tasks.json",
    hits: some(
      /^(?:\.vscode|\.idea|\.devcontainer.*|\.fleet|\.zed|\.cursor.*|\.claude.*|\.aider.*|\.windsurf.*|\.envrc|agents\.md|claude\.md|gemini\.md)$/,
    ),
  },
  {
    id: "secrets",
    reason: "it may hold secrets",
    lifted: "never",
    example: ".env.production",
    hits: (path, parts) =>
      isWithheld(path) || parts.some((part) => /^(?:\.?env(?:\..*)?|.*\.env|\.aws|\.ssh|\.kube|\.gnupg)$/.test(part)),
  },
  {
    id: "vendored",
    reason: "it is somebody else's code, and a change there is lost with the next update",
    lifted: "never",
    example: "vendor/lib/a.go",
    hits: some(
      /^(?:vendor|vendors|vendored|node_modules|bower_components|jspm_packages|third[_-]?party|thirdparty|site-packages|\.?venv|virtualenv|pods|carthage|\.yarn|\.pnp.*|\.mvn|gradlew.*|mvnw.*)$/,
    ),
  },
  {
    id: "built",
    reason: "it is made from other files",
    lifted: "never",
    example: "dist/app.js",
    hits(_, parts) {
      // Below `src`, `build` and the like are packages.
      const until = parts.indexOf("src");
      const folders = parts.slice(0, until < 0 ? -1 : until);
      return (
        folders.some((part) => /^(?:dist|build|out|target|bin|obj|coverage|\.next|\.nuxt|__pycache__)$/.test(part)) ||
        parts.some((part) => /^(?:__generated__|generated|gen|__snapshots__|autogen)$/.test(part)) ||
        /\.min\.\w+$|[.-]bundle\.\w+$|\.map$|\.pb\.\w+$|\.pb\.\w+\.\w+$|_pb2(?:_grpc)?\.pyi?$|_pb\.(?:js|ts|d\.ts|rb)$|[._-]generated\.\w+$|^zz_generated|\.g\.\w+$|\.designer\.\w+$|\.snap$|_gen\.go$|^bindata\./.test(
          name(parts),
        )
      );
    },
  },
  {
    id: "lockfile",
    reason: "it pins what the program is built with (model.code.lockfiles lets it be edited)",
    lifted: "lockfiles",
    example: "package-lock.json",
    hits: called(
      /\.lock$|\.lockb$|[.-]lock\.(?:json|ya?ml|hcl)$|\.lockfile$|^npm-shrinkwrap\.json$|^go\.(?:work\.)?sum$|^package\.resolved$|^packages\.lock\.json$|^paket\.lock$|\.lock\.\w+$|^gradle-verification.*|^verification-metadata\.xml$/,
    ),
  },
  {
    id: "hidden",
    reason: "hidden files and folders set up tools",
    lifted: "edit",
    example: ".eslintrc.js",
    hits: some(/^\./),
  },
  {
    id: "build",
    reason: "it runs, or decides what runs, when the program is built, tested or started",
    lifted: "edit",
    example: "Dockerfile",
    hits: called(
      /^(?:(?:.*\.)?dockerfile(?:[.-].*)?|containerfile(?:[.-].*)?|(?:gnu)?makefile(?:\..*)?|.*\.mk|package\.json|deno\.jsonc?|setup\.(?:py|cfg)|pyproject\.toml|.*requirements.*\.txt|pipfile|constraints.*\.txt|tox\.ini|noxfile\.py|manage\.py|conftest\.py|sitecustomize\.py|usercustomize\.py|.*\.pth|.*\.gradle(?:\.kts)?|gradle.*\.properties|pom\.xml|build\.xml|build\.sbt|cmakelists\.txt|.*\.cmake|meson\.build|meson_options\.txt|build(?:\.bazel)?|workspace(?:\.bazel)?|module\.bazel|.*\.bzl|rakefile|.*\.rake|gemfile|.*\.gemspec|go\.(?:mod|work)|cargo\.toml|build\.rs|build\.zig.*|composer\.json|mix\.exs|rebar\.config|project\.clj|.*\.(?:cs|fs|vb|vcx)proj|.*\.sln|.*\.props|.*\.targets|justfile|taskfile(?:\..*)?\.ya?ml|tiltfile|vagrantfile|procfile|skaffold.*\.ya?ml|earthfile|gulpfile\..*|gruntfile\..*|.*\.config\.(?:js|cjs|mjs|ts|cts|mts|json)|(?:docker-)?compose.*\.ya?ml|tsconfig.*\.json|jsconfig\.json|binding\.gyp|.*\.nix|magefile\.go|.*\.podspec|podfile|package\.swift|fastfile)$/,
    ),
  },
  {
    id: "script",
    reason: "scripts run where programs are built and shipped",
    lifted: "edit",
    example: "scripts/release.sh",
    hits(path, parts, { folder }) {
      // At the top of the program alone: further down, these are packages.
      const top = path.slice(isAll(folder) ? 0 : folded(folder).length + 1).split("/");
      return (
        /\.(?:sh|bash|zsh|fish|ksh|ps1|psm1|bat|cmd)$/.test(name(parts)) ||
        (top.length > 1 && /^(?:scripts?|ci|tools?|hack|build-tools|deploy|deployment|release)$/.test(top[0] ?? ""))
      );
    },
  },
  {
    id: "migration",
    reason: "a migration that has run is never run again",
    lifted: "edit",
    example: "db/migrations/0007_carts.sql",
    hits: some(/^(?:migrations?|migrate|alembic|flyway|liquibase)$|^v\d+(?:[._]\d+)*__.+\.sql$/),
  },
  {
    id: "kind",
    reason: "it is no code by its name: what configuration, contracts and documents say is decided elsewhere",
    lifted: "edit",
    example: "config/app.yaml",
    hits: (_, parts) => !CODE.test(name(parts)),
  },
];

/** Languages, and templates that are a part of the program. */
const CODE =
  /\.(?:go|py|pyi|js|cjs|mjs|jsx|ts|cts|mts|tsx|java|kt|kts|scala|groovy|clj|cljs|cljc|rb|erb|php|phtml|rs|c|h|cc|cpp|cxx|hpp|hh|hxx|cs|fs|fsx|vb|swift|m|mm|dart|ex|exs|eex|heex|leex|erl|hrl|lua|pl|pm|r|jl|hs|ml|mli|nim|zig|d|cr|v|sol|vue|svelte|astro|elm|html?|css|scss|less|tmpl|gotmpl|gohtml|tpl|hbs|handlebars|mustache|ejs|pug|jinja2?|j2|liquid|twig|haml|slim|sql)$/;

/** A path as the least strict file system reads it, so that no other spelling passes. */
export function folded(path: string): string {
  return path
    .normalize("NFKC")
    .replaceAll(/\p{Cf}/gu, "")
    .toLowerCase()
    .split("/")
    .map((part) => part.replace(/[. ]+$/, "") || part)
    .join("/");
}

/** Why a path may not be edited, whatever the file holds; null: it may. */
export function pathProblem(path: string, settings: LimitSettings): string | null {
  if (!isPlainPath(path)) return "its name is no plain path: it climbs, or holds characters that can look like others";
  const fold = folded(path);
  const parts = fold.split("/");
  const asked = settings.edit.some((glob) => glob === "**" || wildmatch(glob, path));
  for (const limit of PATH_LIMITS) {
    if (!limit.hits(fold, parts, settings)) continue;
    if (limit.lifted === "lockfiles" && settings.lockfiles) return null;
    if (limit.lifted === "edit" && asked) continue;
    return limit.reason;
  }
  // Another folder that only some file systems read alike is another folder.
  return isAll(settings.folder) || path.startsWith(`${settings.folder}/`) ? null : OUTSIDE;
}

/** Printable ASCII, no climbing, nothing that another file system would read as something else. */
export function isPlainPath(path: string): boolean {
  return (
    path.length <= 400 &&
    /^[\x20-\x7e]+$/.test(path) &&
    !/[\\<>:"|?*~]/.test(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== ".." && !/^ |[ .]$/.test(part))
  );
}
