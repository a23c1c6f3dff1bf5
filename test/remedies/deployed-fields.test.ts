import { describe, expect, it } from "vitest";
import type { Change, FieldPath, Json } from "../../src/model.ts";
import { isDeployed, mayStopSync } from "../../src/remedies/deployed-fields.ts";

const change = (path: FieldPath, from?: Json, to?: Json): Change => ({
  object: { apiVersion: "source.toolkit.fluxcd.io/v1", kind: "GitRepository", namespace: "shop", name: "cart" },
  path,
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
});
const BRANCH = change(["spec", "ref", "branch"], "mian", "main");
const url = (from: string, to: string): Change => change(["spec", "url"], from, to);

describe("what a GitOps object deploys", () => {
  it.each([
    ["Application", "source"],
    ["Kustomization", "dependsOn"],
    ["GitRepository", "ref"],
    ["OCIRepository", "url"],
    ["HelmRepository", "url"],
  ])("%s: %s may go back", (kind, field) => expect(isDeployed(kind, field)).toBe(true));

  it.each([
    ["Application", "syncPolicy"],
    ["Kustomization", "serviceAccountName"],
    ["HelmRelease", "kubeConfig"],
    ["GitRepository", "secretRef"],
    ["HelmRepository", "insecure"],
    ["OCIRepository", "verify"],
    ["Deployment", "source"],
  ])("%s: %s is for people", (kind, field) => expect(isDeployed(kind, field)).toBe(false));
});

describe("why an engine cannot deploy", () => {
  it.each([
    'couldn\'t find remote ref "refs/heads/mian"',
    "failed to fetch https://charts.example.com/index.yaml : 404 Not Found",
    "unable to clone: dial tcp: lookup github.con: no such host",
    "Helm upgrade failed for release shop/cart with chart cart@1.2.3: context deadline exceeded",
  ])("may be the change: %s", (message) => expect(mayStopSync(BRANCH, message)).toBe(true));

  it.each([
    "dial tcp 140.82.121.4:443: i/o timeout",
    "unable to clone: context deadline exceeded",
    "dial tcp 10.0.0.9:443: connect: connection refused",
    'unexpected client error: unexpected requesting "https://github.com/acme/shop" status code: 503',
    "toomanyrequests: 429 Too Many Requests",
  ])("is a server that is away: %s", (message) => {
    expect(mayStopSync(BRANCH, message)).toBe(false);
    expect(mayStopSync(url("https://github.com/acme/shp", "https://github.com/acme/shop"), message)).toBe(false);
    // Unless the change leads to another server.
    expect(mayStopSync(url("https://github.corp/acme/shop", "https://github.com/acme/shop"), message)).toBe(true);
    expect(mayStopSync(url("ssh://git@github.com:2/a/b", "ssh://git@github.com/a/b"), message)).toBe(true);
  });

  it("is a project only where the message is about it", () => {
    const project = change(["spec", "project"], "payments", "default");
    expect(mayStopSync(project, "Application referencing project payments which does not exist")).toBe(true);
    expect(mayStopSync(project, "app path does not exist")).toBe(false);
    expect(mayStopSync(project, "application destination is not permitted in project 'payments'")).toBe(false);
  });
});
