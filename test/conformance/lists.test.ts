import { beforeAll, describe, expect, it } from "vitest";
import type { Body } from "./client.ts";
import { useTarget } from "./target.ts";

const target = useTarget("lists");
const maps = () => target.at("v1", "configmaps");
const names = (body: Body): string[] => body.items.map((item: Body) => item.metadata.name);

beforeAll(async () => {
  for (const [name, labels] of Object.entries({
    a: { tier: "web", size: "s" },
    b: { tier: "db" },
    c: { tier: "web", size: "l" },
    d: {},
  })) {
    await target.make({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, labels: { conf: "yes", ...labels } },
      data: { secret: "never in metadata" },
    });
  }
});

describe("lists", () => {
  it("carry their kind, items do not", async () => {
    const { body } = await target.get(`${maps()}?labelSelector=conf%3Dyes`);
    expect([body.kind, body.apiVersion]).toEqual(["ConfigMapList", "v1"]);
    expect(Number(body.metadata.resourceVersion)).toBeGreaterThan(0);
    expect(Object.keys(body.items[0]).sort()).toEqual(["data", "metadata"]);
    expect(names(body)).toEqual(["a", "b", "c", "d"]);
  });

  it.each([
    ["tier=web", ["a", "c"]],
    ["tier==web,size=l", ["c"]],
    ["conf=yes,tier!=web", ["b", "d"]],
    ["tier in (web,db)", ["a", "b", "c"]],
    ["conf,tier notin (web)", ["b", "d"]],
    ["conf,!tier", ["d"]],
    ["size", ["a", "c"]],
  ])("select by label: %s", async (selector, expected) => {
    const { body } = await target.get(`${maps()}?labelSelector=${encodeURIComponent(selector)}`);
    expect(names(body)).toEqual(expected);
  });

  it("select by field, in one namespace and in all", async () => {
    expect(names((await target.get(`${maps()}?fieldSelector=metadata.name%3Db`)).body)).toEqual(["b"]);
    const everywhere = await target.get(
      `/api/v1/configmaps?fieldSelector=metadata.namespace%3D${target.namespace}&labelSelector=conf`,
    );
    expect(names(everywhere.body)).toEqual(["a", "b", "c", "d"]);
  });

  it("refuse selectors they do not understand", async () => {
    const field = await target.get(`${maps()}?fieldSelector=spec.foo%3Dx`);
    expect([field.code, field.body.message]).toEqual([
      400,
      '"spec.foo" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ]);
    const label = await target.get(`${maps()}?labelSelector=a%3Db%3Dc`);
    expect([label.code, label.body.reason]).toEqual([400, "BadRequest"]);
    expect(label.body.message).toContain("found '=', expected: ',' or 'end of string'");
  });

  it("come in pages that show one moment", async () => {
    const first = (await target.get(`${maps()}?limit=2&labelSelector=conf`)).body;
    expect(names(first)).toEqual(["a", "b"]);
    expect(first.metadata.continue).toEqual(expect.any(String));
    expect(first.metadata.remainingItemCount).toBeUndefined();
    await target.make({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "bb", labels: { conf: "late" } } });
    const second = (await target.get(`${maps()}?limit=2&labelSelector=conf&continue=${first.metadata.continue}`)).body;
    expect(names(second)).toEqual(["c", "d"]);
    // With a selector the server may only find out on the next page that nothing is left.
    const rest = second.metadata.continue;
    if (rest !== undefined) {
      const third = (await target.get(`${maps()}?limit=2&labelSelector=conf&continue=${rest}`)).body;
      expect([names(third), third.metadata.continue]).toEqual([[], undefined]);
    }
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    await target.remove(target.at("v1", "configmaps", "bb"));
  });

  it("say how many remain when nothing is selected", async () => {
    const all = (await target.get(maps())).body.items.length;
    const { body } = await target.get(`${maps()}?limit=1`);
    expect(body.metadata.remainingItemCount).toBe(all - 1);
  });

  it("refuse a token that is none", async () => {
    const response = await target.get(`${maps()}?limit=1&continue=garbage`);
    expect([response.code, response.body.reason]).toEqual([400, "BadRequest"]);
    expect(response.body.message).toMatch(/^invalid continue token: continue key is not valid/);
  });

  it("leave out everything but metadata when asked", async () => {
    const accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
    const list = await target.get(`${maps()}?labelSelector=conf`, accept);
    expect([list.body.kind, list.body.apiVersion]).toEqual(["PartialObjectMetadataList", "meta.k8s.io/v1"]);
    expect(Object.keys(list.body.items[0]).sort()).toEqual(["apiVersion", "kind", "metadata"]);
    expect(list.body.items[0].kind).toBe("PartialObjectMetadata");
    expect(list.text).not.toContain("never in metadata");
    const one = await target.get(
      target.at("v1", "configmaps", "a"),
      "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
    );
    expect([one.body.kind, one.body.data]).toEqual(["PartialObjectMetadata", undefined]);
  });

  it("are told again by a watch", async () => {
    const { body } = await target.get(`${maps()}?labelSelector=tier%3Dweb`);
    const seen: string[] = [];
    const watching = target.client.call(
      "GET",
      `${maps()}?watch=1&labelSelector=tier%3Dweb&resourceVersion=${body.metadata.resourceVersion}&timeoutSeconds=20`,
      {
        onLine(line) {
          const event = JSON.parse(line);
          seen.push(`${event.type} ${event.object.kind} ${event.object.metadata.name}`);
          return seen.length === 4;
        },
      },
    );
    await target.make({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "w", labels: { tier: "web" } } });
    await target.make({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x", labels: { tier: "db" } } });
    await target.patch(target.at("v1", "configmaps", "w"), "merge", { data: { k: "v" } });
    await target.patch(target.at("v1", "configmaps", "x"), "merge", { metadata: { labels: { tier: "web" } } });
    await target.patch(target.at("v1", "configmaps", "w"), "merge", { metadata: { labels: { tier: "other" } } });
    await watching;
    expect(seen).toEqual(["ADDED ConfigMap w", "MODIFIED ConfigMap w", "ADDED ConfigMap x", "DELETED ConfigMap w"]);
  });
});
