import { execFile, spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import { parseConfig } from "../../src/config/load.ts";
import { fieldAt, mapAt } from "../../src/kube/fields.ts";
import type { KubeObject } from "../../src/model.ts";
import { version } from "../../src/version.ts";
import { hasHelm, render } from "./helm.ts";

const DEPLOY = resolve(import.meta.dirname, "../../deploy");
const EXAMPLES = join(DEPLOY, "examples");
const hasKustomize = spawnSync("kustomize", ["version"]).status === 0;
if (!hasKustomize) process.stderr.write("SKIPPED: the Kustomize example needs kustomize on the PATH\n");

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stanch-examples-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const documents = (text: string): KubeObject[] =>
  parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
const example = async (name: string): Promise<KubeObject[]> => documents(await readFile(join(EXAMPLES, name), "utf8"));
const configOf = (objects: readonly KubeObject[]) =>
  parseConfig(
    String(
      fieldAt(
        objects.find((object) => object.kind === "ConfigMap"),
        "data",
        "stanch.yaml",
      ),
    ),
  );

describe("the examples", () => {
  it("name this version", async () => {
    const [application] = await example("argocd-application.yaml");
    expect(fieldAt(application, "spec", "source", "targetRevision")).toBe(`v${version}`);
    const repository = (await example("flux-helmrelease.yaml")).find((object) => object.kind === "GitRepository");
    expect(fieldAt(repository, "spec", "ref", "tag")).toBe(`v${version}`);
  });

  it.skipIf(!hasHelm).each<[string, string, readonly string[]]>([
    ["argocd-application.yaml", "Application", ["spec", "source", "helm", "valuesObject"]],
    ["flux-helmrelease.yaml", "HelmRelease", ["spec", "values"]],
  ])("%s has values that the chart takes", async (name, kind, path) => {
    const values = mapAt(
      (await example(name)).find((object) => object.kind === kind),
      ...path,
    );
    expect(values).toBeDefined();
    const file = join(folder, `${kind}.yaml`);
    await writeFile(file, stringify(values));
    const objects = await render(file);
    expect(configOf(objects)).toMatchObject({ mode: "propose", cluster: "production" });
    expect(objects.some((object) => object.kind === "CronJob")).toBe(true);
  });

  it.skipIf(!hasKustomize)("kustomize makes an overlay of the plain manifests", async () => {
    const overlay = join(folder, "overlay");
    await cp(join(EXAMPLES, "kustomize"), overlay, { recursive: true });
    await cp(join(DEPLOY, "manifests/propose.yaml"), join(overlay, "propose.yaml"));
    const { stdout } = await promisify(execFile)("kustomize", ["build", overlay], { maxBuffer: 16 * 1024 * 1024 });
    const objects = documents(stdout);
    expect(configOf(objects)).toMatchObject({ mode: "propose", cluster: "production" });
    expect(
      fieldAt(
        objects.find((object) => object.kind === "CronJob"),
        "spec",
        "schedule",
      ),
    ).toBe("*/10 * * * *");
    expect(objects).toHaveLength(documents(await readFile(join(DEPLOY, "manifests/propose.yaml"), "utf8")).length);
  });
});
