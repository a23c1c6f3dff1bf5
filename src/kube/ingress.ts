import type { FieldPath, KubeObject } from "../model.ts";
import { type Fields, listAt, mapAt, numberAt, textAt } from "./fields.ts";

/** One place of an Ingress that sends requests to a Service of its namespace. */
export interface Backend {
  readonly service: string;
  readonly port: { readonly name: string } | { readonly number: number };
  /** Path from the top of the object to the backend's `service`. */
  readonly path: FieldPath;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/ingress-v1/; backends that are no Services are left out. */
export function backendsOf(ingress: KubeObject): Backend[] {
  const fallback = mapAt(ingress, "spec", "defaultBackend", "service");
  return [
    ...backend(fallback, ["spec", "defaultBackend", "service"]),
    ...listAt(ingress, "spec", "rules").flatMap((rule, at) =>
      listAt(rule, "http", "paths").flatMap((item, index) =>
        backend(mapAt(item, "backend", "service"), ["spec", "rules", at, "http", "paths", index, "backend", "service"]),
      ),
    ),
  ];
}

/**
 * The AWS Load Balancer Controller takes such a backend for the name of an annotation (a redirect, a fixed answer) and of no Service:
 * https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#actions
 */
const ACTION = "use-annotation";

function backend(service: Fields | undefined, path: FieldPath): Backend[] {
  const name = textAt(service, "name");
  const [portName, number] = [textAt(service, "port", "name"), numberAt(service, "port", "number")];
  if (name === undefined || (portName === undefined && number === undefined) || portName === ACTION) return [];
  return [{ service: name, port: number === undefined ? { name: portName ?? "" } : { number }, path }];
}

/** Does a Service have the port? One that stands for a name elsewhere has whatever is there. */
export function serves(service: KubeObject, port: Backend["port"]): boolean {
  if (textAt(service, "spec", "type") === "ExternalName") return true;
  return listAt(service, "spec", "ports").some((item) =>
    "name" in port ? textAt(item, "name") === port.name : numberAt(item, "port") === port.number,
  );
}

/** `8080`, or the port's name. */
export function portText(port: Backend["port"]): string {
  return "name" in port ? port.name : String(port.number);
}

/** The first backend that leads nowhere among the Services of the namespace, in a clause; null when all lead somewhere. */
export function deadBackend(ingress: KubeObject, serviceOf: (name: string) => KubeObject | null): string | null {
  for (const { service: name, port } of backendsOf(ingress)) {
    const service = serviceOf(name);
    if (service === null) return `Service ${name}, which does not exist`;
    if (!serves(service, port)) return `port ${portText(port)} of Service ${name}, which has no such port`;
  }
  return null;
}
