import type { Actor } from "../controllers/actor.ts";
import type { Container, EnvVar, Pod } from "../shapes.ts";
import { isTree } from "../shapes.ts";

/** What a container's configuration comes to, or why the kubelet cannot make it, in its words. */
export type Configuration = { readonly env: Record<string, string> } | { readonly problem: string };

type Data = Readonly<Record<string, string>>;

function dataOf(actor: Actor, kind: "ConfigMap" | "Secret", namespace: string, name: string): Data | undefined {
  const object = actor.get(kind, namespace, name);
  if (object === undefined) return undefined;
  const data = (isTree(object.data) ? object.data : {}) as Record<string, string>;
  if (kind === "ConfigMap") return data;
  const decoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]);
  return {
    ...Object.fromEntries(decoded),
    ...(isTree(object.stringData) ? (object.stringData as Record<string, string>) : {}),
  };
}

/** Resolves `envFrom` and `env` (kubelet's makeEnvironmentVariables). */
export function configureContainer(actor: Actor, pod: Pod, container: Container): Configuration {
  const namespace = pod.metadata.namespace ?? "";
  const env: Record<string, string> = {};
  for (const { prefix = "", configMapRef, secretRef } of container.envFrom ?? []) {
    const ref = configMapRef ?? secretRef;
    if (ref === undefined) continue;
    const data = dataOf(actor, configMapRef === undefined ? "Secret" : "ConfigMap", namespace, ref.name ?? "");
    if (data === undefined && ref.optional !== true)
      return { problem: missing(configMapRef === undefined ? "secret" : "configmap", ref.name) };
    for (const [key, value] of Object.entries(data ?? {})) env[`${prefix}${key}`] = value;
  }
  for (const variable of container.env ?? []) {
    const value = envValue(actor, pod, variable, env);
    if (typeof value === "object") return value;
    if (value !== undefined) env[variable.name] = value;
  }
  return { env };
}

function missing(kind: string, name: string | undefined): string {
  return `${kind} ${JSON.stringify(name ?? "")} not found`;
}

function envValue(actor: Actor, pod: Pod, variable: EnvVar, env: Data): string | undefined | { problem: string } {
  const namespace = pod.metadata.namespace ?? "";
  const { configMapKeyRef, secretKeyRef, fieldRef } = variable.valueFrom ?? {};
  const ref = configMapKeyRef ?? secretKeyRef;
  if (ref !== undefined) {
    const kind = configMapKeyRef === undefined ? "Secret" : "ConfigMap";
    const data = dataOf(actor, kind, namespace, ref.name ?? "");
    const value = data?.[ref.key];
    if (value !== undefined || ref.optional === true) return value;
    return {
      problem:
        data === undefined
          ? missing(kind.toLowerCase(), ref.name)
          : `couldn't find key ${ref.key} in ${kind} ${namespace}/${ref.name}`,
    };
  }
  if (fieldRef !== undefined) return fieldValue(pod, fieldRef.fieldPath);
  return variable.value?.replaceAll(/\$\(([A-Za-z_]\w*)\)/g, (whole, name: string) => env[name] ?? whole);
}

function fieldValue(pod: Pod, path: string): string {
  const subscript = /^(.+)\['(.+)'\]$/.exec(path);
  const steps = subscript === null ? path.split(".") : [...(subscript[1] ?? "").split("."), subscript[2] ?? ""];
  let at: unknown = pod;
  for (const step of steps) at = isTree(at) ? at[step] : undefined;
  return at === undefined ? "" : String(at);
}

/** The files of mounted ConfigMaps and Secrets by path, or why a volume cannot be set up, in the kubelet's words. */
export function mountVolumes(
  actor: Actor,
  pod: Pod,
  container: Container,
): { readonly files: Record<string, string> } | { readonly problem: string } {
  const files: Record<string, string> = {};
  for (const volume of pod.spec.volumes ?? []) {
    const source = volume.configMap ?? volume.secret;
    if (source === undefined) continue;
    const secret = volume.configMap === undefined;
    const name = (secret ? volume.secret?.secretName : volume.configMap?.name) ?? "";
    const data = dataOf(actor, secret ? "Secret" : "ConfigMap", pod.metadata.namespace ?? "", name);
    const failed = (why: string): { problem: string } => ({
      problem: `MountVolume.SetUp failed for volume "${volume.name}" : ${why}`,
    });
    if (data === undefined) {
      if (source.optional === true) continue;
      return failed(missing(secret ? "secret" : "configmap", name));
    }
    const absent = source.items?.find((item) => data[item.key] === undefined);
    if (absent !== undefined && source.optional !== true)
      return failed(
        `${secret ? "references non-existent secret key" : "configmap references non-existent config key"}: ${absent.key}`,
      );
    const entries = source.items?.map(({ key, path }) => [path, data[key] ?? ""] as const) ?? Object.entries(data);
    for (const mount of container.volumeMounts ?? []) {
      if (mount.name === volume.name)
        for (const [path, text] of entries) files[`${mount.mountPath.replace(/\/$/, "")}/${path}`] = text;
    }
  }
  return { files };
}
