import { describe, expect, it } from "vitest";
import { StanchError } from "../../src/errors.ts";
import type { KubeObject } from "../../src/model.ts";
import type { Run } from "../../src/run.ts";
import { answerTo, inspect, refusalOf } from "../../src/steps/inspect.ts";
import type { Observation } from "../../src/steps/observe.ts";

const object: KubeObject = {
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name: `${"a".repeat(35)}.migrate`, namespace: "shop" },
};
const says = (code: "invalid" | "cluster" | "forbidden", text: string) => async (): Promise<KubeObject> => {
  throw new StanchError(code, text);
};
const takes = async (it: KubeObject): Promise<KubeObject> => it;
type Doors = Parameters<typeof answerTo>[1];
const run = (dryRunApply: unknown, create: unknown = says("invalid", "no")): Doors =>
  ({ cluster: { dryRunApply, create } }) as unknown as Doors;

describe("answerTo", () => {
  it.each([
    ["a Job's template", "spec.template: Invalid value: {…}: field is immutable"],
    [
      "a StatefulSet's claims",
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals' are forbidden",
    ],
    ["a claim", "spec: Forbidden: spec is immutable after creation except resources.requests"],
    ["a smaller claim", "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"],
    ["a Service's address", "spec.clusterIPs[0]: Invalid value: may not change once set"],
    ["a Pod", "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`"],
  ])("does not take the refusal to change %s for a fault of Git", async (_, text) => {
    expect((await answerTo(object, run(says("invalid", text)))).kind).toBe("made-anew");
  });

  it("nor any other that a new object would not meet, asked under a name that every kind may have", async () => {
    let asked: string | undefined;
    const create = async (copy: KubeObject): Promise<KubeObject> => {
      asked = copy.metadata.name;
      return copy;
    };
    expect((await answerTo(object, run(says("invalid", "spec.x: Forbidden: not now"), create))).kind).toBe("made-anew");
    expect(asked).toBe(`${"a".repeat(35)}-stanch-dry-run`);
  });

  it("takes for one what no new object may say either, and what fits no schema", async () => {
    const message = "spec.template.spec.containers[0].image: Required value";
    expect(await answerTo(object, run(says("invalid", message)))).toEqual({ kind: "refused", message });
    const untyped = "failed to create typed patch object: .spec.limts: field not declared in schema";
    expect((await answerTo(object, run(says("invalid", untyped), takes))).kind).toBe("refused");
    expect((await answerTo(object, run(says("invalid", message), says("forbidden", "cannot create")))).kind).toBe(
      "refused",
    );
  });

  it("an API server that does not answer has taken nothing", async () => {
    const gone = run(says("cluster", "no answer"));
    expect((await answerTo(object, gone)).kind).toBe("not-asked");
    expect(await refusalOf(object, gone)).toBe("no answer");
    expect(await refusalOf(object, run(takes))).toBeNull();
  });
});

describe("inspect", () => {
  it("keeps the lease, ends in time, and begins elsewhere the next time", async () => {
    let now = 0;
    let renewed = 0;
    const opened: string[] = [];
    const sources = ["a", "b", "c"].map((path) => ({ repository: "acme/shop", path, namespaces: ["shop"] }));
    const world = {
      config: { sources },
      clock: { now: () => new Date(now) },
      log: { debug: () => undefined },
      renew: async () => {
        renewed += 1;
      },
      workbench: {
        origins: async () => [],
        bench: async ({ path }: { path: string }) => {
          opened.push(path);
          now += 40_000;
          throw new StanchError("git", "slow");
        },
      },
    } as unknown as Run;
    expect(await inspect(world, {} as Observation)).toEqual([]);
    expect([opened, renewed]).toEqual([["a", "b"], 3]);
    now = 120_000;
    await inspect(world, {} as Observation);
    expect(opened.slice(2)).toEqual(["c", "a"]);
  });
});
