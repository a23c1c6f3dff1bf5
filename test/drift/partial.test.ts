import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { endOf } from "../../src/drift/end.ts";
import type { DriftItem, DriftReport } from "../../src/drift/model.ts";
import { StanchError } from "../../src/errors.ts";
import type { KubeObject } from "../../src/model.ts";
import { deployment, REPOSITORY } from "../pipeline/world.ts";
import { application, DEPLOYMENTS, kustomization, type SurveyWorld, surveyWorld } from "./survey-world.ts";

let at: SurveyWorld;
const configMap = (name: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: shop}\ndata: {color: blue}\n`;

beforeEach(async () => {
  at = await surveyWorld({
    "apps/app.yaml": deployment({ memory: "256Mi" }),
    "more/settings.yaml": configMap("settings"),
  });
  await at.world.deploy();
  apply(configMap("settings"));
}, 30_000);
afterEach(() => at[Symbol.asyncDispose]());

const apply = (text: string): void => at.world.cluster.apply([parse(text) as KubeObject]);
const items = (report: DriftReport): readonly DriftItem[] => report.roots.flatMap((root) => root.items);
const told = (report: DriftReport): string[] =>
  items(report).map(({ object, class: kind }) => `${object.name} ${kind}`);

describe("a part of the sources", () => {
  it("that names none is wrong, and not clean", async () => {
    const asked = at.survey({ more: { roots: ["ap"] } });
    await expect(asked).rejects.toMatchObject({ code: "config", message: expect.stringContaining("ap") });
  });

  it("of nothing at all is an error, and not clean", async () => {
    const report = await at.survey({ deployers: [] });
    expect(report.gaps).toEqual([expect.stringContaining("no source is known that deploys")]);
    expect(endOf(report)).toBe("error");
  });

  it("of a deployer with several calls nothing extra that the others declare", async () => {
    const resources = [
      { version: "v1", kind: "ConfigMap", namespace: "shop", name: "settings" },
      { group: "apps", version: "v1", kind: "Deployment", namespace: "shop", name: "app" },
    ];
    const deployers = [application({ status: { resources } }, [{ path: "apps" }, { path: "more" }])];
    expect(told(await at.survey({ deployers }))).toEqual([]);
    expect(told(await at.survey({ deployers, more: { roots: ["apps"] } }))).toEqual([]);
  });

  it("that cannot be known is told to its repository", async () => {
    const { ref, object } = kustomization(undefined);
    const owner = { kind: "flux" as const, name: "Kustomization flux-system/apps", ref };
    const unknown = { found: false, owner, reason: "no", hint: "h", repository: REPOSITORY } as const;
    const report = await at.survey({ deployers: [{ ref, object, origins: unknown }] });
    expect(report.roots).toMatchObject([{ repository: REPOSITORY, error: "no (h)" }]);
  });

  it("that cannot be known and deploys where nobody looks is none of ours", async () => {
    const { ref, object } = kustomization(undefined);
    const owner = { kind: "flux" as const, name: "Kustomization flux-system/apps", ref };
    const unknown = { found: false, owner, reason: "no", hint: "h", repository: REPOSITORY } as const;
    const into = (targetNamespace: string) => ({
      ref,
      object: { ...object, spec: { ...(object["spec"] as object), targetNamespace } },
      origins: unknown,
    });
    expect((await at.survey({ deployers: [into("shop")] })).roots).toMatchObject([{ error: "no (h)" }]);
    // Kubernetes' own namespaces are never watched.
    expect((await at.survey({ deployers: [into("kube-system")] })).roots).toEqual([]);
  });
});

describe("a file that cannot be read", () => {
  const DEPLOYMENT = { kind: "Deployment", name: "app", path: DEPLOYMENTS };
  const hack = () =>
    at.edit(
      DEPLOYMENT,
      [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: "example.com/hacked:1" }],
      "kubectl-edit",
    );
  const good = deployment({ memory: "256Mi" });
  const commit = (text: string): unknown =>
    at.world.host.commit(
      REPOSITORY,
      "main",
      { "apps/app.yaml": text, "apps/settings.yaml": configMap("settings"), "apps/values.yaml": "kind: [\n" },
      { message: "Change" },
    );
  const tracked = {
    status: {
      inventory: {
        entries: [
          { id: "shop_settings__ConfigMap", v: "v1" },
          { id: "shop_app_apps_Deployment", v: "v1" },
        ],
      },
    },
  };

  it.each([
    ["that is cut off", `${good}bad: [\n`],
    ["with a key that is said twice", good.replace("metadata:", "kind: Deployment\nmetadata:")],
  ])("%s is unknown, with its line, and never clean; the rest is compared", async (_, text) => {
    await hack();
    await commit(text);
    const report = await at.survey();
    expect(told(report)).toEqual(["apps/app.yaml unknown"]);
    expect(items(report)[0]).toMatchObject({
      text: expect.stringMatching(/^apps\/app\.yaml: .* at line \d+, column \d+: what it declares was not compared\.$/),
      location: { file: "apps/app.yaml", line: expect.any(Number) },
    });
    expect(report.roots).toMatchObject([{ compared: 1, inSync: 1 }]);
    expect(endOf(report)).toBe("error");
  });

  it("calls nothing extra that its deployer tracks", async () => {
    await commit(`${good}bad: [\n`);
    const report = await at.survey({ deployers: [kustomization(await at.head(), { object: tracked })] });
    expect(told(report)).toEqual(["apps/app.yaml unknown"]);
  });

  it("at the head alone hides no drift from what was deployed, and takes nothing out of Git", async () => {
    await commit(good);
    const deployed = await at.head();
    await commit(`${good}bad: [\n`);
    const before = await at.survey({ deployers: [kustomization(deployed, { object: tracked })] });
    expect(told(before)).toEqual(["apps/app.yaml unknown"]);
    await hack();
    const report = await at.survey({ deployers: [kustomization(deployed, { object: tracked })] });
    expect(told(report)).toEqual(["apps/app.yaml unknown", "app drift"]);
  });

  it("at the deployed commit alone is said of that commit", async () => {
    await commit(`${good}bad: [\n`);
    const deployed = await at.head();
    await commit(good);
    const report = await at.survey({ deployers: [kustomization(deployed)] });
    expect(items(report)[0]?.text).toContain(`at the deployed commit ${deployed.slice(0, 12)}`);
    expect(endOf(report)).toBe("error");
  });
});

describe("what is read", () => {
  it("twice, because a list began anew, is told once", async () => {
    const copy = configMap("copy").replace(
      "namespace: shop",
      "namespace: shop, labels: {kustomize.toolkit.fluxcd.io/name: apps, kustomize.toolkit.fluxcd.io/namespace: flux-system}",
    );
    await at.world.host.commit(REPOSITORY, "main", { "apps/settings.yaml": configMap("settings") }, { message: "C" });
    await fetch(`${at.world.cluster.url}/api/v1/namespaces/shop/configmaps?fieldManager=kubectl-create`, {
      method: "POST",
      headers: { "content-type": "application/yaml" },
      body: copy,
    });
    const report = await at.survey({
      deployers: [kustomization(await at.head())],
      wrap: (api) => ({
        ...api,
        async *list(...asked) {
          for await (const page of api.list(...asked)) yield [...page, ...page];
        },
      }),
    });
    expect(told(report)).toEqual(["copy extra"]);
    expect(endOf(report)).toBe("drift");
  });

  it("of many named namespaces needs no right to list in all", async () => {
    const files: Record<string, string> = {};
    const namespaces = Array.from({ length: 12 }, (_, index) => `ns-${index}`);
    for (const namespace of namespaces)
      for (let index = 0; index < 20; index++)
        files[`apps/${namespace}-${index}.yaml`] = configMap(`c-${index}`).replace("shop", namespace);
    await at.world.host.commit(REPOSITORY, "main", files, { message: "Many" });
    for (const name of namespaces) apply(`apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`);
    for (const text of Object.values(files)) apply(text);
    const report = await at.survey({
      wrap: (api) => ({
        ...api,
        list(resource, options) {
          if (options?.namespace === undefined)
            throw new StanchError("forbidden", `cannot list ${resource.plural} in all namespaces`);
          return api.list(resource, options);
        },
      }),
    });
    expect(told(report)).toEqual([]);
    expect(report.roots[0]?.compared).toBe(241);
  }, 60_000);
});
