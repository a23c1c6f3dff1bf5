/**
 * Kubernetes quantities (`apimachinery/pkg/api/resource`), exactly: whole numbers of billionths, as the API server keeps
 * them. Finer digits are rounded away from zero, as the API server does.
 */
export interface Quantity {
  /** The value in billionths (10⁻⁹) of the unit: bytes, cores. */
  readonly nano: bigint;
  /** How it was written: `512Mi`, `500m` or `512`, `5e8`. */
  readonly style: QuantityStyle;
}

export type QuantityStyle = "binary" | "decimal" | "exponent";

const NANO = 1_000_000_000n;
const BINARY: readonly [string, bigint][] = ["Ei", "Pi", "Ti", "Gi", "Mi", "Ki"].map((suffix, index) => [
  suffix,
  1n << BigInt(60 - index * 10),
]);
/** In billionths, largest first. */
const DECIMAL: readonly [string, bigint][] = ["E", "P", "T", "G", "M", "k", "", "m", "u", "n"].map((suffix, index) => [
  suffix,
  10n ** BigInt(27 - index * 3),
]);
const PATTERN = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d{1,3}|)$/;

/** Reads text or a bare number of a manifest. Null when it is no quantity. */
export function parseQuantity(value: unknown): Quantity | null {
  const text = typeof value === "number" && Number.isFinite(value) ? String(value) : value;
  if (typeof text !== "string" || text.length > 64) return null;
  const match = PATTERN.exec(text);
  if (match === null) return null;
  const [, sign, whole, fraction = "", bare, suffix = ""] = match;
  const digits = `${whole ?? ""}${bare ?? fraction}`;
  const { factor, style } = unitOf(suffix);
  const scale = 10n ** BigInt((bare ?? fraction).length);
  const nano = ceilDivide(BigInt(digits) * factor.over, scale * factor.under);
  return { nano: sign === "-" ? -nano : nano, style };
}

/** Negative, zero or positive, as `sort` takes it. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0;
}

/** The API server's own spelling: the largest unit of the style that leaves a whole number, so that a write does not drift. */
export function formatQuantity(quantity: Quantity): string {
  const { nano, style } = quantity;
  const size = nano < 0n ? -nano : nano;
  if (nano === 0n) return "0";
  if (style === "binary" && size >= 1024n * NANO && size % NANO === 0n) {
    for (const [suffix, unit] of BINARY) if (size % (unit * NANO) === 0n) return `${nano / (unit * NANO)}${suffix}`;
    return String(nano / NANO);
  }
  for (const [index, [suffix, unit]] of DECIMAL.entries()) {
    if (size % unit !== 0n) continue;
    const exponent = 18 - index * 3;
    return `${nano / unit}${style !== "exponent" ? suffix : exponent === 0 ? "" : `e${exponent}`}`;
  }
  return "0";
}

/** Bytes, rounded up; null when the value is no quantity or beyond what a number holds exactly. */
export function bytesOf(value: unknown): number | null {
  const quantity = parseQuantity(value);
  if (quantity === null) return null;
  const bytes = Number(ceilDivide(quantity.nano, NANO));
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Bytes in the style of another quantity; binary when there is none. */
export function formatBytes(bytes: number, like?: string): string {
  return formatQuantity({ nano: BigInt(Math.ceil(bytes)) * NANO, style: parseQuantity(like)?.style ?? "binary" });
}

/** The value times a factor, exactly to a thousandth of the factor. */
export function multiplyQuantity(quantity: Quantity, factor: number): Quantity {
  return { ...quantity, nano: ceilDivide(quantity.nano * BigInt(Math.round(factor * 1000)), 1000n) };
}

/** The sum, in the first one's style. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { ...a, nano: a.nano + b.nano };
}

/**
 * Rounds up to a number that a person would write: whole Mi (from 1Gi: 64Mi, from 16Gi: 1Gi), or the decimal
 * counterpart with two or three digits. What already is such a number stays.
 */
export function roundQuantity(quantity: Quantity): Quantity {
  const step = stepFor(quantity);
  return { ...quantity, nano: ceilDivide(quantity.nano, step) * step };
}

/** `raiseQuantity("96Mi", 1.5)` → `"144Mi"`: multiplied, rounded up, spelled in the same style. Null when it is no quantity. */
export function raiseQuantity(value: unknown, factor: number): string | null {
  const quantity = parseQuantity(value);
  return quantity === null ? null : formatQuantity(roundQuantity(multiplyQuantity(quantity, factor)));
}

function stepFor({ nano, style }: Quantity): bigint {
  if (style === "binary") {
    const [kibi, mebi, gibi] = [1n << 10n, 1n << 20n, 1n << 30n].map((unit) => unit * NANO) as [bigint, bigint, bigint];
    if (nano >= 16n * gibi) return gibi;
    if (nano >= gibi) return 64n * mebi;
    return nano >= mebi ? mebi : kibi;
  }
  // A plain number of bytes is whole; a number below a thousand (cores) keeps thousandths.
  let step = nano >= 1000n * NANO ? NANO : NANO / 1000n;
  if (nano >= 1_000_000n * NANO && nano % NANO === 0n && nano % (1000n * NANO) !== 0n) return step;
  while (nano / step >= 1000n) step *= 10n;
  return step;
}

function unitOf(suffix: string): { factor: { over: bigint; under: bigint }; style: QuantityStyle } {
  const exponent = /^[eE]([+-]?\d+)$/.exec(suffix)?.[1];
  if (exponent !== undefined) {
    const power = Number(exponent) + 9;
    const factor = power >= 0 ? { over: 10n ** BigInt(power), under: 1n } : { over: 1n, under: 10n ** BigInt(-power) };
    return { factor, style: "exponent" };
  }
  for (const [name, unit] of BINARY)
    if (name === suffix) return { factor: { over: unit * NANO, under: 1n }, style: "binary" };
  for (const [name, unit] of DECIMAL)
    if (name === suffix) return { factor: { over: unit, under: 1n }, style: "decimal" };
  return { factor: { over: NANO, under: 1n }, style: "decimal" };
}

function ceilDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value > 0n && value % by !== 0n ? quotient + 1n : quotient;
}
