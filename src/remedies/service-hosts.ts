import { listAt, mapAt, textAt } from "../kube/fields.ts";
import { containersOf, type TemplateContainer } from "../kube/template.ts";
import type { KubeObject } from "../model.ts";

/** The host of an address. */
export interface NamedHost {
  /** As programs say it: without a final dot. */
  readonly name: string;
  /** Where it starts in the value. */
  readonly start: number;
  readonly port?: number;
  /** The Service that it means inside the cluster; null for hosts of other namespaces and of the Internet. */
  readonly service: string | null;
}

/** More than an address has; what is longer is some other text. */
const LONGEST = 2000;
const ADDRESS =
  /^((?:jdbc:)?(?:[a-z][a-z0-9+.-]{0,30}:\/\/)?(?:[^@/\s]{0,500}@)?)([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)\.?(?::(\d{1,5}))?(?:[/?].*)?$/;

/**
 * The host of `host`, `host:port` or a URL; null when the value is none of these, such as an IPv6 address, a list, or one
 * whose host is made of another variable (`$(HOST)`).
 */
export function hostIn(value: string, namespace: string): NamedHost | null {
  const match = value.length > LONGEST ? null : ADDRESS.exec(value);
  const [, before = "", name, port] = match ?? [];
  if (name === undefined) return null;
  return {
    name,
    start: before.length,
    ...(port === undefined ? {} : { port: Number(port) }),
    service: serviceName(name, namespace),
  };
}

/** The Service of the namespace that a host means; null for hosts of other namespaces and of the Internet. */
export function serviceName(host: string, namespace: string): string | null {
  const [name = "", ...rest] = host.split(".");
  const own = ["", namespace, `${namespace}.svc`, `${namespace}.svc.cluster.local`];
  return /^[a-z0-9][a-z0-9-]*$/.test(name) && !/^\d+$/.test(name) && own.includes(rest.join(".")) ? name : null;
}

/** What other workloads' containers have in a variable; null for a value that cannot be known, such as a Secret's. */
export function valuesOfOthers(
  variable: string,
  workloads: readonly KubeObject[],
  maps: readonly KubeObject[],
): (string | null)[] {
  return workloads
    .flatMap(containersOf)
    .map((container) => valueIn(variable, container, maps))
    .filter((value) => value !== undefined);
}

/** Literal or from a ConfigMap; what stands in `env` counts before `envFrom`, and of each the last. */
function valueIn(
  variable: string,
  container: TemplateContainer,
  maps: readonly KubeObject[],
): string | null | undefined {
  const dataOf = (name: string | undefined) => mapAt(maps.find((map) => map.metadata.name === name) ?? {}, "data");
  const entry = listAt(container.spec, "env").findLast((item) => textAt(item, "name") === variable);
  if (entry !== undefined) {
    const reference = mapAt(entry, "valueFrom", "configMapKeyRef");
    const key = textAt(reference, "key");
    const value = key === undefined ? textAt(entry, "value") : textAt(dataOf(textAt(reference, "name")), key);
    return value ?? null;
  }
  for (const item of listAt(container.spec, "envFrom").toReversed()) {
    const prefix = textAt(item, "prefix") ?? "";
    if (!variable.startsWith(prefix)) continue;
    const value = textAt(dataOf(textAt(item, "configMapRef", "name")), variable.slice(prefix.length));
    if (value !== undefined) return value;
  }
  return undefined;
}
