import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedCodeHost, startCodeHost } from "../../src/demo/code-host/code-host.ts";
import type { Outcome } from "../../src/model.ts";
import { kubeconfigOf } from "./account.ts";
import { kubectl, stanch, writeConfig } from "./lab.ts";

const REPOSITORY = "acme/shop";
const APPS = "acme/cart";
const TOKEN = "e2e-token";
const tag = Math.random().toString(36).slice(2, 7);
const namespace = `e2e-contain-${tag}`;
const own = `e2e-stanch-${tag}`;
const account = `stanch-${tag}`;

const deployment = (
  name: string,
  replicas: number,
  script: string,
  more: { container?: object; spec?: object } = {},
) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    ...more.spec,
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: "app", image: "busybox:1.36", command: ["sh", "-c", script], ...more.container }],
      },
    },
  },
});

/** The server is a child of the container's shell, so that a signal can stop it and the container goes on. */
const SERVER = "mkdir -p /www; echo ok > /www/index.html; httpd -f -p 8080 -h /www & wait";
const hangs = deployment("hangs", 2, SERVER, {
  container: { readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 2 } },
});
const forgets = deployment("forgets", 2, "touch /tmp/healthy; sleep 3600", {
  container: { readinessProbe: { exec: { command: ["test", "-f", "/tmp/healthy"] }, periodSeconds: 2 } },
});
const SLOWLY = { minReadySeconds: 8, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } };
const AT_ONCE = { minReadySeconds: 1, strategy: { rollingUpdate: { maxSurge: "100%", maxUnavailable: 0 } } };
const rolls = (script: string, spec: object = SLOWLY) => deployment("rolls", 10, script, { spec });

interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function podsOf(app: string): Promise<{ name: string; uid: string; ready: boolean }[]> {
  const list = JSON.parse(await kubectl(["-n", namespace, "get", "pods", "-l", `app=${app}`, "-o", "json"])) as {
    items: Pod[];
  };
  return list.items.map(({ metadata, status }) => ({
    ...metadata,
    ready: status.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true,
  }));
}

const inContainer = (pod: string, script: string) => kubectl(["-n", namespace, "exec", pod, "--", "sh", "-c", script]);
const apply = (object: object) => kubectl(["apply", "-f", "-"], { input: JSON.stringify(object) });
const incident = async (app: string): Promise<{ phase?: string; message?: string }> => {
  const list = JSON.parse(await kubectl(["-n", namespace, "get", "incidents", "-o", "json"])) as {
    items: { spec: { workload: { name: string } }; status?: { phase?: string; message?: string } }[];
  };
  return list.items.find((item) => item.spec.workload.name === app)?.status ?? {};
};

/** By an account that holds exactly what `stanch rbac` prints for this configuration. */
describe("what contains a fault of the program, on a real cluster", () => {
  let folder = "";
  let config = "";
  let kubeconfig = "";
  let host: EmbeddedCodeHost;

  /** A suite of another version that runs in the same cluster applies its own definition, which forgets what it does not know. */
  const define = async (): Promise<void> => {
    const known = await kubectl(["get", "crd", "incidents.stanch.dev", "-o", "json", "--ignore-not-found"]);
    if (known.includes('"Contained"')) return;
    await kubectl([
      "apply",
      "--server-side",
      "--force-conflicts",
      "-f",
      new URL("../../deploy/crd.yaml", import.meta.url).pathname,
    ]);
    await kubectl(["wait", "--for=condition=Established", "crd/incidents.stanch.dev", "--timeout=30s"]);
  };

  /** Runs until something is said of a workload, or time is up. */
  async function until(app: string, kind: Outcome["kind"], seconds: number): Promise<Outcome> {
    const end = Date.now() + seconds * 1000;
    const seen: string[] = [];
    for (;;) {
      await define();
      const { report, stderr } = await stanch(["run", "--config", config, "--kubeconfig", kubeconfig], TOKEN);
      const outcomes = (report?.outcomes ?? []).filter((outcome) => outcome.workload.name === app);
      const found = outcomes.find((outcome) => outcome.kind === kind);
      if (found !== undefined) return found;
      seen.push(
        ...outcomes.map((outcome) => `${outcome.kind}: ${outcome.message}`),
        ...(report === null ? [stderr] : []),
      );
      if (Date.now() > end) throw new Error(`${app} was never ${kind}:\n${[...new Set(seen)].join("\n")}`);
      await sleep(4000);
    }
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "stanch-e2e-"));
    host = await startCodeHost();
    host.addToken(TOKEN, { login: "stanch[bot]", permission: "write" });
    for (const name of [REPOSITORY, APPS])
      await host.addRepository(name, {
        commits: [{ message: "Import", files: { "deploy/none.yaml": "" }, date: new Date(Date.now() - 86_400_000) }],
      });
    await define();
    for (const name of [own, namespace])
      await kubectl(["apply", "--server-side", "-f", "-"], {
        input: JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } }),
      });
    config = await writeConfig(folder, {
      mode: "remediate",
      cluster: "e2e",
      namespace: own,
      scope: { namespaces: [namespace] },
      apps: [{ images: ["busybox"], repository: APPS }],
      github: { apiUrl: host.apiUrl, pause: "0s" },
      git: { cache: join(folder, "git") },
      registry: { mirrors: { "*": process.env["STANCH_E2E_REGISTRY"] ?? "http://127.0.0.1:5000" } },
      detect: { notReady: "10s", restarts: 2 },
      guard: { cooldown: "0s" },
      verify: { least: "8s", patience: "2m", poll: "1s" },
      remedies: {
        enabled: ["restart", "pause", "exec"],
        restart: { after: "1m" },
        exec: [
          {
            name: "restore-health-file",
            namespaces: [namespace],
            workloads: ["Deployment/forgets"],
            command: ["touch", "/tmp/healthy"],
            why: "The program removes the file that its readiness probe looks for.",
          },
        ],
      },
    });
    const { stdout } = await stanch(["rbac", "--config", config, "--account", account], TOKEN);
    expect(stdout).toContain("pods/exec");
    await kubectl(["apply", "-f", "-"], { input: stdout });
    kubeconfig = await kubeconfigOf(own, `${account}-writer`, folder);
    for (const object of [hangs, forgets, rolls("sleep 3600")]) await apply(object);
    for (const name of ["hangs", "forgets", "rolls"])
      await kubectl(["-n", namespace, "rollout", "status", `deployment/${name}`, "--timeout=150s"]);
  });

  afterAll(async () => {
    await kubectl(["delete", "namespace", own, namespace, "--wait=false", "--ignore-not-found"], { may: [1] });
    await kubectl(["delete", "clusterrole", `${account}-reader-cluster`, "--ignore-not-found"]);
    for (const name of [`${account}-reader-cluster`, `${account}-writer-reads-cluster`])
      await kubectl(["delete", "clusterrolebinding", name, "--ignore-not-found"]);
    await host?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("exec: restores the file that a readiness probe needs, in the same pod", async () => {
    const before = await podsOf("forgets");
    await inContainer(before[0]?.name ?? "", "rm /tmp/healthy");
    const outcome = await until("forgets", "contained", 180);
    process.stdout.write(`\nexec: ${outcome.message}\n`);
    expect(outcome.message).toMatch(/^Contained: run restore-health-file in forgets-\S+; pod forgets-\S+ is ready/);
    const after = await podsOf("forgets");
    expect(after.map((pod) => pod.uid).toSorted()).toEqual(before.map((pod) => pod.uid).toSorted());
    expect(after.every((pod) => pod.ready)).toBe(true);
    expect((await incident("forgets")).phase).toBe("Contained");
    expect(host.issues(APPS).map((issue) => issue.title)).toEqual([expect.stringContaining("/forgets: ")]);
  });

  it("restart: evicts the pod that hangs, and it alone", async () => {
    // It must have served for a minute.
    await sleep(45_000);
    const before = await podsOf("hangs");
    const [victim, other] = before;
    await inContainer(victim?.name ?? "", "kill -STOP $(pidof httpd)");
    const outcome = await until("hangs", "contained", 240);
    process.stdout.write(`\nrestart: ${outcome.message}\n`);
    expect(outcome.message).toMatch(
      /^Contained: restart hangs-\S+, which does not answer any more; pod hangs-\S+ took its place/,
    );
    const after = await podsOf("hangs");
    expect(after.filter((pod) => pod.ready)).toHaveLength(2);
    expect(after.map((pod) => pod.uid)).toContain(other?.uid);
    expect(after.map((pod) => pod.uid)).not.toContain(victim?.uid);
    const over = await until("hangs", "resolved", 60);
    expect(over.message).toContain("The cause was not found and may bring it back.");
  });

  it("pause: keeps the old pods while a bad version comes, and resumes when another one does", async () => {
    const old = new Set((await podsOf("rolls")).map((pod) => pod.uid));
    const serving = async (): Promise<number> =>
      (await podsOf("rolls")).filter((pod) => pod.ready && old.has(pod.uid)).length;
    await apply(rolls("echo panic: nil map; sleep 14; exit 1"));
    const outcome = await until("rolls", "contained", 200);
    process.stdout.write(`\npause: ${outcome.message}\n`);
    const kept = await serving();
    expect(kept).toBeGreaterThan(0);
    const read = (path: string) => kubectl(["-n", namespace, "get", "deployment", "rolls", "-o", `jsonpath=${path}`]);
    expect(await read("{.spec.paused}")).toBe("true");
    await sleep(45_000);
    expect(await serving()).toBe(kept);
    // Somebody deploys the fix, as a deployer would: nobody has to know that the rollout rests.
    await apply(rolls("echo fixed; sleep 3600", AT_ONCE));
    expect(await read("{.spec.paused}")).toBe("true");
    await until("rolls", "rolled-back", 60);
    expect(await read("{.spec.paused}")).toBe("");
    expect(await read("{.metadata.managedFields[*].manager}")).not.toContain("stanch");
    await kubectl(["-n", namespace, "rollout", "status", "deployment/rolls", "--timeout=240s"]);
    await until("rolls", "resolved", 120);
    expect(host.pulls(REPOSITORY)).toEqual([]);
  }, 720_000);
});
