/**
 * A variable of OpenTelemetry's exporters: `OTEL_EXPORTER_OTLP_METRICS_…`, or else the one for all signals; undefined: unset. By the specification
 * an empty one counts as unset, and the SDK keeps to that: whoever reads them in another way checks something else than what is used.
 */
export function otlpSaid(name: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  return [`OTEL_EXPORTER_OTLP_METRICS_${name}`, `OTEL_EXPORTER_OTLP_${name}`]
    .map((variable) => env[variable]?.trim())
    .find((value) => value !== undefined && value !== "");
}
