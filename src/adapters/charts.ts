import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { StanchError } from "../errors.ts";
import { openTree } from "../gitops/tree.ts";
import type { RemoteChart } from "../model.ts";
import type { Charts, Checkout, TrackedFile } from "../ports.ts";
import { executables } from "./programs.ts";
import { runProgram } from "./render-program.ts";

export interface ChartsOptions {
  /** The PATH to look for `helm` on. */
  readonly path: string;
  readonly cacheDirectory: string;
  /** Milliseconds for one chart. */
  readonly timeoutMs: number;
  /** Plain http to hosts other than loopback. */
  readonly allowHttp: boolean;
  /** Environment of which proxies and certificates are taken. */
  readonly env: NodeJS.ProcessEnv;
}

/** A chart that could not be fetched is not tried again for so long. */
const FAILED_MS = 5 * 60_000;
/** Files of an unpacked chart, its dependencies included. */
const MAX_FILES = 5000;

/**
 * Charts by `helm pull`, without credentials and at one exact version, kept in a cache: a version of a chart does not change. Helm
 * itself bounds what it unpacks and keeps it inside of its folder.
 */
export function createCharts(options: ChartsOptions): Charts {
  const opened = new Map<string, Promise<string>>();
  const failed = new Map<string, number>();
  return {
    async open(chart) {
      const problem = problemOf(chart, options.allowHttp);
      if (problem !== undefined)
        throw new StanchError("render", problem, { hint: "correct the chart in the object that deploys it" });
      const key = createHash("sha256")
        .update(JSON.stringify([chart.url, chart.chart, chart.version]))
        .digest("hex");
      let folder = opened.get(key);
      // A host that does not answer takes the whole time limit, and every question about the object would wait for it anew.
      const again = Date.now() - (failed.get(key) ?? 0) > FAILED_MS;
      if (folder === undefined || (failed.has(key) && again)) {
        failed.delete(key);
        folder = fetched(chart, key.slice(0, 24), options);
        opened.set(key, folder);
        folder.catch(() => failed.set(key, Date.now()));
      }
      return checkoutOf(await folder, chart);
    },
  };
}

/** What comes from an object of the cluster becomes words of a command line: only what these may be is let through. */
function problemOf({ url, chart, version }: RemoteChart, allowHttp: boolean): string | undefined {
  if (!/^[A-Za-z0-9][\w./-]*$/.test(chart) || chart.includes("..")) return `"${chart}" is no name of a chart`;
  if (!/^v?\d+\.\d+\.\d+[\w.+-]*$/.test(version)) return `"${version}" is no exact version of the chart ${chart}`;
  if (!URL.canParse(url)) return `the address of the chart ${chart} is no URL`;
  const { protocol, hostname, username } = new URL(url);
  if (username !== "") return `the address of the chart ${chart} holds credentials, which are never used`;
  if (protocol === "oci:" || protocol === "https:") return undefined;
  if (protocol !== "http:") return `the chart ${chart} is at a ${protocol} address, which is not read`;
  return allowHttp || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
    ? undefined
    : `the chart ${chart} is at a plain http address, which is not trusted (charts.allowHttp)`;
}

async function fetched(chart: RemoteChart, key: string, options: ChartsOptions): Promise<string> {
  await mkdir(options.cacheDirectory, { recursive: true, mode: 0o700 });
  const cache = await realpath(options.cacheDirectory);
  const folder = join(cache, key);
  if (
    await stat(folder).then(
      () => true,
      () => false,
    )
  )
    return folder;
  const helm = (await executables(["helm"], options.path).next()).value as string | undefined;
  if (helm === undefined)
    throw new StanchError("render", "helm is not on the PATH", { hint: "install helm where Stanch runs" });
  // Fetched beside it and moved, so that a crash leaves no half of a chart under the name of the whole.
  const made = await mkdtemp(join(cache, ".fetch-"));
  try {
    const oci = chart.url.startsWith("oci://");
    const where = oci ? [`${chart.url.replace(/\/+$/, "")}/${chart.chart}`] : [chart.chart, "--repo", chart.url];
    await runProgram(helm, ["pull", ...where, "--version", chart.version, "--untar", "--untardir", made], made, {
      path: options.path,
      timeoutMs: options.timeoutMs,
      network: options.env,
    }).catch((error: unknown) => {
      if (!(error instanceof StanchError)) throw error;
      throw new StanchError(
        "render",
        `the chart ${chart.chart} ${chart.version} could not be fetched: ${error.message}`,
        {
          hint: "Stanch fetches public charts only: vendor a private one into the repository",
          cause: error,
        },
      );
    });
    const [name] = await readdir(made);
    if (name === undefined) throw new StanchError("render", `the chart ${chart.chart} ${chart.version} is empty`);
    await rename(made, folder).catch(async (error: NodeJS.ErrnoException) => {
      // Another run was faster.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
    return folder;
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** A chart as a checkout that nothing can be pushed to and that has no history. */
function checkoutOf(directory: string, chart: RemoteChart): Checkout {
  const readOnly = new StanchError("git", `the chart ${chart.chart} is in no repository`);
  return {
    directory,
    revision: chart.version,
    branch: chart.version,
    files: () => filesOf(directory),
    read: async (file) => (await openTree(directory)).read(file),
    history: async () => [],
    blame: async () => null,
    filesWith: async () => [],
    changedSince: async () => null,
    readAt: async () => null,
    treeAt: () => Promise.reject(readOnly),
    publish: () => Promise.reject(readOnly),
    close: async () => undefined,
  };
}

async function filesOf(directory: string): Promise<TrackedFile[]> {
  const rows = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = rows.filter((row) => row.isFile()).slice(0, MAX_FILES);
  return Promise.all(
    files.map(async (row) => {
      const path = join(row.parentPath, row.name);
      return { path: relative(directory, path), mode: "100644", bytes: (await stat(path)).size };
    }),
  );
}
