import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasHelm } from "../../chart/helm.ts";
import { kubectl, versions } from "../lab.ts";
import { brokenState } from "../manifests.ts";
import { type Cycle, IMAGE, type Installation, openInstallation, REPOSITORY } from "./installation.ts";

const tag = Math.random().toString(36).slice(2, 7);
const own = `image-stanch-${tag}`;
const shop = `image-shop-${tag}`;
if (IMAGE === undefined)
  process.stderr.write(
    "\nSKIPPED: the CronJob's own pod. Build its image first: export STANCH_E2E_IMAGE=$(test/e2e/install/image)\n\n",
  );

const fileOf = (name: string): Record<string, string> => ({
  [`deploy/${name}.yaml`]: brokenState(shop)[`deploy/${name}.yaml`] ?? "",
});
const live = (name: string, path: string): Promise<string> =>
  kubectl(["-n", shop, "get", `deployment/${name}`, "-o", `jsonpath={.spec.template.spec.containers[0].${path}}`]);
const incidents = async (): Promise<Record<string, string>> => {
  const { items } = JSON.parse(await kubectl(["-n", shop, "get", "incidents", "-o", "json"])) as {
    items: { metadata: { name: string; uid: string } }[];
  };
  return Object.fromEntries(items.map((item) => [item.metadata.name, item.metadata.uid]));
};

/** Chart from the working tree, image from the Dockerfile: what a user gets, in its own pod, under the restricted profile. */
describe.skipIf(IMAGE === undefined || !hasHelm)("the CronJob's own pod", () => {
  let at: Installation;
  const cycles: Cycle[] = [];

  /** Commits and applies a fault, as a team's pipeline would. */
  async function break_(name: string): Promise<void> {
    await at.host.commit(REPOSITORY, "main", fileOf(name), { message: `Add ${name}` });
    await kubectl(["apply", "-f", "-"], { input: Object.values(fileOf(name))[0] ?? "" });
  }
  async function cyclesUntil(pulls: number): Promise<void> {
    for (const end = Date.now() + 240_000; at.host.pulls(REPOSITORY).length < pulls && Date.now() < end; ) {
      cycles.push(await at.cycle());
      await sleep(2000);
    }
    expect(at.host.pulls(REPOSITORY).length, cycles.at(-1)?.log).toBe(pulls);
  }

  beforeAll(async () => {
    at = await openInstallation(own, shop);
    await at.host.addRepository(REPOSITORY, {
      commits: [
        {
          message: "Import",
          files: { ...fileOf("memory"), ...fileOf("tag") },
          date: new Date(Date.now() - 86_400_000),
        },
      ],
    });
    for (const name of ["memory", "tag"])
      await kubectl(["apply", "-f", "-"], { input: Object.values(fileOf(name))[0] ?? "" });
  });
  afterAll(() => at?.[Symbol.asyncDispose]());

  it("is installed, and its doctor finds everything there", async () => {
    await at.helm("install", { mode: "remediate" }, { write: { enabled: true } });
    const { ok, said } = await at.doctor();
    expect(ok, said).toBe(true);
    expect(said).toContain("Everything that a run needs is there.");
    expect(said).toMatch(/kustomize v5[\s\S]*helm v3/);
    process.stdout.write(said);
  });

  it("finds an OOM-killed and a badly tagged workload, hotfixes them and opens the pull requests", async () => {
    await cyclesUntil(2);
    expect(at.host.pulls(REPOSITORY).map((pull) => pull.draft)).toEqual([false, false]);
    expect(await live("memory", "resources.limits.memory")).toBe("128Mi");
    expect(await live("tag", "image")).toBe("nginx:1.27");
    for (const name of ["memory", "tag"])
      await kubectl(["-n", shop, "rollout", "status", `deployment/${name}`, "--timeout=30s"]);
    for (const cycle of cycles) {
      expect(cycle.log).not.toContain("e2e-token");
      for (const line of cycle.log.split("\n").filter((text) => text.startsWith("{")))
        expect(() => JSON.parse(line)).not.toThrow();
    }
    for (const pull of at.host.pulls(REPOSITORY)) process.stdout.write(`#${pull.number} ${pull.title}\n`);
  });

  it("runs as nobody, on a root that it cannot write to", () => {
    const spec = cycles[0]?.pod.spec as { containers: object[]; securityContext: object; serviceAccountName: string };
    expect(spec).toMatchObject({
      serviceAccountName: `${own}-writer`,
      securityContext: { runAsNonRoot: true, runAsUser: 65532 },
      containers: [
        {
          image: IMAGE,
          securityContext: {
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"] },
          },
        },
      ],
    });
  });

  it("with one verb less its doctor names it, and a cycle changes Git only and says why", async () => {
    const role = JSON.parse(await kubectl(["-n", shop, "get", "role", `${own}-writer`, "-o", "json"])) as {
      rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
    };
    const held = JSON.stringify(role.rules);
    const rules = role.rules.map((rule) => ({
      ...rule,
      resources: rule.resources.filter((resource) => resource !== "deployments" || !rule.verbs.includes("patch")),
    }));
    expect(JSON.stringify(rules)).not.toBe(held);
    const patch = JSON.stringify([{ op: "replace", path: "/rules", value: rules }]);
    await kubectl(["-n", shop, "patch", "role", `${own}-writer`, "--type=json", "-p", patch]);
    const { ok, said } = await at.doctor();
    expect(ok).toBe(false);
    expect(said).toContain(`missing: patch deployments.apps in ${shop}`);
    await break_("config");
    const before = await live("config", "env[0].valueFrom.configMapKeyRef.key");
    await cyclesUntil(3);
    expect(at.host.pulls(REPOSITORY)[2]?.body).toMatch(/nothing was changed: this account may not patch deployments/);
    expect(await live("config", "env[0].valueFrom.configMapKeyRef.key")).toBe(before);
    // A person is needed, which is no failure of a CronJob's.
    expect(cycles.at(-1)?.code).toBe(0);
  });

  it("an upgrade keeps the incidents; without the write half nothing is changed live, whatever the configuration says", async () => {
    const before = await incidents();
    expect(Object.keys(before).length).toBeGreaterThanOrEqual(3);
    const notes = await at.helm("upgrade", { mode: "remediate" });
    expect(notes).toContain("NOTHING IS CHANGED LIVE");
    expect(await incidents()).toEqual(before);
    await break_("probe");
    const settings = async (): Promise<[string, string][]> =>
      Object.entries(await versions(shop)).filter(([name]) => /^(ConfigMap|Service)\//.test(name));
    const untouched = await settings();
    await cyclesUntil(4);
    expect(cycles.at(-1)?.pod.spec).toMatchObject({ serviceAccountName: `${own}-reader` });
    expect(cycles.at(-1)?.code).toBe(0);
    expect(at.host.pulls(REPOSITORY)[3]?.body).toMatch(/nothing was changed: this account may not patch deployments/);
    for (const [name, path, broken] of [
      ["probe", "readinessProbe.httpGet.port", "8081"],
      ["config", "env[0].valueFrom.configMapKeyRef.key", "greting"],
    ] as const)
      expect(await live(name, path)).toBe(broken);
    expect(await settings()).toEqual(untouched);
    expect(await incidents()).toMatchObject(before);
  });

  it("uninstalled it leaves the incidents and what it changed, and no right and no account", async () => {
    const before = await incidents();
    await at.uninstall();
    expect(await incidents()).toEqual(before);
    expect(await live("tag", "image")).toBe("nginx:1.27");
    for (const namespace of [own, shop])
      expect(
        await kubectl([
          ...["-n", namespace, "get", "cronjobs,jobs,configmaps,serviceaccounts,roles,rolebindings,networkpolicies"],
          ...["-l", `app.kubernetes.io/instance=${own}`, "-o", "name"],
        ]),
      ).toBe("");
    const everywhere = ["get", "clusterroles,clusterrolebindings", "-l", `app.kubernetes.io/instance=${own}`];
    expect(await kubectl([...everywhere, "-o", "name"])).toBe("");
  });
});
