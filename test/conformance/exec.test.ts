import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parse, stringify } from "yaml";
import { systemClock } from "../../src/adapters/clock.ts";
import { connectCluster } from "../../src/adapters/kubernetes.ts";
import { startCluster } from "../../src/demo/cluster/cluster.ts";
import type { Cluster } from "../../src/ports.ts";
import { type Body, type Client, createClient } from "./client.ts";
import { BUSYBOX, conformanceRegistry } from "./programs.ts";
import { REAL } from "./target.ts";

const namespace = `conf-exec-${Math.random().toString(36).slice(2, 7)}`;
const POD = { apiVersion: "v1", kind: "Pod", namespace, name: "app" };
const BOUNDS = { timeoutMs: 15_000, outputBytes: 10_000 };
/** The rights of an account by its name. */
const ACCOUNTS = { both: ["create", "get"], creates: ["create"], gets: ["get"] } as const;
type Account = keyof typeof ACCOUNTS;

let admin: Client;
let folder = "";
const clusters = new Map<Account, Cluster>();
const ends: (() => Promise<unknown>)[] = [];
const rulesOf = (account: Account) => [
  { apiGroups: [""], resources: ["pods/exec"], verbs: [...ACCOUNTS[account]] },
  { apiGroups: [""], resources: ["pods"], verbs: ["get"] },
];

/** What the product's own client sees with the rights of an account; the embedded cluster has one account at a time. */
let as: (account: Account) => Promise<Cluster>;

async function connect(account: Account, kubeconfig: string): Promise<Cluster> {
  const file = join(folder, account);
  await writeFile(file, kubeconfig, { mode: 0o600 });
  const cluster = await connectCluster({ kubeconfig: file, clock: systemClock });
  clusters.set(account, cluster);
  return cluster;
}

async function make(path: string, body: object): Promise<Body> {
  const made = await admin.call("POST", path, { body });
  if (made.code !== 201) throw new Error(made.text);
  return made.body;
}

async function onReal(real: string): Promise<void> {
  const kubeconfig: Body = parse(await readFile(real, "utf8"));
  const [cluster] = kubeconfig.clusters;
  as = async (account) => {
    const known = clusters.get(account);
    if (known !== undefined) return known;
    const metadata = { name: account };
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    await make(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata });
    await make(`${rbac}/roles`, { metadata, rules: rulesOf(account) });
    await make(`${rbac}/rolebindings`, {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: account },
      subjects: [{ kind: "ServiceAccount", name: account, namespace }],
    });
    const asked = await make(`/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, {
      spec: { expirationSeconds: 600 },
    });
    const connected = await connect(
      account,
      stringify({
        apiVersion: "v1",
        kind: "Config",
        "current-context": account,
        contexts: [{ name: account, context: { cluster: cluster.name, user: account } }],
        clusters: [cluster],
        users: [{ name: account, user: { token: asked["status"].token } }],
      }),
    );
    // An API server learns of a binding a moment later.
    await vi.waitFor(async () => expect(await connected.get(POD)).not.toBeNull(), { timeout: 10_000, interval: 200 });
    return connected;
  };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stanch-conf-"));
  if (REAL === undefined) {
    const cluster = await startCluster({ registry: conformanceRegistry(), speed: 20 });
    ends.push(cluster.close);
    admin = createClient(cluster.kubeconfig());
    as = async (account) => {
      cluster.permit(rulesOf(account).map((rule) => ({ ...rule, namespace })));
      return clusters.get(account) ?? connect(account, cluster.kubeconfig());
    };
  } else {
    admin = createClient(await readFile(REAL, "utf8"));
    await onReal(REAL);
  }
  await make("/api/v1/namespaces", { metadata: { name: namespace } });
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
  await vi.waitFor(async () => expect((await admin.call("GET", path)).code).toBe(200), {
    timeout: 20_000,
    interval: 200,
  });
  const containers = [{ name: "app", image: BUSYBOX, command: ["sh", "-c", "sleep 600"] }];
  await make(pods, { metadata: { name: "app" }, spec: { terminationGracePeriodSeconds: 1, containers } });
  await vi.waitFor(
    async () => expect((await admin.call("GET", `${pods}/app`)).body.status).toMatchObject({ phase: "Running" }),
    { timeout: 90_000, interval: 200 },
  );
}, 150_000);

afterAll(async () => {
  for (const cluster of clusters.values()) cluster.close();
  if (REAL !== undefined) await admin.call("DELETE", `/api/v1/namespaces/${namespace}`);
  admin?.close();
  for (const end of ends) await end();
  await rm(folder, { recursive: true, force: true });
});

describe("a command over pods/exec", () => {
  it("is run word by word, with both streams and its exit code", async () => {
    const cluster = await as("both");
    expect(await cluster.exec(POD, "app", ["echo", "a b", "$(id)", "ü&x=y"], BOUNDS)).toEqual({
      exitCode: 0,
      output: "a b $(id) ü&x=y\n",
    });
    expect(await cluster.exec(POD, "app", ["sh", "-c", "echo no; exit 42"], BOUNDS)).toEqual({
      exitCode: 42,
      output: "no\n",
    });
  }, 60_000);

  it("that is not in the image does not end well", async () => {
    const { exitCode } = await (await as("both")).exec(POD, "app", ["/no/such/program"], BOUNDS);
    expect(exitCode).not.toBe(0);
  }, 60_000);

  it("needs a container that is there, and a pod", async () => {
    const cluster = await as("both");
    await expect(cluster.exec(POD, "other", ["true"], BOUNDS)).rejects.toMatchObject({ code: "invalid" });
    await expect(cluster.exec({ ...POD, name: "gone" }, "app", ["true"], BOUNDS)).rejects.toMatchObject({
      code: "not-found",
    });
  }, 60_000);

  it.each(["creates", "gets"] as const)(
    "is forbidden to an account that only %s",
    async (account) => {
      await expect((await as(account)).exec(POD, "app", ["true"], BOUNDS)).rejects.toMatchObject({ code: "forbidden" });
    },
    60_000,
  );
});
