import { type Fields, listAt, mapAt, numberAt, textAt } from "./fields.ts";

export type ProbeName = "livenessProbe" | "readinessProbe" | "startupProbe";

/** A probe with the API's defaults filled in. Times in seconds. */
export interface Probe {
  readonly kind: "http" | "tcp" | "grpc" | "exec";
  /** The port as written: a number, or the name of a port of the container. */
  readonly writtenPort?: string | number;
  /** The number that is asked; absent when the name is not among the container's ports, and for `exec`. */
  readonly port?: number;
  readonly scheme?: "HTTP" | "HTTPS";
  readonly path?: string;
  readonly host?: string;
  readonly command?: readonly string[];
  readonly initialDelay: number;
  readonly period: number;
  readonly timeout: number;
  readonly failures: number;
  readonly successes: number;
  readonly grace?: number;
}

export interface ContainerPort {
  readonly name?: string;
  readonly port: number;
  readonly protocol: string;
}

/** The probe of a container; null when it has none or one that cannot be read. */
export function probeOf(container: unknown, name: ProbeName): Probe | null {
  const probe = mapAt(container, name);
  const action = probe === undefined ? null : actionOf(probe, container);
  if (probe === undefined || action === null) return null;
  const grace = numberAt(probe, "terminationGracePeriodSeconds");
  return {
    ...action,
    initialDelay: numberAt(probe, "initialDelaySeconds") ?? 0,
    // The API server fills these in; a manifest of Git may leave them out, or say 0.
    period: numberAt(probe, "periodSeconds") || 10,
    timeout: numberAt(probe, "timeoutSeconds") || 1,
    failures: numberAt(probe, "failureThreshold") || 3,
    successes: numberAt(probe, "successThreshold") || 1,
    ...(grace === undefined ? {} : { grace }),
  };
}

/** Ports that a container declares. Declaring none is allowed and says nothing. */
export function portsOf(container: unknown): ContainerPort[] {
  return listAt(container, "ports").flatMap((item): ContainerPort[] => {
    const port = numberAt(item, "containerPort");
    const name = textAt(item, "name");
    return port === undefined
      ? []
      : [{ ...(name === undefined ? {} : { name }), port, protocol: textAt(item, "protocol") ?? "TCP" }];
  });
}

/** Seconds from a container's start until this probe has failed often enough to act. */
export function secondsToFail(probe: Probe): number {
  return probe.initialDelay + probe.period * (probe.failures - 1) + probe.timeout;
}

function actionOf(
  probe: Fields,
  container: unknown,
): Pick<Probe, "kind" | "writtenPort" | "port" | "scheme" | "path" | "host" | "command"> | null {
  const http = mapAt(probe, "httpGet");
  if (http !== undefined) {
    const host = textAt(http, "host");
    return {
      kind: "http",
      ...portOf(http["port"], container),
      scheme: textAt(http, "scheme")?.toUpperCase() === "HTTPS" ? "HTTPS" : "HTTP",
      path: textAt(http, "path") || "/",
      ...(host === undefined ? {} : { host }),
    };
  }
  const tcp = mapAt(probe, "tcpSocket");
  if (tcp !== undefined) return { kind: "tcp", ...portOf(tcp["port"], container) };
  const grpc = mapAt(probe, "grpc");
  if (grpc !== undefined) return { kind: "grpc", ...portOf(grpc["port"], container) };
  if (mapAt(probe, "exec") === undefined) return null;
  return {
    kind: "exec",
    command: listAt(probe, "exec", "command").filter((item): item is string => typeof item === "string"),
  };
}

function portOf(written: unknown, container: unknown): { writtenPort?: string | number; port?: number } {
  if (typeof written === "number") return { writtenPort: written, port: written };
  if (typeof written !== "string") return {};
  const number = /^\d+$/.test(written)
    ? Number(written)
    : portsOf(container).find((port) => port.name === written)?.port;
  return number === undefined ? { writtenPort: written } : { writtenPort: written, port: number };
}
