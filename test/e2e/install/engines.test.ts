import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { type EmbeddedCodeHost, startCodeHost } from "../../../src/demo/code-host/code-host.ts";
import type { KubeObject } from "../../../src/model.ts";
import { CHART } from "../../chart/helm.ts";
import { missing } from "../gitops/present.ts";
import { eventually } from "../gitops/wait.ts";
import { kubectl } from "../lab.ts";

const EXAMPLES = resolve(import.meta.dirname, "../../../deploy/examples");
const REPOSITORY = "stanch/stanch";
const TOKEN = "e2e-reader";
const tag = Math.random().toString(36).slice(2, 7);
const namespace = `chart-git-${tag}`;

let host: EmbeddedCodeHost;
const applied: string[][] = [];

/** The chart as it stands here, at the place that the examples name. */
async function chartFiles(): Promise<Record<string, string>> {
  const names = await readdir(CHART, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(
      files.map(
        async (file) => [`deploy/chart/${file.slice(CHART.length + 1)}`, await readFile(file, "utf8")] as const,
      ),
    ),
  );
}

beforeAll(async () => {
  if (missing("flux") && missing("argocd")) return;
  host = await startCodeHost();
  host.addToken(TOKEN, { login: "engine", permission: "read" });
  await host.addRepository(REPOSITORY, { commits: [{ message: "The chart", files: await chartFiles() }] });
});
afterAll(async () => {
  for (const object of applied.toReversed())
    await kubectl(["delete", ...object, "--ignore-not-found", "--timeout=60s"], { may: [1] });
  for (const name of [`${namespace}-argo`, `${namespace}-flux`])
    await kubectl(["delete", "namespace", name, "--wait=false", "--ignore-not-found"]);
  await host?.close();
});

async function apply(...objects: object[]): Promise<void> {
  for (const object of objects as KubeObject[]) {
    await kubectl(["apply", "--server-side", "-f", "-"], { input: JSON.stringify(object) });
    const [version, group] = object.apiVersion.split("/").toReversed();
    const kind = group === undefined ? object.kind : `${object.kind}.${version}.${group}`;
    if (object.kind !== "Namespace") applied.push([kind, object.metadata.name, "-n", object.metadata.namespace ?? ""]);
  }
}

/** An example, with this test's names, repository and credentials; the cluster's shared definitions are left alone, and no cycle runs. */
async function example(file: string, into: string): Promise<KubeObject[]> {
  const text = (await readFile(join(EXAMPLES, file), "utf8"))
    .replaceAll("stanch-system", into)
    .replaceAll("https://github.com/stanch/stanch", `${host.url}/${REPOSITORY}.git`)
    .replaceAll(/targetRevision: v.*/g, "targetRevision: main")
    .replaceAll(/tag: v.*/g, `branch: main\n  secretRef: { name: chart-${tag} }`)
    .replaceAll("releaseName: stanch", `releaseName: stanch-${tag}-${into.slice(-4)}`)
    .replaceAll(/^( +)config:$/gm, "$1crds: { install: false }\n$1cronJob: { suspend: true }\n$1config:")
    .replaceAll("enable: true", "enable: false");
  return parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
}

async function installed(into: string): Promise<void> {
  const cron = await kubectl([
    "-n",
    into,
    "get",
    "cronjobs",
    "-o",
    "jsonpath={.items[*].spec.jobTemplate.spec.template.spec.serviceAccountName}",
  ]);
  expect(cron).toMatch(/^stanch-\S+-reader$/);
  const config = await kubectl([
    "-n",
    into,
    "get",
    "configmaps",
    "-l",
    "app.kubernetes.io/name=stanch",
    "-o",
    "jsonpath={.items[0].data.stanch\\.yaml}",
  ]);
  expect(config).toContain(`namespace: ${into}`);
  expect(config).toContain("mode: propose");
}

describe("the chart from Git, by a real engine, as the examples say", () => {
  it.skipIf(missing("argocd"))("Argo CD", async () => {
    const into = `${namespace}-argo`;
    await apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: `chart-${tag}`,
        namespace: "argocd",
        labels: { "argocd.argoproj.io/secret-type": "repository" },
      },
      stringData: { type: "git", url: `${host.url}/${REPOSITORY}.git`, username: "git", password: TOKEN },
    });
    const [application] = await example("argocd-application.yaml", into);
    const named = {
      ...application,
      metadata: {
        ...application?.metadata,
        name: `stanch-${tag}`,
        finalizers: ["resources-finalizer.argocd.argoproj.io"],
      },
    };
    await apply(named);
    await eventually("synced", 120, async () => {
      const status = await kubectl([
        "-n",
        "argocd",
        "get",
        "application",
        `stanch-${tag}`,
        "-o",
        "jsonpath={.status.sync.status} {.status.operationState.phase} {.status.conditions[*].message} {.status.operationState.message}",
      ]);
      return /^Synced Succeeded/.test(status) ? null : status;
    });
    await installed(into);
    const labels = await kubectl(["get", "namespace", into, "-o", "jsonpath={.metadata.labels}"]);
    expect(labels).toContain('"pod-security.kubernetes.io/enforce":"restricted"');
  });

  it.skipIf(missing("flux"))("Flux", async () => {
    const into = `${namespace}-flux`;
    const [home, ...rest] = await example("flux-helmrelease.yaml", into);
    await apply(home as KubeObject);
    await apply(
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: `chart-${tag}`, namespace: into },
        stringData: { username: "git", password: TOKEN },
      },
      ...rest,
    );
    await eventually("released", 120, async () => {
      const status = await kubectl([
        "-n",
        into,
        "get",
        "helmrelease",
        "stanch",
        "-o",
        'jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.conditions[*].message}',
      ]);
      return /^True/.test(status) ? null : status;
    });
    await installed(into);
  });
});
