import { Counter, Gauge, Registry } from "prom-client";
import { definitionOf, type Sample } from "../metrics/series.ts";
import type { MetricName } from "../metrics/table.ts";

/** Samples in Prometheus' text format (0.0.4), each with the labels `always` as well. */
export async function formatExposition(
  samples: readonly Sample[],
  always: Readonly<Record<string, string>>,
): Promise<string> {
  const registry = new Registry();
  const metrics = new Map<MetricName, { add: (labels: Record<string, string>, value: number) => void }>();
  for (const { name, labels, value } of samples) {
    let metric = metrics.get(name);
    if (metric === undefined) {
      metric = metricOf(name, Object.keys(always), registry);
      metrics.set(name, metric);
    }
    metric.add({ ...labels, ...always }, value);
  }
  return registry.metrics();
}

function metricOf(name: MetricName, always: readonly string[], registry: Registry) {
  const { type, help, labels = {} } = definitionOf(name);
  const settings = { name, help, labelNames: [...Object.keys(labels), ...always], registers: [registry] };
  if (type === "counter") {
    const counter = new Counter(settings);
    return { add: (own: Record<string, string>, value: number) => counter.inc(own, value) };
  }
  const gauge = new Gauge(settings);
  return { add: (own: Record<string, string>, value: number) => gauge.set(own, value) };
}
