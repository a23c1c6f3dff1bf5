import type { Config } from "./schema.ts";

const ALWAYS_OUT = ["kube-system", "kube-public", "kube-node-lease"];

/** Does a glob (`*` any run of characters, `?` one) match all of a name? */
export function matchesGlob(glob: string, name: string): boolean {
  const pattern = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${pattern}$`, "s").test(name);
}

/** Annotated with this as "true", an object or a namespace is left alone. */
export const IGNORE = "stanch.dev/ignore";

/** Is a namespace watched? Kubernetes' own namespaces and Stanch's own never are. */
export function inScope(namespace: string, config: Pick<Config, "scope" | "namespace">): boolean {
  if (isProtected(namespace, config)) return false;
  if (config.scope.excludeNamespaces.some((glob) => matchesGlob(glob, namespace))) return false;
  return config.scope.namespaces.some((glob) => matchesGlob(glob, namespace));
}

export function isProtected(namespace: string, config: Pick<Config, "namespace">): boolean {
  return ALWAYS_OUT.includes(namespace) || namespace === config.namespace;
}

/** Namespaces in which GitOps engines' objects are read; null: in all. Who looks at one namespace (`-n`) has what deploys it elsewhere all the same. */
export function deployerNamespaces(config: Pick<Config, "scope" | "namespace">): readonly string[] | null {
  const named = namedNamespaces(config);
  return named === null || config.scope.deployers.includes("*")
    ? null
    : [...new Set([...named, ...config.scope.deployers])];
}

/** The namespaces that the scope names outright, when it uses no wildcard: they are listed one by one, which needs no cluster-wide right. */
export function namedNamespaces(config: Pick<Config, "scope" | "namespace">): readonly string[] | null {
  return config.scope.namespaces.some((glob) => /[*?]/.test(glob))
    ? null
    : config.scope.namespaces.filter((name) => inScope(name, config));
}
