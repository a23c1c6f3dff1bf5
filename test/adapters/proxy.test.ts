import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { createCharts } from "../../src/adapters/charts.ts";
import { exportOtlp } from "../../src/adapters/otlp.ts";
import { PATH, renderer } from "../gitops/repository.ts";
import { startReceiver } from "../metrics/receiver.ts";
import { type MessagesApi, startMessagesApi } from "../model/messages-api.ts";
import { deployment, isKilled, makeWorld, REPOSITORY, TOKEN, type World } from "../pipeline/world.ts";
import { startChartServer } from "./chart-server.ts";
import { type CompanyNetwork, canSign, startCompanyNetwork } from "./company-network.ts";

if (!canSign)
  process.stderr.write("\nSKIPPED: proxies and certificate authorities, because openssl is not on the PATH.\n");
const helm = (await renderer.versions()).find((row) => row.tool === "helm")?.missing === undefined;
const CLI = resolve(import.meta.dirname, "../../src/cli.ts");

describe.skipIf(!canSign)("behind a company's proxy, with its certificate authority", { timeout: 90_000 }, () => {
  let world: World;
  let network: CompanyNetwork;
  let model: MessagesApi;
  let folder = "";

  /** The program with an environment of its own: Node reads authorities when it starts. */
  async function stanch(command: string, env: Record<string, string>) {
    const child = spawn(
      process.execPath,
      [CLI, command, "--kubeconfig", join(folder, "kubeconfig"), "--config", join(folder, "stanch.yaml"), "-o", "json"],
      { cwd: folder, env: { PATH, HOME: "/nonexistent", GITHUB_TOKEN: TOKEN, ...env } },
    );
    let out = "";
    let error = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (error += chunk.toString()));
    const code = await new Promise<number>((done) => child.on("close", (status) => done(status ?? -1)));
    return { code, out, error };
  }
  const tunnelsOf = async (work: () => Promise<unknown>): Promise<string[]> => {
    network.tunnels.length = 0;
    await work();
    return [...new Set(network.tunnels)].toSorted();
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "stanch-proxy-"));
    world = await makeWorld({ "apps/app.yaml": deployment() });
    await world.deploy();
    await world.until(() => isKilled(world));
    model = await startMessagesApi();
    network = await startCompanyNetwork({
      "model.example.test": model.url,
      "api.example.test": world.cluster.url,
      "code.example.test": world.host.url,
      "registry.example.test": world.cluster.url,
    });
    const kubeconfig = parse(world.cluster.kubeconfig()) as { clusters: { cluster: object }[] };
    for (const entry of kubeconfig.clusters)
      entry.cluster = {
        server: "https://api.example.test",
        "certificate-authority-data": Buffer.from(network.authority).toString("base64"),
      };
    await writeFile(join(folder, "kubeconfig"), stringify(kubeconfig));
    await writeFile(
      join(folder, "stanch.yaml"),
      JSON.stringify({
        mode: "remediate",
        cluster: "test",
        sources: [{ repository: REPOSITORY, path: "apps", namespaces: ["shop"] }],
        github: { apiUrl: "https://code.example.test/api/v3", pause: "0s" },
        git: { cache: join(folder, "git") },
        registry: { mirrors: { "*": "https://registry.example.test" } },
        model: { enabled: true, baseUrl: "https://model.example.test" },
        verify: { least: "200ms", patience: "6s", poll: "50ms" },
      }),
    );
  }, 60_000);
  afterAll(async () => {
    await network?.[Symbol.asyncDispose]();
    await model?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  it("without the authority, each connection says that it is missing, and nothing is sent", async () => {
    const before = world.host.requests.length;
    const { out, code } = await stanch("doctor", { HTTPS_PROXY: network.env.HTTPS_PROXY });
    expect(code).toBe(3);
    expect(out).toMatch(/certificate/);
    expect(out).toContain("NODE_EXTRA_CA_CERTS");
    expect(world.host.requests.length).toBe(before);
  });

  it("a proxy that refuses is said, without its password", async () => {
    network.refuse("403 Forbidden");
    const doctor = await stanch("doctor", network.env);
    network.refuse(null);
    expect(doctor.code).toBe(3);
    expect(doctor.out).toMatch(/api\.example\.test cannot be reached: Failed to establish tunnel .* 403/);
    expect(doctor.out).toMatch(/look at the repository in acme\/shop: Proxy response \(403\)/);
    expect(doctor.out + doctor.error).not.toContain(network.password);
  });

  it("a wrong password is said, without it", async () => {
    const wrong = network.env.HTTPS_PROXY.replace(network.password, "wrong-password-99");
    const { out, error, code } = await stanch("doctor", { ...network.env, HTTPS_PROXY: wrong });
    expect(code).toBe(3);
    expect(out).toMatch(/407/);
    expect(out + error).not.toContain("wrong-password-99");
  });

  it("NO_PROXY is kept to: the cluster is not asked for by way of the proxy", async () => {
    const tunnels = await tunnelsOf(async () => {
      const { out } = await stanch("doctor", { ...network.env, NO_PROXY: "api.example.test" });
      expect(out).toMatch(/api\.example\.test cannot be reached: getaddrinfo/);
    });
    expect(tunnels).toEqual(["code.example.test:443"]);
  });

  it("the whole job goes through it: cluster, GitHub, git, registry and model", async () => {
    const env = { ...network.env, ANTHROPIC_API_KEY: "key-of-nobody" };
    const tunnels = await tunnelsOf(async () => {
      const doctor = await stanch("doctor", env);
      expect(
        (JSON.parse(doctor.out) as { ok: boolean; check: string }[]).filter(
          (line) => !line.ok && !/renderer/.test(line.check),
        ),
      ).toEqual([]);
      const { out, error } = await stanch("run", env);
      expect(JSON.parse(out).outcomes, error).toMatchObject([{ kind: "proposed" }]);
    });
    expect(tunnels).toEqual(["api.example.test:443", "code.example.test:443", "model.example.test:443"]);
    expect(model.requests).toHaveLength(1);
    expect(world.host.pulls(REPOSITORY)).toHaveLength(1);
  });

  it("metrics go out through it", async () => {
    await using receiver = await startReceiver();
    await using company = await startCompanyNetwork({ "otel.example.test": receiver.url });
    const send = (env: Record<string, string>) =>
      exportOtlp(
        {
          now: new Date(),
          gauges: [{ name: "stanch_hotfix_debt", labels: {}, value: 1 }],
          cumulative: null,
          delta: { since: new Date(), samples: [] },
        },
        {
          url: "https://otel.example.test/v1/metrics",
          always: {},
          resource: {},
          timeoutMs: 5000,
          env: { ...env, OTEL_EXPORTER_OTLP_CERTIFICATE: company.env.NODE_EXTRA_CA_CERTS },
          version: "0.0.0",
          signal: AbortSignal.timeout(5000),
        },
      );
    await send(company.env);
    expect(company.tunnels).toEqual(["otel.example.test:443"]);
    expect(receiver.received).toMatchObject([{ method: "POST", path: "/v1/metrics" }]);
    await expect(send({ ...company.env, NO_PROXY: "otel.example.test" })).rejects.toThrow();
    expect(receiver.received).toHaveLength(1);
  });

  it.skipIf(!helm)("charts are fetched through it", async () => {
    await using charts = await startChartServer(
      { "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.2.3\n", "web/values.yaml": "tag: a\n" },
      "web",
    );
    await using company = await startCompanyNetwork({ "charts.example.test": charts.url });
    const open = (env: Record<string, string>, cache: string) =>
      createCharts({ path: PATH, cacheDirectory: join(folder, cache), timeoutMs: 20_000, allowHttp: false, env }).open({
        url: "https://charts.example.test",
        chart: "web",
        version: "1.2.3",
      });
    await expect(open({ HTTPS_PROXY: company.env.HTTPS_PROXY }, "a")).rejects.toThrow(/certificate/);
    company.refuse("403 Forbidden");
    const refused = open(company.env, "b");
    await expect(refused).rejects.toThrow(/could not be fetched/);
    await expect(refused).rejects.not.toThrow(company.password);
    company.refuse(null);
    expect(await (await open(company.env, "c")).read("web/values.yaml")).toBe("tag: a\n");
    expect(company.tunnels).toContain("charts.example.test:443");
  });
});
