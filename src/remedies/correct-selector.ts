import { z } from "zod";
import { listAt, textsAt } from "../kube/fields.ts";
import { portsOf } from "../kube/probes.ts";
import { matchesLabels } from "../kube/selectors.ts";
import { containersOf, templateOf } from "../kube/template.ts";
import type { Change, KubeObject } from "../model.ts";
import { fact } from "./evidence.ts";
import { defineRemedy, no, type RemedyContext, refuse } from "./remedy.ts";
import { slipOf } from "./typo.ts";
import { PATCH_SERVICES } from "./workload-rights.ts";

const Labels = z.record(z.string().min(1).max(317), z.string().max(63));

/**
 * A Service whose selector matches nothing points to the one workload of its namespace that can be meant: no other Service
 * selects it, it serves the port that the Service asks, and either its labels differ by a slip of the fingers or it bears the
 * Service's name. The selector keeps its keys: it never gets wider.
 */
export const correctSelector = defineRemedy({
  id: "correct-selector",
  summary: "Points a Service's selector, which matches no pod, to the one workload of its namespace that can be meant.",
  risk: "medium",
  reversibility: "inverse",
  params: z.strictObject({
    workload: z.string().min(1).max(253).describe("Name of the workload that is meant."),
    selector: Labels.describe("The selector as it should be."),
  }),
  needs: [PATCH_SERVICES],
  async diagnose(finding, context) {
    const service = context.live(finding.workload);
    if (finding.symptom.kind !== "NoEndpoints" || service === null) return no("only a Service without pods is pointed");
    const { namespace } = finding.workload;
    const workloads = await workloadsOf(namespace, context);
    const services = await context.others("Service", namespace);
    if (workloads === null || services === null) return no(`workloads and Services of ${namespace} cannot be read`);
    const taken = services.filter((other) => other.metadata.name !== service.metadata.name);
    const candidates = workloads.flatMap((workload) => {
      const fit = fitOf(service, workload);
      return fit === null || taken.some((other) => selects(other, workload)) ? [] : [{ workload, ...fit }];
    });
    const slips = candidates.filter((candidate) => candidate.slip);
    const named = candidates.filter((candidate) => candidate.named);
    const [only, second] = slips.length > 0 ? slips : named.length > 0 ? named : candidates;
    const selector = show(textsAt(service, "spec", "selector"));
    if (only === undefined)
      return no(
        `no workload of ${namespace} without a Service fits its selector (${selector}) and port. A person must say which pods it is for`,
      );
    if (second !== undefined)
      return no(
        `several workloads of ${namespace} could be meant by ${selector}: ${only.workload.metadata.name}, ${second.workload.metadata.name}. A person must say which`,
      );
    if (!only.slip && !only.named && workloads.length > 1)
      return no(
        `nothing but its port says that ${only.workload.kind} ${only.workload.metadata.name} is meant by ${selector}. A person must say which pods it is for`,
      );
    const name = only.workload.metadata.name;
    const why = `No pod has the labels ${selector}; ${only.workload.kind} ${name} (${show(only.selector)}) is the only one that no Service selects and that serves its port${only.slip ? ", and its labels differ by a slip" : only.named ? ", and it bears the Service's name" : ""}.`;
    return {
      applies: true,
      params: { workload: name, selector: only.selector },
      reason: why,
      evidence: [fact("spec", why)],
    };
  },
  plan({ selector }, finding, context) {
    const service = context.live(finding.workload);
    if (service === null || finding.workload.kind !== "Service") return refuse("there is no such Service");
    const now = textsAt(service, "spec", "selector");
    if (Object.keys(selector).length !== Object.keys(now).length)
      return refuse("the selector would get wider or narrower");
    const changes: Change[] = [];
    for (const [key, from] of Object.entries(now)) {
      const to = selector[key];
      if (to === from) continue;
      changes.push({
        object: finding.workload,
        path: ["spec", "selector", key],
        from,
        ...(to === undefined ? {} : { to }),
      });
    }
    for (const [key, to] of Object.entries(selector))
      if (!Object.hasOwn(now, key)) changes.push({ object: finding.workload, path: ["spec", "selector", key], to });
    if (changes.length === 0) return refuse("the selector says so already");
    return { possible: true, changes, title: `point selector ${show(now)} → ${show(selector)}` };
  },
});

async function workloadsOf(namespace: string, context: RemedyContext): Promise<KubeObject[] | null> {
  const all = await Promise.all(
    (["Deployment", "StatefulSet", "DaemonSet"] as const).map((kind) => context.others(kind, namespace)),
  );
  return all.some((list) => list === null) ? null : all.flatMap((list) => list ?? []);
}

interface Fit {
  readonly selector: Readonly<Record<string, string>>;
  /** Every difference is a slip of the fingers. */
  readonly slip: boolean;
  readonly named: boolean;
}

/** The Service's selector with the workload's own values; null when the workload cannot be meant. */
function fitOf(service: KubeObject, workload: KubeObject): Fit | null {
  const labels = textsAt(templateOf(workload), "metadata", "labels");
  const selector: Record<string, string> = {};
  let slip = true;
  for (const [key, value] of Object.entries(textsAt(service, "spec", "selector"))) {
    const has = labels[key];
    if (has !== undefined) {
      selector[key] = has;
      if (has !== value && slipOf(value, has) === null) slip = false;
      continue;
    }
    const near = Object.keys(labels).filter((other) => labels[other] === value && slipOf(key, other) !== null);
    if (near.length !== 1 || near[0] === undefined) return null;
    selector[near[0]] = value;
  }
  if (!matchesLabels(selector, labels) || !serves(service, workload)) return null;
  const [a, b] = [service.metadata.name, workload.metadata.name];
  return { selector, slip, named: a === b || stem(a) === stem(b) };
}

/** `web-service`, `web-svc` and `web` name one thing. */
function stem(name: string): string {
  return name.replace(/-?(service|svc|deployment|deploy|statefulset|sts)$/, "");
}

/** Does the workload serve every port that the Service asks? A workload that declares none may serve any number. */
function serves(service: KubeObject, workload: KubeObject): boolean {
  const declared = containersOf(workload).flatMap((container) => portsOf(container.spec));
  return listAt(service, "spec", "ports").every((item) => {
    const target = (item as { targetPort?: unknown; port?: unknown }).targetPort ?? (item as { port?: unknown }).port;
    if (typeof target === "string" && !/^\d+$/.test(target)) return declared.some((port) => port.name === target);
    return declared.length === 0 || declared.some((port) => port.port === Number(target));
  });
}

function selects(service: KubeObject, workload: KubeObject): boolean {
  const selector = textsAt(service, "spec", "selector");
  return (
    Object.keys(selector).length > 0 && matchesLabels(selector, textsAt(templateOf(workload), "metadata", "labels"))
  );
}

function show(selector: Readonly<Record<string, string>>): string {
  return Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}
