import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { type EmbeddedCodeHost, startCodeHost } from "../../../src/demo/code-host/code-host.ts";
import { CHART, helm } from "../../chart/helm.ts";
import { kubectl } from "../lab.ts";

/** The image under test, as the cluster's nodes pull it; `test/e2e/install/image` builds it. */
export const IMAGE = process.env["STANCH_E2E_IMAGE"];
export const REPOSITORY = "acme/shop";
const TOKEN = "e2e-token";

export interface Cycle {
  /** Exit code of the program in the pod. */
  readonly code: number;
  /** What it logged, line by line. */
  readonly log: string;
  readonly pod: { readonly metadata: object; readonly spec: object; readonly status: object };
}

/** A release of the chart in a namespace of its own under the restricted profile, with a code host that its pods reach. */
export interface Installation extends AsyncDisposable {
  readonly host: EmbeddedCodeHost;
  /** Stanch's own namespace, and the name of the release and of what is in it. */
  readonly own: string;
  /** `helm install` or `helm upgrade`, with the configuration and further values. Answers the notes. */
  helm(command: "install" | "upgrade", config: object, values?: object): Promise<string>;
  uninstall(): Promise<string>;
  /** A Job made from the CronJob, until its pod has ended. */
  cycle(): Promise<Cycle>;
  /** `helm test`: the doctor, in a pod. */
  doctor(): Promise<{ readonly ok: boolean; readonly said: string }>;
}

export async function openInstallation(own: string, watched: string): Promise<Installation> {
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  const host = await startCodeHost({ host: "0.0.0.0", port, publicUrl: `http://host.lab.internal:${port}` });
  host.addToken(TOKEN, { login: "stanch[bot]", permission: "write" });
  await kubectl(["apply", "--server-side", "-f", new URL("../../../deploy/crd.yaml", import.meta.url).pathname]);
  await kubectl(["wait", "--for=condition=Established", "crd/incidents.stanch.dev", "--timeout=30s"]);
  const restricted = { "pod-security.kubernetes.io/enforce": "restricted" };
  for (const [name, labels] of [
    [own, restricted],
    [watched, {}],
  ] as const)
    await kubectl(["apply", "--server-side", "-f", "-"], {
      input: JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } }),
    });
  await kubectl(["-n", own, "create", "secret", "generic", "stanch-github", `--from-literal=token=${TOKEN}`]);

  const base = {
    cluster: "lab",
    scope: { namespaces: [watched] },
    sources: [{ repository: REPOSITORY, branch: "main", path: "deploy", namespaces: [watched] }],
    github: { apiUrl: host.apiUrl, allowHttp: true, pause: "0s" },
    registry: { mirrors: { "*": "http://host.lab.internal:5000" } },
    detect: { notReady: "15s" },
    verify: { least: "5s", patience: "1m", poll: "1s" },
  };
  const [repository = "", tag = ""] = (IMAGE ?? "").split(/:(?=[^/]*$)/);
  let cycles = 0;
  return {
    host,
    own,
    async helm(command, config, values = {}) {
      const all = {
        image: { repository, tag },
        config: { ...base, ...config },
        github: { existingSecret: "stanch-github" },
        // Cycles are started by hand; definitions are the whole cluster's, and others use them.
        cronJob: { suspend: true },
        crds: { install: false },
        ...values,
      };
      const words = Object.entries(all).flatMap(([name, value]) => ["--set-json", `${name}=${JSON.stringify(value)}`]);
      const { code, stdout, stderr } = await helm([command, own, CHART, "--namespace", own, ...words]);
      expect(code, stderr).toBe(0);
      return stdout;
    },
    async uninstall() {
      const { code, stdout, stderr } = await helm(["uninstall", own, "--namespace", own, "--wait"]);
      expect(code, stderr).toBe(0);
      return stdout;
    },
    async cycle() {
      cycles += 1;
      const job = `cycle-${cycles}`;
      await kubectl(["-n", own, "create", "job", `--from=cronjob/${own}`, job]);
      for (const end = Date.now() + 240_000; Date.now() < end; await sleep(1000)) {
        const { items } = JSON.parse(
          await kubectl(["-n", own, "get", "pods", "-l", `job-name=${job}`, "-o", "json"]),
        ) as {
          items: (Cycle["pod"] & {
            status: { phase: string; containerStatuses?: { state: { terminated?: { exitCode: number } } }[] };
          })[];
        };
        const [pod] = items;
        const ended = pod?.status.containerStatuses?.[0]?.state.terminated;
        if (pod === undefined || ended === undefined) continue;
        const log = await kubectl(["-n", own, "logs", `job/${job}`]);
        await kubectl(["-n", own, "delete", "job", job]);
        return { code: ended.exitCode, log, pod };
      }
      throw new Error(`${job} did not end: ${await kubectl(["-n", own, "describe", "job", job])}`);
    },
    async doctor() {
      const { code, stdout, stderr } = await helm(["test", own, "--namespace", own, "--logs", "--timeout", "2m"]);
      return { ok: code === 0, said: `${stdout}${stderr}` };
    },
    async [Symbol.asyncDispose]() {
      await helm(["uninstall", own, "--namespace", own, "--ignore-not-found"]);
      await kubectl(["delete", "namespace", own, watched, "--wait=false", "--ignore-not-found"], { may: [1] });
      await host.close();
    },
  };
}
