import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { diffLines } from "diff";
import { afterEach, describe, expect, it } from "vitest";
import type { Change, Json, Source } from "../../src/model.ts";
import { locate } from "../../src/steps/locate.ts";
import { prove } from "../../src/steps/prove.ts";
import { type Files, makeRepository, type Repository, renderer } from "./repository.ts";

const helm = (await renderer.versions()).find((row) => row.tool === "helm")?.missing === undefined;
if (!helm) process.stderr.write("\nSKIPPED: every Helm test, because helm is not on the PATH.\n");
const open: Repository[] = [];
afterEach(async () => {
  for (const repository of open.splice(0)) await repository.close();
});

const CHART: Files = {
  "charts/web/Chart.yaml": 'apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: "1.27"\n',
  "charts/web/values.yaml": `replicaCount: 2
image:
  repository: nginx
  tag: "1.27"   # bumped by hand
  pullPolicy: IfNotPresent
resources:
  limits:
    memory: 64Mi
probe: /healthz
`,
  "charts/web/templates/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels:
    app: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicaCount }}
  selector:
    matchLabels:
      app: {{ .Release.Name }}
  template:
    metadata:
      labels:
        app: {{ .Release.Name }}
    spec:
      containers:
        - name: web
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          livenessProbe:
            httpGet:
              path: /live   # a literal
              port: 80
          readinessProbe:
            httpGet:
              path: {{ .Values.probe }}
              port: 80
          resources:
{{ toYaml .Values.resources | indent 12 }}
`,
};

const source = (values: string[] = []): Source => ({
  id: "acme/shop:charts/web@main",
  repository: "acme/shop",
  branch: "main",
  path: "charts/web",
  tool: "helm",
  namespace: "shop",
  helm: { release: "cart", values },
  owner: { kind: "configuration", name: "stanch.yaml" },
});

const at = (...rest: Change["path"]): Change["path"] => [
  "spec",
  "template",
  "spec",
  "containers",
  { by: "name", value: "web" },
  ...rest,
];

async function find(files: Files, path: Change["path"], from: Json, to: Json, values?: string[], roots?: Source[]) {
  const repository = makeRepository(files);
  open.push(repository);
  const object = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
  const answer = await locate({
    changes: [{ object, path, from, to }],
    source: source(values),
    checkout: repository,
    renderer,
    hints: {},
    ...(roots === undefined ? {} : { roots }),
  });
  if (!answer.found) return `${answer.reason} ${answer.hint}`;
  return {
    where: answer.locations.map((location) => `${location.file}:${location.line} ${location.via}`),
    diff: answer.edits.flatMap((edit) =>
      diffLines(edit.before, edit.after).flatMap((part) =>
        part.added || part.removed
          ? part.value
              .trimEnd()
              .split("\n")
              .map((line) => (part.added ? "+" : "-") + line)
          : [],
      ),
    ),
  };
}

describe.skipIf(!helm)("in charts (skipped without helm on the PATH)", () => {
  it("a tag that only the chart's defaults say", async () => {
    expect(await find(CHART, at("image"), "nginx:1.27", "nginx:1.28")).toEqual({
      where: ["charts/web/values.yaml:4 helm chart defaults"],
      diff: ['-  tag: "1.27"   # bumped by hand', '+  tag: "1.28"   # bumped by hand'],
    });
  });

  it("the environment's values file is the one in force", async () => {
    const files = { ...CHART, "env/prod.yaml": 'image:\n  tag: "1.72"\nresources:\n  limits: {memory: 64Mi}\n' };
    expect(await find(files, at("image"), "nginx:1.72", "nginx:1.27", ["env/prod.yaml"])).toEqual({
      where: ["env/prod.yaml:2 helm values"],
      diff: ['-  tag: "1.72"', '+  tag: "1.27"'],
    });
    expect(await find(files, at("resources", "limits", "memory"), "64Mi", "128Mi", ["env/prod.yaml"])).toMatchObject({
      diff: ["-  limits: {memory: 64Mi}", "+  limits: {memory: 128Mi}"],
    });
  });

  it("of several values files the last wins", async () => {
    const files = { ...CHART, "env/base.yaml": 'image: {tag: "1.26"}\n', "env/prod.yaml": 'image: {tag: "1.72"}\n' };
    expect(
      await find(files, at("image"), "nginx:1.72", "nginx:1.27", ["env/base.yaml", "env/prod.yaml"]),
    ).toMatchObject({ where: ["env/prod.yaml:1 helm values"] });
  });

  it("a default is overridden for this environment alone, not changed for all", async () => {
    const files = { ...CHART, "env/prod.yaml": "replicaCount: 3\n", "env/dev.yaml": "replicaCount: 1\n" };
    const dev = { ...source(["env/dev.yaml"]), id: "acme/shop:charts/web@main#dev", namespace: "dev" };
    expect(await find(files, at("resources", "limits", "memory"), "64Mi", "128Mi", ["env/prod.yaml"], [dev])).toEqual({
      where: ["env/prod.yaml:2 helm values"],
      diff: ["+resources:", "+  limits:", "+    memory: 128Mi"],
    });
  });

  it("a literal of a template is changed where it stands; what is templated is not", async () => {
    expect(await find(CHART, at("livenessProbe", "httpGet", "path"), "/live", "/healthz")).toEqual({
      where: ["charts/web/templates/deployment.yaml:23 helm template"],
      diff: ["-              path: /live   # a literal", "+              path: /healthz   # a literal"],
    });
  });

  it("says so when nothing sets the field, when a values file is missing, and when a dependency is", async () => {
    expect(await find(CHART, at("workingDir"), "/srv", "/app")).toMatch(/Git and the cluster disagreed/);
    expect(await find(CHART, at("image"), "nginx:1.27", "nginx:1.28", ["env/none.yaml"])).toMatch(
      /the values file env\/none.yaml is not in the repository.*correct `helm.values`/,
    );
    const needy = {
      ...CHART,
      "charts/web/Chart.yaml": `${CHART["charts/web/Chart.yaml"]}dependencies:\n  - {name: redis, version: 1.0.0, repository: "https://charts.example.com"}\n`,
    };
    expect(await find(needy, at("image"), "nginx:1.27", "nginx:1.28")).toMatch(/helm says: .*redis/);
  });

  it("what one value says elsewhere goes back with it, only when a commit is taken back", async () => {
    const files = {
      ...CHART,
      "charts/web/templates/about.yaml": `apiVersion: v1
kind: ConfigMap
metadata:
  name: about
data:
  image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
`,
    };
    const repository = makeRepository(files);
    open.push(repository);
    const text = CHART["charts/web/values.yaml"] ?? "";
    const revertOf = repository.commit("Bump", { "charts/web/values.yaml": text.replace('"1.27"', '"1.72"') });
    const object = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
    const changes = [{ object, path: at("image"), from: "nginx:1.72", to: "nginx:1.27" }];
    const request = { changes, source: source(), checkout: repository, renderer };
    expect(await locate({ ...request, hints: {} })).toMatchObject({
      found: false,
      reason: expect.stringContaining("would also change ConfigMap shop/about data.image"),
    });
    const located = await locate({ ...request, hints: { revertOf } });
    expect(located).toMatchObject({ found: true, edits: [{ file: "charts/web/values.yaml", after: text }] });
    if (!located.found) return;
    const proof = await prove({
      ...request,
      located,
      revertOf,
      cluster: { get: async () => null, create: async (it) => it, dryRunApply: async (it) => it },
    });
    expect(proof.checks[1]).toEqual({
      id: "P2",
      result: "passed",
      text: `Rendered before and after: exactly the wanted change; with it, because one value of Git says both, ConfigMap shop/about data.image goes back to what was before ${revertOf.slice(0, 7)}.`,
    });
    expect(proof.checks[2]?.text).toBe(
      "The repository has no other render root. The edit is in the chart itself: a release that the configuration does not name changes, too.",
    );
    // A value that the commit did not bring is no way back.
    const other = [{ object, path: at("image"), from: "nginx:1.72", to: "nginx:1.26" }];
    expect(await locate({ ...request, changes: other, hints: { revertOf } })).toMatchObject({ found: false });
  });

  it("a chart that leads out of the repository is not rendered", async () => {
    for (const [link, reason] of [
      ["/etc/hostname", /leads out of the repository/],
      ["../..", /link to a folder/],
    ] as const) {
      const repository = makeRepository(CHART);
      open.push(repository);
      await symlink(link, join(repository.directory, "charts/web/templates/extra.yaml"));
      await expect(renderer.render(repository.directory, source())).rejects.toThrow(reason);
    }
  });

  it.each([
    ["a file of this machine", { properties: { replicaCount: { $ref: "file:///etc/hostname" } } }],
    ["an address", { properties: { replicaCount: { $ref: "http://127.0.0.1:10255/pods" } } }],
    ["a file beside it, by its name", { $id: "file:///etc/", properties: { replicaCount: { $ref: "hostname" } } }],
    ["a schema of its own kind", { $schema: "file:///etc/hostname" }],
  ])("a schema that refers to %s is not read", async (_, schema) => {
    for (const name of ["charts/web/values.schema.json", "charts/web/charts/sub/values.schema.json"]) {
      const repository = makeRepository({ ...CHART, [name]: JSON.stringify(schema) });
      open.push(repository);
      await expect(renderer.render(repository.directory, source())).rejects.toThrow(/another file or address/);
    }
  });

  it("a schema that keeps to itself is followed, unless a packed chart may bring another", async () => {
    const schema = JSON.stringify({
      $schema: "https://json-schema.org/draft-07/schema#",
      definitions: { count: { type: "string" } },
      properties: { replicaCount: { $ref: "#/definitions/count" } },
    });
    const repository = makeRepository({ ...CHART, "charts/web/values.schema.json": schema });
    open.push(repository);
    await expect(renderer.render(repository.directory, source())).rejects.toThrow(/got number, want string/);
    const packed = makeRepository({ ...CHART, "charts/web/values.schema.json": schema, "charts/web/old.tgz": "" });
    open.push(packed);
    expect((await renderer.render(packed.directory, source())).objects).toHaveLength(1);
  });

  it("numbers that are strings stay strings", async () => {
    const files = { ...CHART, "env/prod.yaml": "image:\n  tag: v2\n" };
    expect(await find(files, at("image"), "nginx:v2", "nginx:1.10", ["env/prod.yaml"])).toMatchObject({
      diff: ["-  tag: v2", '+  tag: "1.10"'],
    });
  });
});
