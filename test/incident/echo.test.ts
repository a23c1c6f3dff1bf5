import { expect, it } from "vitest";
import { isEcho } from "../../src/incident/echo.ts";
import type { Incident } from "../../src/incident/incident.ts";
import type { Finding, SymptomKind } from "../../src/model.ts";

const NOW = new Date("2026-01-01T12:00:00Z");
const RECENT = 15 * 60_000;
const finding = (kind: SymptomKind, since: string): Finding =>
  ({ fingerprint: "f", since, symptom: { kind, message: "" } }) as unknown as Finding;
const resolved = (phase = "Resolved", resolvedAt = "2026-01-01T11:55:00Z"): Incident =>
  ({ spec: { fingerprint: "f" }, status: { phase, resolvedAt, covers: [] } }) as unknown as Incident;

it.each<[string, Finding, Incident, boolean]>([
  ["restarts from before", finding("CrashLoop", "2026-01-01T11:50:00Z"), resolved(), true],
  ["restarts since", finding("CrashLoop", "2026-01-01T11:56:00Z"), resolved(), false],
  [
    "restarts after long",
    finding("CrashLoop", "2026-01-01T11:00:00Z"),
    resolved("Resolved", "2026-01-01T11:10:00Z"),
    false,
  ],
  ["an open incident", finding("CrashLoop", "2026-01-01T11:50:00Z"), resolved("Proposed"), false],
  ["an old Service that has no pods now", finding("NoEndpoints", "2025-01-01T00:00:00Z"), resolved(), false],
  ["an old commit that is refused now", finding("ManifestRefused", "2026-01-01T10:00:00Z"), resolved(), false],
])("%s", (_, seen, incident, echo) => {
  expect(isEcho(seen, incident, NOW, RECENT)).toBe(echo);
});
