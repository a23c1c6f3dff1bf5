import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/adapters/clock.ts";
import { connectCluster } from "../../src/adapters/kubernetes.ts";
import { composeHosts } from "../../src/compose.ts";
import { parseConfig } from "../../src/config/load.ts";
import { startCluster } from "../../src/demo/cluster/cluster.ts";
import { type EmbeddedCodeHost, startCodeHost } from "../../src/demo/code-host/code-host.ts";
import { incidentCrd } from "../../src/incident/crd.ts";
import type { Incident } from "../../src/incident/incident.ts";
import { createIncidentStore } from "../../src/incident/store.ts";
import { createLog } from "../../src/log.ts";
import type { Change, Commit, Finding, Hotfix, Outcome, Proof } from "../../src/model.ts";
import type { Run } from "../../src/run.ts";
import { propose } from "../../src/steps/propose.ts";

const TOKEN = "propose-test-token-0123456789";
export const FILE = "apps/cart.yaml";
export const BEFORE = "memory: 64Mi\n";
export const AFTER = "memory: 128Mi\n";

const workload = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
const change: Change = { object: workload, path: ["spec", "memory"], from: "64Mi", to: "128Mi" };
export const PROVED: Proof = { checks: [], complete: true, blast: [], rootsChecked: 1, tools: ["plain"] };

export interface Proposing {
  readonly host: EmbeddedCodeHost;
  readonly repository: string;
  readonly logged: string[];
  incident(): Promise<Incident>;
  /** One run of the step, with its own checkout, as a later run of the program would make it. */
  propose(options?: {
    readonly proof?: Proof;
    readonly settings?: object;
    readonly hotfix?: Hotfix;
    readonly text?: string;
    readonly tally?: Run["tally"];
    readonly culprit?: Commit;
    readonly via?: string;
    /** Happens right before the push. */
    readonly meanwhile?: () => Promise<unknown>;
  }): Promise<Outcome>;
}

/** The step with a real code host, real git and a real store; every test has a repository and an incident of its own. */
export async function startProposing() {
  const folder = await mkdtemp(join(tmpdir(), "stanch-propose-"));
  const host = await startCodeHost();
  host.addToken(TOKEN, { login: "stanch[bot]", permission: "write" });
  const cluster = await startCluster({ registry: {} });
  cluster.apply([incidentCrd, { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } }]);
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, cluster.kubeconfig());
  const api = await connectCluster({ kubeconfig, clock: systemClock });
  const store = createIncidentStore(api, systemClock);
  let count = 0;

  async function fresh(options: { readonly branch?: string } = {}): Promise<Proposing> {
    count += 1;
    const repository = `acme/shop-${count}`;
    await host.addRepository(repository, { commits: [{ message: "Import", files: { [FILE]: BEFORE } }], ...options });
    const logged: string[] = [];
    const write = (text: string): void => void logged.push(text);
    const log = createLog({ format: "json", level: "debug", interactive: false, write, now: () => new Date() });
    const finding: Finding = {
      detector: "containers",
      workload,
      container: "app",
      symptom: { kind: "OOMKilled" },
      summary: "the container is killed",
      evidence: [],
      since: new Date().toISOString(),
      pods: 1,
      fingerprint: count.toString(16).padStart(16, "0"),
    };
    return {
      host,
      repository,
      logged,
      incident: () => store.open(finding),
      async propose(options = {}) {
        const { proof = PROVED, settings = {}, hotfix, text = "it is proved", tally, meanwhile } = options;
        const { culprit, via = "manifest" } = options;
        const config = parseConfig(
          JSON.stringify({
            cluster: "test",
            github: { apiUrl: host.apiUrl, pause: "0s" },
            git: { cache: join(folder, "git") },
            ...settings,
          }),
        );
        const base = { config, configFile: undefined, log, clock: systemClock, output: "json" as const };
        const env = { PATH: process.env["PATH"], GITHUB_TOKEN: `${TOKEN}\n` };
        const hosts = await composeHosts(base, { env, interactive: false });
        const checkout = await hosts.repositories.open(repository, "main");
        let incident = await store.open(finding);
        incident = await store.advance(incident, "Verified", text, hotfix === undefined ? {} : { hotfix });
        const run = {
          config,
          codeHost: hosts.codeHost,
          clock: systemClock,
          log,
          store,
          version: "test",
          tally: tally ?? { ripe: 1, hotfixes: 0, opened: 0 },
        } as unknown as Run;
        try {
          return await propose(
            {
              incident,
              plan: {
                finding,
                choice: {
                  remedy: "raise-memory-limit",
                  params: {},
                  reason: text,
                  evidence: [],
                  ...(culprit && { culprit }),
                },
                risk: "low",
                changes: [change],
                title: "raise memory limit 64Mi → 128Mi",
              },
              located: {
                found: true,
                source: {
                  id: `${repository}:apps@main`,
                  repository,
                  branch: "main",
                  path: "apps",
                  tool: "plain",
                  owner: { kind: "configuration", name: "stanch.yaml" },
                },
                revision: checkout.revision,
                locations: [{ change, file: FILE, line: 1, via }],
                edits: [{ file: FILE, before: (await checkout.read(FILE)) ?? "", after: AFTER }],
                renders: 1,
              },
              proof,
              checkout: {
                ...checkout,
                publish: async (request) => {
                  await meanwhile?.();
                  return checkout.publish(request);
                },
              },
              live: hotfix !== undefined,
            },
            run,
          );
        } finally {
          await checkout.close();
        }
      },
    };
  }
  return {
    fresh,
    async [Symbol.asyncDispose]() {
      api.close();
      await cluster.close();
      await host.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
