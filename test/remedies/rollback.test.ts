import { describe, expect, it } from "vitest";
import type { Json, Revision, Symptom } from "../../src/model.ts";
import { ago, revision, type WorkloadSpec, workload } from "../detectors/snapshot-builder.ts";
import { APP, helps, NAMES, onWorkload, refuses, tried, type World } from "./remedy-context.ts";

const crash: Symptom = { kind: "CrashLoop", exit: "application", exitCode: 1, init: false };
const oom: Symptom = { kind: "OOMKilled", limit: "64Mi" };

/** The pod template of an earlier revision. */
const template = (
  container: { readonly [field: string]: Json },
  more: { readonly [field: string]: Json } = {},
): Json => ({
  metadata: { labels: { app: "cart" } },
  spec: { containers: [{ name: "app", image: "nginx:1.27", ...container }], ...more },
});

function world(
  now: { readonly [field: string]: Json },
  before: Json,
  over: {
    readonly old?: Partial<Revision>;
    readonly symptom?: Symptom;
    readonly spec?: WorkloadSpec;
    readonly world?: Partial<World>;
  } = {},
): World {
  return {
    workload: workload({
      container: now,
      revisions: [
        revision("cart-new", 2, true),
        revision("cart-old", 1, false, { readyReplicas: 1, template: before, ...over.old }),
      ],
      ...over.spec,
    }),
    symptom: over.symptom ?? crash,
    registry: { nginx: ["1.27", "1.26"] },
    ...over.world,
  };
}

const available = (status: string, since: string) => ({
  conditions: [{ type: "Available", status, lastTransitionTime: ago(since) }],
});

describe("returns to", () => {
  it("the revision whose pods are ready right now, in the field that differs", async () => {
    const given = world({ image: "nginx:1.27" }, template({ image: "nginx:1.26" }));
    const planned = await helps("rollback", given);
    expect(planned.changes).toEqual([onWorkload(given.workload, [...APP, "image"], "nginx:1.27", "nginx:1.26")]);
    expect(planned.reason).toBe("1 pod of revision 1 (cart-old) is ready right now.");
    expect(planned.offered[0]).toBe("rollback");
  });

  it("only what explains the symptom: the memory limit of a container that is killed for it", async () => {
    const given = world(
      { resources: { limits: { memory: "64Mi" } }, image: "nginx:1.27", env: [{ name: "A", value: "2" }] },
      template({ resources: { limits: { memory: "256Mi" } }, image: "nginx:1.26", env: [{ name: "A", value: "1" }] }),
      { symptom: oom },
    );
    expect((await helps("rollback", given)).changes).toEqual([
      onWorkload(given.workload, [...APP, "resources", "limits", "memory"], "64Mi", "256Mi"),
    ]);
  });

  it("and, beside it, an image that the registry does not have: it would show only after the rest is mended", async () => {
    const unplaced: Symptom = { kind: "Unschedulable", message: "Insufficient memory" };
    const now = { resources: { requests: { memory: "1Ti" } }, image: "nginx:99.99" };
    const before = template({ resources: { requests: { memory: "64Mi" } }, image: "nginx:1.26" });
    const given = world(now, before, { symptom: unplaced });
    const planned = await helps("rollback", given);
    expect(planned.choice.params).toEqual({ revision: "cart-old", images: ["app"] });
    expect(planned.changes).toEqual([
      onWorkload(given.workload, [...APP, "resources", "requests", "memory"], "1Ti", "64Mi"),
      onWorkload(given.workload, [...APP, "image"], "nginx:99.99", "nginx:1.26"),
    ]);
    const well = world({ ...now, image: "nginx:1.27" }, before, { symptom: unplaced });
    expect((await helps("rollback", well)).changes.map((change) => change.to)).toEqual(["64Mi"]);
  });

  it("what the workload was available by until the present revision came", async () => {
    const given = world({ image: "nginx:1.27" }, template({ image: "nginx:1.26" }), {
      old: { readyReplicas: 0 },
      spec: { status: available("False", "50m") },
    });
    expect((await helps("rollback", given)).reason).toMatch(/was available by revision 1 \(cart-old\) until/);
  });

  it("never labels or replicas", async () => {
    const given = world(
      { args: ["--new"] },
      { ...(template({}) as object), metadata: { labels: { app: "cart", v: "1" } } },
    );
    expect((await helps("rollback", given)).changes).toEqual([
      onWorkload(given.workload, [...APP, "args"], ["--new"], undefined),
    ]);
  });
});

describe("refuses, and says what a person must do,", () => {
  const image = [{ image: "nginx:1.27" }, template({ image: "nginx:1.26" })] as const;
  const only = { revisions: [revision("cart-new", 1, true)] };
  it.each<[string, World, RegExp]>([
    ["there is no earlier revision", world(...image, { spec: only }), /never deployed otherwise/],
    [
      "nothing proves that the earlier one was healthy",
      world(...image, { old: { readyReplicas: 0 } }),
      /nothing proves.*a person must decide which one to return to/,
    ],
    [
      "it became unavailable in the first seconds of its life",
      world(...image, {
        old: { readyReplicas: 0 },
        spec: { status: available("False", "59m"), metadata: { creationTimestamp: ago("60m") } },
      }),
      /nothing proves/,
    ],
    [
      "the registry has the earlier image no more",
      world(...image, { world: { registry: { nginx: ["1.27"] } } }),
      /nginx:1\.26 is not in its registry any more; a person must choose another/,
    ],
    [
      "the earlier one differs in nothing",
      world({ image: "nginx:1.27" }, template({ image: "nginx:1.27" })),
      /same pod specification: the fault lies elsewhere/,
    ],
    [
      "what differs does not explain the symptom",
      world({ env: [] }, template({}, { nodeSelector: { disk: "ssd" } }), { symptom: oom }),
      /does not explain the symptom/,
    ],
    [
      "the controller has not seen the newest template",
      world(...image, { spec: { revisions: [revision("cart-old", 1, false, { readyReplicas: 1 })] } }),
      /its controller has not yet seen/,
    ],
    [
      "the kind keeps none",
      world({}, template({}), { spec: { kind: "Job", revisions: [] } }),
      /a Job keeps no earlier revisions/,
    ],
    [
      "the limit was lower before",
      world({ resources: { limits: { memory: "64Mi" } } }, template({ resources: { limits: { memory: "32Mi" } } }), {
        symptom: oom,
      }),
      /does not explain the symptom/,
    ],
  ])("where %s", async (_, given, says) => expect(await refuses("rollback", given)).toMatch(says));
});

describe("parameters from elsewhere change nothing:", () => {
  const image = [{ image: "nginx:1.27" }, template({ image: "nginx:1.26" })] as const;
  it.each<[string, { readonly [name: string]: Json }, RegExp]>([
    ["a revision that does not exist", { revision: "cart-older" }, /cart-older does not exist any more/],
    ["another workload's revision", { revision: "bank-7d9f" }, /does not exist any more/],
    ["the present revision", { revision: "cart-new" }, /is the present one/],
    ["an empty text", { revision: "" }, /parameters are wrong/],
    ["a number", { revision: 1 }, /parameters are wrong/],
    ["a huge text", { revision: "r".repeat(254) }, /parameters are wrong/],
    ["fields of its own", { revision: "cart-old", template: { spec: {} } }, /parameters are wrong/],
    ["nothing", {}, /parameters are wrong/],
  ])("%s", async (_, params, says) => expect(await tried("rollback", params, world(...image))).toMatch(says));

  it("a revision that nothing proves healthy", async () =>
    expect(await tried("rollback", { revision: "cart-old" }, world(...image, { old: { readyReplicas: 0 } }))).toMatch(
      /nothing proves that revision cart-old was healthy/,
    ));

  it.each(NAMES)("a revision called %s", async (name) =>
    expect(await tried("rollback", { revision: name }, world(...image))).toMatch(/does not exist|parameters are wrong/),
  );
});
