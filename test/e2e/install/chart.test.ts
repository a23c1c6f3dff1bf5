import { execFile, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHART, combinations, hasHelm, helm } from "../../chart/helm.ts";
import { kubectl } from "../lab.ts";
import { clusterSchemas } from "./schemas.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const tag = Math.random().toString(36).slice(2, 7);
const namespace = `chart-${tag}`;
const namespaces = [namespace, `${namespace}-shop`, `${namespace}-bank`, `${namespace}-argocd`];
const hasKubeconform = spawnSync("kubeconform", ["-v"]).status === 0;
if (!hasKubeconform)
  process.stderr.write("SKIPPED: kubeconform is not on the PATH (../shared/lab/build kubeconform)\n");

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stanch-chart-"));
  for (const name of namespaces)
    await kubectl(["apply", "--server-side", "-f", "-"], {
      input: JSON.stringify({
        apiVersion: "v1",
        kind: "Namespace",
        metadata: {
          name,
          labels: {
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/warn": "restricted",
          },
        },
      }),
    });
  // A pod is taken only where its account is, and a dry run makes none.
  for (const account of [`c${tag}-stanch-reader`, `c${tag}-stanch-writer`, "healer-reader"])
    await kubectl(["-n", namespace, "create", "serviceaccount", account]);
});
afterAll(async () => {
  for (const name of namespaces) await kubectl(["delete", "namespace", name, "--wait=false", "--ignore-not-found"]);
  await rm(folder, { recursive: true, force: true });
});

/** Every combination of values, in namespaces of this test's own. */
async function rendered(name: string, values: string): Promise<string> {
  const own = (await readFile(values, "utf8"))
    .replaceAll(/\bshop\b/g, `${namespace}-shop`)
    .replaceAll(/\bbank\b/g, `${namespace}-bank`)
    .replaceAll("deployers: [argocd]", `deployers: [${namespace}-argocd]`)
    .replaceAll("ba*", `${namespace}-ba*`);
  const file = join(folder, `${name}-values.yaml`);
  await writeFile(file, own);
  const words = ["template", `c${tag}`, CHART, "--namespace", namespace, "--kube-version", "1.29.0", "--values", file];
  const { code, stdout, stderr } = await helm(words);
  expect(code, stderr).toBe(0);
  return stdout;
}

/** A server-side dry run of everything; what the API server warns of, too. */
async function dryRun(manifests: string): Promise<{ out: string; warnings: string }> {
  const words = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-"];
  const running = promisify(execFile)("kubectl", words, { maxBuffer: 64 * 1024 * 1024 });
  running.child.stdin?.end(manifests);
  const { stdout, stderr } = await running;
  return { out: stdout, warnings: stderr };
}

async function kubeconform(file: string, schemas: string): Promise<string> {
  try {
    const words = ["-strict", "-summary", "-verbose", "-schema-location", schemas, file];
    return (await promisify(execFile)("kubeconform", words, { maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
}

describe.skipIf(!hasHelm)("every combination of values, in a namespace under the restricted profile", () => {
  it.each(combinations)("%s: the API server takes all of it, and warns of nothing", async (name, values) => {
    const { out, warnings } = await dryRun(await rendered(name, values));
    expect(warnings).toBe("");
    expect(out).toMatch(/cronjob\.batch\/\S+ serverside-applied \(server dry run\)/);
    expect(out).toMatch(/pod\/\S+-doctor serverside-applied \(server dry run\)/);
  });

  it("and it would warn of a pod that does not meet it", async () => {
    const loose = (await rendered("loose", combinations[0]?.[1] ?? "")).replaceAll(
      "allowPrivilegeEscalation: false",
      "allowPrivilegeEscalation: true",
    );
    await expect(dryRun(loose)).rejects.toThrow(
      /Warning: would violate PodSecurity "restricted[\s\S]*Error from server \(Forbidden\)/,
    );
  });

  it.skipIf(!hasKubeconform)("kubeconform takes all of it, by the cluster's own schemas", async () => {
    const schemas = join(folder, "schemas");
    await mkdir(schemas);
    const location = await clusterSchemas(schemas);
    for (const [name, values] of combinations) {
      const file = join(folder, `${name}.yaml`);
      await writeFile(file, await rendered(name, values));
      expect(await kubeconform(file, location), name).toMatch(/Valid: [1-9]\d*, Invalid: 0, Errors: 0, Skipped: 0/);
    }
    const broken = join(folder, "broken.yaml");
    const [, first = ""] = combinations[0] ?? [];
    await writeFile(broken, (await rendered("broken", first)).replace("concurrencyPolicy:", "concurencyPolicy:"));
    expect(await kubeconform(broken, location)).toMatch(/Invalid: 1/);
    for (const file of await readdir(join(ROOT, "deploy/manifests")))
      expect(await kubeconform(join(ROOT, "deploy/manifests", file), location), file).toMatch(
        /Invalid: 0, Errors: 0, Skipped: 0/,
      );
  });

  it("the plain manifests, too", async () => {
    for (const file of await readdir(join(ROOT, "deploy/manifests"))) {
      const text = await readFile(join(ROOT, "deploy/manifests", file), "utf8");
      const { out, warnings } = await dryRun(text.replaceAll("stanch-system", namespace));
      expect(warnings).toBe("");
      expect(out).toContain("cronjob.batch/stanch serverside-applied (server dry run)");
    }
  });

  it("the examples for Argo CD and Flux, where these are installed", async () => {
    for (const [file, definition] of [
      ["argocd-application.yaml", "applications.argoproj.io"],
      ["flux-helmrelease.yaml", "helmreleases.helm.toolkit.fluxcd.io"],
    ] as const) {
      if ((await kubectl(["get", "crd", definition, "-o", "name", "--ignore-not-found"])) === "") {
        process.stderr.write(
          `SKIPPED: ${file}: ${definition} is not installed (../shared/lab/up --with flux,argocd)\n`,
        );
        continue;
      }
      const text = await readFile(join(ROOT, "deploy/examples", file), "utf8");
      const { out, warnings } = await dryRun(
        text.replaceAll("stanch-system", namespace).replaceAll("namespace: argocd", `namespace: ${namespace}`),
      );
      expect(warnings, file).toBe("");
      expect(out, file).toMatch(
        /(application\.argoproj\.io|helmrelease\.helm\.toolkit\.fluxcd\.io)\/stanch serverside-applied/,
      );
    }
  });
});
