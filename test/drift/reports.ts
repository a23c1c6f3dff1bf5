import type { DriftField, DriftItem, DriftReport, RootReport } from "../../src/drift/model.ts";

export function field(change: Partial<DriftField> = {}): DriftField {
  return {
    path: ["spec", "replicas"],
    text: "spec.replicas",
    git: { value: 2 },
    live: { value: 3 },
    by: { writer: "person", manager: "kubectl-edit", at: "2026-01-01T10:00:00Z" },
    location: { file: "deploy/app.yaml", line: 7 },
    ...change,
  };
}

export function item(change: Partial<DriftItem> = {}): DriftItem {
  return {
    object: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" },
    class: "drift",
    text: "Somebody changed one field.",
    fields: [field()],
    more: 0,
    folded: 0,
    location: { file: "deploy/app.yaml", line: 1 },
    ...change,
  };
}

export function root(change: Partial<RootReport> = {}): RootReport {
  return {
    id: "acme/shop//deploy",
    repository: "acme/shop",
    branch: "main",
    path: "deploy",
    tool: "plain",
    owner: { kind: "Kustomization", namespace: "flux-system", name: "shop" },
    deployed: "a".repeat(40),
    head: "a".repeat(40),
    compared: 3,
    inSync: 2,
    items: [item()],
    ...change,
  };
}

export function report(change: Partial<DriftReport> = {}): DriftReport {
  return {
    version: 1,
    cluster: "prod",
    takenAt: "2026-01-01T12:00:00.000Z",
    stanch: "0.3.0",
    mode: "server",
    roots: [root()],
    gaps: [],
    hidden: [],
    ...change,
  };
}
