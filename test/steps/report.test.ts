import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import type { Incident } from "../../src/incident/incident.ts";
import { createLog } from "../../src/log.ts";
import type { CodeHost } from "../../src/ports.ts";
import type { Run } from "../../src/run.ts";
import { APP_REPOSITORY, findAppRepository } from "../../src/steps/app-repository.ts";
import { reportIssue } from "../../src/steps/report.ts";

const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "podinfo" };
const incident = {
  metadata: { namespace: "shop", name: "podinfo-1" },
  spec: { workload: ref, fingerprint: "0".repeat(16) },
} as unknown as Incident;

/** A code host on which everybody may read, and some may push. */
function bench(push: boolean): { run: Run; asked: string[] } {
  const asked: string[] = [];
  const codeHost = {
    check: async () => ({ login: "stanch", push, archived: false, defaultBranch: "main" }),
    isPublic: async () => true,
    findIssue: async (repository: string) => {
      asked.push(repository);
      throw new Error("asked");
    },
  } as unknown as CodeHost;
  const log = createLog({
    format: "json",
    level: "error",
    interactive: false,
    write: () => undefined,
    now: () => new Date(),
  });
  const registry = { labels: async () => ({ unknown: "not asked" }) };
  return { asked, run: { config: parseConfig("{}"), codeHost, registry, log, tally: {} } as unknown as Run };
}

describe("a repository that an Application or a GitRepository names and the configuration does not", () => {
  const matter = { kind: "git" as const, reason: "nothing sets it" };

  it("is told nothing where the account may not push: it is somebody else's", async () => {
    const { run, asked } = bench(false);
    const said = await reportIssue({ incident, repository: "stefanprodan/podinfo", matter, live: true }, run);
    expect(said.sentence).toMatch(/No issue tells of it in stefanprodan\/podinfo: .* may not push to it/);
    expect(said.more).toEqual({});
    expect(asked).toEqual([]);
  });

  it("is told where the account may push", async () => {
    const { run, asked } = bench(true);
    await reportIssue({ incident, repository: "acme/fleet", matter, live: true }, run);
    expect(asked).toEqual(["acme/fleet"]);
  });

  it.each([false, true])("is a program's home only where the account may push: %s", async (push) => {
    const object = {
      ...ref,
      metadata: { ...ref, annotations: { [APP_REPOSITORY]: "stefanprodan/podinfo" } },
    };
    const question = {
      object,
      image: "ghcr.io/stefanprodan/podinfo:6.0.0",
      known: undefined,
      home: "stefanprodan/podinfo",
      credentials: async () => undefined,
    };
    const answer = await findAppRepository(question, bench(push).run);
    expect(answer.found).toBe(push);
    if (!answer.found) expect(answer.reason).toMatch(/is public/);
  });
});
