import type { Config } from "../config/schema.ts";
import { listAt } from "../kube/fields.ts";
import { parseImage } from "../kube/image.ts";
import { credentialsIn } from "../kube/pull-secret.ts";
import { templateOf } from "../kube/template.ts";
import type { KubeObject } from "../model.ts";
import type { Cluster, RegistryCredentials } from "../ports.ts";

/**
 * The credentials of a workload's own pull secrets for an image. Only where the configuration allows Secrets to be read for it; without
 * them, or without the right, the registry is asked as nobody.
 */
export async function pullCredentials(
  workload: KubeObject | undefined,
  image: string,
  doors: { readonly cluster: Pick<Cluster, "get">; readonly config: Pick<Config, "registry"> },
): Promise<RegistryCredentials | undefined> {
  if (!doors.config.registry.usePullSecrets || workload === undefined) return undefined;
  const parsed = parseImage(image);
  const template = templateOf(workload);
  if (parsed === null || template === null) return undefined;
  for (const entry of listAt(template, "spec", "imagePullSecrets")) {
    const { name } = entry as { name?: unknown };
    if (typeof name !== "string" || name === "") continue;
    const ref = { apiVersion: "v1", kind: "Secret", namespace: workload.metadata.namespace ?? "", name };
    const secret = await doors.cluster.get(ref).catch(() => null);
    const found = secret === null ? null : credentialsIn(secret, parsed);
    if (found !== null) return found;
  }
  return undefined;
}
