import { StanchError } from "../errors.ts";
import type { Input, RemoteChart, Source } from "../model.ts";
import type { Charts, Checkout } from "../ports.ts";
import type { Origin } from "./origin.ts";
import { presentValues } from "./present-values.ts";
import { detectTool } from "./tool.ts";

/** Opens a branch of a repository; undefined is its default branch. */
export type OpenBranch = (repository: string, branch: string | undefined) => Promise<Checkout>;

/**
 * The source of an origin: branch and tool known, files of other repositories read. Throws StanchError `config` when the folder or a
 * values file is not there.
 */
export async function openOrigin(
  origin: Origin,
  open: OpenBranch,
  charts?: Charts,
): Promise<{ readonly source: Source; readonly checkout: Checkout }> {
  const {
    branch: wanted,
    tool,
    files: elsewhere = {},
    path: given,
    optional,
    patterns,
    overrides = [],
    ...rest
  } = origin;
  const { remote } = rest;
  const checkout = remote === undefined ? await open(origin.repository, wanted) : await openChart(remote, charts);
  const { branch } = checkout;
  const path = given.replace(/^\.?\/+|\/+$/g, "") || ".";
  const files = (await checkout.files()).map((file) => file.path);
  if (path !== "." && !files.some((file) => file.startsWith(`${path}/`)))
    throw new StanchError("config", `${origin.repository} has no folder "${path}" on branch ${branch}`, {
      hint:
        origin.owner.kind === "configuration"
          ? "correct `path` of this source in the configuration"
          : `correct the path in ${origin.owner.name}`,
    });
  const override = overrides.find((file) => files.includes(file));
  if (override !== undefined)
    throw new StanchError(
      "config",
      `${override} of ${origin.repository} is merged over ${origin.owner.name} by Argo CD, which Stanch does not do`,
      {
        hint: "move what it says into the Application, or make the change by hand",
      },
    );
  const inputs: Record<string, Input> = { ...rest.inputs };
  const missing = new Set<string>();
  for (const [name, { repository, branch: theirs, file, optional }] of Object.entries(elsewhere)) {
    const other = await open(repository, theirs);
    const text = await other.read(file);
    if (text !== null)
      inputs[name] = { text, label: `${repository}:${file}`, home: { repository, branch: other.branch, file } };
    else if (optional === true) missing.add(name);
    else
      throw new StanchError("config", `${repository} has no file ${file} on branch ${other.branch}`, {
        hint: `correct the values files in ${origin.owner.name}`,
      });
  }
  const owned = origin.owner.kind === "configuration" ? "" : ` (${origin.owner.name})`;
  const source: Source = {
    ...rest,
    id:
      remote === undefined
        ? `${origin.repository}:${path}@${branch}${owned}`
        : `chart ${remote.chart} ${remote.version}${owned}`,
    branch,
    path,
    tool: tool === "auto" ? toolOf(origin, files, path) : tool,
    ...(rest.helm === undefined
      ? {}
      : { helm: { ...rest.helm, values: presentValues(origin, files).filter((file) => !missing.has(file)) } }),
    ...(Object.keys(inputs).length === 0 ? {} : { inputs }),
  };
  return { source, checkout };
}

/** Flux builds a folder with a chart in it like any other. */
function toolOf({ owner, helm }: Origin, files: readonly string[], path: string): Source["tool"] {
  const found = detectTool(files, path);
  return found === "helm" && helm === undefined && owner.kind === "flux" ? "plain" : found;
}

async function openChart(remote: RemoteChart, charts: Charts | undefined): Promise<Checkout> {
  if (charts === undefined)
    throw new StanchError(
      "render",
      `the chart ${remote.chart} ${remote.version} lies in a Helm repository, and charts are not fetched`,
      {
        hint: "allow it with `charts.fetch`, or vendor the chart into the repository",
      },
    );
  return charts.open(remote);
}
