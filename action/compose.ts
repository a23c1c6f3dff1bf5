import { systemClock } from "../src/adapters/clock.ts";
import { openWorkspace, type Workspace } from "../src/adapters/git-workspace.ts";
import { createGitHub, type GitHub } from "../src/adapters/github.ts";
import { gitRemote } from "../src/adapters/github-address.ts";
import { gitNetwork, useProxies } from "../src/adapters/network.ts";
import { createRegistry } from "../src/adapters/registry.ts";
import { createRenderer } from "../src/adapters/renderers.ts";
import type { Config } from "../src/config/schema.ts";
import type { Clock, Log, Registry, Renderer } from "../src/ports.ts";
import { environment, type Inputs, type Runner } from "./inputs.ts";
import { debugLog } from "./report.ts";

/** What both modes work with. */
export interface Hosts {
  readonly github: GitHub;
  readonly clock: Clock;
  readonly log: Log;
}

export async function composeHosts({ apiUrl, token }: Inputs): Promise<Hosts> {
  useProxies(environment);
  const clock = systemClock;
  const log = debugLog(clock.now);
  const github = await createGitHub({ apiUrl, auth: { token }, allowHttp: false, pauseMs: 0, log, clock });
  return { github, clock, log };
}

export function composeWorkspace(
  { apiUrl, token }: Inputs,
  { workspace, path, repository }: Runner,
): Promise<Workspace> {
  const remote = gitRemote(apiUrl, repository);
  const network = gitNetwork(environment);
  return openWorkspace({ directory: workspace, remote, token: token === "" ? undefined : token, path, network });
}

/** Renderers without a cluster, and registries as the configuration has them. */
export function composeTools(
  { path }: Runner,
  config: Config,
): { readonly renderer: Renderer; readonly registry: Registry } {
  return { renderer: createRenderer({ path }), registry: createRegistry(config.registry) };
}
