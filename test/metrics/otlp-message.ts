/**
 * Reads an ExportMetricsServiceRequest by the published field numbers (opentelemetry-proto 1.x, metrics/v1/metrics.proto). A field that
 * it does not know is an error, so that nothing is sent unseen.
 */
export interface OtlpPoint {
  readonly attributes: Record<string, string>;
  readonly start: number;
  readonly time: number;
  readonly value: number;
}

export interface OtlpMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly kind: "gauge" | "sum";
  readonly monotonic: boolean;
  readonly temporality: "delta" | "cumulative" | "none";
  readonly points: OtlpPoint[];
}

export interface OtlpMessage {
  readonly resource: Record<string, string>;
  readonly scope: string;
  readonly metrics: OtlpMetric[];
}

type Field = { readonly number: number; readonly bytes: Buffer; readonly varint: bigint; readonly wire: number };

function fields(buffer: Buffer): Field[] {
  const out: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = buffer[at++];
      if (byte === undefined) throw new Error("the message ends within a number");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (at + length > buffer.length) throw new Error("the message ends within a field");
    at += length;
    return buffer.subarray(at - length, at);
  };
  while (at < buffer.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    const number = tag >> 3;
    if (wire === 0) out.push({ number, wire, varint: varint(), bytes: Buffer.alloc(0) });
    else if (wire === 1) out.push({ number, wire, varint: 0n, bytes: take(8) });
    else if (wire === 2) out.push({ number, wire, varint: 0n, bytes: take(Number(varint())) });
    else throw new Error(`wire type ${wire}`);
  }
  return out;
}

function one(list: readonly Field[], number: number): Field | undefined {
  return list.findLast((field) => field.number === number);
}

function known(list: readonly Field[], ...numbers: number[]): readonly Field[] {
  const odd = list.find((field) => !numbers.includes(field.number));
  if (odd !== undefined) throw new Error(`field ${odd.number} is not expected`);
  return list;
}

const text = (field: Field | undefined): string => field?.bytes.toString("utf8") ?? "";
const seconds = (field: Field | undefined): number => Number(field?.bytes.readBigUInt64LE() ?? 0n) / 1e9;

function attributes(list: readonly Field[], number: number): Record<string, string> {
  return Object.fromEntries(
    list
      .filter((field) => field.number === number)
      .map((field) => {
        const pair = known(fields(field.bytes), 1, 2);
        const value = fields(one(pair, 2)?.bytes ?? Buffer.alloc(0));
        const array = one(value, 5);
        return [text(one(pair, 1)), array === undefined ? text(one(value, 1)) : "(array)"];
      }),
  );
}

function metricOf(bytes: Buffer): OtlpMetric {
  const metric = known(fields(bytes), 1, 2, 3, 5, 7);
  const gauge = one(metric, 5);
  const sum = one(metric, 7);
  if ((gauge === undefined) === (sum === undefined)) throw new Error("a metric is either a gauge or a sum");
  const data = known(fields((gauge ?? sum)?.bytes ?? Buffer.alloc(0)), 1, 2, 3);
  const temporality = Number(one(data, 2)?.varint ?? 0n);
  return {
    name: text(one(metric, 1)),
    description: text(one(metric, 2)),
    unit: text(one(metric, 3)),
    kind: gauge === undefined ? "sum" : "gauge",
    monotonic: one(data, 3)?.varint === 1n,
    temporality: temporality === 1 ? "delta" : temporality === 2 ? "cumulative" : "none",
    points: data
      .filter((field) => field.number === 1)
      .map((field) => {
        const point = known(fields(field.bytes), 2, 3, 4, 7);
        return {
          start: seconds(one(point, 2)),
          time: seconds(one(point, 3)),
          value: one(point, 4)?.bytes.readDoubleLE() ?? Number.NaN,
          attributes: attributes(point, 7),
        };
      }),
  };
}

export function readOtlp(body: Buffer): OtlpMessage {
  const [resourceMetrics, more] = known(fields(body), 1);
  if (resourceMetrics === undefined || more !== undefined) throw new Error("there is one resource");
  const parts = known(fields(resourceMetrics.bytes), 1, 2, 3);
  const scopes = parts.filter((field) => field.number === 2).map((field) => known(fields(field.bytes), 1, 2, 3));
  return {
    resource: attributes(fields(one(parts, 1)?.bytes ?? Buffer.alloc(0)), 1),
    scope: scopes.map((scope) => text(one(fields(one(scope, 1)?.bytes ?? Buffer.alloc(0)), 1))).join(),
    metrics: scopes.flatMap((scope) =>
      scope.filter((field) => field.number === 2).map((field) => metricOf(field.bytes)),
    ),
  };
}
