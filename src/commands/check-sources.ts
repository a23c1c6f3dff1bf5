import { access, constants, mkdir } from "node:fs/promises";
import { type Base, clusterSide, type Hosts } from "../compose.ts";
import { messageOf } from "../errors.ts";
import type { Origin } from "../gitops/origin.ts";
import { describeRef } from "../kube/ref.ts";
import type { Cluster } from "../ports.ts";
import { createWorkbench, type Workbench } from "../workbench.ts";
import { type Finding, failed } from "./check.ts";

/** Deployers whose source is not known that are named one by one. */
const NAMED = 10;

/**
 * Every source, found in the cluster or configured: does the token see the repository and may it push, does the folder exist and
 * render? What deploys from a place that cannot be known is said, and is no fault: it gets a report instead of a pull request.
 */
export async function checkSources(base: Base, hosts: Hosts, cluster: Cluster | null): Promise<Finding[]> {
  const { config } = base;
  const lines: Finding[] = [];
  if (config.git.cache !== "") {
    await mkdir(config.git.cache, { recursive: true })
      .then(() => access(config.git.cache, constants.W_OK))
      .catch((error: unknown) =>
        lines.push({
          check: "git cache",
          ok: false,
          text: messageOf(error),
          fix: "make git.cache a folder that can be written",
        }),
      );
  }
  const workbench = createWorkbench(config, { ...hosts, ...(cluster === null ? {} : clusterSide(base, cluster)) });
  try {
    const { all, gaps } = await workbench.deployers();
    const origins = await workbench.origins();
    lines.push(...gaps.map((text): Finding => ({ check: "deployers", ok: true, text })));
    const unknown = all.flatMap(({ ref, origins: said }) =>
      said.found ? [] : [`${describeRef(ref)}: ${said.reason}; ${said.hint}`],
    );
    lines.push(...unknown.slice(0, NAMED).map((text): Finding => ({ check: "deployers", ok: true, text })));
    if (unknown.length > NAMED)
      lines.push({ check: "deployers", ok: true, text: `${unknown.length - NAMED} more whose source is not known` });
    if (origins.length === 0) return [...lines, none(config.mode === "observe")];
    const repositories = new Set(origins.filter((it) => it.remote === undefined).map((it) => it.repository));
    for (const repository of repositories) lines.push(...(await checkRepository(repository, base, hosts)));
    for (const origin of origins) lines.push(await checkSource(origin, workbench));
  } catch (error) {
    lines.push(failed("sources", error));
  } finally {
    await workbench.close();
  }
  return lines;
}

function none(ok: boolean): Finding {
  return {
    check: "sources",
    ok,
    text: "no source is configured, and no Argo CD Application, Flux Kustomization or HelmRelease tells one",
    fix: "add `sources` to the configuration: which repository and path each namespace is deployed from",
  };
}

async function checkRepository(repository: string, { config }: Base, { codeHost }: Hosts): Promise<Finding[]> {
  try {
    const seen = await codeHost.check(repository);
    const may = seen.push && !seen.archived;
    const line: Finding = {
      check: "repository",
      ok: config.mode === "observe" || may,
      text: `${repository}: token of ${seen.login}, ${seen.archived ? "archived" : seen.push ? "may push" : "may not push"}, default branch ${seen.defaultBranch}`,
      ...(may
        ? {}
        : {
            fix: seen.archived
              ? "unarchive the repository, or correct `sources`"
              : "give the token contents: write and pull requests: write on this repository",
          }),
    };
    if (!config.drift.publish || seen.checks !== false) return [line];
    const text = `${repository}: ${seen.login} may write no check runs, so that drift is published as a commit status and an issue`;
    return [line, { check: "drift", ok: false, text, fix: "give the App the permission checks: write" }];
  } catch (error) {
    return [failed("repository", error)];
  }
}

async function checkSource(origin: Origin, workbench: Workbench): Promise<Finding> {
  try {
    const bench = await workbench.bench(origin);
    const rendered = await bench.rendered();
    return {
      check: "source",
      ok: rendered.objects.length > 0,
      text: `${bench.source.id}: ${rendered.objects.length} objects by ${rendered.tool}`,
      ...(rendered.objects.length > 0 ? {} : { fix: "correct `path`: nothing that Kubernetes knows is there" }),
    };
  } catch (error) {
    return failed("source", error);
  }
}
