import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { createCharts } from "../../src/adapters/charts.ts";
import type { RemoteChart } from "../../src/model.ts";
import { PATH, renderer } from "../gitops/repository.ts";
import { startChartServer } from "./chart-server.ts";

const helm = (await renderer.versions()).find((row) => row.tool === "helm")?.missing === undefined;
if (!helm) process.stderr.write("\nSKIPPED: charts of Helm repositories, because helm is not on the PATH.\n");
const cache = mkdtempSync(join(tmpdir(), "stanch-chart-cache-"));
afterAll(() => rmSync(cache, { recursive: true, force: true }));
const charts = (more: object = {}) =>
  createCharts({ path: PATH, cacheDirectory: cache, timeoutMs: 20_000, allowHttp: false, env: {}, ...more });
const FILES = {
  "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.2.3\n",
  "web/values.yaml": "tag: a\n",
  "web/templates/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {tag: {{ .Values.tag }}}\n",
};

describe.skipIf(!helm)("a chart of a Helm repository", () => {
  it("is fetched once, at its version, and read like a repository that nothing can be pushed to", async () => {
    await using server = await startChartServer(FILES, "web");
    const chart = { url: server.url, chart: "web", version: "1.2.3" };
    const checkout = await charts().open(chart);
    expect((await checkout.files()).map((file) => file.path).toSorted()).toEqual([
      "web/Chart.yaml",
      "web/templates/x.yaml",
      "web/values.yaml",
    ]);
    expect(await checkout.read("web/values.yaml")).toBe("tag: a\n");
    expect(await checkout.history(["."], 5)).toEqual([]);
    await expect(checkout.publish({ branch: "b", message: "m", edits: [], expected: null })).rejects.toThrow(
      /in no repository/,
    );
    await server.stop();
    // From the cache, by another run.
    expect(await (await charts().open(chart)).read("web/values.yaml")).toBe("tag: a\n");
  });

  it("that is not there is said with what can be done, and nothing half fetched is left", async () => {
    await using server = await startChartServer(FILES, "web");
    const wrong = charts().open({ url: server.url, chart: "web", version: "9.9.9" });
    await expect(wrong).rejects.toThrow(/the chart web 9\.9\.9 could not be fetched/);
    await expect(wrong).rejects.toMatchObject({ hint: expect.stringContaining("vendor") });
    await expect(
      charts({ path: "/nowhere" }).open({ url: server.url, chart: "web", version: "9.9.8" }),
    ).rejects.toThrow(/helm is not on the PATH/);
  });
});

describe("a chart that could not be fetched", () => {
  it("is not tried again at every question, and is after a while", async () => {
    const folder = mkdtempSync(join(tmpdir(), "stanch-fake-helm-"));
    writeFileSync(join(folder, "helm"), '#!/bin/sh\necho x >> "$0.log"\necho no >&2\nexit 1\n', { mode: 0o755 });
    const tries = (): number => readFileSync(join(folder, "helm.log"), "utf8").length / 2;
    const all = charts({ path: folder });
    const open = () => all.open({ url: "https://charts.example.com", chart: "web", version: "8.0.0" });
    await expect(open()).rejects.toThrow(/could not be fetched/);
    await expect(open()).rejects.toThrow(/could not be fetched/);
    expect(tries()).toBe(1);
    vi.spyOn(Date, "now").mockReturnValue(Date.now() + 6 * 60_000);
    await expect(open()).rejects.toThrow(/could not be fetched/);
    vi.restoreAllMocks();
    expect(tries()).toBe(2);
    rmSync(folder, { recursive: true });
  });
});

describe("what an object says of a chart becomes no word that helm would take for another", () => {
  const good: RemoteChart = { url: "https://charts.example.com", chart: "web", version: "1.2.3" };
  for (const [bad, says] of [
    [{ chart: "--post-renderer=/bin/sh" }, /no name of a chart/],
    [{ chart: "../../etc" }, /no name of a chart/],
    [{ version: "--debug" }, /no exact version/],
    [{ version: ">=1.0.0" }, /no exact version/],
    [{ url: "file:///etc" }, /not read/],
    [{ url: "--repo" }, /no URL/],
    [{ url: "https://me:secret@charts.example.com" }, /holds credentials/],
    [{ url: "http://charts.example.com" }, /plain http/],
    [{ url: "http://169.254.169.254/" }, /plain http/],
  ] as const)
    it(JSON.stringify(bad), async () => {
      const opened = charts().open({ ...good, ...bad });
      await expect(opened).rejects.toThrow(says);
      await expect(opened).rejects.not.toThrow(/secret/);
    });
});
