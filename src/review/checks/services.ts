import { listAt, numberAt, textAt, textsAt } from "../../kube/fields.ts";
import { portsOf } from "../../kube/probes.ts";
import { formatSelector } from "../../kube/selector-text.ts";
import { matchesLabels, matchesSelector } from "../../kube/selectors.ts";
import type { KubeObject } from "../../model.ts";
import type { Problem } from "../model.ts";
import {
  besideOf,
  isSet,
  namespaceOf,
  type PodMaker,
  podMakers,
  problemOf,
  type Scene,
  type StaticCheck,
} from "./check.ts";

/** Services and budgets that select no pod, and workloads whose selector does not fit their own pods. */
export const emptySelector: StaticCheck = {
  id: "empty-selector",
  summary: "A Service or PodDisruptionBudget that selects no pods, or a workload that does not select its own.",
  look(scene) {
    const makers = podMakers(scene.objects);
    return scene.objects.flatMap((object) => {
      if (object.kind === "Service") return serviceSelects(object, makers, scene);
      if (object.kind === "PodDisruptionBudget") return budgetSelects(object, makers, scene);
      return ownPods(object, makers);
    });
  },
};

function serviceSelects(service: KubeObject, makers: readonly PodMaker[], scene: Scene): Problem[] {
  const selector = textsAt(service, "spec", "selector");
  if (Object.keys(selector).length === 0 || textAt(service, "spec", "type") === "ExternalName") return [];
  const near = makers.filter(({ object }) => namespaceOf(object) === namespaceOf(service));
  if (near.some(({ labels }) => matchesLabels(selector, labels))) return [];
  // Pods may be made by an operator, or by another root: only where a workload is meant, the selector is wrong.
  const meant = near.find(({ object, labels }) => isMeant(service, selector, object, labels));
  const lost = podMakers(scene.before).some(({ labels }) => selectedBefore(service, labels, scene));
  const keys = Object.keys(selector);
  const has =
    meant === undefined ? "" : `; ${meant.object.kind} ${meant.object.metadata.name} has ${shown(meant, keys)}`;
  const text = `selects ${formatSelector({ matchLabels: selector })}, which no pods in Git have${has}.`;
  const level = scene.whole && (meant !== undefined || lost) ? "warning" : "notice";
  return [problemOf("empty-selector", service, level, text, { path: ["spec", "selector"] })];
}

/** A workload of the Service's own name, or one that fits but for one label. */
function isMeant(
  service: KubeObject,
  selector: Readonly<Record<string, string>>,
  object: KubeObject,
  labels: Readonly<Record<string, string>>,
): boolean {
  if (object.metadata.name === service.metadata.name) return true;
  const wrong = Object.entries(selector).filter(([key, value]) => labels[key] !== value);
  return wrong.length === 1 && Object.keys(selector).length > 1;
}

/** Did the Service, as it was before, select these labels? */
function selectedBefore(service: KubeObject, labels: PodMaker["labels"], { before }: Scene): boolean {
  const selector = textsAt(besideOf(service, "Service", service.metadata.name, before), "spec", "selector");
  return Object.keys(selector).length > 0 && matchesLabels(selector, labels);
}

function shown({ labels }: PodMaker, keys: readonly string[]): string {
  const has = formatSelector({ matchLabels: pick(labels, keys) });
  return has === "" ? "none of these labels" : has;
}

function pick(labels: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])));
}

function budgetSelects(budget: KubeObject, makers: readonly PodMaker[], { whole }: Scene): Problem[] {
  const selector = budget["spec"] as { selector?: unknown } | undefined;
  if (!isSet(selector?.selector)) return [];
  const near = makers.filter(({ object }) => namespaceOf(object) === namespaceOf(budget));
  if (near.length === 0 || near.some(({ labels }) => matchesSelector(selector?.selector, labels))) return [];
  const text = "selects no pods that Git declares, and so protects none.";
  return [problemOf("empty-selector", budget, whole ? "warning" : "notice", text, { path: ["spec", "selector"] })];
}

const SELECTING = new Set(["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"]);

function ownPods(object: KubeObject, makers: readonly PodMaker[]): Problem[] {
  if (!SELECTING.has(object.kind)) return [];
  const own = makers.find((maker) => maker.object === object);
  const selector = (object["spec"] as { selector?: unknown } | undefined)?.selector;
  if (own === undefined || !isSet(selector) || matchesSelector(selector, own.labels)) return [];
  const text =
    "does not select its own pods: the labels of its template do not fit its selector. The API server refuses it.";
  return [problemOf("empty-selector", object, "failure", text, { path: ["spec", "selector"] })];
}

/** Ports of Services and Ingresses that lead nowhere. */
export const wrongServicePort: StaticCheck = {
  id: "service-port",
  summary:
    "A port of a Service that none of its pods declares, or a port of an Ingress that its Service does not have.",
  look(scene) {
    const makers = podMakers(scene.objects);
    return scene.objects.flatMap((object) => {
      if (object.kind === "Service") return servicePorts(object, makers);
      return object.kind === "Ingress" ? ingressPorts(object, scene) : [];
    });
  },
};

/** As the detector of wrong ports: a further port beside one that leads to all that is declared is for what is not switched on. */
function servicePorts(service: KubeObject, makers: readonly PodMaker[]): Problem[] {
  const selector = textsAt(service, "spec", "selector");
  if (Object.keys(selector).length === 0) return [];
  const headless = textAt(service, "spec", "clusterIP") === "None";
  const pods = makers.filter(
    ({ object, labels }) => namespaceOf(object) === namespaceOf(service) && matchesLabels(selector, labels),
  );
  const declared = pods.flatMap(({ containers }) => containers.flatMap((container) => portsOf(container)));
  if (pods.length === 0) return [];
  const ports = listAt(service, "spec", "ports");
  const targets = ports.map((item) => {
    const target = (item as { targetPort?: unknown } | null)?.targetPort ?? numberAt(item, "port");
    return typeof target === "string" && /^\d+$/.test(target) ? Number(target) : target;
  });
  const leadsTo = targets.map((target) =>
    typeof target === "string" ? declared.find(({ name }) => name === target)?.port : target,
  );
  const all = declared.length > 0 && declared.every(({ port }) => leadsTo.includes(port));
  return targets.flatMap((target, index): Problem[] => {
    const path = ["spec", "ports", index, "targetPort"];
    if (typeof target === "string" && leadsTo[index] === undefined) {
      const text = `sends to the port named ${target}, and no container of its pods has a port of that name.`;
      return [problemOf("service-port", service, "warning", text, { path, about: target })];
    }
    if (headless || all || typeof target !== "number" || declared.length === 0) return [];
    if (declared.some(({ port }) => port === target)) return [];
    const numbers = [...new Set(declared.map(({ port }) => port))].join(", ");
    const text = `sends to port ${target}, and its pods declare ${numbers}.`;
    return [problemOf("service-port", service, "warning", text, { path, about: String(target) })];
  });
}

function ingressPorts(ingress: KubeObject, { objects }: Scene): Problem[] {
  const backends = listAt(ingress, "spec", "rules").flatMap((rule, at) =>
    listAt(rule, "http", "paths").map((row, index) => ({
      service: (row as { backend?: { service?: unknown } } | null)?.backend?.service,
      path: ["spec", "rules", at, "http", "paths", index, "backend", "service", "port"],
    })),
  );
  return backends.flatMap(({ service: backend, path }): Problem[] => {
    const name = textAt(backend, "name") ?? "";
    const service = besideOf(ingress, "Service", name, objects);
    if (service === undefined || textAt(service, "spec", "type") === "ExternalName") return [];
    const [wanted, number] = [textAt(backend, "port", "name"), numberAt(backend, "port", "number")];
    const ports = listAt(service, "spec", "ports");
    const has = ports.some((port) =>
      wanted === undefined ? numberAt(port, "port") === number : textAt(port, "name") === wanted,
    );
    if (has || (wanted === undefined && number === undefined)) return [];
    const text = `sends to port ${wanted ?? number} of Service ${name}, which has no such port.`;
    return [problemOf("service-port", ingress, "warning", text, { path, about: `${name}/${wanted ?? number}` })];
  });
}
