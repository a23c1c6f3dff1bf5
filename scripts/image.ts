import { spawnSync } from "node:child_process";
import { version } from "../src/version.ts";

// `npm run image -- [-t NAME:TAG] [--platform linux/amd64,linux/arm64] [whatever else the builder takes]`: the image of
// deploy/Dockerfile, by buildah or else docker, labelled with what it was built from.
const said = (program: string, ...words: string[]): string | null => {
  const { status, stdout } = spawnSync(program, words, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
};
const words = process.argv.slice(2);
const builder = ["buildah", "docker"].find((program) => said(program, "--version") !== null);
if (builder === undefined) {
  process.stderr.write("an image is built by buildah or docker, and neither is on the PATH\n");
  process.exit(1);
}
const dirty = said("git", "status", "--porcelain") !== "";
const labels = {
  VERSION: version,
  REVISION: `${said("git", "rev-parse", "HEAD") ?? "unknown"}${dirty ? "-dirty" : ""}`,
  // The commit's time, not now: what is built twice from one commit says the same.
  CREATED: said("git", "log", "-1", "--format=%cI") ?? "1970-01-01T00:00:00Z",
};
const named = words.some((word) => /^(-t|--tag)/.test(word));
const { status } = spawnSync(
  builder,
  [
    ...(builder === "docker" ? ["buildx", "build"] : ["build", "--layers"]),
    ...["--file", "deploy/Dockerfile"],
    ...Object.entries(labels).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...(named ? [] : ["--tag", `stanch:${version}`]),
    ...words,
    ".",
  ],
  { cwd: new URL("..", import.meta.url), stdio: "inherit" },
);
process.exitCode = status ?? 1;
