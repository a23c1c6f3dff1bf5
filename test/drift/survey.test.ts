import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { endOf } from "../../src/drift/end.ts";
import type { DriftItem, DriftReport } from "../../src/drift/model.ts";
import { StanchError } from "../../src/errors.ts";
import type { Incident } from "../../src/incident/incident.ts";
import type { KubeObject } from "../../src/model.ts";
import { deployment, REPOSITORY } from "../pipeline/world.ts";
import { application, DEPLOYMENTS, kustomization, type SurveyWorld, surveyWorld } from "./survey-world.ts";

const IMAGE = "/spec/template/spec/containers/0/image";
const APP = { kind: "Deployment", name: "app", path: DEPLOYMENTS };
const replace = (path: string, value: unknown) => [{ op: "replace", path, value }];

let at: SurveyWorld;

beforeEach(async () => {
  at = await surveyWorld({
    "apps/app.yaml": deployment({ memory: "256Mi" }),
    "apps/settings.yaml":
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata: {color: blue}\n",
    "apps/keys.yaml":
      "apiVersion: v1\nkind: Secret\nmetadata: {name: keys, namespace: shop}\ndata: {password: Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5}\n",
  });
  await at.world.deploy();
}, 30_000);
afterEach(() => at[Symbol.asyncDispose]());

const items = (report: DriftReport): readonly DriftItem[] => report.roots.flatMap((root) => root.items);
const told = (report: DriftReport): string[] =>
  items(report).map(({ object, class: kind, fields }) =>
    `${object.name} ${kind} ${fields.map(({ text }) => text).join(",")}`.trim(),
  );
const commit = (files: Record<string, string | null>) =>
  at.world.host.commit(REPOSITORY, "main", files as Record<string, string>, { message: "Change", date: new Date() });

describe("the deployed commit and the head", () => {
  it("source 22: what is merged and not deployed yet is pending, and no drift", async () => {
    const deployed = await at.head();
    await commit({ "apps/app.yaml": deployment({ memory: "512Mi" }), "apps/new.yaml": deployment({ name: "new" }) });
    const report = await at.survey({ deployers: [kustomization(deployed)] });
    expect(told(report)).toEqual([
      "app pending spec.template.spec.containers[name=app].resources.limits.memory",
      "new pending",
    ]);
    expect(report.roots[0]).toMatchObject({ deployed, head: await at.head() });
    expect(endOf(report)).toBe("pending");
  });

  it("and what a person changed meanwhile is drift all the same", async () => {
    const deployed = await at.head();
    await commit({ "apps/app.yaml": deployment({ memory: "512Mi" }) });
    await at.edit(APP, replace(IMAGE, "example.com/app:1.1.0"), "kubectl-edit");
    expect(told(await at.survey({ deployers: [kustomization(deployed)] }))).toEqual([
      "app drift spec.template.spec.containers[name=app].image",
    ]);
  });

  it("live that is what the head says already is only not deployed", async () => {
    const deployed = await at.head();
    await commit({ "apps/app.yaml": deployment({ memory: "256Mi", image: "example.com/app:1.1.0" }) });
    await at.edit(APP, replace(IMAGE, "example.com/app:1.1.0"), "kubectl-edit");
    expect(told(await at.survey({ deployers: [kustomization(deployed)] }))).toEqual([]);
  });

  it("an object that the head took out is pending, and one that nobody declares any more is extra", async () => {
    const deployed = await at.head();
    await commit({ "apps/settings.yaml": null });
    expect(told(await at.survey({ deployers: [kustomization(deployed)] }))).toEqual(["settings pending"]);
    const inventory = {
      entries: [
        { id: "shop_settings__ConfigMap", v: "v1" },
        { id: "shop_app_apps_Deployment", v: "v1" },
      ],
    };
    const now = kustomization(await at.head(), { object: { status: { inventory } } });
    const report = await at.survey({ deployers: [now] });
    expect(told(report)).toEqual(["settings extra"]);
    expect(endOf(report)).toBe("drift");
    const marked = {
      op: "add",
      path: "/metadata/annotations",
      value: { "kustomize.toolkit.fluxcd.io/prune": "disabled" },
    };
    await at.edit(
      { kind: "ConfigMap", name: "settings", path: "api/v1/namespaces/shop/configmaps" },
      [marked],
      "kubectl-edit",
    );
    const kept = await at.survey({ deployers: [now] });
    expect(told(kept)).toEqual([]);
    expect(kept.hidden.map(({ rule }) => rule)).toContain(
      "objects annotated kustomize.toolkit.fluxcd.io/prune: disabled",
    );
  });

  it("a commit that is on no branch is an error, and never no drift", async () => {
    const report = await at.survey({ deployers: [kustomization("0123456789012345678901234567890123456789")] });
    expect(report.roots[0]?.error).toMatch(/the deployed commit 012345678901 is on no branch/);
    expect(endOf(report)).toBe("error");
  });

  it("where nobody says what is deployed, what only the deployer wrote is what Git said then", async () => {
    await commit({ "apps/app.yaml": deployment({ memory: "512Mi" }) });
    const relabelled = (await at.world.api.get({
      apiVersion: "apps/v1",
      kind: "Deployment",
      namespace: "shop",
      name: "app",
    })) as KubeObject;
    const owned = {
      ...relabelled,
      metadata: {
        ...relabelled.metadata,
        managedFields:
          relabelled.metadata.managedFields?.map((entry) => ({ ...entry, manager: "kustomize-controller" })) ?? [],
      },
    };
    const report = await at.survey({
      deployers: [kustomization(undefined)],
      wrap: (api) => ({
        ...api,
        list: async function* (resource, options) {
          for await (const page of api.list(resource, options))
            yield page.map((each) => (each.metadata.name === "app" && resource.kind === "Deployment" ? owned : each));
        },
      }),
    });
    expect(told(report)).toEqual(["app pending spec.template.spec.containers[name=app].resources.limits.memory"]);
  });
});

describe("who rests, and who claims", () => {
  it("source 32: a suspended owner is said once and not compared", async () => {
    await at.edit(APP, replace(IMAGE, "example.com/app:1.1.0"), "kubectl-edit");
    const report = await at.survey({
      deployers: [kustomization(await at.head(), { object: { spec: { suspend: true } } })],
    });
    expect(report.roots).toMatchObject([
      { compared: 0, items: [{ class: "suspended", object: { kind: "Kustomization" } }] },
    ]);
    expect(endOf(report)).toBe("clean");
  });

  it("source 32: an object that its deployer leaves alone is suspended, or only there", async () => {
    const annotated = (value: string): string =>
      deployment({ memory: "256Mi", annotations: `  annotations: {kustomize.toolkit.fluxcd.io/ssa: ${value}}\n` });
    await at.edit(APP, replace(IMAGE, "example.com/app:1.1.0"), "kubectl-edit");
    for (const value of ["Ignore", "IfNotPresent"]) {
      await commit({ "apps/app.yaml": annotated(value) });
      const report = await at.survey({ deployers: [kustomization(await at.head())] });
      expect([value, told(report)]).toEqual([value, []]);
      expect(report.hidden.map(({ rule }) => rule)).toContain(
        `objects annotated kustomize.toolkit.fluxcd.io/ssa: ${value}`,
      );
    }
    await commit({ "apps/app.yaml": annotated("Merge") });
    const live = { op: "add", path: "/metadata/annotations/kustomize.toolkit.fluxcd.io~1reconcile", value: "disabled" };
    await at.edit(APP, [live], "kubectl-annotate");
    expect(told(await at.survey({ deployers: [kustomization(await at.head())] }))).toEqual(["app suspended"]);
  });

  it("source 9: replicas that an autoscaler moves are a conflict, whoever wrote them, and without one drift", async () => {
    await at.edit(APP, replace("/spec/replicas", 4), "kubectl-scale");
    expect(told(await at.survey())).toEqual(["app drift spec.replicas"]);
    const hpa = {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "app", namespace: "shop" },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "app" },
        minReplicas: 1,
        maxReplicas: 5,
      },
    };
    at.world.cluster.apply([hpa]);
    const report = await at.survey();
    expect(told(report)).toEqual(["app conflict spec.replicas"]);
    expect(endOf(report)).toBe("clean");
    await at.edit(APP, replace(IMAGE, "example.com/app:1.1.0"), "kubectl-edit");
    expect(told(await at.survey())).toEqual(["app drift spec.template.spec.containers[name=app].image"]);
  });

  it("a hotfix of an open incident is none of a person's, and a later hand in it is", async () => {
    await at.edit(APP, replace(IMAGE, "example.com/app:1.1.0"), "stanch");
    const change = {
      object: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" },
      path: ["spec", "template", "spec", "containers", { by: "name", value: "app" }, "image"],
      from: "example.com/app:1.0.0",
      to: "example.com/app:1.1.0",
    };
    const incident = {
      metadata: { namespace: "shop", name: "app-imagepull-1" },
      status: {
        phase: "Proposed",
        hotfix: { changes: [change], appliedAt: "", objects: {} },
        pullRequest: { number: 7, url: "https://github.com/acme/shop/pull/7" },
      },
    } as unknown as Incident;
    const report = await at.survey({ incidents: [incident] });
    expect(items(report)).toMatchObject([
      {
        class: "hotfix",
        incident: { name: "app-imagepull-1" },
        pullRequest: { number: 7 },
        fields: [{ by: { writer: "stanch" } }],
      },
    ]);
    expect(endOf(report)).toBe("pending");
    // Resolved, or changed again.
    const over = { ...incident, status: { ...incident.status, phase: "Resolved" } } as unknown as Incident;
    expect(told(await at.survey({ incidents: [over] }))).toEqual([
      "app drift spec.template.spec.containers[name=app].image",
    ]);
    await at.edit(APP, replace(IMAGE, "example.com/app:1.2.0"), "kubectl-edit");
    expect(told(await at.survey({ incidents: [incident] }))).toEqual([
      "app drift spec.template.spec.containers[name=app].image",
    ]);
  });
});

describe("roots", () => {
  it("source 26: of two sources of one Application that declare an object the last one wins", async () => {
    await commit({ "later/app.yaml": deployment({ memory: "256Mi" }), "apps/app.yaml": deployment({ memory: "1Mi" }) });
    const report = await at.survey({ deployers: [application({}, [{ path: "apps" }, { path: "later" }])] });
    expect(told(report)).toEqual([]);
    expect(report.hidden).toContainEqual({
      rule: "objects that a later source of the same Application declares, too",
      count: 1,
      repositories: [{ repository: REPOSITORY, count: 1 }],
    });
  });

  it("source 21: a label by which Argo CD tracks is laid over the manifest's", async () => {
    await commit({
      "apps/app.yaml": deployment({
        memory: "256Mi",
        annotations: "  labels: {app.kubernetes.io/instance: release}\n",
      }),
    });
    await at.edit(
      APP,
      [{ op: "add", path: "/metadata/labels", value: { "app.kubernetes.io/instance": "shop" } }],
      "argocd-controller",
    );
    expect(told(await at.survey({ deployers: [application({}, [{}])] }))).toEqual([]);
    await at.edit(APP, replace("/metadata/labels/app.kubernetes.io~1instance", "other"), "kubectl-label");
    expect(told(await at.survey({ deployers: [application({}, [{}])] }))).toEqual([
      'app drift metadata.labels["app.kubernetes.io/instance"]',
    ]);
  });

  it("source 25: an object is read in the version that Git names", async () => {
    await commit({ "apps/old.yaml": "apiVersion: v9\nkind: Gadget\nmetadata: {name: g, namespace: shop}\n" });
    const report = await at.survey();
    expect(items(report)).toMatchObject([{ class: "unknown", text: "The cluster does not serve Gadget of v9." }]);
    expect(endOf(report)).toBe("error");
  });

  it("an owner whose source cannot be known is an error of its own", async () => {
    const { ref, object } = kustomization(undefined);
    const owner = { kind: "flux" as const, name: "Kustomization flux-system/apps", ref };
    const report = await at.survey({
      deployers: [{ ref, object, origins: { found: false, owner, reason: "it names no source", hint: "set it" } }],
    });
    expect(report.roots).toMatchObject([{ id: owner.name, error: "it names no source (set it)" }]);
    expect(endOf(report)).toBe("error");
  });

  it("hooks are no part of it, and a Job that cleans up after itself is not missed", async () => {
    const job = (name: string, more: string): string =>
      `apiVersion: batch/v1\nkind: Job\nmetadata: {name: ${name}, namespace: shop${more}}\nspec: {ttlSecondsAfterFinished: 10, template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}\n`;
    await commit({
      "apps/hook.yaml": job("hook", ", annotations: {argocd.argoproj.io/hook: PreSync}"),
      "apps/job.yaml": job("brief", ""),
    });
    const report = await at.survey({ deployers: [application({}, [{}])] });
    expect(told(report)).toEqual([]);
    const repositories = [{ repository: REPOSITORY, count: 1 }];
    expect(report.hidden).toContainEqual({ rule: "hooks of Argo CD", count: 1, repositories });
  });

  it("a rule that is not understood is said of the sources that it is about, and one of nobody's of none", async () => {
    const rule = (jq: string) => ({ group: "apps", kind: "Deployment", jqPathExpressions: [jq] });
    const report = await at.survey({
      deployers: [application({ spec: { ignoreDifferences: [rule(".a | test(1)")] } }, [{}])],
      config: { drift: { ignore: [rule(".b | test(1)")] } },
    });
    const said = report.hidden.filter(({ rule }) => rule.includes("not understood"));
    expect(said.map(({ repositories }) => repositories?.map(({ repository }) => repository))).toEqual([
      [REPOSITORY],
      undefined,
    ]);
  });
});

describe("what is missing, or cannot be read", () => {
  it("an object that was deleted is missing, and its line is named", async () => {
    await at.world.api.delete({ apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "settings" });
    const report = await at.survey({ more: { locate: async () => null } });
    expect(items(report)).toMatchObject([{ class: "missing", location: { file: "apps/settings.yaml", line: 1 } }]);
    expect(endOf(report)).toBe("drift");
  });

  it("no secret of what somebody added is written into a copy of the source to find its line", async () => {
    const debug = { name: "debug", image: "a", env: [{ name: "DB_PASSWORD", value: "correct-horse-battery" }] };
    const add = [{ op: "add", path: "/spec/template/spec/containers/-", value: debug }];
    await at.edit(APP, add, "kubectl-edit");
    const sought: unknown[] = [];
    const locate = async (_: unknown, change: unknown) => {
      sought.push(change);
      return null;
    };
    expect(told(await at.survey({ more: { locate } }))).toEqual([expect.stringContaining("debug")]);
    expect(sought).toHaveLength(1);
    expect(JSON.stringify(sought)).not.toContain("correct-horse");
  });

  it("a kind that may not be read is unknown, object by object, and the rest is compared", async () => {
    at.world.cluster.deny({ group: "", verb: "list", resource: "configmaps" });
    at.world.cluster.deny({ group: "", verb: "get", resource: "configmaps" });
    const report = await at.survey();
    expect(told(report)).toEqual(["settings unknown"]);
    expect(report.roots[0]).toMatchObject({ compared: 3, inSync: 2 });
    expect(endOf(report)).toBe("error");
  });

  it("where lists are refused and single reads are not, the objects are read one by one", async () => {
    at.world.cluster.deny({ group: "", verb: "list", resource: "configmaps" });
    expect(told(await at.survey())).toEqual([]);
  });

  it("an API server that fails in the middle is an error of what it was asked for", async () => {
    const report = await at.survey({
      wrap: (api) => ({
        ...api,
        list: async function* (resource, options) {
          if (resource.kind === "Deployment")
            throw new StanchError("cluster", "cannot list deployments: etcdserver: timed out");
          yield* api.list(resource, options);
        },
      }),
    });
    expect(items(report)).toMatchObject([{ class: "unknown", text: expect.stringContaining("timed out") }]);
    expect(endOf(report)).toBe("error");
  });

  it("a gap of the deployers, and incidents that cannot be read, are gaps of the report", async () => {
    const report = await at.survey({
      deployers: [kustomization(await at.head())],
      gaps: ["applications cannot be read"],
      more: { incidents: () => Promise.reject(new StanchError("forbidden", "no right")) },
    });
    expect(report.gaps).toEqual(["applications cannot be read", expect.stringContaining("incidents cannot be read")]);
    expect(endOf(report)).toBe("error");
  });
});

describe("the second look", () => {
  it("what is as Git says by then is not reported", async () => {
    await at.edit(APP, replace(IMAGE, "example.com/app:1.1.0"), "kubectl-edit");
    const report = await at.survey({
      meanwhile: () => at.edit(APP, replace(IMAGE, "example.com/app:1.0.0"), "kubectl-edit"),
    });
    expect(told(report)).toEqual([]);
    expect(report.roots[0]).toMatchObject({ compared: 3, inSync: 3 });
  });

  it("an object whose controller has not seen its last change is left open", async () => {
    await at.edit(APP, replace(IMAGE, "example.com/app:1.1.0"), "kubectl-edit");
    const report = await at.survey({
      wrap: (api) => ({
        ...api,
        get: async (ref) => {
          const live = await api.get(ref);
          return live === null
            ? null
            : { ...live, status: { observedGeneration: (live.metadata.generation ?? 1) - 1 } };
        },
      }),
    });
    expect(items(report)).toMatchObject([
      { class: "unknown", text: expect.stringContaining("has not seen its last change") },
    ]);
  });

  it("a deployer that came to another revision meanwhile says nothing about drift", async () => {
    const deployed = await at.head();
    await at.edit(APP, replace(IMAGE, "example.com/app:1.1.0"), "kubectl-edit");
    const deployer = kustomization(deployed, { object: { status: { lastAppliedRevision: `main@sha1:${deployed}` } } });
    const report = await at.survey({
      deployers: [deployer],
      wrap: (api) => ({
        ...api,
        get: (ref) =>
          ref.kind === "Kustomization"
            ? Promise.resolve({ ...deployer.object, status: { lastAppliedRevision: "main@sha1:1" } })
            : api.get(ref),
      }),
    });
    expect(told(report)).toEqual(["app pending"]);
  });
});

describe("source 30: Secrets", () => {
  const KEYS = { kind: "Secret", name: "keys", path: "api/v1/namespaces/shop/secrets" };
  const changed = [{ op: "replace", path: "/data/password", value: Buffer.from("staple-staple").toString("base64") }];

  it("are only looked for unless that is allowed, and that is said", async () => {
    await at.edit(KEYS, changed, "kubectl-edit");
    const report = await at.survey();
    expect(told(report)).toEqual([]);
    expect(report.hidden).toContainEqual(
      expect.objectContaining({ rule: "Secrets: only whether they are there (drift.secrets)", count: 1 }),
    );
    await at.world.api.delete({ apiVersion: "v1", kind: "Secret", namespace: "shop", name: "keys" });
    expect(told(await at.survey())).toEqual(["keys missing"]);
    const none = await at.survey({ config: { observe: { secrets: "none" } } });
    expect(told(none)).toEqual([]);
    expect(none.hidden).toContainEqual(
      expect.objectContaining({ rule: "Secrets: not compared (drift.secrets, observe.secrets)", count: 1 }),
    );
  });

  it("show that they changed and nothing of what, in no output, error or log", async () => {
    await at.edit(KEYS, changed, "kubectl-edit");
    const report = await at.survey({ config: { drift: { secrets: true } } });
    const [item] = items(report);
    expect(item).toMatchObject({ class: "drift", fields: [{ text: "data.password", by: { writer: "person" } }] });
    const [field] = item?.fields ?? [];
    expect(Object.keys(field?.git ?? {})).toEqual(["hash"]);
    expect(field?.git).not.toEqual(field?.live);
    // Another run, another key: hashes of two reports cannot be put side by side.
    const again = await at.survey({ config: { drift: { secrets: true } } });
    expect(items(again)[0]?.fields[0]?.live).not.toEqual(field?.live);
    const all = JSON.stringify(report) + at.logged.join("");
    for (const secret of [
      "correct-horse",
      "staple-staple",
      ...["correct-horse-battery", "staple-staple"].map((text) => Buffer.from(text).toString("base64")),
    ])
      expect(all).not.toContain(secret);
  });

  it("source 27: what is encrypted in Git is not compared", async () => {
    await commit({
      "apps/keys.yaml":
        "apiVersion: v1\nkind: Secret\nmetadata: {name: keys, namespace: shop}\nstringData: {password: 'ENC[AES256_GCM,data:x]'}\nsops: {mac: x}\n",
    });
    const report = await at.survey({ config: { drift: { secrets: true } } });
    expect(told(report)).toEqual([]);
    expect(report.hidden).toContainEqual(
      expect.objectContaining({ rule: "Secrets that are encrypted in Git", count: 1 }),
    );
  });
});
