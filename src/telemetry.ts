import { otlpSaid } from "./config/otel-env.ts";
import type { Config } from "./config/schema.ts";
import { namedNamespaces } from "./config/scope.ts";
import { isHttp } from "./config/values.ts";
import { messageOf, StanchError } from "./errors.ts";
import type { Incident } from "./incident/incident.ts";
import { type RunEntry, type RunTotals, readHistory } from "./incident/run-history.ts";
import { createIncidentStore } from "./incident/store.ts";
import { samplesFrom } from "./metrics/samples.ts";
import { type Counts, definitionOf, type Sample, samplesOf } from "./metrics/series.ts";
import type { Clock, Cluster, Log } from "./ports.ts";
import { version } from "./version.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** What one run has to tell. */
export interface Telemetry {
  readonly entry: RunEntry;
  /** What it counted. */
  readonly counts: Counts;
  readonly startedAt: number;
  /** It kept books, so that the totals over all runs can be read. */
  readonly kept: boolean;
  /** The cluster can be asked. */
  readonly reachable: boolean;
}

export interface TelemetryContext {
  readonly config: Config;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Log;
  readonly env: Env;
}

/** Labels of every series: one Prometheus may hear of many clusters, and one cluster of many installations. */
export function identityOf({ cluster, namespace }: Pick<Config, "cluster" | "namespace">): Record<string, string> {
  return { cluster, instance: namespace };
}

/**
 * Tells the configured receivers of a run. Never throws and never takes longer than `metrics.timeout`: what a receiver does is no matter of the
 * job's. Without a receiver nothing is loaded and nothing is asked.
 */
export async function exportRun(told: Telemetry, context: TelemetryContext): Promise<void> {
  const { config, log, env } = context;
  const otlp = otlpOf(config, env);
  const push = config.metrics.pushgateway.url !== "";
  if (otlp === null && !push) return;
  const signal = AbortSignal.timeout(config.metrics.timeout);
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("no answer in time")), { once: true });
  });
  const bounded = async (receiver: string, work: Promise<void>): Promise<void> => {
    try {
      await Promise.race([work, late]);
    } catch (error) {
      log.warn("metrics not exported", { receiver, error: causeOf(error) });
    }
  };
  late.catch(() => undefined);
  const state = readState(told, context);
  state.catch(() => undefined);
  await Promise.all([
    ...(otlp === null
      ? []
      : [
          bounded(
            "otlp",
            state.then((known) => toOtlp(known, told, otlp, context, signal)),
          ),
        ]),
    ...(push
      ? [
          bounded(
            "pushgateway",
            state.then((known) => toPushgateway(known, context, signal)),
          ),
        ]
      : []),
  ]);
}

/** What is known at the end of a run. Gauges and counters of all runs apart: they are exported by different rules. */
interface State {
  readonly now: Date;
  readonly gauges: readonly Sample[];
  readonly totals: RunTotals | null;
  /** All that is told is known, so that what a receiver heard before may be forgotten. */
  readonly whole: boolean;
}

async function readState(told: Telemetry, { config, cluster, clock, log }: TelemetryContext): Promise<State> {
  const { entry, kept, reachable } = told;
  const orNull = <T>(work: Promise<T>): Promise<T | null> =>
    work.catch((error: unknown) => {
      log.warn("metrics are told in part", { error: messageOf(error) });
      return null;
    });
  const [history, incidents] = reachable
    ? await Promise.all([
        kept ? orNull(readHistory({ cluster, namespace: config.namespace })) : null,
        orNull(readIncidents(cluster, clock, config)),
      ])
    : [null, null];
  const totals = history?.totals ?? null;
  if (history !== null && history.entries.length > 0 && totals === null)
    log.warn("metrics are told in part", {
      error: "the cluster keeps no totals in runs.stanch.dev",
      hint: "apply this version's CustomResourceDefinition: kubectl apply --server-side -f deploy/crd.yaml",
    });
  const { perIncident } = config.metrics;
  // A run that gave way to another saw nothing: what is so is what the last one saw.
  const entries = history?.entries ?? [];
  const recorded = entries.find(({ id }) => id !== undefined && id === entry.id) ?? entry;
  const last = entry.result === "lease" ? (entries[0] ?? null) : recorded;
  const all = samplesFrom({ now: clock.now(), last, totals, incidents, perIncident });
  return {
    now: clock.now(),
    gauges: all.filter(({ name }) => definitionOf(name).type === "gauge"),
    totals,
    whole: incidents !== null && (!kept || totals !== null),
  };
}

/** Samples in Prometheus' text format, with the labels of this installation. */
export async function formatMetrics(
  samples: readonly Sample[],
  config: Pick<Config, "cluster" | "namespace">,
): Promise<string> {
  const { formatExposition } = await import("./adapters/prometheus-text.ts");
  return formatExposition(samples, identityOf(config));
}

/** Incidents in scope. Throws StanchError. */
export function readIncidents(cluster: Cluster, clock: Clock, config: Config): Promise<readonly Incident[]> {
  return createIncidentStore(cluster, clock).list(namedNamespaces(config));
}

/** Where OTLP goes: what is configured, then what the standard variables say; null: nowhere. */
function otlpOf({ metrics }: Pick<Config, "metrics">, env: Env): string | null {
  const set = (name: string): string => env[name]?.trim().toLowerCase() ?? "";
  if (set("OTEL_SDK_DISABLED") === "true" || set("OTEL_METRICS_EXPORTER") === "none") return null;
  const { endpoint } = metrics.otlp;
  if (endpoint !== "") return /\/v1\/metrics\/?$/.test(endpoint) ? endpoint : withPath(endpoint);
  const said = otlpSaid("ENDPOINT", env);
  if (said === undefined) return null;
  // The one for metrics is the whole address.
  return env["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"]?.trim() === said || !isHttp(said) ? said : withPath(said);
}

const withPath = (endpoint: string): string => `${endpoint.replace(/\/+$/, "")}/v1/metrics`;

async function toOtlp(
  { now, gauges, totals }: State,
  { counts, startedAt, kept }: Telemetry,
  url: string,
  { config, env }: TelemetryContext,
  signal: AbortSignal,
): Promise<void> {
  const protocol = otlpSaid("PROTOCOL", env) ?? "http/protobuf";
  if (protocol !== "http/protobuf")
    throw new StanchError("config", `OTEL_EXPORTER_OTLP_PROTOCOL ${protocol} is not supported; use http/protobuf`);
  if (!isHttp(url)) throw new StanchError("config", `${url} (OTEL_EXPORTER_OTLP_ENDPOINT) is no http or https URL`);
  const { username, password } = new URL(url);
  // The SDK sends the headers of both variables together.
  if (otlpSaid("HEADERS", env) !== undefined || username !== "" || password !== "") checkSafe(url, config);
  const patience = Number(otlpSaid("TIMEOUT", env));
  const { exportOtlp } = await import("./adapters/otlp.ts");
  const since = new Date(startedAt);
  const delta = { since, samples: samplesOf(counts) };
  const identity = identityOf(config);
  await exportOtlp(
    {
      now,
      gauges,
      // Without books a run's own counts are all that is known; their start says so.
      cumulative:
        totals === null
          ? kept
            ? null
            : delta
          : { since: new Date(totals.since), samples: samplesOf(totals.counters) },
      delta,
    },
    {
      url,
      // The instance is the installation's resource, and comes from there.
      always: { cluster: config.cluster },
      resource: {
        "service.name": "stanch",
        "service.version": version,
        "service.instance.id": identity["instance"] ?? "",
        "k8s.cluster.name": config.cluster,
        "k8s.namespace.name": config.namespace,
      },
      timeoutMs: patience > 0 ? Math.min(patience, config.metrics.timeout) : config.metrics.timeout,
      env,
      version,
      signal,
    },
  );
}

async function toPushgateway(
  { gauges, totals, whole }: State,
  { config, env }: TelemetryContext,
  signal: AbortSignal,
): Promise<void> {
  const { url, job } = config.metrics.pushgateway;
  const token = env["STANCH_PUSHGATEWAY_TOKEN"]?.trim();
  const username = env["STANCH_PUSHGATEWAY_USERNAME"]?.trim();
  const password = env["STANCH_PUSHGATEWAY_PASSWORD"]?.trim();
  const secret = token ? { token } : username ? { username, ...(password ? { password } : {}) } : {};
  if (Object.keys(secret).length > 0) checkSafe(url, config);
  const { pushExposition } = await import("./adapters/pushgateway.ts");
  // Counters of one run alone would look like a reset each time.
  const text = await formatMetrics([...(totals === null ? [] : samplesOf(totals.counters)), ...gauges], config);
  await pushExposition(text, whole, { url, group: { job, ...identityOf(config) }, ...secret, signal });
}

/** Throws StanchError `config` where credentials would go in the clear. */
function checkSafe(target: string, { metrics }: Pick<Config, "metrics">): void {
  if (metrics.allowHttp || !URL.canParse(target)) return;
  const { protocol, hostname } = new URL(target);
  if (protocol === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(hostname)) return;
  throw new StanchError("config", "credentials would go over plain http; use https, or set metrics.allowHttp");
}

/** `fetch failed` says nothing; its cause does. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && !(error instanceof StanchError) ? error.cause : undefined;
  return cause === undefined ? messageOf(error) : `${messageOf(error)}: ${messageOf(cause)}`;
}
