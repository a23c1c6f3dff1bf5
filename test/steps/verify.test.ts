import { describe, expect, it } from "vitest";
import type { Change, Verification, Workload } from "../../src/model.ts";
import { loadWorkload } from "../../src/observe/workloads.ts";
import { act } from "../../src/steps/act.ts";
import { verify } from "../../src/steps/verify.ts";
import { APP, deployment, findingOf, imageTo, type Lab, memoryTo, planOf, startLab } from "./lab.ts";

/** Lets it fail for some minutes, changes it, and watches; `meanwhile` is called at every look. */
async function watch(
  lab: Lab,
  changes: readonly Change[],
  options: {
    readonly finding?: object;
    readonly meanwhile?: (looks: number) => void | Promise<void>;
    readonly wait?: number;
  } = {},
): Promise<Verification & { readonly looks: readonly string[] }> {
  await lab.clock.sleep((options.wait ?? 300) * 1000);
  const object = await lab.api.get(APP);
  const before: Workload | null = object === null ? null : await loadWorkload(lab.reading, object);
  const acted = await act(planOf(changes), await lab.incident(), {
    cluster: lab.api,
    store: lab.store,
    clock: lab.clock,
  });
  const hotfix = acted.incident.status?.hotfix;
  if (!acted.applied || hotfix === undefined) throw new Error("it was not applied");
  const looks: string[] = [];
  const seen = await verify(
    {
      finding: findingOf(options.finding),
      hotfix,
      before,
      tick: async (text) => {
        looks.push(text);
        await options.meanwhile?.(looks.length);
      },
    },
    lab.reading,
  );
  return { ...seen, looks };
}

const least = 20;
const patience = 300;

describe("a hotfix", () => {
  it("that heals has recovered, but not before it was watched for long enough", async () => {
    await using lab = await startLab(deployment());
    const seen = await watch(lab, [memoryTo("128Mi")]);
    expect(seen).toMatchObject({ result: "recovered", seen: expect.stringMatching(/ for \d+s$/) });
    expect(seen.seconds).toBeGreaterThanOrEqual(least);
    expect(seen.seconds).toBeLessThan(120);
    // It was not healthy from the first look on: the rollout was seen.
    expect(new Set(seen.looks).size).toBeGreaterThan(1);
  });

  it("that is not enough is unchanged, as soon as that is certain", async () => {
    await using lab = await startLab(deployment());
    const seen = await watch(lab, [memoryTo("80Mi")]);
    expect(seen).toMatchObject({ result: "unchanged", seen: expect.stringMatching(/container app .*OOMKilled/) });
    expect(seen.seconds).toBeLessThan(patience);
  });

  it("that looks good for a while has not recovered: as long as the crash took is waited for", async () => {
    await using lab = await startLab(deployment({ image: "example.com/app:2", memory: "128Mi" }));
    // The program ends after 40 s whatever its memory; least alone would be content with 20 s.
    const seen = await watch(lab, [memoryTo("256Mi", "128Mi")], { wait: 900 });
    expect(seen.result).not.toBe("recovered");
    expect(seen.seen).toMatch(/container app ended 2 times \(Error, exit code 1\)/);
    expect(seen.looks.some((text) => /available|ready/i.test(text))).toBe(true);
    expect(seen.seconds).toBeGreaterThan(40);
  });

  it("that takes from service what was left is worse", async () => {
    const spec = { strategy: { type: "Recreate" } };
    await using lab = await startLab(deployment({ memory: "128Mi", spec }));
    const seen = await watch(lab, [imageTo("example.com/app:3", "example.com/app:1")]);
    expect(seen).toMatchObject({ result: "worse", seen: expect.stringMatching(/exit code 3/) });
  });

  it("that leaves as much in service as before is unchanged, not worse", async () => {
    // The readiness probe keeps the old pod in service while the new one crashes.
    const container = { readinessProbe: { tcpSocket: { port: 8080 } } };
    await using lab = await startLab(deployment({ memory: "128Mi", container }));
    const seen = await watch(lab, [imageTo("example.com/app:3", "example.com/app:1")]);
    expect(seen.result).toBe("unchanged");
  });

  it("to an image that cannot be pulled is given up at once", async () => {
    await using lab = await startLab(deployment());
    const seen = await watch(lab, [imageTo("example.com/app:9", "example.com/app:1")]);
    expect(seen).toMatchObject({ result: "unchanged", seen: expect.stringMatching(/(ErrImagePull|ImagePullBackOff)/) });
    expect(seen.seconds).toBeLessThan(patience);
  });

  it("that never gets anywhere is given up when its time is over", async () => {
    await using lab = await startLab(deployment());
    const nowhere: Change = { object: APP, path: ["spec", "template", "spec", "nodeSelector"], to: { disk: "none" } };
    const seen = await watch(lab, [nowhere]);
    expect(seen).toMatchObject({ result: "unchanged", seen: expect.stringMatching(/^not healthy after/) });
    expect(seen.seconds).toBeGreaterThan(patience / 2);
    expect(seen.seconds).toBeLessThanOrEqual(2 * patience + 5);
  });

  it("that another manager undoes is lost to it, and named", async () => {
    await using lab = await startLab(deployment());
    const seen = await watch(lab, [memoryTo("128Mi")], {
      meanwhile: (looks) => {
        if (looks === 2) lab.cluster.apply([deployment()]);
      },
    });
    expect(seen).toMatchObject({ result: "unchanged", seen: "the change was undone by kubectl-client-side-apply" });
    expect(seen.looks).toHaveLength(2);
  });

  it("whose object is deleted has not recovered", async () => {
    await using lab = await startLab(deployment());
    const seen = await watch(lab, [memoryTo("128Mi")], {
      meanwhile: async (looks) => {
        if (looks === 2) await lab.api.delete(APP);
      },
    });
    expect(seen).toMatchObject({ result: "unchanged", seen: "Deployment shop/app was deleted" });
  });

  it("keeps the lease: whoever watches is called at every look, and may end it", async () => {
    await using lab = await startLab(deployment());
    await expect(
      watch(lab, [memoryTo("128Mi")], {
        meanwhile: (looks) => {
          if (looks === 3) throw new Error("another run took over");
        },
      }),
    ).rejects.toThrow("another run took over");
  });
});
