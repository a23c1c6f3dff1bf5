import { z } from "zod";
import { listAt, numberAt, textAt, textsAt } from "../kube/fields.ts";
import { portsOf } from "../kube/probes.ts";
import { sameValue } from "../kube/same-value.ts";
import { matchesLabels } from "../kube/selectors.ts";
import { containersOf, templateOf } from "../kube/template.ts";
import type { Change, Finding, KubeObject } from "../model.ts";
import { fact } from "./evidence.ts";
import { defineRemedy, no, type PlanContext, refuse } from "./remedy.ts";
import { slipOf } from "./typo.ts";
import { PATCH_SERVICES } from "./workload-rights.ts";

type Labels = Readonly<Record<string, string>>;
const WORKLOADS = ["Deployment", "StatefulSet", "DaemonSet"] as const;

/**
 * A Service whose selector matches nothing points to the one workload of its namespace that can be meant: no other Service
 * selects it, it serves the port that the Service asks, and either its labels differ by a slip of the fingers or it bears the
 * Service's name; or it is the only workload there is. The selector keeps as many labels as it had: it never gets wider.
 */
export const correctSelector = defineRemedy({
  id: "correct-selector",
  summary: "Points a Service's selector, which matches no pod, to the one workload of its namespace that can be meant.",
  risk: "medium",
  reversibility: "inverse",
  params: z.strictObject({
    workload: z.string().min(1).max(253).describe("Name of the workload that is meant."),
    selector: z
      .record(z.string().min(1).max(317), z.string().max(63))
      .describe("The selector as it should be: labels of the workload's pods."),
  }),
  needs: [PATCH_SERVICES],
  looks: () => [...WORKLOADS, "Service"],
  async diagnose(finding, context) {
    const meant = meantBy(finding, context);
    if ("reason" in meant) return no(meant.reason);
    return {
      applies: true,
      params: { workload: meant.workload, selector: meant.selector },
      reason: meant.why,
      evidence: [fact("spec", meant.why)],
    };
  },
  plan({ workload, selector }, finding, context) {
    // Any labels would be a valid selector: only what the workloads themselves say now is taken.
    const meant = meantBy(finding, context);
    if ("reason" in meant) return refuse(meant.reason);
    if (workload !== meant.workload || !sameValue(selector, meant.selector))
      return refuse(`${workload} with ${show(selector)} is not what is meant by ${show(meant.now)}`);
    const path = (key: string) => ["spec", "selector", key];
    const removed = Object.entries(meant.now).flatMap(([key, from]): Change[] =>
      Object.hasOwn(meant.selector, key) ? [] : [{ object: finding.workload, path: path(key), from }],
    );
    const written = Object.entries(meant.selector).flatMap(([key, to]): Change[] => {
      const from = Object.hasOwn(meant.now, key) ? meant.now[key] : undefined;
      if (from === to) return [];
      return [{ object: finding.workload, path: path(key), ...(from === undefined ? {} : { from }), to }];
    });
    return {
      possible: true,
      changes: [...removed, ...written],
      title: `point selector ${show(meant.now)} → ${show(meant.selector)}`,
    };
  },
});

interface Meant {
  readonly workload: string;
  readonly now: Labels;
  readonly selector: Labels;
  readonly why: string;
}

/** The workload that a Service is for, as the cluster's objects prove it now; or what a person must decide. */
function meantBy(finding: Finding, context: PlanContext): Meant | { readonly reason: string } {
  const service = context.live(finding.workload);
  const { namespace } = finding.workload;
  if (finding.symptom.kind !== "NoEndpoints" || finding.workload.kind !== "Service" || service === null)
    return { reason: "only a Service without pods is pointed" };
  const now = textsAt(service, "spec", "selector");
  if (textAt(service, "spec", "type") === "ExternalName" || Object.keys(now).length === 0)
    return { reason: "the Service has no selector of its own" };
  if (textAt(service, "spec", "clusterIP") === "None")
    return { reason: "a headless Service may be empty on purpose; a person must say which pods it is for" };
  const [services, ...lists] = (["Service", ...WORKLOADS] as const).map((kind) => context.others(kind, namespace));
  if (services === undefined || services === null || lists.some((list) => list === null))
    return { reason: `workloads and Services of ${namespace} cannot be read` };
  const workloads = lists.flatMap((list) => list ?? []);
  const fits = workloads.flatMap((workload) => {
    const fit = fitOf(service, workload);
    return fit === null ? [] : [{ workload, ...fit }];
  });
  const asked = show(now);
  // One that another Service selects still counts as one that may be meant: leaving it out could make a wrong one the only one.
  const slips = fits.filter((fit) => fit.slip);
  const named = fits.filter((fit) => fit.named);
  const [only, second] = slips.length > 0 ? slips : named.length > 0 ? named : fits;
  if (only === undefined)
    return {
      reason: `no workload of ${namespace} fits its selector (${asked}) and port. A person must say which pods it is for`,
    };
  const { workload, selector, slip, named: bears } = only;
  const name = `${workload.kind} ${workload.metadata.name}`;
  if (second !== undefined)
    return {
      reason: `several workloads of ${namespace} could be meant by ${asked}: ${workload.metadata.name}, ${second.workload.metadata.name}. A person must say which`,
    };
  const taken = services.find((other) => other.metadata.name !== service.metadata.name && selects(other, workload));
  if (taken !== undefined)
    return {
      reason: `${name} fits ${asked}, but Service ${taken.metadata.name} selects it already. A person must say which pods it is for`,
    };
  if (numberAt(workload, "spec", "replicas") === 0 || workload.metadata.deletionTimestamp !== undefined)
    return {
      reason: `${name} fits ${asked}, but is scaled to zero or being deleted; a person must say whether it runs`,
    };
  if (slip && !bears && Object.values(now).includes(service.metadata.name))
    return {
      reason: `its selector (${asked}) is spelled as its own name, so that ${name} may be another thing. A person must say which pods it is for`,
    };
  if (!slip && !bears && !(workloads.length === 1 && isInside(service) && serves(service, workload, "declared")))
    return {
      reason: `nothing but its port says that ${name} is meant by ${asked}. A person must say which pods it is for`,
    };
  const proof = slip ? ", and its labels differ by a slip" : bears ? ", and it bears the Service's name" : "";
  return {
    workload: workload.metadata.name,
    now,
    selector,
    why: `No pod has the labels ${asked}; ${name} (${show(selector)}) is the only one that no Service selects and that serves its port${proof}.`,
  };
}

interface Fit {
  readonly selector: Labels;
  /** Every difference is a slip of the fingers. */
  readonly slip: boolean;
  readonly named: boolean;
}

/** The Service's selector with the workload's own values; null when the workload cannot be meant. */
function fitOf(service: KubeObject, workload: KubeObject): Fit | null {
  const labels = textsAt(templateOf(workload), "metadata", "labels");
  const now = Object.entries(textsAt(service, "spec", "selector"));
  const selector: Record<string, string> = {};
  let slip = true;
  for (const [key, value] of now) {
    const has = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (has !== undefined) {
      selector[key] = has;
      if (has !== value && slipOf(value, has) === null) slip = false;
      continue;
    }
    const near = Object.keys(labels).filter((other) => labels[other] === value && slipOf(key, other) !== null);
    if (near.length !== 1 || near[0] === undefined) return null;
    selector[near[0]] = value;
  }
  // Two labels that become one would select more than was asked for.
  if (Object.keys(selector).length !== now.length) return null;
  if (!matchesLabels(selector, labels) || !serves(service, workload, "possible")) return null;
  const [a, b] = [service.metadata.name, workload.metadata.name];
  return { selector, slip, named: a === b || (stem(a) !== "" && stem(a) === stem(b)) };
}

/** `web-service`, `web-svc` and `web` name one thing. */
function stem(name: string): string {
  return name.replace(/-?(service|svc|deployment|deploy|statefulset|sts)$/, "");
}

/**
 * Does the workload serve every port that the Service asks, by its protocol? A workload that declares none may serve any
 * number (`possible`), but does not say so (`declared`).
 */
function serves(service: KubeObject, workload: KubeObject, how: "possible" | "declared"): boolean {
  const declared = containersOf(workload)
    .filter((container) => !container.init || container.sidecar)
    .flatMap((container) => portsOf(container.spec));
  return listAt(service, "spec", "ports").every((item) => {
    const written = textAt(item, "targetPort") ?? (numberAt(item, "targetPort") || numberAt(item, "port"));
    const protocol = textAt(item, "protocol") ?? "TCP";
    const ports = declared.filter((port) => port.protocol === protocol);
    if (typeof written === "string" && !/^\d+$/.test(written)) return ports.some((port) => port.name === written);
    return (declared.length === 0 && how === "possible") || ports.some((port) => port.port === Number(written));
  });
}

/** Is it reached from inside the cluster only? Nobody is shown to the outside because of a port alone. */
function isInside(service: KubeObject): boolean {
  return (
    (textAt(service, "spec", "type") ?? "ClusterIP") === "ClusterIP" &&
    listAt(service, "spec", "externalIPs").length === 0
  );
}

/** A headless Service names the pods of a StatefulSet and leaves room for the one that serves. */
function selects(service: KubeObject, workload: KubeObject): boolean {
  const selector = textsAt(service, "spec", "selector");
  if (Object.keys(selector).length === 0 || textAt(service, "spec", "clusterIP") === "None") return false;
  return matchesLabels(selector, textsAt(templateOf(workload), "metadata", "labels"));
}

function show(selector: Labels): string {
  return Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}
