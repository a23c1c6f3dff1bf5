import { z } from "zod";
import { getAt } from "../kube/field-path.ts";
import { listAt, numberAt, textAt, textsAt } from "../kube/fields.ts";
import { matchesLabels } from "../kube/selectors.ts";
import { containerOf, type TemplateContainer, templateOf } from "../kube/template.ts";
import type { Change, FieldPath, Finding, KubeObject } from "../model.ts";
import { fact } from "./evidence.ts";
import { hostsInCommands } from "./hosts-in-commands.ts";
import { immutableBecause } from "./immutable.ts";
import { defineRemedy, no, type PlanContext, refuse } from "./remedy.ts";
import { hostIn, valuesOfOthers } from "./service-hosts.ts";
import { typoOf } from "./typo.ts";
import { unresolvedHosts } from "./unresolved-hosts.ts";
import { PATCH_WORKLOADS } from "./workload-rights.ts";

const WORKLOADS = ["Deployment", "StatefulSet", "DaemonSet"] as const;

/**
 * A program cannot resolve a host that its environment variables, its command or its arguments name, and no Service has that name. They are pointed to
 * the Service that the name is a typo of, or to the one that the other workloads of the namespace have in the same variable.
 * The log only says which of the container's own variables is at fault; the value comes from the cluster. Of a value only
 * the Service's name is ever said, for it may hold a password.
 */
export const correctHost = defineRemedy({
  id: "correct-host",
  summary:
    "Points environment variables, commands and arguments whose host does not resolve to the Service it is a typo of, or the one that the other workloads use in it.",
  risk: "medium",
  reversibility: "inverse",
  params: z.strictObject({
    container: z.string().min(1).max(63),
    variables: z
      .array(z.string().min(1).max(256))
      .min(1)
      .max(10)
      .describe("The environment variables, or `command[2]`."),
    service: z
      .string()
      .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
      .describe("The Service that is meant."),
  }),
  needs: PATCH_WORKLOADS,
  looks: (finding) => (unresolvedHosts(finding).length === 0 ? [] : ["Service", "ConfigMap", ...WORKLOADS]),
  async diagnose(finding, context) {
    const meant = meantBy(finding, context);
    if ("reason" in meant) return no(meant.reason);
    const { container, wrong, variables, service, typo, known } = meant;
    const names = variables.map(({ name }) => name);
    return {
      applies: true,
      params: { container: container.name, variables: names, service },
      reason: `The program cannot resolve "${wrong}" (${names.join(", ")}), and ${finding.workload.namespace} has no such Service; "${service}" is ${typo ? "the only one that it is a typo of" : "what the other workloads have there"}.`,
      evidence: [fact("spec", `Services in ${finding.workload.namespace}: ${known.slice(0, 20).join(", ")}`)],
    };
  },
  plan({ container, variables, service }, finding, context) {
    // Another host would get what the program sends, its password first: only what the cluster proves now is taken.
    const meant = meantBy(finding, context);
    if ("reason" in meant) return refuse(meant.reason);
    if (container !== meant.container.name) return refuse(`container ${container} is not the one that fails`);
    if (service !== meant.service) return refuse(`${service} is not the Service that is meant by ${meant.wrong}`);
    const stray = variables.find((name) => !meant.variables.some((variable) => variable.name === name));
    if (stray !== undefined) return refuse(`variable ${stray} names no host that does not resolve`);
    const changes = meant.variables.map(({ path, value, starts }): Change => {
      // Only the first label is the Service's name: scheme, user, namespace, port and path stay.
      const to = starts.reduceRight(
        (text, start) => text.slice(0, start) + service + text.slice(start + meant.wrong.length),
        value,
      );
      return { object: finding.workload, path, from: value, to };
    });
    const gitOnly = immutableBecause(changes, () => meant.live);
    return {
      possible: true,
      changes,
      title: `point ${meant.variables.map(({ name }) => name).join(" and ")} of ${container} ${meant.wrong} → ${service}`,
      ...(gitOnly === undefined ? {} : { gitOnly }),
    };
  },
});

/** A variable, or a text of the command or the arguments, that names the host. */
interface Variable {
  readonly name: string;
  readonly value: string;
  readonly path: FieldPath;
  readonly service: string;
  /** Where the Service's name begins in the value, in order. */
  readonly starts: readonly number[];
  readonly port?: number;
}

interface Meant {
  readonly live: KubeObject;
  readonly container: TemplateContainer;
  readonly variables: readonly Variable[];
  /** The name that no Service has. */
  readonly wrong: string;
  readonly service: string;
  readonly typo: boolean;
  readonly known: readonly string[];
}

/** The Service that is meant, as the cluster's objects prove it now; or what a person must decide. */
function meantBy(finding: Finding, context: PlanContext): Meant | { readonly reason: string } {
  const { namespace } = finding.workload;
  const live = context.live(finding.workload);
  const container = live === null || finding.container === undefined ? null : containerOf(live, finding.container);
  if (live === null || container === null) return { reason: "the failing container is not known" };
  const hosts = unresolvedHosts(finding);
  if (hosts.length === 0) return { reason: "its log names no host that does not resolve" };
  const services = context.others("Service", namespace);
  if (services === null) return { reason: `Services of ${namespace} cannot be read` };
  const known = services.map((service) => service.metadata.name);
  const variables = [
    ...variablesOf(container, live, namespace, hosts),
    ...hostsInCommands(container, live, namespace, hosts),
  ].filter(({ service }) => !known.includes(service));
  const wrong = variables[0]?.service;
  if (wrong === undefined)
    return {
      reason: `its log says that a host does not resolve, and no variable of the container names it as a Service of ${namespace}; a person must look at where the name comes from`,
    };
  if (variables.some(({ service }) => service !== wrong))
    return {
      reason: `several variables name hosts that do not resolve: ${variables.map(({ name }) => name).join(", ")}`,
    };
  const names = variables.map(({ name }) => name).join(", ");
  const near = typoOf(wrong, known);
  const agreed = near.match ?? agreedOn(variables, services, { live, finding, context });
  const service = services.find((candidate) => candidate.metadata.name === agreed);
  if (agreed === null || service === undefined || (near.match === null && near.near.some((name) => name !== agreed)))
    return {
      reason: `${names} names the host ${wrong}, and ${namespace} has no such Service, nor a single one that it is a typo of or that others use. A person must say which is meant`,
    };
  const closed = variables.find(({ port }) => port !== undefined && !isServed(port, service));
  if (closed !== undefined)
    return {
      reason: `${closed.name} asks port ${closed.port}, which Service ${agreed} does not serve. A person must say which is meant`,
    };
  return { live, container, variables, wrong, service: agreed, typo: near.match !== null, known };
}

/** The Service that the other workloads have in every one of these variables, on the same port; never one of its own. */
function agreedOn(
  variables: readonly Variable[],
  services: readonly KubeObject[],
  { live, finding, context }: { live: KubeObject; finding: Finding; context: PlanContext },
): string | null {
  const { namespace } = finding.workload;
  const maps = context.others("ConfigMap", namespace);
  const lists = WORKLOADS.map((kind) => context.others(kind, namespace));
  if (maps === null || lists.some((list) => list === null)) return null;
  const others = lists
    .flatMap((list) => list ?? [])
    .filter((other) => other.kind !== finding.workload.kind || other.metadata.name !== finding.workload.name);
  const found = new Set<string | null>();
  for (const { name, port } of variables) {
    const values = valuesOfOthers(name, others, maps);
    if (values.length === 0) return null;
    for (const value of values) {
      const other = value === null ? null : hostIn(value, namespace);
      found.add(other === null || other.port !== port ? null : other.service);
    }
  }
  const [only, second] = [...found];
  const service = second === undefined ? services.find((candidate) => candidate.metadata.name === only) : undefined;
  if (service === undefined) return null;
  const selector = textsAt(service, "spec", "selector");
  const own = textsAt(templateOf(live), "metadata", "labels");
  return Object.keys(selector).length > 0 && matchesLabels(selector, own) ? null : service.metadata.name;
}

/** Of a headless or external Service the ports are those of what stands behind it. */
function isServed(port: number, service: KubeObject): boolean {
  if (textAt(service, "spec", "type") === "ExternalName" || textAt(service, "spec", "clusterIP") === "None")
    return true;
  return listAt(service, "spec", "ports").some((item) => numberAt(item, "port") === port);
}

/** Variables whose value stands in the template and names a host. One that stands twice is left out: its last value counts. */
function variablesOf(
  container: TemplateContainer,
  live: KubeObject,
  namespace: string,
  hosts: readonly string[],
): Variable[] {
  const env = listAt(container.spec, "env");
  return env.flatMap((item) => {
    const name = textAt(item, "name");
    if (name === undefined || env.filter((other) => textAt(other, "name") === name).length > 1) return [];
    const path: FieldPath = [...container.path, "env", { by: "name", value: name }, "value"];
    const value = getAt(live, path);
    const host = typeof value === "string" ? hostIn(value, namespace) : null;
    if (host === null || host.service === null || typeof value !== "string" || !hosts.includes(host.name)) return [];
    const { service, start, port } = host;
    return [{ name, value, path, service, starts: [start], ...(port === undefined ? {} : { port }) }];
  });
}
