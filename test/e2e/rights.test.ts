import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedCodeHost, startCodeHost } from "../../src/demo/code-host/code-host.ts";
import { kubeconfigOf } from "./account.ts";
import { kubectl, stanch, writeConfig } from "./lab.ts";
import { brokenState } from "./manifests.ts";

const REPOSITORY = "acme/shop";
const TOKEN = "e2e-token";
const tag = Math.random().toString(36).slice(2, 7);
const namespace = `e2e-rights-${tag}`;
const own = `e2e-stanch-${tag}`;
/** A name of its own: roles of the cluster belong to nobody else's test. */
const account = `stanch-${tag}`;
const FILES = ["deploy/memory.yaml", "deploy/config.yaml"] as const;

interface Line {
  readonly check: string;
  readonly ok: boolean;
  readonly text: string;
}

/** The job by an account that holds exactly what `stanch rbac` prints. */
describe("exactly the generated rights on a real cluster", () => {
  let folder = "";
  let config = "";
  let kubeconfig = "";
  let host: EmbeddedCodeHost;
  const asBot = (...words: string[]) => stanch([...words, "--config", config, "--kubeconfig", kubeconfig], TOKEN);
  const files = (): Record<string, string> =>
    Object.fromEntries(FILES.map((file) => [file, brokenState(namespace)[file] ?? ""]));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "stanch-e2e-"));
    host = await startCodeHost();
    host.addToken(TOKEN, { login: "stanch[bot]", permission: "write" });
    await host.addRepository(REPOSITORY, {
      commits: [{ message: "Import", files: files(), date: new Date(Date.now() - 86_400_000) }],
    });
    await kubectl(["apply", "--server-side", "-f", new URL("../../deploy/crd.yaml", import.meta.url).pathname]);
    await kubectl(["wait", "--for=condition=Established", "crd/incidents.stanch.dev", "--timeout=30s"]);
    for (const name of [own, namespace])
      await kubectl(["apply", "--server-side", "-f", "-"], {
        input: JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } }),
      });
    config = await writeConfig(folder, {
      mode: "remediate",
      cluster: "e2e",
      namespace: own,
      scope: { namespaces: [namespace] },
      sources: [{ repository: REPOSITORY, branch: "main", path: "deploy", namespaces: [namespace] }],
      github: { apiUrl: host.apiUrl, pause: "0s" },
      git: { cache: join(folder, "git") },
      registry: { mirrors: { "*": process.env["STANCH_E2E_REGISTRY"] ?? "http://127.0.0.1:5000" } },
      verify: { least: "5s", patience: "1m", poll: "1s" },
    });
    const { stdout } = await stanch(["rbac", "--config", config, "--account", account], TOKEN);
    await kubectl(["apply", "-f", "-"], { input: stdout });
    kubeconfig = await kubeconfigOf(own, `${account}-writer`, folder);
    await kubectl(["apply", "-f", "-"], { input: Object.values(files()).join("\n---\n") });
  });

  afterAll(async () => {
    await kubectl(["delete", "namespace", own, namespace, "--wait=false", "--ignore-not-found"], { may: [1] });
    await kubectl(["delete", "clusterrole", `${account}-reader-cluster`, "--ignore-not-found"]);
    for (const name of [`${account}-reader-cluster`, `${account}-writer-reads-cluster`])
      await kubectl(["delete", "clusterrolebinding", name, "--ignore-not-found"]);
    await host?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("are all held, by doctor's word", async () => {
    const { stdout } = await asBot("doctor");
    const lines = JSON.parse(stdout) as Line[];
    expect(lines.filter((line) => !line.ok && line.check.startsWith("rights"))).toEqual([]);
    expect(lines.filter((line) => line.check.startsWith("rights")).map((line) => line.check)).toEqual([
      "rights to read",
      "rights to write",
      "rights in excess",
    ]);
  });

  it("are none too many, by doctor's word", async () => {
    const { stdout } = await asBot("doctor", "--strict");
    const lines = JSON.parse(stdout) as Line[];
    expect(lines.find((line) => line.check === "rights in excess")).toMatchObject({
      ok: true,
      text: "none: nothing dangerous is held that is not needed",
    });
  });

  it("with more than that, doctor names it, and a run that is told to refuse ends before it writes", async () => {
    await kubectl([
      ...["-n", namespace, "create", "rolebinding", "too-much", "--clusterrole=edit"],
      `--serviceaccount=${own}:${account}-writer`,
    ]);
    try {
      const { stdout } = await asBot("doctor", "--strict");
      const told = (JSON.parse(stdout) as Line[]).find((line) => line.check === "rights in excess");
      expect(told?.ok).toBe(false);
      expect(told?.text).toMatch(/create[^;]* pods\/exec in /);
      expect(told?.text).toMatch(/secrets in /);
      const strict = join(folder, "strict.yaml");
      const settings = JSON.parse(await readFile(config, "utf8")) as object;
      await writeFile(strict, JSON.stringify({ ...settings, rights: { excess: "refuse" } }));
      const { code, stderr } = await stanch(["run", "--config", strict, "--kubeconfig", kubeconfig], TOKEN);
      expect(code).toBe(1);
      expect(stderr).toContain("this account may do more than it needs");
      expect(await kubectl(["-n", own, "get", "leases", "-o", "name"])).toBe("");
      expect(await kubectl(["-n", namespace, "get", "incidents.stanch.dev", "-o", "name"])).toBe("");
    } finally {
      await kubectl(["-n", namespace, "delete", "rolebinding", "too-much"]);
    }
  });

  it("suffice for the whole job, from failing to proposed, with nothing that could not be read", async () => {
    const end = Date.now() + 150_000;
    while (host.pulls(REPOSITORY).length < 2 && Date.now() < end) {
      const { report, stderr } = await asBot("run");
      expect(report?.gaps, stderr).toEqual([]);
      expect(report?.outcomes.filter((outcome) => outcome.kind === "failed")).toEqual([]);
      await sleep(3000);
    }
    expect(host.pulls(REPOSITORY).map((pull) => pull.draft)).toEqual([false, false]);
    for (const name of ["memory", "config"])
      await kubectl(["-n", namespace, "rollout", "status", `deployment/${name}`, "--timeout=20s"]);
  });

  it("without one of them doctor names it, and the run goes to Git only and says why", async () => {
    // A new fault, and an account that may not patch Deployments any more.
    const role = JSON.parse(await kubectl(["-n", namespace, "get", "role", `${account}-writer`, "-o", "json"])) as {
      rules: { apiGroups: string[]; resources: string[] }[];
    };
    const rules = role.rules.map((rule) => ({
      ...rule,
      resources: rule.resources.filter((resource) => resource !== "deployments"),
    }));
    await kubectl([
      "-n",
      namespace,
      "patch",
      "role",
      `${account}-writer`,
      "--type=json",
      "-p",
      JSON.stringify([{ op: "replace", path: "/rules", value: rules }]),
    ]);
    const missing = (JSON.parse((await asBot("doctor")).stdout) as Line[]).filter((line) => !line.ok);
    expect(missing.map((line) => line.text)).toContain(`missing: patch deployments.apps in ${namespace}`);

    const tagFile = brokenState(namespace)["deploy/tag.yaml"] ?? "";
    await host.commit(REPOSITORY, "main", { "deploy/tag.yaml": tagFile }, { message: "Add the tag service" });
    await kubectl(["apply", "-f", "-"], { input: tagFile });
    const image = async (): Promise<string> =>
      kubectl(["-n", namespace, "get", "deployment/tag", "-o", "jsonpath={.spec.template.spec.containers[0].image}"]);
    const end = Date.now() + 90_000;
    while (host.pulls(REPOSITORY).length < 3 && Date.now() < end) {
      await asBot("run");
      await sleep(3000);
    }
    const pull = host.pulls(REPOSITORY)[2];
    expect(pull?.body).toMatch(/nothing was changed: this account may not patch deployments/);
    expect(await image()).toBe("nginx:1.72");
  });

  it("with the reader alone nothing is changed live, whatever the configuration says", async () => {
    const reader = await kubeconfigOf(own, `${account}-reader`, folder);
    const file = (brokenState(namespace)["deploy/memory.yaml"] ?? "").replaceAll(/(name|app): memory\b/g, "$1: second");
    await host.commit(REPOSITORY, "main", { "deploy/second.yaml": file }, { message: "Add the second service" });
    await kubectl(["apply", "-f", "-"], { input: file });
    const before = host.pulls(REPOSITORY).length;
    const end = Date.now() + 90_000;
    while (host.pulls(REPOSITORY).length === before && Date.now() < end) {
      const { report, stderr } = await stanch(["run", "--config", config, "--kubeconfig", reader], TOKEN);
      expect(
        report?.outcomes.filter((outcome) => outcome.kind === "failed"),
        stderr,
      ).toEqual([]);
      await sleep(3000);
    }
    const pull = host.pulls(REPOSITORY)[before];
    expect(pull?.title).toContain("second");
    expect(pull?.body).toMatch(/nothing was changed: this account may not patch deployments/);
    const generation = ["get", "deployment/second", "-o", "jsonpath={.metadata.generation}"];
    expect(await kubectl(["-n", namespace, ...generation])).toBe("1");
  });
});
