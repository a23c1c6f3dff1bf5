import { parseDuration } from "../src/config/duration.ts";
import { nearest } from "../src/config/nearest.ts";
import { StanchError } from "../src/errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export const environment: Environment = process.env;

/** What the workflow says, checked. Times in milliseconds. */
export interface Inputs {
  readonly mode: "drift" | "review";
  readonly config: string;
  /** The configuration was named, so that it must be there. */
  readonly configNamed: boolean;
  readonly roots: readonly string[];
  readonly kubeconfig: string;
  readonly context: string;
  readonly failOn: "drift" | "error" | "never";
  readonly comment: boolean;
  readonly commentName: string;
  readonly summary: boolean;
  readonly annotations: boolean;
  readonly maxAge: number;
  /** Login of who publishes the report: `my-stanch[bot]`; "" where none is read. */
  readonly publisher: string;
  /** Clusters whose reports are read; empty: the one that the configuration names. */
  readonly clusters: readonly string[];
  /** The deployed branch whose report is read; "" for the one that the workflow runs for. */
  readonly branch: string;
  readonly images: boolean;
  readonly token: string;
  readonly apiUrl: string;
}

/** What the runner says of itself. */
export interface Runner {
  readonly repository: string;
  readonly eventName: string;
  readonly eventPath: string;
  readonly sha: string;
  /** Branch of the run; of a pull request the one that it is merged into. */
  readonly branch: string;
  readonly workspace: string;
  /** A folder for files that later steps read. */
  readonly temp: string;
  readonly path: string;
}

const FLAGS: Readonly<Record<string, boolean>> = { true: true, false: false };

/** Reads the inputs, as the runner hands them over: `INPUT_FAIL-ON`. Throws StanchError `config` that names the input and the fix. */
export function readInputs(env: Environment): Inputs {
  const text = (name: string): string => (env[`INPUT_${name.toUpperCase()}`] ?? "").trim();
  const mode = oneOf("mode", text("mode"), ["drift", "review"], undefined);
  // Of a review, what fails is a problem; both words mean the same.
  const failOn = oneOf("fail-on", text("fail-on"), ["drift", "problems", "error", "never"], "error");
  const commentName = text("comment-name") || "review";
  if (!/^[\w-]{1,40}$/.test(commentName))
    throw wrong("comment-name", commentName, "use letters, digits, dashes and underscores, 40 at most");
  const apiUrl = text("github-api-url") || env["GITHUB_API_URL"] || "https://api.github.com";
  if (!URL.canParse(apiUrl)) throw wrong("github-api-url", apiUrl, "write an address such as https://api.github.com");
  const config = text("config");
  return {
    mode,
    config: config || "stanch.yaml",
    configNamed: config !== "",
    roots: lines(text("roots")).map((line) => line.replace(/^\.\/|\/+$/g, "")),
    kubeconfig: text("kubeconfig"),
    context: text("context"),
    failOn: failOn === "problems" ? "drift" : failOn,
    comment: flag("comment", text("comment"), true),
    commentName,
    summary: flag("summary", text("summary"), true),
    annotations: flag("annotations", text("annotations"), true),
    maxAge: age(text("max-age")),
    publisher: publisher(text("publisher")),
    clusters: lines(text("cluster")),
    branch: text("branch"),
    images: flag("check-images", text("check-images"), true),
    token: text("token"),
    apiUrl,
  };
}

/** Throws StanchError `config` where this is no step of a workflow. */
export function readRunner(env: Environment): Runner {
  const must = (name: string): string => {
    const value = env[name];
    if (value === undefined || value === "")
      throw new StanchError("config", `${name} is not set`, {
        hint: "run this as a step of a GitHub Actions workflow",
      });
    return value;
  };
  const repository = must("GITHUB_REPOSITORY");
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository))
    throw new StanchError("config", "GITHUB_REPOSITORY is not owner/name", {
      hint: "run this as a step of a GitHub Actions workflow",
    });
  return {
    repository,
    eventName: env["GITHUB_EVENT_NAME"] ?? "",
    eventPath: must("GITHUB_EVENT_PATH"),
    sha: env["GITHUB_SHA"] ?? "",
    branch: env["GITHUB_BASE_REF"] || env["GITHUB_REF_NAME"] || "",
    workspace: must("GITHUB_WORKSPACE"),
    temp: env["RUNNER_TEMP"] || must("GITHUB_WORKSPACE"),
    path: env["PATH"] ?? "",
  };
}

function oneOf<T extends string>(name: string, value: string, known: readonly T[], fallback: T | undefined): T {
  if (value === "" && fallback !== undefined) return fallback;
  const found = known.find((candidate) => candidate === value.toLowerCase());
  if (found !== undefined) return found;
  const near = nearest(value, [...known]);
  throw wrong(
    name,
    value,
    near === null ? `use ${known.join(", ")}` : `did you mean ${near}? Known are ${known.join(", ")}`,
  );
}

function lines(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function publisher(login: string): string {
  if (login !== "" && !/^[\w.-]+(\[bot\])?$/.test(login))
    throw wrong("publisher", login, "write the login as it stands at comments: my-stanch[bot] for a GitHub App");
  return login;
}

function flag(name: string, value: string, fallback: boolean): boolean {
  if (value === "") return fallback;
  const found = FLAGS[value.toLowerCase()];
  if (found === undefined) throw wrong(name, value, "use true or false");
  return found;
}

function age(value: string): number {
  const parsed = value === "" ? 24 * 3_600_000 : parseDuration(value);
  if (parsed === null || parsed <= 0) throw wrong("max-age", value, "write a time such as 90m, 24h or 7d");
  return parsed;
}

function wrong(name: string, value: string, hint: string): StanchError {
  const said = value === "" ? "is not set" : `is ${JSON.stringify(value.slice(0, 80))}, which is none of its values`;
  return new StanchError("config", `input \`${name}\` ${said}`, { hint });
}
