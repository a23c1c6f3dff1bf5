import { z } from "zod";
import { getAt } from "../kube/field-path.ts";
import { listAt, numberAt, textAt } from "../kube/fields.ts";
import { type Backend, backendsOf, portText, serves } from "../kube/ingress.ts";
import { applyChanges } from "../kube/json-patch.ts";
import type { Change, FieldPath, Finding, Json, KubeObject } from "../model.ts";
import { fact } from "./evidence.ts";
import { defineRemedy, no, type PlanContext, type RemedyContext, refuse } from "./remedy.ts";
import { typoOf } from "./typo.ts";
import { PATCH_INGRESSES } from "./workload-rights.ts";

/**
 * An Ingress names a Service, a port or a class that does not exist. It is pointed to the one Service of its namespace, or the one
 * class, that the name is a typo of; a port to the only one that its Service has. Several wrong backends are mended only when
 * each of them is proved.
 */
export const correctBackend = defineRemedy({
  id: "correct-backend",
  summary:
    "Points an Ingress to the one Service or class that its name is a typo of, or to the only port that its Service has.",
  risk: "medium",
  reversibility: "inverse",
  params: z.strictObject({
    to: z
      .array(z.strictObject({ wrong: z.string().min(1).max(253), right: z.string().min(1).max(253) }))
      .min(1)
      .max(20)
      .describe("Each name or port that is wrong, with the one that is meant."),
  }),
  needs: [PATCH_INGRESSES],
  reads: [{ group: "networking.k8s.io", resource: "ingressclasses", verb: "list" }],
  looks: () => ["Service", "IngressClass"],
  async diagnose(finding, context) {
    const meant = meantBy(finding, context);
    if ("reason" in meant) return no(meant.reason);
    const taken = await takenAway(finding, context);
    if (taken !== null) return no(taken);
    return {
      applies: true,
      params: { to: toOf(meant.corrections) },
      reason: meant.corrections.map(({ why }) => why).join(" "),
      evidence: [
        fact("spec", `Services in ${finding.workload.namespace}: ${meant.known.slice(0, 20).join(", ") || "none"}`),
      ],
    };
  },
  plan({ to }, finding, context) {
    // Requests would go elsewhere: only what the cluster proves now is taken.
    const meant = meantBy(finding, context);
    if ("reason" in meant) return refuse(meant.reason);
    if (JSON.stringify(to) !== JSON.stringify(toOf(meant.corrections)))
      return refuse("it is not what the cluster's objects prove now");
    const changes = meant.corrections.map(({ path, from, to: value }): Change => {
      return { object: finding.workload, path, from, to: value };
    });
    return {
      possible: true,
      changes,
      title: `point ${toOf(meant.corrections)
        .map(({ wrong, right }) => `${wrong} → ${right}`)
        .join(" and ")}`,
    };
  },
});

/** The Ingress is as it was, and a recent commit took away what it sends to: it is not the Ingress that is wrong. */
async function takenAway(finding: Finding, context: RemedyContext): Promise<string | null> {
  const { namespace } = finding.workload;
  const live = context.live(finding.workload);
  const services = context.others("Service", namespace) ?? [];
  for (const { service: name, port } of live === null ? [] : backendsOf(live)) {
    const ref = { apiVersion: "v1", kind: "Service", namespace, name };
    const service = services.find((candidate) => candidate.metadata.name === name);
    if (service !== undefined && serves(service, port)) continue;
    const removed = service === undefined ? await context.removed(ref) : null;
    const versions = service === undefined ? [] : await context.previous(ref);
    const had = versions.find(({ changes }) => service !== undefined && serves(applyChanges(service, changes), port));
    const commit = removed?.commit ?? had?.commit;
    if (commit !== undefined)
      return `commit ${commit.sha.slice(0, 7)} took ${service === undefined ? "" : `port ${portText(port)} from `}Service ${name} away, and the Ingress may be right`;
  }
  return null;
}

interface Correction {
  readonly path: FieldPath;
  readonly from: Json;
  readonly to: Json;
  readonly wrong: string;
  readonly right: string;
  readonly why: string;
}

interface Meant {
  readonly corrections: readonly Correction[];
  readonly known: readonly string[];
}

function toOf(corrections: readonly Correction[]): { wrong: string; right: string }[] {
  return [...new Map(corrections.map(({ wrong, right }) => [`${wrong} ${right}`, { wrong, right }])).values()];
}

/** What is meant, as the cluster's objects prove it now; or what a person must decide. */
function meantBy(finding: Finding, context: PlanContext): Meant | { readonly reason: string } {
  const live = context.live(finding.workload);
  if (finding.symptom.kind !== "BrokenRoute" || live === null) return { reason: "no Ingress leads nowhere" };
  const services = context.others("Service", finding.workload.namespace);
  if (services === null) return { reason: `Services of ${finding.workload.namespace} cannot be read` };
  const found = [...backendsOf(live).map((backend) => ofBackend(backend, live, services)), ofClass(live, context)];
  const open = found.find((item) => item !== null && "reason" in item);
  if (open !== undefined && open !== null && "reason" in open) return open;
  const corrections = found.filter((item): item is Correction => item !== null && !("reason" in item));
  if (corrections.length === 0) return { reason: "everything that it names is there by now" };
  return { corrections, known: services.map((service) => service.metadata.name) };
}

/** Null: nothing is wrong with the backend. */
function ofBackend(
  { service: name, port, path }: Backend,
  live: KubeObject,
  services: readonly KubeObject[],
): Correction | { readonly reason: string } | null {
  const service = services.find((candidate) => candidate.metadata.name === name);
  if (service !== undefined) return serves(service, port) ? null : ofPort(service, port, path, live);
  // One that lacks the port cannot be meant.
  const near = typoOf(
    name,
    services.filter((candidate) => serves(candidate, port)).map((candidate) => candidate.metadata.name),
  );
  if (near.match !== null)
    return {
      path: [...path, "name"],
      from: name,
      to: near.match,
      wrong: name,
      right: near.match,
      why: `There is no Service "${name}"; "${near.match}" is the only one that it is a typo of and has port ${portText(port)}.`,
    };
  return {
    reason:
      near.near.length > 0
        ? `several Services are near "${name}": ${near.near.join(", ")}. A person must say which is meant`
        : `there is no Service "${name}", and none with port ${portText(port)} whose name is near it. A person must create it, or correct the Ingress`,
  };
}

function ofPort(
  service: KubeObject,
  port: Backend["port"],
  path: FieldPath,
  live: KubeObject,
): Correction | { readonly reason: string } {
  const { name } = service.metadata;
  const ports = listAt(service, "spec", "ports");
  const [only, second] = ports;
  const number = numberAt(only, "port");
  if (number === undefined || second !== undefined)
    return {
      reason: `Service ${name} has no port ${portText(port)}, but the ports ${ports.map((item) => numberAt(item, "port")).join(", ")}; a person must say which is meant`,
    };
  const ownName = textAt(only, "name");
  const at: FieldPath = [...path, "port"];
  const why = `Service ${name} has no port ${portText(port)}; its only one is ${number}.`;
  const said = { wrong: portText(port), right: String("name" in port ? (ownName ?? number) : number), why };
  if (!("name" in port)) return { path: [...at, "number"], from: port.number, to: number, ...said };
  if (ownName !== undefined) return { path: [...at, "name"], from: port.name, to: ownName, ...said };
  return { path: at, from: getAt(live, at) ?? null, to: { number }, ...said };
}

function ofClass(live: KubeObject, context: PlanContext): Correction | { readonly reason: string } | null {
  const wanted = textAt(live, "spec", "ingressClassName");
  const classes = (context.others("IngressClass", "") ?? []).map((item) => item.metadata.name);
  if (wanted === undefined || classes.length === 0 || classes.includes(wanted)) return null;
  const near = typoOf(wanted, classes);
  if (near.match === null)
    return {
      reason: `there is no IngressClass "${wanted}", and not exactly one that it is a typo of (${classes.slice(0, 10).join(", ")}). A person must say which is meant`,
    };
  return {
    path: ["spec", "ingressClassName"],
    from: wanted,
    to: near.match,
    wrong: wanted,
    right: near.match,
    why: `There is no IngressClass "${wanted}"; "${near.match}" is the only one that it is a typo of.`,
  };
}
