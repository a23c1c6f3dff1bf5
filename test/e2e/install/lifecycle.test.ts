import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import type { KubeObject } from "../../../src/model.ts";
import { CHART, hasHelm, helm } from "../../chart/helm.ts";
import { kubectl } from "../lab.ts";

const tag = Math.random().toString(36).slice(2, 7);
const namespace = `chart-life-${tag}`;
const release = `life-${tag}`;
const name = `${release}-stanch`;
/** Definitions belong to the whole cluster: this test's have a group and names of their own, so that nobody else's incidents are touched. */
const group = `${tag}.stanch.example`;
const incidents = `incidents${tag}.${group}`;
const runs = `runs${tag}.${group}`;
const ownNames = (text: string): string =>
  text
    .replaceAll("stanch.dev", group)
    .replaceAll(/\b(incidents?|runs?|inc)\b(?=$|\.|, )/gm, `$1${tag}`)
    .replaceAll(/^( +)- stanch$/gm, `$1- stanch${tag}`);

let folder = "";
let current = "";
let previous = "";

/** A copy of the chart whose custom resources are this test's own. */
async function copyOfChart(as: string): Promise<string> {
  const chart = join(folder, as);
  await cp(CHART, chart, { recursive: true });
  for (const file of await readdir(join(chart, "files"))) {
    if (!file.endsWith(".yaml")) continue;
    const path = join(chart, "files", file);
    await writeFile(path, ownNames(await readFile(path, "utf8")));
  }
  return chart;
}

/** A chart from before: a lower version, and definitions that know less. */
async function older(chart: string): Promise<string> {
  const meta = join(chart, "Chart.yaml");
  await writeFile(meta, (await readFile(meta, "utf8")).replaceAll(/ersion: \d.*$/gm, "ersion: 0.0.1"));
  const path = join(chart, "files/crd.yaml");
  const definitions = parseAllDocuments(await readFile(path, "utf8")).map((document) => document.toJS() as KubeObject);
  for (const definition of definitions)
    for (const version of (definition["spec"] as { versions: { additionalPrinterColumns?: object[] }[] }).versions)
      delete version.additionalPrinterColumns;
  await writeFile(path, definitions.map((each) => stringify(each, { aliasDuplicateObjects: false })).join("---\n"));
  return chart;
}

// Suspended: what is looked at is what is installed, and not what a cycle does.
const SUSPENDED = ["--namespace", namespace, "--set", "cronJob.suspend=true"];
async function helmDo(words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await helm(words);
  expect(code, stderr).toBe(0);
  return stdout;
}
const get = async (words: readonly string[]): Promise<KubeObject & Record<string, never>> =>
  JSON.parse(await kubectl([...words, "-n", namespace, "-o", "json"]));
const names = async (kinds: string): Promise<string[]> =>
  (await kubectl(["get", kinds, "-A", "-l", `app.kubernetes.io/instance=${release}`, "-o", "name"]))
    .split("\n")
    .filter(Boolean);
const may = async (account: string, ...words: string[]): Promise<boolean> =>
  (
    await kubectl(["auth", "can-i", ...words, `--as=system:serviceaccount:${namespace}:${account}`], { may: [1] })
  ).trim() === "yes";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stanch-life-"));
  if (!hasHelm) return;
  current = await copyOfChart("current");
  previous = await older(await copyOfChart("previous"));
});
afterAll(async () => {
  await helm(["uninstall", release, "--namespace", namespace, "--ignore-not-found"]);
  await kubectl(["delete", "crd", incidents, runs, "--ignore-not-found", "--wait=false"]);
  await kubectl(["delete", "namespace", namespace, "--wait=false", "--ignore-not-found"]);
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(!hasHelm)("the life of an installation", () => {
  let uid = "";

  it("is installed by one command, with nothing that may be written", async () => {
    const said = await helmDo(["install", release, previous, "--create-namespace", ...SUSPENDED]);
    expect(said).toContain("changes nothing: neither in the cluster nor in Git");
    expect(await names("serviceaccounts,clusterroles,clusterrolebindings")).toEqual([
      `serviceaccount/${name}-reader`,
      `clusterrole.rbac.authorization.k8s.io/${name}-reader`,
      `clusterrolebinding.rbac.authorization.k8s.io/${name}-reader`,
    ]);
    expect(await may(`${name}-reader`, "list", "pods", "-A")).toBe(true);
    for (const words of [
      ["patch", "deployments"],
      ["create", "pods"],
      ["list", "secrets"],
      ["create", incidents],
    ])
      expect(await may(`${name}-reader`, ...words, "-n", "default"), words.join(" ")).toBe(false);
    await kubectl(["wait", "--for=condition=Established", `crd/${incidents}`, "--timeout=30s"]);
  });

  it("an upgrade from the chart before brings the definitions up to date and keeps incidents", async () => {
    const ref = { apiVersion: "v1", kind: "ConfigMap", namespace, name: "x" };
    const incident = {
      apiVersion: `${group}/v1alpha1`,
      kind: "Incident",
      metadata: { name: "kept", namespace },
      spec: { workload: ref, symptom: "OOMKilled", detector: "oom-killed", fingerprint: "0123456789abcdef" },
    };
    await kubectl(["create", "-f", "-"], { input: JSON.stringify(incident) });
    await kubectl([
      ...["-n", namespace, "patch", incidents, "kept", "--subresource=status", "--type=merge"],
      ...["-p", JSON.stringify({ status: { phase: "Proposed", message: "as it was" } })],
    ]);
    uid = (await get(["get", incidents, "kept"])).metadata.uid ?? "";
    const columns = async (): Promise<unknown[]> =>
      JSON.parse(
        (await kubectl(["get", "crd", incidents, "-o", "jsonpath={.spec.versions[0].additionalPrinterColumns}"])) ||
          "[]",
      );
    expect(await columns()).toEqual([]);
    await helmDo(["upgrade", release, current, ...SUSPENDED, "--set", "config.mode=remediate,write.enabled=true"]);
    expect((await columns()).length).toBeGreaterThan(5);
    expect(await get(["get", incidents, "kept"])).toMatchObject({
      metadata: { uid },
      status: { phase: "Proposed", message: "as it was" },
    });
  });

  it("has a write half when it is enabled, and only then", async () => {
    const account = async (): Promise<unknown> =>
      (
        await kubectl([
          "-n",
          namespace,
          "get",
          "cronjob",
          name,
          "-o",
          "jsonpath={.spec.jobTemplate.spec.template.spec.serviceAccountName}",
        ])
      ).trim();
    expect(await account()).toBe(`${name}-writer`);
    expect(await may(`${name}-writer`, "patch", "deployments", "-n", "default")).toBe(true);
    expect(await may(`${name}-writer`, "delete", "deployments", "-n", "default")).toBe(false);
    expect(await may(`${name}-writer`, "list", "pods", "-A")).toBe(true);
    expect(await may(`${name}-writer`, "update", "lease/stanch", "-n", namespace)).toBe(true);
    expect(await may(`${name}-writer`, "update", "lease/other", "-n", namespace)).toBe(false);
    expect(await may(`${name}-reader`, "patch", "deployments", "-n", "default")).toBe(false);
    const said = await helmDo(["upgrade", release, current, ...SUSPENDED, "--set", "config.mode=remediate"]);
    expect(said).toContain("NOTHING IS CHANGED LIVE");
    expect(await account()).toBe(`${name}-reader`);
    expect(
      (await names("serviceaccounts,clusterroles,clusterrolebindings,roles,rolebindings")).filter((each) =>
        each.includes("writer"),
      ),
    ).toEqual([]);
    expect(await may(`${name}-writer`, "patch", "deployments", "-n", "default")).toBe(false);
  });

  it("confined to namespaces it holds nothing in others", async () => {
    const set = `config.mode=remediate,write.enabled=true,config.scope.namespaces={${namespace}-a}`;
    await kubectl(["create", "namespace", `${namespace}-a`]);
    try {
      await helmDo(["upgrade", release, current, ...SUSPENDED, "--set", set]);
      expect(await may(`${name}-writer`, "patch", "deployments", "-n", `${namespace}-a`)).toBe(true);
      for (const words of [
        ["patch", "deployments"],
        ["list", "pods"],
        ["get", "configmaps"],
      ])
        expect(await may(`${name}-writer`, ...words, "-n", "default"), words.join(" ")).toBe(false);
    } finally {
      await kubectl(["delete", "namespace", `${namespace}-a`, "--wait=false"]);
    }
  });

  it("uninstalled it leaves the definitions and the incidents, as its notes say, and nothing else", async () => {
    const said = await helmDo(["uninstall", release, "--namespace", namespace, "--wait"]);
    expect(said).toContain(incidents);
    expect(
      await names("all,serviceaccounts,configmaps,clusterroles,clusterrolebindings,roles,rolebindings,networkpolicies"),
    ).toEqual([]);
    expect((await names("crd")).toSorted()).toEqual(
      [incidents, runs].map((each) => `customresourcedefinition.apiextensions.k8s.io/${each}`),
    );
    expect((await get(["get", incidents, "kept"])).metadata.uid).toBe(uid);
  });

  it("installed again it finds them as they were", async () => {
    await helmDo(["install", release, current, ...SUSPENDED]);
    expect((await get(["get", incidents, "kept"])).metadata.uid).toBe(uid);
  });

  it("takes over definitions that were installed without Helm, when it is told to", async () => {
    await helmDo(["uninstall", release, "--namespace", namespace, "--wait"]);
    const strangers = ["meta.helm.sh/release-name-", "meta.helm.sh/release-namespace-"];
    for (const definition of [incidents, runs]) {
      await kubectl(["annotate", "crd", definition, ...strangers]);
      await kubectl(["label", "crd", definition, "app.kubernetes.io/managed-by-"]);
    }
    const refused = await helm(["install", release, current, ...SUSPENDED]);
    expect(refused.stderr).toMatch(/invalid ownership metadata/);
    await helmDo(["install", release, current, ...SUSPENDED, "--take-ownership"]);
    expect((await get(["get", incidents, "kept"])).metadata.uid).toBe(uid);
  });
});
