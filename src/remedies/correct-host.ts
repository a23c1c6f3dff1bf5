import { z } from "zod";
import { getAt } from "../kube/field-path.ts";
import { listAt, mapAt, textAt } from "../kube/fields.ts";
import { containerOf, containersOf, type TemplateContainer } from "../kube/template.ts";
import type { FieldPath, Finding, KubeObject } from "../model.ts";
import { fact } from "./evidence.ts";
import { immutableBecause } from "./immutable.ts";
import { defineRemedy, no, type RemedyContext, refuse } from "./remedy.ts";
import { typoOf } from "./typo.ts";
import { PATCH_WORKLOADS } from "./workload-rights.ts";

/** How programs say that a name does not resolve: libc, Go, Node, Java, Python, musl, BusyBox. */
const UNRESOLVED = [
  /could not translate host name "([^"\s]+)"/i,
  /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)/,
  /lookup ([\w.-]+)(?: on [\d.:[\]a-f]+)?: no such host/i,
  /UnknownHostException:? ([\w.-]+)/,
  /bad address '([^'\s]+)'/,
  /could not resolve host:? '?([\w.-]+)/i,
  /unknown (?:MySQL server )?host:? '?([\w.-]+)/i,
  /(?:host|name|address|server)?\s*['"]?([a-z0-9][\w.-]*)['"]?[^\n]{0,60}(?:name or service not known|name does not resolve|temporary failure in name resolution|nodename nor servname provided|could not be resolved|no such host)/i,
];

/**
 * A program cannot resolve a host that an environment variable of its names, and no Service has that name. It is pointed to
 * the Service that the name is a typo of, or to the one that every other workload of the namespace has in the same variable.
 * The log only says which of the container's own variables is at fault; the value comes from the cluster.
 */
export const correctHost = defineRemedy({
  id: "correct-host",
  summary:
    "Points an environment variable whose host does not resolve to the Service it is a typo of, or the one that the other workloads use in it.",
  risk: "medium",
  reversibility: "inverse",
  params: z.strictObject({
    container: z.string().min(1).max(63),
    variable: z.string().min(1).max(256).describe("The environment variable."),
    service: z
      .string()
      .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
      .describe("The Service that is meant."),
  }),
  needs: PATCH_WORKLOADS,
  async diagnose(finding, context) {
    const object = context.workload?.object;
    const container =
      object === undefined || finding.container === undefined ? null : containerOf(object, finding.container);
    if (container === null) return no("the failing container is not known");
    const hosts = unresolvedHosts(finding);
    if (hosts.length === 0) return no("its log names no host that does not resolve");
    const { namespace } = finding.workload;
    const services = await context.others("Service", namespace);
    if (services === null) return no(`Services of ${namespace} cannot be read`);
    const known = services.map((service) => service.metadata.name);
    const at = literalsOf(container).flatMap(({ name, value }) => {
      const host = hostIn(value);
      const service = host === null ? null : serviceName(host, namespace);
      return service !== null && hosts.includes(host ?? "") && !known.includes(service) ? [{ name, service }] : [];
    });
    const [only, second] = at;
    if (only === undefined)
      return no(
        `host ${hosts[0]} does not resolve, and no variable of the container names it as a Service of ${namespace}; a person must look at where the name comes from`,
      );
    if (second !== undefined && second.service !== only.service)
      return no(`several variables name hosts that do not resolve: ${at.map((item) => item.name).join(", ")}`);
    const near = typoOf(only.service, known);
    const used = near.match ?? (await usedByOthers(only.name, finding, known, context));
    if (used === null)
      return no(
        `variable ${only.name} names the host ${only.service}, and ${namespace} has no such Service, nor one that it is a typo of or that others use. A person must say which is meant`,
      );
    const why = `The program cannot resolve "${only.service}" (variable ${only.name}), and ${namespace} has no such Service; "${used}" is ${near.match === null ? "what every other workload has in that variable" : "the only one that it is a typo of"}.`;
    return {
      applies: true,
      params: { container: container.name, variable: only.name, service: used },
      reason: why,
      evidence: [fact("spec", `Services in ${namespace}: ${known.slice(0, 20).join(", ")}`)],
    };
  },
  plan({ container, variable, service }, finding, context) {
    const live = context.live(finding.workload);
    const found = live === null ? null : containerOf(live, container);
    if (live === null || found === null) return refuse(`there is no container ${container}`);
    const path: FieldPath = [...found.path, "env", { by: "name", value: variable }, "value"];
    const from = getAt(live, path);
    const host = typeof from === "string" ? hostIn(from) : null;
    const name = host === null ? null : serviceName(host, finding.workload.namespace);
    if (typeof from !== "string" || host === null || name === null)
      return refuse(`variable ${variable} names no host of the namespace`);
    if (name === service) return refuse(`variable ${variable} names ${service} already`);
    // Only the first label is the Service's name: scheme, namespace, port and path stay.
    const to = from.replace(host, service + host.slice(name.length));
    const changes = [{ object: finding.workload, path, from, to }];
    const gitOnly = immutableBecause(changes, () => live);
    return {
      possible: true,
      changes,
      title: `point ${variable} of ${container} ${name} → ${service}`,
      ...(gitOnly === undefined ? {} : { gitOnly }),
    };
  },
});

function unresolvedHosts(finding: Finding): string[] {
  const said = [
    ...finding.evidence.filter((item) => item.kind === "log").map((item) => item.text),
    ...("message" in finding.symptom && finding.symptom.message !== undefined ? [finding.symptom.message] : []),
  ];
  const found = said
    .flatMap((text) => text.split("\n"))
    .flatMap((line) => {
      for (const pattern of UNRESOLVED) {
        const host = pattern.exec(line)?.[1];
        if (host !== undefined) return [host.replace(/\.$/, "").toLowerCase()];
      }
      return [];
    });
  return [...new Set(found)];
}

function literalsOf(container: TemplateContainer): { name: string; value: string }[] {
  return listAt(container.spec, "env").flatMap((item) => {
    const [name, value] = [textAt(item, "name"), textAt(item, "value")];
    return name === undefined || value === undefined || value === "" ? [] : [{ name, value }];
  });
}

/** The host of `host`, `host:port` or a URL, in lower case; null when the value is none of these. */
function hostIn(value: string): string | null {
  const match =
    /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:[^@/\s]*@)?([a-z0-9]([a-z0-9.-]*[a-z0-9])?)(?::\d{1,5})?(?:[/?].*)?$/.exec(value);
  return match?.[1] ?? null;
}

/** The Service that a host means inside the cluster; null for hosts of other namespaces and of the Internet. */
function serviceName(host: string, namespace: string): string | null {
  const [name = "", ...rest] = host.split(".");
  const tail = rest.join(".");
  const own = ["", namespace, `${namespace}.svc`, `${namespace}.svc.cluster.local`];
  return /^[a-z0-9][a-z0-9-]*$/.test(name) && !/^\d+$/.test(name) && own.includes(tail) ? name : null;
}

/** The Service that the other workloads of the namespace have in this variable, when all that have one agree. */
async function usedByOthers(
  variable: string,
  finding: Finding,
  known: readonly string[],
  context: RemedyContext,
): Promise<string | null> {
  const { namespace } = finding.workload;
  const [maps, ...lists] = await Promise.all([
    context.others("ConfigMap", namespace),
    ...(["Deployment", "StatefulSet", "DaemonSet"] as const).map((kind) => context.others(kind, namespace)),
  ]);
  const values = new Set<string>();
  for (const other of lists.flatMap((list) => list ?? [])) {
    if (other.kind === finding.workload.kind && other.metadata.name === finding.workload.name) continue;
    for (const container of containersOf(other)) {
      const value = variableOf(variable, container, maps ?? []);
      const host = value === undefined ? null : hostIn(value);
      if (host !== null) values.add(serviceName(host, namespace) ?? host);
    }
  }
  const [only, second] = values;
  return only !== undefined && second === undefined && known.includes(only) ? only : null;
}

/** The value of a variable, literal or from a ConfigMap. */
function variableOf(variable: string, container: TemplateContainer, maps: readonly KubeObject[]): string | undefined {
  const dataOf = (name: string | undefined): Record<string, unknown> =>
    mapAt(
      maps.find((map) => map.metadata.name === name),
      "data",
    ) ?? {};
  const entry = listAt(container.spec, "env").find((item) => textAt(item, "name") === variable);
  if (entry !== undefined) {
    const key = textAt(entry, "valueFrom", "configMapKeyRef", "key");
    const value =
      key === undefined ? textAt(entry, "value") : dataOf(textAt(entry, "valueFrom", "configMapKeyRef", "name"))[key];
    return typeof value === "string" ? value : undefined;
  }
  for (const item of listAt(container.spec, "envFrom")) {
    const value = dataOf(textAt(item, "configMapRef", "name"))[variable];
    if (typeof value === "string") return value;
  }
  return undefined;
}
