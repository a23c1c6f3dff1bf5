import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { getAt } from "../../src/kube/field-path.ts";
import { applyChanges, conflicts, inverse, toPatch } from "../../src/kube/json-patch.ts";
import type { Change, FieldPath, Json, ObjectRef, PatchOperation } from "../../src/model.ts";

/** RFC 6902, as strict as an API server: by indexes and keys alone, so that a wrong pointer shows. */
function applyJsonPatch<T>(target: T, operations: readonly PatchOperation[]): T {
  const root = { root: structuredClone(target) };
  for (const operation of operations) {
    const steps = [
      "root",
      ...operation.path
        .split("/")
        .slice(1)
        .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~")),
    ];
    const last = steps.pop() ?? "";
    // biome-ignore lint/suspicious/noExplicitAny: any shape is walked
    const parent = steps.reduce<any>((at, step) => at[step], root);
    const there = Object.hasOwn(parent, last);
    if (operation.op === "test") expect(parent[last]).toEqual(operation.value);
    else if (operation.op === "add" && Array.isArray(parent))
      parent.splice(last === "-" ? parent.length : Number(last), 0, structuredClone(operation.value));
    else if (operation.op === "add") parent[last] = structuredClone(operation.value);
    else if (!there) throw new Error(`${operation.op} of ${operation.path}, which is not there`);
    else if (operation.op === "replace") parent[last] = structuredClone(operation.value);
    else if (Array.isArray(parent)) parent.splice(Number(last), 1);
    else delete parent[last];
  }
  return root.root;
}

const object: ObjectRef = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
const app: FieldPath = ["spec", "containers", { by: "name", value: "app" }];

function change(path: FieldPath, from: Json | undefined, to: Json | undefined): Change {
  return { object, path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

const live = {
  metadata: { annotations: { "a/b~c": "1" } },
  spec: {
    containers: [
      { name: "proxy", image: "envoy" },
      {
        name: "app",
        image: "app:1",
        env: [
          { name: "A", value: "1" },
          { name: "B", value: "2" },
          { name: "C", value: "3" },
        ],
        args: ["x", "y"],
      },
    ],
  },
};

describe("toPatch", () => {
  it("tests the item's name and the old value before it replaces", () => {
    expect(toPatch([change([...app, "image"], "app:1", "app:2")], live)).toEqual([
      { op: "test", path: "/spec/containers/1/name", value: "app" },
      { op: "test", path: "/spec/containers/1/image", value: "app:1" },
      { op: "replace", path: "/spec/containers/1/image", value: "app:2" },
    ]);
  });

  it("adds missing parents with the field", () => {
    expect(toPatch([change([...app, "resources", "limits", "memory"], undefined, "64Mi")], live)).toEqual([
      { op: "test", path: "/spec/containers/1/name", value: "app" },
      { op: "add", path: "/spec/containers/1/resources", value: { limits: { memory: "64Mi" } } },
    ]);
  });

  it("appends list items and escapes pointers", () => {
    const item = { name: "D", value: "4" };
    expect(toPatch([change([...app, "env", { by: "name", value: "D" }], undefined, item)], live).at(-1)).toEqual({
      op: "add",
      path: "/spec/containers/1/env/-",
      value: item,
    });
    expect(toPatch([change(["metadata", "annotations", "a/b~c"], "1", undefined)], live)).toEqual([
      { op: "test", path: "/metadata/annotations/a~1b~0c", value: "1" },
      { op: "remove", path: "/metadata/annotations/a~1b~0c" },
    ]);
  });

  it("makes a list for its first item", () => {
    const path: FieldPath = [
      "spec",
      "containers",
      { by: "name", value: "proxy" },
      "env",
      { by: "name", value: "X" },
      "value",
    ];
    expect(toPatch([change(path, undefined, "1")], live).at(-1)).toEqual({
      op: "add",
      path: "/spec/containers/0/env",
      value: [{ name: "X", value: "1" }],
    });
  });

  it("counts indexes after what earlier changes removed", () => {
    const env = (name: string): FieldPath => [...app, "env", { by: "name", value: name }];
    const changes = [change(env("A"), { name: "A", value: "1" }, undefined), change([...env("C"), "value"], "3", "30")];
    const patched = applyJsonPatch(live, toPatch(changes, live));
    expect(getAt(patched, [...app, "env"])).toEqual([
      { name: "B", value: "2" },
      { name: "C", value: "30" },
    ]);
    expect(patched).toEqual(applyChanges(live, changes));
  });

  it("refuses an object that is not what the changes start from", () => {
    for (const wrong of [
      change([...app, "image"], "app:0", "app:2"),
      change([...app, "image"], undefined, "app:2"),
      change([...app, "resources", "limits"], { memory: "1" }, undefined),
      change(["spec", "containers", { by: "name", value: "gone" }, "image"], "x", "y"),
      change([...app, "image", "tag"], undefined, "x"),
      change([...app, "args", 5], undefined, "x"),
    ]) {
      expect(() => toPatch([wrong], live)).toThrow(expect.objectContaining({ code: "conflict" }));
      expect(conflicts([wrong], live)).toHaveLength(1);
    }
  });

  it("a patch made for one object does not go through on another", () => {
    const moved = { ...live, spec: { containers: live.spec.containers.toReversed() } };
    expect(() => applyJsonPatch(moved, toPatch([change([...app, "image"], "app:1", "app:2")], live))).toThrow();
  });

  it("never changes its input and removes nothing that is not there", () => {
    const before = structuredClone(live);
    applyChanges(live, [
      change(["spec", "gone", "field"], undefined, undefined),
      change([...app, "image"], "app:1", "z"),
    ]);
    expect(live).toEqual(before);
    expect(applyChanges(live, [change(["spec", "gone", "field"], undefined, undefined)])).toEqual(live);
    expect(toPatch([change(["spec", "gone"], undefined, undefined)], live)).toEqual([]);
  });
});

describe("conflicts", () => {
  it("compares exactly and tells what is there", () => {
    expect(conflicts([change([...app, "image"], "app:1", "app:2")], live)).toEqual([]);
    expect(conflicts([change([...app, "image"], "app:9", "app:2")], live)).toEqual([
      'spec.containers[name=app].image is "app:1" and not "app:9"',
    ]);
    expect(conflicts([change([...app, "tty"], undefined, true), change([...app, "tty"], true, false)], live)).toEqual(
      [],
    );
  });
});

describe("any changes", () => {
  /** As JSON would bring it: fast-check makes maps without a prototype, too. */
  const plain = <T>(value: T): T => structuredClone(value);

  const values = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.record({ x: fc.string() }));
  const names = ["a", "b", "c", "d"];
  const item = fc.record({ image: values, extra: values }, { requiredKeys: [] });
  const objects = fc.record({
    map: fc.dictionary(fc.constantFrom("k", "a/b", "m~n"), values),
    list: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 4 }),
    items: fc.array(item, { minLength: 4, maxLength: 4 }),
  });
  const edits = fc.array(
    fc.record({
      path: fc.oneof(
        fc.constantFrom("k", "a/b", "m~n", "new").map((key): FieldPath => ["map", key]),
        fc.constantFrom(...names).map((name): FieldPath => ["list", { by: "name", value: name }]),
        fc
          .tuple(fc.constantFrom(...names), fc.constantFrom("image", "extra", "fresh"))
          .map(([name, field]): FieldPath => ["list", { by: "name", value: name }, field]),
      ),
      to: fc.option(values, { nil: undefined }),
    }),
    { maxLength: 8 },
  );

  /** Edits as changes whose `from` is what stands there at their turn. */
  function chain(start: unknown, list: readonly { path: FieldPath; to: Json | undefined }[]): Change[] {
    let at = start;
    return list.flatMap(({ path, to }) => {
      const last = path.at(-1);
      const whole = path.length === 2 && typeof last === "object";
      const value = whole && to !== undefined && typeof last === "object" ? { name: last.value, image: to } : to;
      if (path.length === 3 && getAt(at, path.slice(0, 2)) === undefined) return [];
      const made = change(path, getAt(at, path), value as Json | undefined);
      at = applyChanges(at, [made]);
      return [made];
    });
  }

  it("the patch does what the changes say, and its inverse takes it back", () => {
    fc.assert(
      fc.property(objects.map(plain), edits.map(plain), ({ map, list, items }, raw) => {
        const start = { map, list: list.map((name, index) => ({ name, ...items[index] })) };
        const changes = chain(start, raw as { path: FieldPath; to: Json | undefined }[]);
        expect(conflicts(changes, start)).toEqual([]);
        const after = applyJsonPatch(start, toPatch(changes, start));
        expect(after).toEqual(applyChanges(start, changes));
        const back = applyJsonPatch(after, toPatch(inverse(changes), after));
        // An item that was removed comes back at the end of its list.
        const sorted = (value: typeof start) => ({
          ...value,
          list: value.list.toSorted((a, b) => a.name.localeCompare(b.name)),
        });
        expect(sorted(back)).toEqual(sorted(start));
      }),
      { numRuns: 300 },
    );
  });
});
