import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { type HrTime, ValueType } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  DataPointType,
  InstrumentType,
  type MetricData,
  type AggregationTemporality as Temporality,
} from "@opentelemetry/sdk-metrics";
import { otlpSaid } from "../config/otel-env.ts";
import { messageOf, StanchError } from "../errors.ts";
import { definitionOf, type Sample } from "../metrics/series.ts";
import type { MetricName } from "../metrics/table.ts";
import { proxiesOf } from "./network.ts";

export interface OtlpOptions {
  /** Full URL. The SDK's own reading of the environment is not asked: what was checked is what is used. */
  readonly url: string;
  /** Attributes of every data point. */
  readonly always: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly signal: AbortSignal;
}

/** What is exported. Counters have a start, which the SDK's own instruments would take from this process. */
export interface OtlpReading {
  readonly now: Date;
  readonly gauges: readonly Sample[];
  /** Totals since then; null: they are not known. */
  readonly cumulative: { readonly since: Date; readonly samples: readonly Sample[] } | null;
  /** What this run alone counted: what is sent where OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE says `delta`. */
  readonly delta: { readonly since: Date; readonly samples: readonly Sample[] };
}

/**
 * Sends one reading by OTLP over http/protobuf, with the SDK's retries within the time. Headers, certificates, compression and temporality come from
 * the standard OTEL_EXPORTER_OTLP_* variables. Throws StanchError when the receiver does not take it.
 */
export async function exportOtlp(reading: OtlpReading, options: OtlpOptions): Promise<void> {
  const agents: http.Agent[] = [];
  const exporter = new OTLPMetricExporter({
    url: options.url,
    timeoutMillis: options.timeoutMs,
    httpAgentOptions: (protocol) => {
      // Agents of our own know nothing of the process's proxies.
      const proxyEnv = proxiesOf(options.env);
      const agent =
        protocol === "http:"
          ? new http.Agent({ proxyEnv })
          : new https.Agent({ proxyEnv, ...certificates(options.env) });
      agents.push(agent);
      return agent;
    },
  });
  // A receiver that answers one byte at a time would keep the process alive.
  const stop = (): void => {
    for (const agent of agents) agent.destroy();
  };
  options.signal.addEventListener("abort", stop, { once: true });
  try {
    const temporality = exporter.selectAggregationTemporality(InstrumentType.OBSERVABLE_COUNTER);
    const resource = defaultResource()
      .merge(resourceFromAttributes(options.resource))
      // What the environment says of the service wins, as the specification wants it.
      .merge(detectResources({ detectors: [envDetector] }));
    const metrics = metricsOf(reading, temporality, options.always);
    const result = await new Promise<{ readonly code: number; readonly error?: Error }>((resolve) => {
      exporter.export(
        { resource, scopeMetrics: [{ scope: { name: "stanch", version: options.version }, metrics }] },
        resolve,
      );
    });
    if (result.code !== 0)
      throw new StanchError("cluster", `the OTLP receiver did not take the metrics: ${messageOf(result.error ?? "")}`);
  } finally {
    options.signal.removeEventListener("abort", stop);
    stop();
  }
}

/** The metrics of a reading as the SDK would have collected them. */
export function metricsOf(
  reading: OtlpReading,
  temporality: Temporality,
  always: Readonly<Record<string, string>>,
): MetricData[] {
  const counters = temporality === AggregationTemporality.DELTA ? reading.delta : reading.cumulative;
  const groups = new Map<MetricName, Sample[]>();
  for (const sample of [...(counters?.samples ?? []), ...reading.gauges])
    groups.set(sample.name, [...(groups.get(sample.name) ?? []), sample]);
  const endTime = timeOf(reading.now);
  return [...groups].map(([name, samples]): MetricData => {
    const { type, unit, help } = definitionOf(name);
    const descriptor = { name, description: help, unit, valueType: ValueType.DOUBLE };
    const startTime = type === "counter" && counters !== null ? timeOf(counters.since) : endTime;
    const dataPoints = samples.map(({ labels, value }) => ({
      startTime,
      endTime,
      attributes: { ...labels, ...always },
      value,
    }));
    return type === "counter"
      ? {
          descriptor,
          aggregationTemporality: temporality,
          dataPointType: DataPointType.SUM,
          isMonotonic: true,
          dataPoints,
        }
      : {
          descriptor,
          aggregationTemporality: AggregationTemporality.CUMULATIVE,
          dataPointType: DataPointType.GAUGE,
          dataPoints,
        };
  });
}

function timeOf(at: Date): HrTime {
  const ms = at.getTime();
  return [Math.floor(ms / 1000), (ms % 1000) * 1_000_000];
}

/** The certificates that the standard variables name: our own agents would leave them out. */
function certificates(env: OtlpOptions["env"]): https.AgentOptions {
  const read = (name: string): { readonly text: Buffer } | null => {
    const file = otlpSaid(name, env);
    if (file === undefined) return null;
    try {
      return { text: readFileSync(file) };
    } catch (error) {
      throw new StanchError("config", `${file} (OTEL_EXPORTER_OTLP_${name}) cannot be read: ${messageOf(error)}`);
    }
  };
  const ca = read("CERTIFICATE");
  const cert = read("CLIENT_CERTIFICATE");
  const key = read("CLIENT_KEY");
  return {
    ...(ca === null ? {} : { ca: ca.text }),
    ...(cert === null ? {} : { cert: cert.text }),
    ...(key === null ? {} : { key: key.text }),
  };
}
