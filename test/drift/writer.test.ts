import { describe, expect, it } from "vitest";
import { compareObjects } from "../../src/drift/compare.ts";
import type { Writer } from "../../src/drift/model.ts";
import { type Deploys, writerOf } from "../../src/drift/writer.ts";
import { formatPath } from "../../src/kube/field-path.ts";
import type { FieldPath, Json, KubeObject } from "../../src/model.ts";
import { managed, object } from "./objects.ts";
import { plant } from "./planting.ts";
import { DEPLOYMENT } from "./sources.ts";

describe("who a field manager is", () => {
  it.each([
    ["stanch", "", "flux", "stanch"],
    ["kubectl-edit", "", "kustomization", "person"],
    ["kubectl-client-side-apply", "", "kustomization", "person"],
    ["kubectl-client-side-apply", "", "configuration", "deployer"],
    ["kubectl", "", "argocd", "person"],
    ["kubectl", "", "configuration", "deployer"],
    ["kubectl", "scale", "configuration", "person"],
    ["kubectl-scale", "scale", "kustomization", "person"],
    ["Lens", "", "argocd", "person"],
    ["k9s", "", "argocd", "person"],
    ["Mozilla", "", "argocd", "person"],
    ["argocd-server", "", "argocd", "person"],
    ["argocd-controller", "", "argocd", "deployer"],
    ["argocd-controller", "", "kustomization", "controller"],
    ["kustomize-controller", "", "kustomization", "deployer"],
    ["helm-controller", "", "helmrelease", "deployer"],
    ["helm", "", "helmrelease", "unknown"],
    ["helm", "", "configuration", "deployer"],
    ["kube-controller-manager", "scale", "kustomization", "autoscaler"],
    ["kube-controller-manager", "", "kustomization", "controller"],
    ["vpa-updater", "", "kustomization", "autoscaler"],
    ["keda-operator", "", "kustomization", "autoscaler"],
    ["cainjector", "", "kustomization", "controller"],
    ["prometheus-operator", "", "kustomization", "controller"],
    ["python-requests", "", "kustomization", "unknown"],
    ["", "", "kustomization", "unknown"],
  ] as const)("%s %s of %s is %s", (manager, subresource, deploys, writer: Writer) => {
    const seen = writerOf({ manager, subresource }, deploys === "flux" ? "kustomization" : (deploys as Deploys));
    expect(seen).toBe(writer);
  });
});

describe("what a person reads, edits and writes back by kubectl replace", () => {
  const IMAGE = "spec.template.spec.containers[name=app].image";
  const DEBUG = "spec.template.spec.containers[name=app].env[name=DEBUG]";
  const container: FieldPath = ["spec", "template", "spec", "containers", { by: "name", value: "app" }];
  const NOTE = "kubectl.kubernetes.io/last-applied-configuration";
  const declared = object(DEPLOYMENT);
  const created = "2026-01-01T00:00:00Z";
  const noted = {
    ...declared.metadata,
    creationTimestamp: created,
    annotations: { [NOTE]: JSON.stringify(declared) },
  };
  /** As `kubectl apply` leaves it: the note is a field of whoever wrote it. */
  const applied = (manager = "kubectl-client-side-apply"): KubeObject => ({
    ...declared,
    metadata: { ...noted, managedFields: [managed(manager, "Update", { ...declared, metadata: noted })] },
  });
  const replaced = (from: KubeObject, manager = "kubectl-replace", time = "2026-02-01T00:00:00Z"): KubeObject => {
    const once = plant(from, [...container, "image"], "example.com/hacked:1", manager, { time });
    const step = { by: "name", value: "DEBUG" };
    return plant(once, [...container, "env", step], { name: "DEBUG", value: "1" }, manager, { time });
  };
  const told = (live: KubeObject, deploys: Deploys = "configuration") =>
    compareObjects(declared, live, { deploys }).differences.map(
      ({ path, by, own }) => `${formatPath(path)} ${by.writer} ${by.manager ?? ""}${own === true ? " own" : ""}`,
    );
  const both = [`${IMAGE} person kubectl-replace`, `${DEBUG} person kubectl-replace`];

  it("is theirs, where kubectl apply deployed it", () => {
    expect(told(replaced(applied()))).toEqual(both);
    expect(told(replaced(applied(), "kubectl-edit"))).toEqual(both.map((line) => line.replace("replace", "edit")));
    // Within the second in which it was applied, too.
    expect(told(replaced(applied(), "kubectl-replace", created))[0]).toBe(both[0]);
  });

  it.each([
    ["configuration", "kubectl-client-side-apply"],
    ["argocd", "argocd-controller"],
  ] as const)("is theirs, and nobody's defaults are drift, where replace rewrote the note (%s)", (deploys, manager) => {
    // As the API server has it: the object was made whole with its defaults, and kubectl notes all that it sends.
    const whole = {
      ...declared,
      spec: { ...(declared["spec"] as object), progressDeadlineSeconds: 600, revisionHistoryLimit: 10 },
    } as unknown as KubeObject;
    const live = {
      ...whole,
      metadata: { ...noted, managedFields: [managed(manager, "Update", { ...whole, metadata: noted })] },
    };
    const edited = replaced(live);
    const note = JSON.stringify({ ...edited, metadata: declared.metadata });
    const rewritten = plant(edited, ["metadata", "annotations", NOTE], note, "kubectl-replace", {
      time: "2026-02-01T00:00:00Z",
    });
    expect(told(live, deploys)).toEqual([]);
    expect(told(rewritten, deploys)).toEqual(both);
  });

  it("is theirs, where server-side apply deployed it, by hand or by an engine", () => {
    const server = (manager: string): KubeObject => ({
      ...declared,
      metadata: {
        ...declared.metadata,
        creationTimestamp: created,
        managedFields: [managed(manager, "Apply", declared)],
      },
    });
    expect(told(replaced(server("kubectl")))).toEqual(both);
    expect(told(replaced(server("kustomize-controller")), "kustomization")).toEqual(both);
    expect(told(replaced(server("argocd-controller")), "argocd")).toEqual(both);
  });

  it("is the deployer's where nothing but replace deploys, and what that did not say is a default", () => {
    const made = { ...declared.metadata, creationTimestamp: created };
    const more = { ...declared, spec: { ...(declared["spec"] as object), paused: false } } as unknown as KubeObject;
    const live = { ...more, metadata: { ...made, managedFields: [managed("kubectl-replace", "Update", more)] } };
    expect(told(live)).toEqual([]);
    expect(told(plant(live, [...container, "image"], "example.com/app:0", "kubectl-replace"))).toEqual([
      `${IMAGE} deployer kubectl-replace`,
    ]);
  });

  it("is no webhook's; what a webhook changed of what was applied still is, however the object was made", () => {
    const mutated = (live: KubeObject): KubeObject => plant(live, [...container, "image"], "mirror/app:1", null);
    const webhook = [`${IMAGE} webhook  own`];
    expect(told(mutated(applied()))).toEqual(webhook);
    expect(told(mutated(applied("kubectl-create")))).toEqual(webhook);
    // Made by hand, and applied later: the note is all that the apply changed.
    for (const manager of ["kubectl-create", "kubectl-replace"]) {
      const adopted: KubeObject = {
        ...declared,
        metadata: {
          ...noted,
          managedFields: [
            managed(manager, "Update", declared),
            managed("kubectl-client-side-apply", "Update", { metadata: noted }, { time: "2026-01-02T00:00:00Z" }),
          ],
        },
      };
      expect([manager, told(mutated(adopted))]).toEqual([manager, webhook]);
      expect([manager, told(adopted)]).toEqual([manager, []]);
    }
  });
});

const live = (): KubeObject => {
  const declared = object(DEPLOYMENT);
  return {
    ...declared,
    metadata: { ...declared.metadata, managedFields: [managed("kustomize-controller", "Apply", declared)] },
  };
};

describe("of several hands", () => {
  it("the last that is not the deployer counts, with its time", () => {
    const once = plant(live(), ["spec", "replicas"], 3, "kubectl-scale", { time: "2026-03-01T00:00:00Z" });
    const twice = {
      ...once,
      metadata: {
        ...once.metadata,
        managedFields: [
          ...(once.metadata.managedFields ?? []),
          {
            manager: "Lens",
            operation: "Update",
            time: "2026-03-02T00:00:00Z",
            fieldsV1: { "f:spec": { "f:replicas": {} } },
          },
        ],
      },
    };
    const { differences } = compareObjects(object(DEPLOYMENT), twice, { deploys: "kustomization" });
    expect(differences).toMatchObject([{ by: { writer: "person", manager: "Lens", at: "2026-03-02T00:00:00Z" } }]);
  });

  it("without managedFields nobody is named, and drift is found all the same", () => {
    const { managedFields: _, ...metadata } = live().metadata;
    const bare = { ...live(), metadata, spec: { ...(live()["spec"] as object), replicas: 9 } } as KubeObject;
    expect(compareObjects(object(DEPLOYMENT), bare, { deploys: "kustomization" }).differences).toEqual([
      { path: ["spec", "replicas"], git: 2, live: 9, by: { writer: "unknown" } },
    ]);
  });

  it("broken managedFields and annotations break nothing", () => {
    for (const fieldsV1 of [
      null,
      [],
      "x",
      { "k:{": {} },
      { "f:spec": { "f:template": null } },
      { "f:spec": 5 },
    ] as Json[]) {
      const odd = {
        ...live(),
        metadata: {
          ...live().metadata,
          annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{not json" },
          managedFields: [{ manager: "x", fieldsV1 }],
        },
      };
      expect(compareObjects(object(DEPLOYMENT), odd, { deploys: "kustomization" }).differences).toEqual([]);
    }
  });

  it("a person who applies a file of their own is found by what was applied last", () => {
    const applied = {
      ...object(DEPLOYMENT),
      spec: { ...(object(DEPLOYMENT)["spec"] as object), minReadySeconds: 9 },
    } as unknown as KubeObject;
    const mine = {
      ...applied,
      metadata: {
        ...applied.metadata,
        annotations: { "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(applied) },
        managedFields: [
          managed("argocd-controller", "Update", object(DEPLOYMENT)),
          managed("kubectl-client-side-apply", "Update", { spec: { minReadySeconds: 9 } }),
        ],
      },
    };
    expect(compareObjects(object(DEPLOYMENT), mine, { deploys: "argocd" }).differences).toMatchObject([
      { path: ["spec", "minReadySeconds"], live: 9, by: { writer: "person", manager: "kubectl-client-side-apply" } },
    ]);
  });

  it("who made an object by hand before an engine took it over owns its defaults, and changed nothing", () => {
    const whole = {
      ...live(),
      spec: { ...(live()["spec"] as object), progressDeadlineSeconds: 600, strategy: { type: "RollingUpdate" } },
    } as KubeObject;
    const adopted = {
      ...whole,
      metadata: {
        ...whole.metadata,
        managedFields: [
          managed("kubectl-create", "Update", whole),
          managed("argocd-controller", "Apply", object(DEPLOYMENT)),
        ],
      },
    };
    expect(compareObjects(object(DEPLOYMENT), adopted, { deploys: "argocd" }).differences).toEqual([]);
  });

  it("zero values and defaults that an engine's types bring along are none of Git's", () => {
    const declared = object(DEPLOYMENT);
    const typed = object(
      DEPLOYMENT.replace("metadata: {labels: {app: app}}", "metadata: {labels: {app: app}, annotations: {}}")
        .replace("containerPort: 80", "containerPort: 80, protocol: TCP")
        .replace("  replicas: 2", "  replicas: 2\n  strategy: {}"),
    );
    const applied = {
      ...typed,
      metadata: { ...typed.metadata, managedFields: [managed("kustomize-controller", "Apply", typed)] },
    };
    expect(compareObjects(declared, applied, { deploys: "kustomization" }).differences).toEqual([]);
  });

  it("what the deployer applied and Git does not declare any more is told", () => {
    const declared = object(DEPLOYMENT);
    const more = { ...declared, spec: { ...(declared["spec"] as object), minReadySeconds: 5 } } as KubeObject;
    const applied = {
      ...more,
      metadata: { ...more.metadata, managedFields: [managed("kustomize-controller", "Apply", more)] },
    };
    expect(compareObjects(declared, applied, { deploys: "kustomization" }).differences).toMatchObject([
      { path: ["spec", "minReadySeconds"], live: 5, by: { writer: "deployer" } },
    ]);
  });
});
