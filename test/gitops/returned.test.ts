import { describe, expect, it } from "vitest";
import { judge } from "../../src/gitops/render-delta.ts";
import type { Json, KubeObject, Source } from "../../src/model.ts";

const SOURCE: Source = {
  id: "acme/shop:apps@main",
  repository: "acme/shop",
  branch: "main",
  path: "apps",
  tool: "helm",
  owner: { kind: "configuration", name: "stanch.yaml" },
};
const object = (kind: string, body: object): KubeObject => ({
  apiVersion: "v1",
  kind,
  metadata: { name: "web", namespace: "shop" },
  ...body,
});
const config = (said: Json): KubeObject => object("ConfigMap", { data: { tag: said } });
const WANTED = {
  object: { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "web" },
  path: ["data", "tag"],
  from: "2",
  to: "1",
};
/** What else of an object may go back along with the wanted change: what is returned, and what is a side effect. */
function along(kind: string, body: (said: string) => object) {
  const at = (said: string): KubeObject[] => [config(said), object(kind, body(said))];
  const { returned, side } = judge(at("2"), at("1"), [WANTED], SOURCE, { commit: "c0ffee1", objects: at("1") });
  return [returned.length, side.length];
}

describe("what goes back along with a commit", () => {
  it("is what one value says elsewhere", () => {
    expect(along("Deployment", (tag) => ({ spec: { template: { metadata: { labels: { tag } } } } }))).toEqual([1, 0]);
  });

  it("is what a chart keeps in a Secret as well, where that is the very value and no secret", () => {
    const image = { ...WANTED, from: "nginx:3.2", to: "nginx:1.29" };
    const judged = (path: string, from: string, to: string): number => {
      const at = (tag: string, text: string) => [config(tag), object("Secret", { [path]: { APP: text } })];
      const before = { commit: "c0ffee1", objects: at(image.to, to) };
      return judge(at(image.from, from), at(image.to, to), [image], SOURCE, before).side.length;
    };
    expect(judged("stringData", "nginx:3.2", "nginx:1.29")).toBe(0);
    expect(judged("stringData", "image is nginx:3.2", "image is nginx:1.29")).toBe(0);
    expect(judged("stringData", "nginx:3.2", "nginx:1.30")).toBe(1);
    expect(judged("stringData", "hunter2", "hunter1")).toBe(1);
    expect(judged("data", "nginx:3.2", "nginx:1.29")).toBe(1);
  });

  it.each<[string, string, (said: string) => object]>([
    ["rights", "Role", (said) => ({ rules: [{ verbs: [said] }] })],
    ["a secret", "Secret", (said) => ({ stringData: { said } })],
    ["a network policy", "NetworkPolicy", (said) => ({ spec: { said } })],
    ["replicas", "Deployment", (said) => ({ spec: { replicas: Number(said) } })],
    [
      "privileges within a subtree",
      "Deployment",
      (said) => ({ spec: said === "1" ? { hostNetwork: true } : { paused: true } }),
    ],
    ["a service account", "Deployment", (serviceAccountName) => ({ spec: { serviceAccountName } })],
  ])("is never %s", (_, kind, body) => {
    const [returned, side] = along(kind, body);
    expect(side).toBeGreaterThan(0);
    expect(returned).toBeLessThanOrEqual(kind === "Deployment" ? 1 : 0);
  });
});

describe("a name that a generator makes from what it holds", () => {
  const OLD = "settings-tt547dc92h";
  const NEW = "settings-c878f8g7bh";
  const named = (name: string, mode: string): KubeObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "shop" },
    data: { mode },
  });
  const web = (name: string): KubeObject => object("Deployment", { spec: { volumes: [{ configMap: { name } }] } });
  const path = ["spec", "volumes", 0, "configMap", "name"];
  const wanted = { object: { ...WANTED.object, kind: "Deployment" }, path, from: NEW, to: OLD };
  const whole = {
    ...wanted,
    path: ["spec", "volumes"],
    from: [{ configMap: { name: NEW } }],
    to: [{ configMap: { name: OLD } }],
  };
  const before = [named(NEW, "turbo"), web(NEW)];

  it("comes back with the content, and not by being written out beside the generator", () => {
    const earlier = { commit: "c0ffee1", objects: [named(OLD, "fast"), web(OLD)] };
    for (const change of [wanted, whole]) {
      const written = judge(before, [named(NEW, "turbo"), web(OLD)], [change], SOURCE, earlier);
      expect(written.side).toEqual([`${OLD}, which a generator makes no more`]);
      const returned = judge(before, [named(OLD, "fast"), web(OLD)], [change], SOURCE, earlier);
      expect([returned.missing, returned.side]).toEqual([[], []]);
    }
  });

  it("is no matter where nothing is generated under it", () => {
    const plain = judge([web(NEW)], [web(OLD)], [wanted], SOURCE);
    expect(plain.side).toEqual([]);
  });
});
