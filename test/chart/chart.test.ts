import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { manifests } from "../../scripts/manifests.ts";
import { parseConfig } from "../../src/config/load.ts";
import { incidentCrd, runCrd } from "../../src/incident/crd.ts";
import { fieldAt, listAt, mapAt, textAt } from "../../src/kube/fields.ts";
import type { KubeObject } from "../../src/model.ts";
import { version } from "../../src/version.ts";
import { CHART, combinations, hasHelm, helm, NAMESPACE, RELEASE, render } from "./helm.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stanch-chart-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let count = 0;
async function file(values: unknown): Promise<string> {
  count += 1;
  const path = join(folder, `${count}.yaml`);
  await writeFile(path, stringify(values));
  return path;
}
const only = (objects: readonly KubeObject[], kind: string): KubeObject => {
  const found = objects.filter((object) => object.kind === kind);
  expect(found, kind).toHaveLength(1);
  return found[0] as KubeObject;
};
const podOf = (objects: readonly KubeObject[]): Readonly<Record<string, unknown>> =>
  mapAt(only(objects, "CronJob"), "spec", "jobTemplate", "spec", "template", "spec") ?? {};
const container = (pod: unknown): Readonly<Record<string, unknown>> => mapAt(pod, "containers", 0) ?? {};
/** Environment variables: value, or where it comes from. */
const environment = (pod: unknown): Record<string, unknown> =>
  Object.fromEntries(
    listAt(container(pod), "env").map((entry) => [
      textAt(entry, "name"),
      textAt(entry, "value") ?? mapAt(entry, "valueFrom"),
    ]),
  );

it("the chart's versions are the package's", async () => {
  const chart = parse(await readFile(join(CHART, "Chart.yaml"), "utf8"));
  expect([chart.version, chart.appVersion]).toEqual([version, version]);
});

it("every default is described by the schema, and every value has a default", async () => {
  const schema = JSON.parse(await readFile(join(CHART, "values.schema.json"), "utf8"));
  const values = parse(await readFile(join(CHART, "values.yaml"), "utf8"));
  expect(Object.keys(values).toSorted()).toEqual(
    Object.keys(schema.properties)
      .filter((key) => key !== "global")
      .toSorted(),
  );
});

describe.skipIf(!hasHelm)("the chart", () => {
  it.each(combinations)("%s: lints, and renders what a cluster may take", async (_, values) => {
    const linted = await helm(["lint", "--strict", CHART, "--values", values, "--kube-version", "1.29.0"]);
    expect(linted.stdout + linted.stderr).toContain("0 chart(s) failed");
    expect(linted.code).toBe(0);
    const objects = await render(values);
    const keys = objects.map((object) => `${object.kind}/${object.metadata.namespace ?? ""}/${object.metadata.name}`);
    expect(new Set(keys).size).toBe(keys.length);
    for (const object of objects) {
      expect(object.metadata.labels).toMatchObject({
        "app.kubernetes.io/name": "stanch",
        "app.kubernetes.io/instance": RELEASE,
      });
      expect(JSON.stringify(object)).not.toMatch(/<no value>|%!/);
    }
  });

  it.each(combinations)("%s: its configuration is one that Stanch takes", async (_, values) => {
    const text = String(fieldAt(only(await render(values), "ConfigMap"), "data", "stanch.yaml"));
    const given = (parse(await readFile(values, "utf8")) ?? {}) as { config?: { mode?: string } };
    const config = parseConfig(text);
    expect(config.namespace).toBe(NAMESPACE);
    expect(config.mode).toBe(given.config?.mode ?? "observe");
  });

  it.each(combinations)("%s: its pods meet the restricted profile, and are bounded", async (_, values) => {
    const objects = await render(values);
    for (const pod of [podOf(objects), mapAt(only(objects, "Pod"), "spec")]) {
      expect(fieldAt(pod, "securityContext")).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(container(pod)["securityContext"]).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(fieldAt(container(pod), "resources", "limits", "memory")).toBeDefined();
      for (const key of ["hostNetwork", "hostPID", "hostIPC"]) expect(fieldAt(pod, key)).toBeUndefined();
      for (const volume of listAt(pod, "volumes")) expect(fieldAt(volume, "hostPath")).toBeUndefined();
      // All that it writes to is bounded and gone with it.
      const tmp = listAt(pod, "volumes").find((volume) => textAt(volume, "name") === "tmp");
      expect(fieldAt(tmp, "emptyDir", "sizeLimit")).toBeDefined();
    }
    const cron = mapAt(only(objects, "CronJob"), "spec");
    expect(cron).toMatchObject({ concurrencyPolicy: "Forbid" });
    expect(fieldAt(cron, "jobTemplate", "spec", "activeDeadlineSeconds")).toBeGreaterThanOrEqual(60);
    expect(fieldAt(cron, "startingDeadlineSeconds")).toBeGreaterThanOrEqual(10);
  });

  it("runs under the writer only where the write half is enabled and the mode asks for it", async () => {
    for (const [mode, enabled, account] of [
      ["observe", false, "stanch-reader"],
      ["observe", true, "stanch-reader"],
      ["propose", true, "stanch-reader"],
      ["remediate", false, "stanch-reader"],
      ["remediate", true, "stanch-writer"],
    ] as const) {
      const objects = await render(await file({ config: { mode }, write: { enabled } }));
      expect([mode, enabled, podOf(objects)["serviceAccountName"]]).toEqual([mode, enabled, account]);
      expect(fieldAt(only(objects, "Pod"), "spec", "serviceAccountName")).toBe(account);
      const patching = objects.filter((object) =>
        listAt(object, "rules").some(
          // Events are Stanch's own books.
          (rule) => listAt(rule, "verbs").includes("patch") && listAt(rule, "resources").join() !== "events",
        ),
      );
      expect(patching.map((object) => object.metadata.name)).toEqual(account === "stanch-writer" ? [account] : []);
    }
  });

  it("takes credentials from a Secret and from nowhere else", async () => {
    const token = await render(await file({ github: { existingSecret: "mine", tokenKey: "t" } }));
    expect(environment(podOf(token))["GITHUB_TOKEN"]).toEqual({ secretKeyRef: { name: "mine", key: "t" } });
    const app = await render(await file({ config: { github: { appId: "7" } }, github: { existingSecret: "mine" } }));
    const variables = environment(podOf(app));
    expect(variables["STANCH_GITHUB_APP_KEY"]).toEqual({ secretKeyRef: { name: "mine", key: "private-key.pem" } });
    expect(variables["GITHUB_TOKEN"]).toBeUndefined();
    expect(variables["ANTHROPIC_API_KEY"]).toBeUndefined();
    const model = await render(await file({ model: { existingSecret: "mine", apiKeyKey: "k" } }));
    expect(environment(podOf(model))["ANTHROPIC_API_KEY"]).toEqual({ secretKeyRef: { name: "mine", key: "k" } });
    for (const value of ["github.token=ghp_0123456789", "model.apiKey=sk-ant-0123456789"]) {
      const { code, stderr } = await helm(["template", RELEASE, CHART, "--kube-version", "1.29.0", "--set", value]);
      expect(code).not.toBe(0);
      expect(stderr).toMatch(/additional properties '(token|apiKey)' not allowed/);
    }
  });

  it("tells the pod of a proxy and of a company's certificates", async () => {
    const pod = podOf(await render(join(import.meta.dirname, "values/enterprise.yaml")));
    expect(environment(pod)).toMatchObject({
      HTTPS_PROXY: "http://proxy.example.com:3128",
      http_proxy: "http://proxy.example.com:3128",
      NO_PROXY: "localhost,127.0.0.1,::1,.svc,.cluster.local,$(KUBERNETES_SERVICE_HOST),.example.com,10.0.0.0/8",
      NODE_EXTRA_CA_CERTS: "/etc/stanch-ca/ca.crt",
      GIT_SSL_CAINFO: "/etc/stanch-ca/ca.crt",
      SSL_CERT_FILE: "/etc/stanch-ca/ca.crt",
    });
    const least = podOf(await render(join(import.meta.dirname, "values/least.yaml")));
    expect(listAt(least, "volumes").find((volume) => textAt(volume, "name") === "ca")).toEqual({
      name: "ca",
      secret: { secretName: "company-roots", items: [{ key: "bundle.pem", path: "ca.crt" }] },
    });
    expect(environment(least)["HTTPS_PROXY"]).toBeUndefined();
  });

  it("renders the CustomResourceDefinitions as they are, kept unless told otherwise", async () => {
    const definitions = async (crds: object): Promise<KubeObject[]> =>
      (await render(await file({ crds }))).filter((object) => object.kind === "CustomResourceDefinition");
    const kept = await definitions({});
    expect(kept.map((crd) => crd["spec"])).toEqual([incidentCrd["spec"], runCrd["spec"]]);
    expect(kept.map((crd) => crd.metadata.annotations)).toEqual(
      [incidentCrd, runCrd].map(() => ({ "helm.sh/resource-policy": "keep" })),
    );
    expect((await definitions({ keep: false })).map((crd) => crd.metadata.annotations)).toEqual([undefined, undefined]);
    expect(await definitions({ install: false })).toEqual([]);
  });

  it("starts new pods with a new configuration", async () => {
    const checksum = async (config: object): Promise<unknown> =>
      fieldAt(
        only(await render(await file({ config })), "CronJob"),
        ...["spec", "jobTemplate", "spec", "template", "metadata", "annotations", "checksum/config"],
      );
    expect(await checksum({})).not.toBe(await checksum({ mode: "propose" }));
    expect(await checksum({ mode: "propose" })).toBe(await checksum({ mode: "propose" }));
  });

  it.each<[string, object, RegExp]>([
    [
      "another namespace than its own",
      { config: { namespace: "elsewhere" } },
      /is the release's, "stanch-system": leave config.namespace out/,
    ],
    ["a scope of nothing", { config: { scope: { namespaces: [] } } }, /config\.scope\.namespaces is empty/],
    ["a mode that is none", { config: { mode: "heal" } }, /at '\/config\/mode': value must be one of/],
    ["a setting that is none", { config: { modus: "observe" } }, /additional properties 'modus' not allowed/],
    ["a remedy that is none", { config: { remedies: { enabled: ["pray"] } } }, /at '\/config\/remedies\/enabled\/0'/],
    ["a value that is none", { cronjob: {} }, /additional properties 'cronjob' not allowed/],
    ["two bundles", { caBundle: { configMap: "a", secret: "b" } }, /at '\/caBundle'/],
    ["a schedule that is none", { cronJob: { schedule: "now" } }, /at '\/cronJob\/schedule'/],
    ["starts that never come", { cronJob: { startingDeadlineSeconds: 5 } }, /at '\/cronJob\/startingDeadlineSeconds'/],
    ["a digest that is none", { image: { digest: "latest" } }, /at '\/image\/digest'/],
    [
      "a label of the chart's own",
      { commonLabels: { "app.kubernetes.io/name": "x" } },
      /commonLabels: app\.kubernetes\.io\/name is set by the chart/,
    ],
    [
      "the same of its pods",
      { podLabels: { "app.kubernetes.io/instance": "x" } },
      /podLabels: app\.kubernetes\.io\/instance is set by the chart/,
    ],
    ["a network that is none", { networkPolicy: { cidrs: ["10.0.0.0/33"] } }, /at '\/networkPolicy\/cidrs\/0'/],
    ["a network of six that is none", { networkPolicy: { except: ["fe80::/129"] } }, /at '\/networkPolicy\/except\/0'/],
    ["an address without a length", { networkPolicy: { cidrs: ["10.0.0.1"] } }, /at '\/networkPolicy\/cidrs\/0'/],
    ["a name that is none", { fullnameOverride: "a.-b" }, /at '\/fullnameOverride'/],
    [
      "a variable of the chart's own",
      { extraEnv: [{ name: "STANCH_CONFIG", value: "/x" }] },
      /extraEnv: STANCH_CONFIG is set by the chart/,
    ],
    [
      "a variable that stands twice",
      {
        extraEnv: [
          { name: "A", value: "1" },
          { name: "A", value: "2" },
        ],
      },
      /extraEnv: A stands in it twice/,
    ],
    ["write as text", { write: { enabled: "true " } }, /at '\/write\/enabled'/],
  ])("refuses %s", async (_, values, said) => {
    await expect(render(await file(values))).rejects.toThrow(said);
  });

  it.each<[string, readonly string[], readonly string[], Record<string, readonly string[] | undefined>]>([
    [
      "everything",
      ["0.0.0.0/0", "::/0"],
      ["169.254.0.0/16", "fe80::/10"],
      { "0.0.0.0/0": ["169.254.0.0/16"], "::/0": ["fe80::/10"] },
    ],
    [
      "networks of one's own, which hold none of it",
      ["10.0.0.0/8", "2001:db8::/32"],
      ["169.254.0.0/16", "fe80::/10"],
      { "10.0.0.0/8": undefined, "2001:db8::/32": undefined },
    ],
    [
      "networks that hold a part",
      ["160.0.0.0/3", "10.0.0.0/8", "fe80:0:0:0:0:0:0:0/9"],
      ["169.254.0.0/16", "10.1.0.0/16", "10.2.3.4/32", "FE80::/10"],
      {
        "160.0.0.0/3": ["169.254.0.0/16"],
        "10.0.0.0/8": ["10.1.0.0/16", "10.2.3.4/32"],
        "fe80:0:0:0:0:0:0:0/9": ["FE80::/10"],
      },
    ],
    [
      "the very network, and a part of it: what is named is meant",
      ["169.254.0.0/16", "169.254.169.254/32"],
      ["169.254.0.0/16"],
      { "169.254.0.0/16": undefined, "169.254.169.254/32": undefined },
    ],
  ])("leaves out of its networks what they hold: %s", async (_, cidrs, except, blocks) => {
    const policy = only(await render(await file({ networkPolicy: { enabled: true, cidrs, except } })), "NetworkPolicy");
    const to = listAt(policy, "spec", "egress").flatMap((rule) => listAt(rule, "to"));
    expect(
      Object.fromEntries(to.map((peer) => [textAt(peer, "ipBlock", "cidr"), fieldAt(peer, "ipBlock", "except")])),
    ).toEqual(blocks);
  });

  it("names each label and annotation once, and takes what is said last", async () => {
    const objects = await render(
      await file({
        commonLabels: { team: "platform" },
        podLabels: { team: "healers" },
        podAnnotations: { "checksum/config": "mine", more: "x" },
        monitoring: {
          prometheusRule: { enabled: true, labels: { team: "watchers" } },
          dashboard: { enabled: true, labels: { team: "painters", grafana_dashboard: "2" } },
        },
      }),
    );
    const template = mapAt(only(objects, "CronJob"), "spec", "jobTemplate", "spec", "template", "metadata");
    expect(only(objects, "CronJob").metadata.labels).toMatchObject({ team: "platform" });
    expect(template).toMatchObject({
      labels: { team: "healers", "app.kubernetes.io/name": "stanch" },
      annotations: { "checksum/config": "mine", more: "x" },
    });
    expect(only(objects, "Pod").metadata.labels).toMatchObject({ team: "healers" });
    expect(only(objects, "PrometheusRule").metadata.labels).toMatchObject({ team: "watchers" });
    const map = objects.find((object) => object.metadata.name === "stanch-dashboard");
    expect(map?.metadata.labels).toMatchObject({ team: "painters", grafana_dashboard: "2" });
  });

  it("names each environment variable once: extraEnv takes the place of the chart's own", async () => {
    const elsewhere = { secretKeyRef: { name: "vault", key: "k" } };
    const pod = podOf(
      await render(
        await file({
          github: { existingSecret: "mine" },
          proxy: { http: "http://proxy.example.com", https: "http://proxy.example.com" },
          extraEnv: [
            { name: "GITHUB_TOKEN", valueFrom: elsewhere },
            { name: "HTTPS_PROXY", valueFrom: elsewhere },
            { name: "NO_PROXY", value: ".acme.example" },
            { name: "MORE", value: "1" },
          ],
        }),
      ),
    );
    const names = listAt(container(pod), "env").map((entry) => textAt(entry, "name"));
    expect(new Set(names).size).toBe(names.length);
    const variables = environment(pod);
    expect(variables).toMatchObject({
      STANCH_CONFIG: "/etc/stanch/stanch.yaml",
      GITHUB_TOKEN: elsewhere,
      HTTPS_PROXY: elsewhere,
      NO_PROXY: ".acme.example",
      http_proxy: "http://proxy.example.com",
      MORE: "1",
    });
    // A program that reads the other spelling must not find what was replaced.
    expect(names).not.toContain("https_proxy");
    expect(names).not.toContain("no_proxy");
  });

  it("takes hostile values as text", async () => {
    const hostile = '{{ fail "no" }}\n- kind: Secret\n"\'';
    const objects = await render(
      await file({ config: { github: { authorName: "a: {{ x }} # b" } }, podAnnotations: { a: hostile } }),
    );
    expect(parseConfig(String(fieldAt(only(objects, "ConfigMap"), "data", "stanch.yaml"))).github.authorName).toBe(
      "a: {{ x }} # b",
    );
    const annotations = mapAt(
      only(objects, "CronJob"),
      "spec",
      "jobTemplate",
      "spec",
      "template",
      "metadata",
      "annotations",
    );
    expect(annotations?.["a"]).toBe(hostile);
  });

  it("takes alerts and dashboard as they are, templates of others in them", async () => {
    const chart = join(folder, "monitored");
    await cp(CHART, chart, { recursive: true });
    const groups = [
      {
        name: "g",
        rules: [{ alert: "A", expr: "up == 0", annotations: { summary: "{{ $value }} in {{ $labels.x }}" } }],
      },
    ];
    const dashboard = JSON.stringify({ title: "Stanch", expr: '{{ instance }} "quoted"' }, null, 2);
    await writeFile(join(chart, "files/monitoring/alerts.yaml"), `# a comment\n${stringify({ groups })}`);
    await writeFile(join(chart, "files/monitoring/dashboard.json"), dashboard);
    const values = await file({
      monitoring: {
        prometheusRule: { enabled: true, labels: { release: "prometheus" } },
        dashboard: { enabled: true },
      },
    });
    const objects = await render(values, { chart });
    const rule = only(objects, "PrometheusRule");
    expect(fieldAt(rule, "spec")).toEqual({ groups });
    expect(rule.metadata.labels).toMatchObject({ release: "prometheus" });
    const map = objects.find((object) => object.metadata.name === "stanch-dashboard");
    expect(map?.metadata.labels).toMatchObject({ grafana_dashboard: "1" });
    expect(JSON.parse(String(fieldAt(map, "data", "stanch.json")))).toEqual(JSON.parse(dashboard));
    const named = (all: readonly KubeObject[]): string[] => all.map((object) => object.metadata.name);
    expect(named(await render(await file({}), { chart }))).not.toContain("stanch-dashboard");
  });

  it("has alerts and a dashboard of its own", async () => {
    const monitoring = { prometheusRule: { enabled: true }, dashboard: { enabled: true } };
    const objects = await render(await file({ monitoring }));
    const alerts = parse(await readFile(join(CHART, "files/monitoring/alerts.yaml"), "utf8"));
    expect(fieldAt(only(objects, "PrometheusRule"), "spec", "groups")).toEqual(alerts.groups);
    const map = objects.find((object) => object.metadata.name === "stanch-dashboard");
    expect(JSON.parse(String(fieldAt(map, "data", "stanch.json")))).toHaveProperty("title");
  });

  it("keeps names within what Kubernetes takes", async () => {
    const release = `r${"e".repeat(51)}`;
    const objects = await render(await file({ config: { mode: "remediate" }, write: { enabled: true } }), { release });
    // A CronJob adds eleven characters for its Jobs, which have 63 at most.
    expect(only(objects, "CronJob").metadata.name.length).toBeLessThanOrEqual(52);
    for (const object of objects) {
      expect(object.metadata.name.length).toBeLessThanOrEqual(63);
      for (const label of Object.values(object.metadata.labels ?? {})) expect(label.length).toBeLessThanOrEqual(63);
    }
  });

  it.each([
    ["a dot", `${"n".repeat(44)}.more`, "n".repeat(44)],
    ["several signs", `${"n".repeat(42)}.a--b`, `${"n".repeat(42)}.a`],
    ["nothing", "healer.acme", "healer.acme"],
  ])("a name that is cut at %s ends in a letter or digit", async (_, fullnameOverride, name) => {
    const objects = await render(await file({ fullnameOverride }));
    expect(only(objects, "CronJob").metadata.name).toBe(name);
  });
});

describe.skipIf(!hasHelm)("what the notes say", () => {
  /** Notes are printed at installation only: a copy of the chart renders them as a ConfigMap. */
  async function notes(values: object, upgrade = false): Promise<string> {
    const chart = join(folder, "noting");
    await cp(CHART, chart, { recursive: true });
    await writeFile(
      join(chart, "templates/noted.yaml"),
      'apiVersion: v1\nkind: Noted\nmetadata: { name: notes }\ntext: {{ include "stanch.notes" . | toJson }}\n',
    );
    return String(only(await render(await file(values), { chart, upgrade }), "Noted")["text"]);
  }

  it("names the next step and how to stop at once", async () => {
    const text = await notes({});
    expect(text).toContain("looks at every namespace (*/5 * * * *) in mode observe.");
    expect(text).toContain("changes nothing: neither in the cluster nor in Git");
    expect(text).toContain("kubectl -n stanch-system create job --from=cronjob/stanch stanch-now");
    expect(text).toContain(`kubectl -n stanch-system patch cronjob stanch -p '{"spec":{"suspend":true}}'`);
    expect(text).toContain("keeps the CustomResourceDefinitions and with them every Incident");
    expect(text).not.toContain("WARNING");
  });

  it.each<[string, object, string]>([
    ["no write half", { config: { mode: "remediate" }, github: { existingSecret: "s" } }, "NOTHING IS CHANGED LIVE"],
    ["no credentials", { config: { mode: "propose" } }, "no GitHub credentials are configured"],
    ["a model without a key", { config: { model: { enabled: true } } }, "no model is asked"],
    [
      "a write half for nothing",
      { config: { mode: "propose" }, write: { enabled: true } },
      "the right to it is not granted before",
    ],
    ["definitions that go", { crds: { keep: false } }, "AND WITH THEM EVERY INCIDENT"],
    [
      "Secrets that may be read",
      { config: { observe: { secrets: "names" } } },
      "the account may list Secrets, and so read them",
    ],
    ["rights of one's own", { rbac: { create: false } }, "hold no rights but those that you grant"],
    ["named namespaces", { config: { scope: { namespaces: ["shop"] } } }, "looks at shop ("],
    [
      "a receiver behind the network policy",
      {
        config: { metrics: { pushgateway: { url: "http://pushgateway.monitoring.svc:9091" } } },
        networkPolicy: { enabled: true },
      },
      "keeps it from pushgateway.monitoring.svc:9091: port 9091",
    ],
    [
      "a model behind it",
      { config: { model: { baseUrl: "http://ollama.models.svc:11434/v1" } }, networkPolicy: { enabled: true } },
      "keeps it from ollama.models.svc:11434",
    ],
    [
      "a proxy behind it",
      { proxy: { https: "http://proxy.example.com" }, networkPolicy: { enabled: true } },
      "keeps it from proxy.example.com: port 80",
    ],
    ["suspension", { cronJob: { suspend: true } }, "but it is suspended"],
  ])("tells of %s", async (_, values, said) => {
    expect(await notes(values)).toContain(said);
  });

  it("an upgrade without the write half says what becomes of what stands live; nothing else does", async () => {
    const said = "cannot be taken back without the write half";
    const remediate = { config: { mode: "remediate" }, github: { existingSecret: "s" } };
    expect(await notes({ config: { mode: "propose" }, github: { existingSecret: "s" } }, true)).toContain(said);
    expect(await notes(remediate, true)).toContain(said);
    expect(await notes({ ...remediate, write: { enabled: true } }, true)).not.toContain(said);
    expect(await notes(remediate)).not.toContain(said);
  });

  it("says nothing of what the network policy lets through", async () => {
    const config = {
      metrics: { otlp: { endpoint: "https://otel.example.com" } },
      notify: { receivers: [{ name: "relay", type: "webhook", url: "https://relay.example.com:6443/x" }] },
    };
    expect(await notes({ config, networkPolicy: { enabled: true } })).not.toContain("WARNING");
    const metrics = { otlp: { endpoint: "http://otel-collector.monitoring.svc:4318" } };
    const extraEgress = [{ ports: [{ port: 4318, protocol: "TCP" }] }];
    expect(await notes({ config: { metrics }, networkPolicy: { enabled: true, extraEgress } })).not.toContain(
      "WARNING",
    );
    expect(await notes({ config: { metrics } })).not.toContain("WARNING");
  });

  it("does not ask for credentials that come another way", async () => {
    const extraEnv = [{ name: "GITHUB_TOKEN", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }];
    expect(await notes({ config: { mode: "propose" }, extraEnv })).not.toContain("WARNING");
    const key = [{ name: "ANTHROPIC_API_KEY", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }];
    const config = { model: { enabled: true } };
    expect(await notes({ config, extraEnv: key })).not.toContain("WARNING");
    expect(await notes({ config, model: { existingSecret: "s" } })).not.toContain("WARNING");
  });
});

describe.skipIf(!hasHelm)("the plain manifests are what the chart renders (npm run generate)", () => {
  it("all of them", async () => {
    const files = Object.entries((await manifests()) ?? {});
    expect(files).toHaveLength(3);
    for (const [path, text] of files)
      expect(await readFile(new URL(`../../${path}`, import.meta.url), "utf8"), path).toBe(text);
  });
});
