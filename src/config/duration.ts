import { z } from "zod";

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PATTERN = /^(\d+(ms|s|m|h|d))+$/;

/** Milliseconds of a duration as Kubernetes and Prometheus write it: `90s`, `1h30m`, `14d`. Null when it is none. */
export function parseDuration(text: string): number | null {
  if (!PATTERN.test(text)) return null;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) total += Number(count) * (UNITS[unit ?? ""] ?? 0);
  return total;
}

/** `90s`, `5m`, `2h`: the largest unit that divides it, for people. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.round(hours / 24)}d`;
}

/** A setting that is written as a duration and read as milliseconds. */
export function duration(fallback: string, description: string, least = "0s") {
  return z
    .string()
    .regex(PATTERN, "is not a duration such as 90s, 5m, 2h or 14d")
    .default(fallback)
    .transform((text) => parseDuration(text) ?? 0)
    .refine((ms) => ms >= (parseDuration(least) ?? 0), `must be at least ${least}`)
    .describe(description);
}
