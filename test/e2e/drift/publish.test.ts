import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startCodeHost } from "../../../src/demo/code-host/code-host.ts";
import { kubectl, stanch, writeConfig } from "../lab.ts";

const REPOSITORY = "acme/published";
const BOT = "publish-bot";

const manifest = (namespace: string): string => `apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: ${namespace}}
data:
  colour: green
  DB_PASSWORD: from-git-and-secret
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ${namespace}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: busybox:1.36
          command: [sleep, "86400"]
`;

it("a real cluster's drift is told to the repository, to the line, and the issue ends with it", async () => {
  const namespace = `publish-${Math.random().toString(36).slice(2, 7)}`;
  const folder = await mkdtemp(join(tmpdir(), "stanch-publish-"));
  await using host = await startCodeHost();
  try {
    host.addToken(BOT, { login: "stanch[bot]", permission: "write", app: "stanch" });
    const files = { "apps/web.yaml": manifest(namespace) };
    await host.addRepository(REPOSITORY, { commits: [{ message: "Import", files }] });
    await kubectl(["create", "namespace", namespace]);
    await writeFile(join(folder, "web.yaml"), manifest(namespace));
    await kubectl(["apply", "--server-side", "-f", join(folder, "web.yaml")]);
    const config = await writeConfig(folder, {
      cluster: "e2e",
      scope: { namespaces: [namespace] },
      github: { apiUrl: host.apiUrl, pause: "0s", repositories: [REPOSITORY] },
      git: { cache: join(folder, "git") },
      sources: [{ repository: REPOSITORY, path: "apps", namespaces: [namespace] }],
      drift: { wait: "1s" },
    });
    const publish = () => stanch(["drift", "--config", config, "--publish", "--fail-on", "never"], BOT);
    const ours = () => host.checks(REPOSITORY).at(-1);

    await publish();
    expect(ours()?.summary).toContain("2 in sync");
    expect(host.issues(REPOSITORY)).toEqual([]);

    const data = { colour: "red", DB_PASSWORD: "live-and-secret" };
    await kubectl(["-n", namespace, "patch", "configmap", "settings", "--type=merge", "-p", JSON.stringify({ data })]);
    await kubectl(["-n", namespace, "delete", "deployment", "web"]);
    await publish();
    expect(ours()?.annotations).toContainEqual(expect.objectContaining({ path: "apps/web.yaml", start_line: 5 }));
    const [issue] = host.issues(REPOSITORY);
    expect(issue).toMatchObject({ state: "open", title: expect.stringContaining("1 drifted, 1 missing") });
    const all = JSON.stringify([host.checks(REPOSITORY), host.issues(REPOSITORY)]);
    expect(all).toContain("red");
    for (const secret of ["live-and-secret", "from-git-and-secret"]) expect(all).not.toContain(secret);

    await kubectl(["apply", "--server-side", "--force-conflicts", "-f", join(folder, "web.yaml")]);
    await publish();
    expect(ours()?.summary).toContain("2 in sync");
    expect(host.issues(REPOSITORY)).toHaveLength(1);
  } finally {
    await kubectl(["delete", "namespace", namespace, "--wait=false", "--ignore-not-found"], { may: [1] });
    await rm(folder, { recursive: true, force: true });
  }
}, 240_000);
