import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { METRICS, type MetricDefinition } from "../../src/metrics/table.ts";
import { findProgram, said } from "./program.ts";

const FILES = resolve(import.meta.dirname, "../../deploy/chart/files/monitoring");
const ALERTS = join(FILES, "alerts.yaml");
const promtool = await findProgram("promtool");
const definitions: Readonly<Record<string, MetricDefinition>> = METRICS;

const Rule = z.strictObject({
  alert: z.string().regex(/^Stanch[A-Z]\w+$/),
  expr: z.string().min(1),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(["critical", "warning", "info"]) }),
  annotations: z.strictObject({ summary: z.string().min(10), description: z.string().min(10) }),
});
const Alerts = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(Rule).min(1) })).min(1),
});
const alerts = Alerts.parse(parse(await readFile(ALERTS, "utf8")));

/** What Grafana needs of a dashboard of the classic form; everything else it fills in. */
const Target = z.looseObject({
  refId: z.string(),
  expr: z.string().min(1),
  datasource: z.strictObject({ type: z.literal("prometheus"), uid: z.string().regex(/^\$\{datasource\}$/) }),
});
const Panel = z.looseObject({
  id: z.number().int().positive(),
  type: z.enum(["row", "stat", "timeseries", "table"]),
  title: z.string().min(1),
  gridPos: z.strictObject({
    h: z.number().min(1),
    w: z.number().min(1).max(24),
    x: z.number().min(0),
    y: z.number().min(0),
  }),
  targets: z.array(Target).min(1).optional(),
});
const Dashboard = z.looseObject({
  title: z.string(),
  uid: z.string().regex(/^[\w-]{1,40}$/),
  schemaVersion: z.number().int().min(36),
  time: z.strictObject({ from: z.string(), to: z.string() }),
  templating: z.strictObject({
    list: z.array(z.looseObject({ name: z.string(), type: z.enum(["datasource", "query"]) })),
  }),
  annotations: z.strictObject({ list: z.array(z.unknown()) }),
  panels: z.array(Panel).min(1),
});
const dashboard = Dashboard.parse(JSON.parse(await readFile(join(FILES, "dashboard.json"), "utf8")));
const panels = dashboard.panels.filter((panel) => panel.type !== "row");

const expressions = [
  ...alerts.groups.flatMap((group) => group.rules.map((rule) => ({ from: rule.alert, expr: rule.expr }))),
  ...panels.flatMap((panel) => (panel.targets ?? []).map(({ expr }) => ({ from: panel.title, expr }))),
];

describe("alerts and dashboard", () => {
  it.each(expressions)("name metrics, labels and values that there are: $from", ({ expr }) => {
    const used = [...expr.matchAll(/\b(stanch_[a-z_]+)(\{[^}]*\})?/g)];
    expect(used.length).toBeGreaterThan(0);
    for (const [, name = "", selector = ""] of used) {
      const known = definitions[name];
      expect(known, name).toBeDefined();
      for (const [, label = "", operator = "", value = ""] of selector.matchAll(/(\w+)(=~|!=|!~|=)"([^"]*)"/g)) {
        if (label === "cluster" || label === "instance") continue;
        const values = known?.labels?.[label];
        expect(values, `${name}{${label}}`).toBeDefined();
        if (Array.isArray(values))
          for (const one of operator.endsWith("~") ? value.split("|") : [value]) expect(values).toContain(one);
      }
      // A counter says something by its increase, a gauge by itself.
      if (known?.type === "counter") expect(expr).toMatch(new RegExp(`(increase|rate)\\(${name}\\b`));
      else expect(expr).not.toMatch(new RegExp(`(increase|rate)\\(${name}\\b`));
    }
    for (const [, list = ""] of expr.matchAll(/by \(([^)]*)\)/g))
      for (const label of list.split(/,\s*/)) {
        if (label === "cluster" || label === "instance") continue;
        expect(
          used.some(([, name = ""]) => Object.hasOwn(definitions[name]?.labels ?? {}, label)),
          label,
        ).toBe(true);
      }
  });

  it("the dashboard shows every metric that a person may want to see", () => {
    const text = JSON.stringify(dashboard);
    const unseen = Object.keys(METRICS).filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
    // Ages go on by themselves as times do; the rest is for queries.
    expect(unseen).toEqual([
      "stanch_run_seconds_total",
      "stanch_build_info",
      "stanch_mode",
      "stanch_last_run_duration_seconds",
      "stanch_last_run_outcomes",
      "stanch_pull_request_oldest_age_seconds",
      "stanch_pull_request_oldest_timestamp_seconds",
      "stanch_hotfix_debt_oldest_age_seconds",
      "stanch_hold_oldest_age_seconds",
      "stanch_hold_oldest_timestamp_seconds",
    ]);
  });

  it("the dashboard's panels have ids of their own and do not lie upon each other", () => {
    expect(new Set(dashboard.panels.map((panel) => panel.id)).size).toBe(dashboard.panels.length);
    const taken = new Set<string>();
    for (const { gridPos, title } of dashboard.panels)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(x, title).toBeLessThan(24);
          expect(taken.has(`${x}/${y}`), title).toBe(false);
          taken.add(`${x}/${y}`);
        }
    expect(panels.every((panel) => panel.targets !== undefined)).toBe(true);
    expect(dashboard.templating.list.map((it) => it.name)).toEqual(["datasource", "cluster", "instance"]);
  });

  it("the documentation names every alert", async () => {
    const text = await readFile(resolve(import.meta.dirname, "../../docs/metrics.md"), "utf8");
    for (const { rules } of alerts.groups) for (const { alert } of rules) expect(text).toContain(`\`${alert}\``);
  });

  it.skipIf(promtool === null)(
    "Prometheus takes the rules, and every expression of the dashboard",
    { timeout: 120_000 },
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "stanch-rules-"));
      try {
        expect(await said(promtool ?? "", ["check", "rules", "--lint=all", "--lint-fatal", ALERTS])).toMatchObject({
          code: 0,
        });
        const rules = expressions.map(({ expr }, at) => ({
          record: `panel:of:${at}`,
          expr: expr.replaceAll(/\$\w+/g, "x"),
        }));
        const file = join(folder, "panels.yaml");
        await writeFile(file, stringify({ groups: [{ name: "panels", rules }] }));
        const checked = await said(promtool ?? "", ["check", "rules", file]);
        expect(checked.text).toContain(`${rules.length} rules found`);
        expect(checked.code).toBe(0);
        const broken = stringify({ groups: [{ name: "x", rules: [{ record: "x", expr: "sum by (" }] }] });
        await writeFile(file, broken);
        expect((await said(promtool ?? "", ["check", "rules", file])).code).not.toBe(0);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );

  it.skipIf(promtool === null)("each alert fires where it must, and only there", { timeout: 120_000 }, async () => {
    const tests = join(import.meta.dirname, "alerts.test.yaml");
    const result = await said(promtool ?? "", ["test", "rules", tests]);
    expect(result.code, result.text).toBe(0);
    // Every alert is seen firing once at least.
    const text = await readFile(tests, "utf8");
    const cases = parse(text) as { tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[] };
    const fired = new Set(
      cases.tests.flatMap((it) =>
        it.alert_rule_test.filter((one) => one.exp_alerts.length > 0).map((one) => one.alertname),
      ),
    );
    expect([...fired].toSorted()).toEqual(
      alerts.groups.flatMap((group) => group.rules.map((rule) => rule.alert)).toSorted(),
    );
  });
});
