import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { startCodeHost } from "../../../src/demo/code-host/code-host.ts";
import type { DriftReport } from "../../../src/drift/model.ts";
import { FLUX, fluxSource, removeEngines } from "../gitops/engines.ts";
import { missing } from "../gitops/present.ts";
import { eventually } from "../gitops/wait.ts";
import { kubectl, stanch, writeConfig } from "../lab.ts";
import { apply, told } from "./world.ts";

const call = promisify(execFile);
const REPOSITORY = "acme/charts";

const CHART: Record<string, string> = {
  "charts/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
  "charts/shop/values.yaml": "color: blue\nreplicas: 1\n",
  "charts/shop/templates/all.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {app.kubernetes.io/instance: {{ .Release.Name }}, helm.sh/chart: shop-{{ .Chart.Version }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: shop}}
  template:
    metadata:
      labels: {app: shop}
      annotations: {rolled: {{ randAlphaNum 8 | quote }}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: app
          image: busybox:1.36
          command: [sleep, "36000"]
          env: [{name: COLOR, value: {{ .Values.color }}}]
          resources: {limits: {memory: 1024Mi, cpu: 0.5}}
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-keys}
stringData: {password: {{ randAlphaNum 20 | quote }}, user: admin}
---
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-hook
  annotations: {helm.sh/hook: test}
spec: {containers: [{name: a, image: "busybox:1.36"}]}
`,
};

describe.each(["HelmRelease", "helm"] as const)("a chart released by %s", (by) => {
  it.skipIf(by === "HelmRelease" && missing("flux"))(
    "is no drift, random values and all; edits are; what is merged and not packed is neither",
    async () => {
      const tag = Math.random().toString(36).slice(2, 7);
      const [namespace, name] = [`drift-${tag}`, `drift-${tag}`];
      const folder = await mkdtemp(join(tmpdir(), "stanch-drift-helm-"));
      await using host = {
        host: await startCodeHost(),
        async [Symbol.asyncDispose]() {
          if (by === "HelmRelease") await removeEngines([{ kind: "HelmRelease", namespace, name: "shop" }], name);
          await kubectl(["delete", "namespace", namespace, "--wait=false", "--ignore-not-found"], { may: [1] });
          await this.host.close();
          await rm(folder, { recursive: true, force: true });
        },
      };
      host.host.addToken("bot", { login: "stanch[bot]", permission: "write" });
      host.host.addToken("reader", { login: "engine", permission: "read" });
      await host.host.addRepository(REPOSITORY, { commits: [{ message: "Import", files: CHART, date: new Date() }] });
      await apply([{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }]);
      const config = await writeConfig(folder, {
        cluster: "e2e",
        scope: { namespaces: [namespace], deployers: [FLUX] },
        github: { apiUrl: host.host.apiUrl, pause: "0s" },
        git: { cache: join(folder, "git") },
        drift: { wait: "2s", secrets: true },
        ...(by === "helm"
          ? {
              sources: [
                {
                  repository: REPOSITORY,
                  path: "charts/shop",
                  tool: "helm",
                  namespace,
                  namespaces: [namespace],
                  helm: { release: "shop" },
                },
              ],
            }
          : {}),
      });
      if (by === "HelmRelease") {
        await apply([
          ...fluxSource(name, { url: `${host.host.url}/${REPOSITORY}.git`, token: "reader" }),
          {
            apiVersion: "helm.toolkit.fluxcd.io/v2",
            kind: "HelmRelease",
            metadata: { name: "shop", namespace },
            spec: {
              interval: "1h",
              releaseName: "shop",
              chart: {
                spec: {
                  chart: "./charts/shop",
                  interval: "1h",
                  sourceRef: { kind: "GitRepository", name, namespace: FLUX },
                },
              },
            },
          },
        ]);
        await eventually("released", 120, async () => {
          const ready =
            '{.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Ready")].message}';
          const said = await kubectl([
            "-n",
            namespace,
            "get",
            "helmreleases.helm.toolkit.fluxcd.io",
            "shop",
            "-o",
            `jsonpath=${ready}`,
          ]);
          return said.startsWith("True") ? null : said;
        });
      } else {
        for (const [file, text] of Object.entries(CHART)) {
          await mkdir(dirname(join(folder, file)), { recursive: true });
          await writeFile(join(folder, file), text);
        }
        await call("helm", ["upgrade", "--install", "shop", join(folder, "charts/shop"), "-n", namespace, "--wait"]);
      }
      const root = by === "helm" ? "charts/shop" : "shop";
      const drift = async (mode: string): Promise<DriftReport> => {
        const said = await stanch(["drift", "--config", config, "--root", root, "--mode", mode], "bot");
        if (said.report === null) throw new Error(said.stderr);
        return said.report as unknown as DriftReport;
      };
      for (const mode of ["client", "auto", "server"]) {
        const report = await drift(mode);
        expect([mode, told(report), report.gaps]).toEqual([mode, [], []]);
        expect(report.roots[0]).toMatchObject({ compared: 2, inSync: 2 });
      }
      await kubectl(["-n", namespace, "set", "env", "deployment/shop", "COLOR=red"]);
      await kubectl(["-n", namespace, "patch", "secret", "shop-keys", "-p", '{"stringData":{"user":"root"}}']);
      const stray = {
        apiVersion: "v1",
        kind: "Secret",
        metadata: {
          name: "stray",
          namespace,
          labels: { "app.kubernetes.io/managed-by": "Helm" },
          annotations: { "meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": namespace },
        },
      };
      await kubectl(["create", "-f", "-"], { input: JSON.stringify(stray) });
      const expected = [
        "Deployment/shop drift: spec.template.spec.containers[name=app].env[name=COLOR].value by person (kubectl-set)",
        "Secret/shop-keys drift: data.user by person (kubectl-patch)",
        "Secret/stray extra",
      ];
      for (const mode of ["client", "auto", "server"])
        expect([mode, ...told(await drift(mode))]).toEqual([mode, ...expected]);
      if (by === "helm") return;
      // A chart whose version does not rise is not packed anew: the branch is ahead of what is deployed.
      await host.host.commit(
        REPOSITORY,
        "main",
        { "charts/shop/values.yaml": "color: blue\nreplicas: 3\n" },
        { message: "More", date: new Date() },
      );
      await kubectl(["-n", namespace, "set", "env", "deployment/shop", "COLOR=blue"]);
      const ahead = await drift("client");
      expect(told(ahead)).toEqual([
        expect.stringMatching(/^Deployment\/shop pending: spec\.replicas/),
        ...expected.slice(1),
      ]);
    },
  );
});
