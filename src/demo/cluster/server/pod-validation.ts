import type { Container, PodSpec, Probe } from "../shapes.ts";
import { same } from "../shapes.ts";
import type { Cause } from "./api-error.ts";
import { parseQuantity } from "./quantity.ts";

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/** A FieldValueInvalid cause in the words of field.Invalid. */
export function wrong(field: string, value: unknown, detail: string): Cause {
  return { reason: "FieldValueInvalid", message: `Invalid value: ${JSON.stringify(value)}: ${detail}`, field };
}

export function required(field: string, detail = ""): Cause {
  return {
    reason: "FieldValueRequired",
    message: detail === "" ? "Required value" : `Required value: ${detail}`,
    field,
  };
}

export function unsupported(field: string, value: unknown, supported: readonly string[]): Cause {
  const list = supported.map((each) => JSON.stringify(each)).join(", ");
  return {
    reason: "FieldValueNotSupported",
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`,
    field,
  };
}

/** The rules of core/v1 validation that matter to a remedy: containers, names, images, resources, ports, probes, mounts. */
export function validatePodSpec(spec: PodSpec | undefined, at: string): Cause[] {
  const causes: Cause[] = [];
  if (spec?.containers === undefined || spec.containers === null || spec.containers.length === 0)
    return [required(`${at}.containers`)];
  const volumes = new Set((spec.volumes ?? []).map((volume) => volume.name));
  const names = new Set<string>();
  for (const list of ["initContainers", "containers"] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      const path = `${at}.${list}[${index}]`;
      causes.push(...validateContainer(container, path, volumes));
      if (names.has(container.name)) {
        causes.push({
          reason: "FieldValueDuplicate",
          message: `Duplicate value: ${JSON.stringify(container.name)}`,
          field: `${path}.name`,
        });
      }
      names.add(container.name);
    }
  }
  if (spec.restartPolicy !== undefined && !["Always", "OnFailure", "Never"].includes(spec.restartPolicy)) {
    causes.push(unsupported(`${at}.restartPolicy`, spec.restartPolicy, ["Always", "OnFailure", "Never"]));
  }
  return causes;
}

function validateContainer(container: Container, at: string, volumes: ReadonlySet<string>): Cause[] {
  const causes: Cause[] = [];
  if (container.name === undefined || container.name === "") causes.push(required(`${at}.name`));
  else if (!LABEL.test(container.name)) causes.push(wrong(`${at}.name`, container.name, LABEL_TEXT));
  if (container.image === undefined || container.image === "") causes.push(required(`${at}.image`));
  else if (container.image.trim() !== container.image)
    causes.push(wrong(`${at}.image`, container.image, "must not have leading or trailing whitespace"));
  for (const [index, { name }] of (container.env ?? []).entries()) {
    if (name === undefined || name === "") causes.push(required(`${at}.env[${index}].name`));
  }
  for (const [index, port] of (container.ports ?? []).entries()) {
    if (!inRange(port.containerPort))
      causes.push(
        wrong(`${at}.ports[${index}].containerPort`, port.containerPort, "must be between 1 and 65535, inclusive"),
      );
  }
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    if (!volumes.has(mount.name)) {
      causes.push({
        reason: "FieldValueNotFound",
        message: `Not found: ${JSON.stringify(mount.name)}`,
        field: `${at}.volumeMounts[${index}].name`,
      });
    }
  }
  for (const kind of ["livenessProbe", "readinessProbe", "startupProbe"] as const) {
    const probe = container[kind];
    if (probe !== undefined) causes.push(...validateProbe(probe, `${at}.${kind}`, kind !== "readinessProbe"));
  }
  const { requests = {}, limits = {} } = container.resources ?? {};
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit !== undefined && (parseQuantity(request) ?? 0) > (parseQuantity(limit) ?? 0)) {
      causes.push(
        wrong(`${at}.resources.requests`, request, `must be less than or equal to ${name} limit of ${limit}`),
      );
    }
  }
  for (const [kind, values] of Object.entries({ limits, requests })) {
    for (const [name, value] of Object.entries(values)) {
      if ((parseQuantity(value) ?? 0) < 0)
        causes.push(wrong(`${at}.resources.${kind}[${name}]`, value, "must be greater than or equal to 0"));
    }
  }
  return causes;
}

function validateProbe(probe: Probe, at: string, once: boolean): Cause[] {
  const causes: Cause[] = [];
  const handlers = [probe.httpGet, probe.tcpSocket, probe.exec, probe.grpc].filter((handler) => handler !== undefined);
  if (handlers.length === 0) causes.push(required(at, "must specify a handler type"));
  for (const field of [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
  ] as const) {
    const value = probe[field];
    if (value !== undefined && value < 0)
      causes.push(wrong(`${at}.${field}`, value, "must be greater than or equal to 0"));
  }
  if (once && probe.successThreshold !== undefined && probe.successThreshold !== 1)
    causes.push(wrong(`${at}.successThreshold`, probe.successThreshold, "must be 1"));
  for (const kind of ["httpGet", "tcpSocket"] as const) {
    const port = probe[kind]?.port;
    if (typeof port === "number" && !inRange(port))
      causes.push(wrong(`${at}.${kind}.port`, port, "must be between 1 and 65535, inclusive"));
  }
  return causes;
}

function inRange(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535;
}

const POD_UPDATE =
  "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/** A pod may change its images and little more; by the `resize` subresource only the resources of its containers. */
export function validatePodUpdate(before: PodSpec, after: PodSpec, resize: boolean): Cause[] {
  const strip = (spec: PodSpec): unknown => {
    const containers = (list: Container[] | undefined): unknown =>
      list?.map(({ image, resources, ...rest }) => (resize ? { ...rest, image } : { ...rest, resources }));
    const {
      activeDeadlineSeconds: _a,
      tolerations: _t,
      nodeName: _n,
      ...rest
    } = spec as PodSpec & { activeDeadlineSeconds?: number; tolerations?: unknown };
    return { ...rest, containers: containers(spec.containers), initContainers: containers(spec.initContainers) };
  };
  if (same(strip(before), strip(after))) return [];
  const message = resize ? "Forbidden: only cpu and memory resources are mutable" : POD_UPDATE;
  return [{ reason: "FieldValueForbidden", message, field: "spec" }];
}
