import parsePrometheus from "parse-prometheus-text-format";

/** Samples by series, as a Prometheus text parser reads them; labels in alphabetical order. */
export function readText(body: string | Buffer): Record<string, number> {
  const families = parsePrometheus(body.toString());
  return Object.fromEntries(
    families.flatMap((family) =>
      family.metrics.map((metric) => {
        const labels = Object.entries(metric.labels ?? {}).map(([label, value]) => `${label}=${value}`);
        return [`${family.name}{${labels.toSorted().join(",")}}`, Number(metric.value)];
      }),
    ),
  );
}
