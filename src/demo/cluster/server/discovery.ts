import type { Kind, Kinds } from "./kinds.ts";
import { apiVersionOf } from "./kinds.ts";

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
export const VERSION = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.3",
  gitCommit: "embedded",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "none",
  platform: "linux/amd64",
};

interface ApiResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  group?: string;
  version?: string;
  kind: string;
  verbs: string[];
  shortNames?: readonly string[];
}

function resourcesOf(kind: Kind): ApiResource[] {
  const { plural, singular, namespaced, short } = kind;
  const out: ApiResource[] = [
    {
      name: plural,
      singularName: singular,
      namespaced,
      kind: kind.kind,
      verbs: VERBS,
      ...(short.length > 0 ? { shortNames: short } : {}),
    },
  ];
  const add = (name: string, verbs: string[], more: Partial<ApiResource> = {}): void => {
    out.push({ name: `${plural}/${name}`, singularName: "", namespaced, kind: kind.kind, verbs, ...more });
  };
  if (kind.status) add("status", ["get", "patch", "update"]);
  if (kind.kind === "Pod") {
    add("eviction", ["create"], { group: "policy", version: "v1", kind: "Eviction" });
    add("exec", ["create", "get"], { kind: "PodExecOptions" });
    add("log", ["get"]);
    add("resize", ["get", "patch", "update"]);
  }
  if (["Deployment", "ReplicaSet", "StatefulSet"].includes(kind.kind)) {
    add("scale", ["get", "patch", "update"], { group: "autoscaling", version: "v1", kind: "Scale" });
  }
  return out;
}

const REVIEWS: readonly ApiResource[] = ["SelfSubjectAccessReview", "SelfSubjectRulesReview"].map((kind) => ({
  name: `${kind.toLowerCase()}s`,
  singularName: kind.toLowerCase(),
  namespaced: false,
  kind,
  verbs: ["create"],
}));

/** The answer to a discovery request, or undefined when the path is none (or names a group that is not served). */
export function discover(path: string, kinds: Kinds): unknown {
  if (path === "/version") return VERSION;
  if (path === "/api") return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
  const groups = [...new Set(kinds.all().map((kind) => kind.group))].filter((group) => group !== "");
  groups.push("authorization.k8s.io");
  if (path === "/apis")
    return { kind: "APIGroupList", apiVersion: "v1", groups: groups.map((group) => groupOf(group, kinds)) };
  const found = /^\/(?:api|apis\/([^/]+))(?:\/([^/]+))?$/.exec(path);
  if (found === null) return undefined;
  const [, group = "", version] = found;
  if (version === undefined)
    return groups.includes(group) ? { kind: "APIGroup", apiVersion: "v1", ...groupOf(group, kinds) } : undefined;
  const groupVersion = group === "" ? version : `${group}/${version}`;
  const served = kinds.all().filter((kind) => apiVersionOf(kind) === groupVersion);
  const resources = groupVersion === "authorization.k8s.io/v1" ? REVIEWS : served.flatMap(resourcesOf);
  if (resources.length === 0) return undefined;
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources };
}

function groupOf(name: string, kinds: Kinds): Record<string, unknown> {
  const served = kinds.all().filter((kind) => kind.group === name);
  const versions = [...new Set(served.map((kind) => kind.version))];
  if (versions.length === 0) versions.push("v1");
  const list = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: list, preferredVersion: list[0] };
}
