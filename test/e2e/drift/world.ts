import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedCodeHost, startCodeHost } from "../../../src/demo/code-host/code-host.ts";
import type { DriftItem, DriftReport } from "../../../src/drift/model.ts";
import { ARGOCD, argoRepository, FLUX, fluxSource, nudge, removeEngines, untilSynced } from "../gitops/engines.ts";
import { eventually } from "../gitops/wait.ts";
import { kubectl, stanch, writeConfig } from "../lab.ts";
import { shop } from "./shop.ts";

export type Way = "server-side apply" | "client-side apply" | "flux" | "argocd";
const REPOSITORY = "acme/drift";
const BOT = "drift-bot";
const READER = "drift-reader";

/** A repository that is deployed in one way, and `stanch drift` that looks at it. */
export interface DriftWorld extends AsyncDisposable {
  readonly namespace: string;
  readonly name: string;
  readonly host: EmbeddedCodeHost;
  readonly folder: string;
  /** Path of the configuration. */
  readonly config: string;
  drift(
    words?: readonly string[],
  ): Promise<{ readonly report: DriftReport; readonly code: number; readonly said: string }>;
  /** Applies what the branch says now, or waits until the engine did. */
  deploy(): Promise<void>;
}

export async function openDrift(
  way: Way,
  { labels = {}, settings = {} }: { readonly labels?: Record<string, string>; readonly settings?: object } = {},
): Promise<DriftWorld> {
  const tag = Math.random().toString(36).slice(2, 7);
  const namespace = `drift-${tag}`;
  const name = `drift-${tag}`;
  const files = Object.fromEntries(Object.entries(shop(namespace)).map(([file, text]) => [`apps/${file}`, text]));
  const folder = await mkdtemp(join(tmpdir(), "stanch-drift-"));
  const host = await startCodeHost();
  const url = `${host.url}/${REPOSITORY}.git`;
  const ref =
    way === "flux"
      ? ({ kind: "Kustomization", namespace: FLUX, name } as const)
      : ({ kind: "Application", namespace: ARGOCD, name } as const);
  const isEngine = way === "flux" || way === "argocd";

  const close = async (): Promise<void> => {
    if (isEngine) await removeEngines([ref], name);
    await kubectl(["delete", "namespace", namespace, "--wait=false", "--ignore-not-found"], { may: [1] });
    await host.close();
    await rm(folder, { recursive: true, force: true });
  };

  try {
    host.addToken(BOT, { login: "stanch[bot]", permission: "write" });
    host.addToken(READER, { login: "engine", permission: "read" });
    await host.addRepository(REPOSITORY, {
      commits: [{ message: "Import", files, date: new Date(Date.now() - 86_400_000) }],
    });
    await apply([{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels } }]);
    const config = await writeConfig(folder, {
      cluster: "e2e",
      scope: { namespaces: [namespace], deployers: isEngine ? [FLUX, ARGOCD] : [] },
      github: { apiUrl: host.apiUrl, pause: "0s" },
      git: { cache: join(folder, "git") },
      ...(isEngine ? {} : { sources: [{ repository: REPOSITORY, path: "apps", namespaces: [namespace] }] }),
      drift: { wait: "2s", secrets: true },
      ...settings,
    });
    const deploy = async (): Promise<void> => {
      if (isEngine) {
        const head = await host.read(REPOSITORY, "main", "apps/web.yaml").then(() => headOf(url));
        if (way === "flux")
          for (const kind of ["gitrepositories.source.toolkit.fluxcd.io", "kustomizations.kustomize.toolkit.fluxcd.io"])
            await kubectl([
              "-n",
              FLUX,
              "annotate",
              kind,
              name,
              "--overwrite",
              `reconcile.fluxcd.io/requestedAt=${Date.now()}`,
            ]);
        else {
          await nudge(ref);
          // Argo CD itself calls it out of sync as soon as the autoscaler has moved the replicas.
          await eventually(`${name} synced at ${head.slice(0, 8)}`, 90, () => unsyncedApplication(name, head));
          return;
        }
        await untilSynced([ref], head, { healthy: false, seconds: 120 });
        return;
      }
      const current = await Promise.all(Object.keys(files).map((file) => host.read(REPOSITORY, "main", file)));
      await writeFile(join(folder, "all.yaml"), current.join("\n---\n"));
      await kubectl([
        "apply",
        ...(way === "server-side apply" ? ["--server-side"] : []),
        "-f",
        join(folder, "all.yaml"),
      ]);
    };
    if (way === "flux") await apply([...fluxSource(name, { url, token: READER }), kustomization(name)]);
    if (way === "argocd")
      await apply([argoRepository(name, { url, token: READER }), application(name, namespace, url)]);
    await deploy();
    await kubectl(["-n", namespace, "wait", "deployments", "--all", "--for=condition=Available", "--timeout=120s"]);
    return {
      namespace,
      name,
      host,
      folder,
      config,
      deploy,
      async drift(words = []) {
        const chosen = isEngine ? ["--root", name] : ["--root", "apps"];
        const result = await stanch(["drift", "--config", config, ...chosen, ...words], BOT);
        const report = result.report as unknown as DriftReport | null;
        if (report === null) throw new Error(`no report: ${result.code} ${result.stderr}`);
        return { report, code: result.code, said: result.stderr };
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Every item of a report, as `Kind/name class: field by writer (manager)`. */
export function told(report: DriftReport): string[] {
  return report.roots
    .flatMap(({ items, error }) => [...(error === undefined ? [] : [`ERROR ${error}`]), ...items.flatMap(lines)])
    .toSorted();
}

function lines({ object, class: kind, fields, text }: DriftItem): string[] {
  const head = `${object.kind}/${object.name} ${kind}`;
  if (fields.length === 0) return [kind === "unknown" ? `${head}: ${text}` : head];
  return fields.map(
    ({ text: path, by }) => `${head}: ${path} by ${by.writer}${by.manager === undefined ? "" : ` (${by.manager})`}`,
  );
}

/** Reconciled rarely, so that what is planted stands. */
function kustomization(name: string): object {
  return {
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name, namespace: FLUX },
    spec: { interval: "1h", path: "apps", prune: true, sourceRef: { kind: "GitRepository", name } },
  };
}

/** Synced by itself, and not healed. */
function application(name: string, namespace: string, repoURL: string): object {
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: { name, namespace: ARGOCD },
    spec: {
      project: "default",
      destination: { server: "https://kubernetes.default.svc", namespace },
      source: { repoURL, targetRevision: "main", path: "apps" },
      syncPolicy: { automated: { prune: false, selfHeal: false } },
    },
  };
}

async function unsyncedApplication(name: string, head: string): Promise<string | null> {
  const path =
    "{.status.operationState.phase} {.status.operationState.syncResult.revision} {.status.operationState.message}";
  const said = await kubectl(["-n", ARGOCD, "get", "applications.argoproj.io", name, "-o", `jsonpath=${path}`]);
  return said.startsWith(`Succeeded ${head} `) ? null : said;
}

async function headOf(url: string): Promise<string> {
  const { execFile } = await import("node:child_process");
  const { promisify } = await import("node:util");
  const remote = url.replace("://", `://git:${READER}@`);
  const { stdout } = await promisify(execFile)("git", ["ls-remote", remote, "refs/heads/main"]);
  return stdout.split("\t")[0] ?? "";
}

export async function apply(objects: readonly object[]): Promise<void> {
  const input = objects.map((object) => JSON.stringify(object)).join("\n---\n");
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], { input });
}
