import { afterEach, describe, expect, it, vi } from "vitest";
import { groupPath } from "../../src/adapters/pushgateway.ts";
import { parseConfig } from "../../src/config/load.ts";
import type { RunEntry } from "../../src/incident/run-history.ts";
import { createLog } from "../../src/log.ts";
import type { Cluster } from "../../src/ports.ts";
import { exportRun, type Telemetry } from "../../src/telemetry.ts";
import { readText } from "./exposition.ts";
import { readOtlp } from "./otlp-message.ts";
import { type Behaviour, startReceiver } from "./receiver.ts";

const SINCE = "2026-01-01T00:00:00.000Z";
const DONE = 'stanch_runs_total{result="done"}';
const ENTRY: RunEntry = {
  at: "2026-03-01T12:00:00.000Z",
  seconds: 3,
  mode: "remediate",
  version: "0.1.0",
  pods: 4,
  workloads: 2,
  namespaces: 1,
  calls: 9,
  gaps: 0,
  outcomes: {},
  result: "done",
  steps: {},
  findings: {},
};
const TOLD: Telemetry = {
  entry: ENTRY,
  counts: { [DONE]: 1 },
  startedAt: Date.parse(ENTRY.at) - 3000,
  kept: true,
  reachable: true,
};

const STORED = { entries: [ENTRY], totals: { since: SINCE, lastSuccessAt: ENTRY.at, counters: { [DONE]: 41 } } };

/** A cluster that has the books of earlier runs and no incidents. */
function clusterWith(stored: object | null | Error): Cluster {
  return {
    get: async () => {
      if (stored instanceof Error) throw stored;
      return stored === null
        ? null
        : { apiVersion: "stanch.dev/v1alpha1", kind: "Run", metadata: { name: "stanch" }, ...stored };
    },
    // biome-ignore lint/correctness/useYield: there is no page.
    list: async function* () {
      if (stored instanceof Error) throw stored;
    },
  } as Partial<Cluster> as Cluster;
}

async function tell(
  metrics: object,
  options: { told?: Partial<Telemetry>; stored?: object | null | Error; env?: Record<string, string> } = {},
) {
  let text = "";
  const config = parseConfig(JSON.stringify({ cluster: "prod", mode: "remediate", metrics }));
  const now = new Date("2026-03-01T12:00:01Z");
  const log = createLog({
    format: "json",
    level: "debug",
    interactive: false,
    write: (more) => {
      text += more;
    },
    now: () => now,
  });
  const started = performance.now();
  await exportRun(
    { ...TOLD, ...options.told },
    {
      config,
      cluster: clusterWith(options.stored === undefined ? STORED : options.stored),
      clock: { now: () => now, sleep: async () => undefined },
      log,
      env: options.env ?? {},
    },
  );
  const lines = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, string>);
  return { lines, ms: performance.now() - started };
}

const ID = "cluster=prod,instance=stanch-system";

afterEach(() => vi.unstubAllEnvs());

describe("a Pushgateway", () => {
  it("gets all of it in one group, which replaces what it had", async () => {
    await using receiver = await startReceiver();
    expect((await tell({ pushgateway: { url: `${receiver.url}/` } })).lines).toEqual([]);
    const [request] = receiver.received;
    expect(receiver.received).toHaveLength(1);
    expect(request).toMatchObject({ method: "PUT", path: "/metrics/job/stanch/cluster/prod/instance/stanch-system" });
    expect(request?.headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(request?.headers.authorization).toBeUndefined();
    const said = readText(request?.body ?? Buffer.alloc(0));
    expect(said).toMatchObject({
      [`stanch_runs_total{${ID},result=done}`]: 41,
      [`stanch_last_run_result{${ID},result=done}`]: 1,
      [`stanch_hotfix_debt{${ID}}`]: 0,
      [`stanch_last_run_timestamp_seconds{${ID}}`]: Date.parse(ENTRY.at) / 1000,
    });
  });

  it.each([
    [{ STANCH_PUSHGATEWAY_TOKEN: "abc.def\n" }, "Bearer abc.def"],
    [{ STANCH_PUSHGATEWAY_USERNAME: "me", STANCH_PUSHGATEWAY_PASSWORD: "p:w" }, `Basic ${btoa("me:p:w")}`],
  ])("is told who asks by the environment: %j", async (env, header) => {
    await using receiver = await startReceiver();
    await tell({ pushgateway: { url: receiver.url } }, { env });
    expect(receiver.received[0]?.headers.authorization).toBe(header);
  });

  it("gets no credentials over plain http unless that is wanted, and none by a redirect", async () => {
    const env = { STANCH_PUSHGATEWAY_TOKEN: "abcdef123456" };
    const { lines } = await tell({ pushgateway: { url: "http://gateway.invalid:9091" } }, { env });
    expect(lines[0]?.["error"]).toContain("credentials would go over plain http");
    const allowed = await tell({ allowHttp: true, pushgateway: { url: "http://gateway.invalid:9091" } }, { env });
    expect(allowed.lines[0]?.["error"]).toMatch(/ENOTFOUND|EAI_AGAIN|no answer/);
    await using other = await startReceiver();
    await using receiver = await startReceiver(() => ({ redirect: other.url }));
    const moved = await tell({ pushgateway: { url: receiver.url } }, { env });
    expect(moved.lines[0]).toMatchObject({ msg: "metrics not exported", receiver: "pushgateway" });
    expect(other.received).toEqual([]);
  });

  it("is added to and not replaced where not all is known, and gets no counter then", async () => {
    await using receiver = await startReceiver();
    const { findings: _, ...broken } = ENTRY;
    const told = { entry: { ...broken, result: "fault" }, reachable: false };
    await tell({ pushgateway: { url: receiver.url } }, { told });
    await tell({ pushgateway: { url: receiver.url } }, { told, stored: new Error("the API server is away") });
    for (const { method, body } of receiver.received) {
      expect(method).toBe("POST");
      const said = readText(body);
      expect(said[`stanch_last_run_result{${ID},result=fault}`]).toBe(1);
      expect(Object.keys(said).filter((series) => /_total|incidents|debt|findings/.test(series))).toEqual([]);
    }
    expect(receiver.received).toHaveLength(2);
  });

  it("hears of a run that gave way, with what the last one saw", async () => {
    await using receiver = await startReceiver();
    const { findings: _, ...broken } = ENTRY;
    const totals = {
      ...STORED.totals,
      counters: { ...STORED.totals.counters, 'stanch_runs_total{result="lease"}': 2 },
    };
    await tell(
      { pushgateway: { url: receiver.url } },
      { told: { entry: { ...broken, result: "lease" } }, stored: { ...STORED, totals } },
    );
    const said = readText(receiver.received[0]?.body ?? Buffer.alloc(0));
    expect(said[`stanch_runs_total{${ID},result=lease}`]).toBe(2);
    expect(said[`stanch_last_run_result{${ID},result=done}`]).toBe(1);
    expect(said[`stanch_last_run_objects{${ID},kind=pods}`]).toBe(4);
  });

  it("without books gets gauges only: one run's counts would look like a reset", async () => {
    await using receiver = await startReceiver();
    await tell({ pushgateway: { url: receiver.url } }, { told: { kept: false } });
    expect(receiver.received[0]?.method).toBe("PUT");
    const said = readText(receiver.received[0]?.body ?? Buffer.alloc(0));
    expect(Object.keys(said).filter((series) => /_total/.test(series))).toEqual([]);
    expect(said[`stanch_last_run_gaps{${ID}}`]).toBe(0);
  });

  it("a value that no path can hold goes in base64", () => {
    expect(groupPath({ job: "stanch", cluster: "a b" })).toBe("/job/stanch/cluster/a%20b");
    expect(groupPath({ job: "a/b", instance: "" })).toBe("/job@base64/YS9i/instance@base64/=");
  });
});

describe("OTLP", () => {
  it("carries counters with the start of the totals, gauges, and the resource", async () => {
    await using receiver = await startReceiver();
    const env = { OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=live" };
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    expect((await tell({ otlp: { endpoint: `${receiver.url}/base/` } }, { env })).lines).toEqual([]);
    const [request] = receiver.received;
    expect(request).toMatchObject({ method: "POST", path: "/base/v1/metrics" });
    expect(request?.headers["content-type"]).toBe("application/x-protobuf");
    const { resource, scope, metrics } = readOtlp(request?.body ?? Buffer.alloc(0));
    expect(resource).toMatchObject({
      "service.name": "stanch",
      "service.instance.id": "stanch-system",
      "k8s.cluster.name": "prod",
      "k8s.namespace.name": "stanch-system",
      "deployment.environment": "live",
    });
    expect(resource["service.version"]).toMatch(/^\d+\.\d+\.\d+/);
    expect(scope).toBe("stanch");
    expect(metrics.find((metric) => metric.name === "stanch_runs_total")).toMatchObject({
      kind: "sum",
      monotonic: true,
      temporality: "cumulative",
      unit: "{run}",
      points: [{ value: 41, start: Date.parse(SINCE) / 1000, attributes: { result: "done", cluster: "prod" } }],
    });
    expect(metrics.find((metric) => metric.name === "stanch_last_run_duration_seconds")).toMatchObject({
      kind: "gauge",
      unit: "s",
      points: [{ value: 3, attributes: { cluster: "prod" } }],
    });
    // One metric of each name.
    expect(new Set(metrics.map((metric) => metric.name)).size).toBe(metrics.length);
  });

  it("takes endpoint, headers, compression and delta from the standard variables", async () => {
    await using receiver = await startReceiver();
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=s3cr3t%20value",
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "delta",
      OTEL_SERVICE_NAME: "mender",
    };
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    expect((await tell({}, { env })).lines).toEqual([]);
    const [request] = receiver.received;
    expect(request?.path).toBe("/v1/metrics");
    expect(request?.headers["api-key"]).toBe("s3cr3t value");
    const { resource, metrics } = readOtlp(request?.body ?? Buffer.alloc(0));
    expect(resource["service.name"]).toBe("mender");
    expect(metrics.find((metric) => metric.name === "stanch_runs_total")).toMatchObject({
      temporality: "delta",
      points: [{ value: 1, start: TOLD.startedAt / 1000 }],
    });
  });

  it("without books sends this run's own counts, which began with it; with lost books none", async () => {
    await using receiver = await startReceiver();
    await tell({ otlp: { endpoint: receiver.url } }, { told: { kept: false } });
    await tell({ otlp: { endpoint: receiver.url } }, { stored: new Error("away") });
    const [own, lost] = receiver.received.map(({ body }) => readOtlp(body).metrics);
    expect(own?.find((metric) => metric.name === "stanch_runs_total")?.points).toMatchObject([
      { value: 1, start: TOLD.startedAt / 1000 },
    ]);
    expect(lost?.filter((metric) => metric.kind === "sum")).toEqual([]);
  });

  it.each([[{ OTEL_SDK_DISABLED: "true" }], [{ OTEL_METRICS_EXPORTER: "none" }]])(
    "is off by %j, whatever else is set",
    async (env) => {
      await using receiver = await startReceiver();
      await tell({ otlp: { endpoint: receiver.url } }, { env });
      expect(receiver.received).toEqual([]);
    },
  );

  it("is given up at the standard time-out where that is shorter", async () => {
    await using receiver = await startReceiver(() => "silent");
    const env = { OTEL_EXPORTER_OTLP_TIMEOUT: "300" };
    const { lines, ms } = await tell({ timeout: "20s", otlp: { endpoint: receiver.url } }, { env });
    expect(lines[0]).toMatchObject({ msg: "metrics not exported", receiver: "otlp" });
    expect(ms).toBeLessThan(3000);
  });

  const EMPTY = Object.fromEntries(
    [
      "ENDPOINT",
      "HEADERS",
      "PROTOCOL",
      "TIMEOUT",
      "COMPRESSION",
      "CERTIFICATE",
      "CLIENT_CERTIFICATE",
      "CLIENT_KEY",
    ].map((name) => [`OTEL_EXPORTER_OTLP_METRICS_${name}`, name === "TIMEOUT" ? " " : ""]),
  );

  it("takes an empty variable for one that is not set: the general one holds", async () => {
    await using receiver = await startReceiver();
    const env = {
      ...EMPTY,
      OTEL_SDK_DISABLED: "",
      OTEL_METRICS_EXPORTER: "",
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "",
      OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/base`,
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=abc",
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
    };
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    expect((await tell({}, { env })).lines).toEqual([]);
    expect(receiver.received[0]).toMatchObject({ path: "/base/v1/metrics", headers: { "api-key": "abc" } });
    const ca = {
      ...env,
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://127.0.0.1:1",
      OTEL_EXPORTER_OTLP_CERTIFICATE: "/none.pem",
    };
    expect((await tell({}, { env: ca })).lines[0]?.["error"]).toContain("/none.pem");
    const grpc = await tell({}, { env: { ...env, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" } });
    expect(grpc.lines[0]?.["error"]).toContain("use http/protobuf");
    expect((await tell({}, { env: { ...EMPTY, OTEL_EXPORTER_OTLP_ENDPOINT: "" } })).lines).toEqual([]);
  });

  it("the endpoint for metrics is the whole address, and wins", async () => {
    await using receiver = await startReceiver();
    const env = {
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${receiver.url}/own/path`,
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
    };
    expect((await tell({}, { env })).lines).toEqual([]);
    expect(receiver.received[0]?.path).toBe("/own/path");
  });

  it.each([
    [
      "headers for all signals beside an empty one for metrics",
      { OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer x" },
    ],
    ["headers for metrics beside an empty one", { OTEL_EXPORTER_OTLP_METRICS_HEADERS: "authorization=Bearer x" }],
  ])("sends no credentials in the clear: %s", async (_, headers) => {
    const env = {
      ...EMPTY,
      OTEL_EXPORTER_OTLP_HEADERS: "",
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector.invalid:4318",
      ...headers,
    };
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    for (const metrics of [{}, { otlp: { endpoint: "http://collector.invalid:4318" } }]) {
      const { lines } = await tell(metrics, { env });
      expect(lines[0]?.["error"]).toContain("credentials would go over plain http");
    }
    // Without credentials plain http is nobody's business.
    const { lines } = await tell(
      { timeout: "600ms" },
      { env: { ...env, OTEL_EXPORTER_OTLP_HEADERS: "", OTEL_EXPORTER_OTLP_METRICS_HEADERS: "" } },
    );
    expect(lines[0]?.["error"]).not.toContain("credentials");
  });

  it("refuses what it cannot do, and credentials in the clear", async () => {
    const grpc = await tell(
      { otlp: { endpoint: "http://127.0.0.1:1" } },
      { env: { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" } },
    );
    expect(grpc.lines[0]?.["error"]).toContain("use http/protobuf");
    const env = { OTEL_EXPORTER_OTLP_HEADERS: "api-key=abc" };
    const clear = await tell({ otlp: { endpoint: "http://collector.invalid:4318" } }, { env });
    expect(clear.lines[0]?.["error"]).toContain("credentials would go over plain http");
    const inAddress = await tell(
      {},
      { env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://me:hunter22@collector.invalid:4318" } },
    );
    expect(inAddress.lines[0]?.["error"]).toContain("credentials would go over plain http");
    expect(JSON.stringify(inAddress.lines)).not.toContain("hunter22");
    for (const address of ["collector:4318", "localhost", "ftp://collector"]) {
      const odd = await tell({}, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: address } });
      expect(odd.lines[0]?.["error"]).toBe(`${address} (OTEL_EXPORTER_OTLP_ENDPOINT) is no http or https URL`);
    }
    const ca = { OTEL_EXPORTER_OTLP_CERTIFICATE: "/none.pem" };
    const missing = await tell({ otlp: { endpoint: "https://127.0.0.1:1" } }, { env: ca });
    expect(missing.lines[0]?.["error"]).toContain("/none.pem");
  });
});

describe("a receiver that is no good", () => {
  const bad: [string, Behaviour][] = [
    ["answers 400", 400],
    ["answers 401", 401],
    ["answers 429", 429],
    ["answers 500", 500],
    ["answers 503", 503],
    ["answers a page of 20 MB", { huge: 500 }],
    ["says nothing", "silent"],
    ["answers one byte at a time", "dripping"],
    ["hangs up", "hangs up"],
  ];
  // One after the other: what is measured is the time.
  it.each(bad.flatMap(([what, how]) => (["otlp", "pushgateway"] as const).map((kind) => ({ what, how, kind }))))(
    "$what ($kind) costs no more than the time, and is one line",
    async ({ how, kind }) => {
      await using receiver = await startReceiver(() => how);
      const metrics = kind === "otlp" ? { otlp: { endpoint: receiver.url } } : { pushgateway: { url: receiver.url } };
      const { lines, ms } = await tell({ timeout: "600ms", ...metrics });
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatchObject({ level: "warn", msg: "metrics not exported", receiver: kind });
      expect(lines[0]?.["error"]?.length).toBeGreaterThan(5);
      expect(lines[0]?.["error"]?.length).toBeLessThan(600);
      expect(ms).toBeLessThan(1500);
      expect(receiver.received.length).toBeGreaterThan(0);
    },
  );

  it("is not there, or speaks no TLS; the other one is told all the same", async () => {
    await using plain = await startReceiver();
    const tls = plain.url.replace("http:", "https:");
    for (const endpoint of ["http://127.0.0.1:1", tls]) {
      const { lines, ms } = await tell({ timeout: "600ms", otlp: { endpoint }, pushgateway: { url: plain.url } });
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatchObject({ msg: "metrics not exported", receiver: "otlp" });
      expect(ms).toBeLessThan(1500);
    }
    expect(plain.received.map(({ method }) => method)).toEqual(["PUT", "PUT"]);
    const { lines } = await tell({ timeout: "600ms", pushgateway: { url: tls } });
    expect(lines[0]?.["error"]).toMatch(/fetch failed: .+/);
  });

  it("of nothing is asked where none is configured", async () => {
    const { lines } = await tell({}, { stored: new Error("must not be asked") });
    expect(lines).toEqual([]);
  });
});

describe("the configuration", () => {
  it.each([
    [{ otlp: { endpoint: "collector:4318" } }, "is no http or https URL"],
    [{ otlp: { endpoint: "https://me:secret@collector" } }, "holds a user or password"],
    [{ pushgateway: { url: "http://token@gateway" } }, "holds a user or password"],
    [{ pushgateway: { url: "http://gateway", job: "a/b" } }, "must be letters"],
    [{ otlp: { headers: { "api-key": "x" } } }, 'unknown key "metrics.otlp.headers"'],
    [{ timeout: "10ms" }, "metrics.timeout"],
  ])("%j is refused", (metrics, sentence) => {
    expect(() => parseConfig(JSON.stringify({ metrics }))).toThrow(sentence);
  });
});
