import { describe, expect, it } from "vitest";
import type { Json, KubeObject, Symptom, Workload } from "../../src/model.ts";
import { claim, workload } from "../detectors/snapshot-builder.ts";
import { helps, NAMES, refuses, tried, type World } from "./remedy-context.ts";

const pending: Symptom = { kind: "ClaimPending", message: 'storageclass.storage.k8s.io "x" not found' };

function storageClass(name: string, over: { readonly default?: boolean; readonly provisioner?: string } = {}) {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: {
      name,
      ...(over.default === true ? { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } } : {}),
    },
    provisioner: over.provisioner ?? "csi.example.com",
  } satisfies KubeObject;
}

/** A claim stands in for the workload of the finding. */
function claimed(
  spec: { readonly [field: string]: Json },
  classes: readonly KubeObject[] | null,
  over: Partial<World> & { readonly annotations?: Record<string, string> } = {},
): World {
  const { annotations, ...rest } = over;
  const { ref, object } = claim({ metadata: annotations === undefined ? {} : { annotations } });
  return {
    workload: { ...workload(), ref, object: { ...object, spec } } as Workload,
    container: null,
    symptom: pending,
    others: classes,
    ...rest,
  };
}

function stateful(templates: readonly Json[], classes: readonly KubeObject[]): World {
  return {
    workload: workload({ kind: "StatefulSet", spec: { volumeClaimTemplates: templates as Json[] } }),
    container: null,
    symptom: pending,
    others: classes,
  };
}

const FIELD = ["spec", "storageClassName"];

describe("points", () => {
  it("a claim to the class that its own is a typo of, in Git only", async () => {
    const given = claimed({ storageClassName: "satndard" }, [storageClass("standard"), storageClass("premium")]);
    const planned = await helps("correct-storage-class", given);
    expect(planned.changes).toEqual([{ object: given.workload.ref, path: FIELD, from: "satndard", to: "standard" }]);
    expect(planned.title).toBe("point StorageClass satndard → standard");
    expect(planned.reason).toBe(
      'The cluster has no StorageClass "satndard"; "standard" is the only one that it is a typo of.',
    );
    expect(planned.gitOnly).toMatch(/cannot be changed while it exists; it must be deleted and made anew/);
    expect(planned.offered).toEqual(["correct-storage-class"]);
  });

  it("to the only one there is, and says what is not known of it", async () => {
    const planned = await helps("correct-storage-class", claimed({ storageClassName: "ebs" }, [storageClass("local")]));
    expect(planned.changes[0]?.to).toBe("local");
    expect(planned.reason).toBe(
      'The cluster has no StorageClass "ebs"; "local" is the only one there is; whether it has what the name promised, such as speed or encryption, is for the reviewer to say.',
    );
  });

  it("to the default among several", async () => {
    const classes = [storageClass("gold"), storageClass("plain", { default: true }), storageClass("tape")];
    const planned = await helps("correct-storage-class", claimed({ storageClassName: "ebs" }, classes));
    expect(planned.changes[0]?.to).toBe("plain");
    expect(planned.reason).toMatch(/is the cluster's default, which a claim that names none would get; whether/);
  });

  it("every claim template of a StatefulSet that asks for it, and no other", async () => {
    const template = (name: string, className?: string): Json => ({
      metadata: { name },
      spec: className === undefined ? {} : { storageClassName: className },
    });
    const given = stateful(
      [
        template("a", "satndard"),
        template("b", "standard"),
        template("c", ""),
        template("d"),
        template("e", "satndard"),
      ],
      [storageClass("standard")],
    );
    const planned = await helps("correct-storage-class", given);
    expect(planned.changes).toEqual(
      [0, 4].map((index) => ({
        object: given.workload.ref,
        path: ["spec", "volumeClaimTemplates", index, ...FIELD],
        from: "satndard",
        to: "standard",
      })),
    );
    expect(planned.gitOnly).toMatch(/volumeClaimTemplates of StatefulSet .* cannot be changed/);
  });
});

describe("refuses, and says what a person must do,", () => {
  const wrong = { storageClassName: "satndard" };
  const one = [storageClass("standard")];
  it.each<[string, World, RegExp]>([
    ["the class exists", claimed({ storageClassName: "standard" }, one), /its StorageClass exists.*look at the events/],
    ["it asks for no class", claimed({ storageClassName: "" }, one), /its StorageClass exists/],
    ["it names none", claimed({}, one), /its StorageClass exists/],
    ["classes may not be read", claimed(wrong, null), /cannot be read; grant list on storageclasses\.storage\.k8s\.io/],
    ["there is no class", claimed(wrong, []), /none at all\. A person must say which is meant/],
    [
      "two are as near",
      claimed({ storageClassName: "standard" }, [storageClass("standardd"), storageClass("sstandard")]),
      /several StorageClasses are near "standard": .* A person must say which is meant/,
    ],
    [
      "none is near, alone or the default",
      claimed({ storageClassName: "ebs" }, [storageClass("gold"), storageClass("tape")]),
      /none that is near, alone or the default \(gold, tape\)\. A person must say/,
    ],
    [
      "there are two defaults",
      claimed({ storageClassName: "ebs" }, [
        storageClass("gold", { default: true }),
        storageClass("tape", { default: true }),
      ]),
      /none that is near, alone or the default/,
    ],
    [
      "the only one makes no volumes",
      claimed({ storageClassName: "ebs" }, [storageClass("local", { provisioner: "kubernetes.io/no-provisioner" })]),
      /none that is near, alone or the default/,
    ],
    [
      "it asks for several that do not exist",
      stateful(
        ["fast", "slow"].map((name) => ({ metadata: { name }, spec: { storageClassName: name } })),
        one,
      ),
      /several classes that do not exist: fast, slow/,
    ],
    [
      "it names its volume",
      claimed({ ...wrong, volumeName: "pv-7" }, one),
      /the claim names its volume, so that its class "satndard" may be that of a volume.*A person must say which volume/,
    ],
    [
      "it selects its volume",
      claimed({ ...wrong, selector: { matchLabels: { tape: "7" } } }, one),
      /the claim selects its volume by labels/,
    ],
    [
      "it is a copy",
      claimed({ ...wrong, dataSource: { kind: "VolumeSnapshot", name: "s" } }, one),
      /the claim is a copy/,
    ],
    ["it is a copy of another kind", claimed({ ...wrong, dataSourceRef: { kind: "X", name: "s" } }, one), /is a copy/],
    [
      "an old annotation names its class",
      claimed(wrong, one, { annotations: { "volume.beta.kubernetes.io/storage-class": "standard" } }),
      /names its class in the annotation volume\.beta\.kubernetes\.io\/storage-class/,
    ],
    ["it is no claim", { ...claimed(wrong, one), symptom: { kind: "OOMKilled" } }, /no claim waits for a volume/],
  ])("where %s", async (_, given, says) => expect(await refuses("correct-storage-class", given)).toMatch(says));
});

describe("parameters from elsewhere change nothing:", () => {
  const given = claimed({ storageClassName: "satndard" }, [storageClass("standard"), storageClass("premium")]);
  it.each<[string, { readonly [name: string]: Json }, RegExp]>([
    ["a class that exists and is not meant", { from: "satndard", to: "premium" }, /premium is not what is meant/],
    ["a class that does not exist", { from: "satndard", to: "fast" }, /fast is not what is meant/],
    ["another's class", { from: "premium", to: "standard" }, /is not what is meant by premium/],
    ["no class", { from: "satndard", to: "" }, /parameters are wrong/],
    ["a huge name", { from: "satndard", to: "a".repeat(254) }, /parameters are wrong/],
    ["nothing", {}, /parameters are wrong/],
    ["a path", { from: "satndard", to: "standard", path: ["spec", "volumeName"] }, /parameters are wrong/],
  ])("%s", async (_, params, says) => expect(await tried("correct-storage-class", params, given)).toMatch(says));

  it("nor where the class was made in the meantime", async () =>
    expect(
      await tried(
        "correct-storage-class",
        { from: "satndard", to: "standard" },
        claimed({ storageClassName: "satndard" }, [storageClass("standard"), storageClass("satndard")]),
      ),
    ).toMatch(/its StorageClass exists/));

  it.each(NAMES)("a class called %s", async (to) =>
    expect(await tried("correct-storage-class", { from: "satndard", to }, given)).toMatch(
      /is not what is meant|parameters are wrong/,
    ),
  );
});

describe("a volume that is free", () => {
  const volume = (phase: string, storage: string, mode: string): KubeObject => ({
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "data" },
    spec: { storageClassName: "manuel", capacity: { storage }, accessModes: [mode] },
    status: { phase },
  });
  const asks = {
    storageClassName: "manual",
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
  };
  const given = (item: KubeObject): World => claimed(asks, [storageClass("standard"), item]);

  it("and that would fit but for its class may be what is meant", async () => {
    expect(await refuses("correct-storage-class", given(volume("Available", "2Gi", "ReadWriteOnce")))).toBe(
      'volume data is free and would fit but for its class "manuel". A person must say whether the claim or the volume is wrong',
    );
  });

  it.each([
    ["is taken", volume("Bound", "2Gi", "ReadWriteOnce")],
    ["is too small", volume("Available", "1Mi", "ReadWriteOnce")],
    ["is used otherwise", volume("Available", "2Gi", "ReadOnlyMany")],
  ])("is not where it %s", async (_, item) => {
    expect(await helps("correct-storage-class", given(item))).toMatchObject({ changes: [{ to: "standard" }] });
  });
});
