import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { kubectl } from "./lab.ts";

/** Writes a kubeconfig of a service account into a folder. Answers its path. */
export async function kubeconfigOf(namespace: string, account: string, folder: string): Promise<string> {
  const token = (await kubectl(["-n", namespace, "create", "token", account])).trim();
  const view = JSON.parse(await kubectl(["config", "view", "--raw", "--minify", "-o", "json"])) as {
    clusters: { name: string; cluster: object }[];
  };
  const [cluster] = view.clusters;
  const file = join(folder, `kubeconfig-${account}`);
  await writeFile(
    file,
    stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "bot",
      contexts: [{ name: "bot", context: { cluster: cluster?.name, user: "bot" } }],
      clusters: view.clusters,
      users: [{ name: "bot", user: { token } }],
    }),
    { mode: 0o600 },
  );
  return file;
}
