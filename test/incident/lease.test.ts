import { describe, expect, it } from "vitest";
import { type HeldLease, takeLease } from "../../src/incident/lease.ts";
import { type Lab, startLab } from "../steps/lab.ts";

const take = (lab: Lab, holder: string, durationMs = 60_000): Promise<HeldLease> =>
  takeLease(lab.api, lab.clock, { namespace: "shop", holder, durationMs });
const holder = (lab: Lab): unknown =>
  (
    lab.cluster.get("coordination.k8s.io/v1", "Lease", "shop", "stanch")?.["spec"] as
      | { holderIdentity?: string }
      | undefined
  )?.holderIdentity;

describe("a lease", () => {
  it("is held by one run, and the other is told by whom and what to do", async () => {
    await using lab = await startLab();
    await take(lab, "a");
    await expect(take(lab, "b")).rejects.toMatchObject({
      code: "lease",
      message: "another run is at work: a holds the lease shop/stanch",
      hint: "wait for it, or for 60 s of its silence",
    });
    expect(holder(lab)).toBe("a");
  });

  it("is kept by renewing it", async () => {
    await using lab = await startLab();
    const held = await take(lab, "a");
    await lab.clock.sleep(50_000);
    await held.renew();
    await lab.clock.sleep(50_000);
    await expect(take(lab, "b")).rejects.toMatchObject({ code: "lease" });
  });

  it("is taken over after its holder's silence, not before", async () => {
    await using lab = await startLab();
    await take(lab, "a");
    await lab.clock.sleep(59_000);
    await expect(take(lab, "b")).rejects.toMatchObject({ code: "lease" });
    await lab.clock.sleep(2000);
    await take(lab, "b");
    expect(holder(lab)).toBe("b");
  });

  it("that was taken over ends the run that had it, and is not given up by it", async () => {
    await using lab = await startLab();
    const first = await take(lab, "a");
    await lab.clock.sleep(61_000);
    await take(lab, "b");
    await expect(first.renew()).rejects.toMatchObject({ code: "lease" });
    await first.release();
    expect(holder(lab)).toBe("b");
  });

  it("that was given up is free at once", async () => {
    await using lab = await startLab();
    const held = await take(lab, "a");
    await held.release();
    await take(lab, "b");
    expect(holder(lab)).toBe("b");
  });

  it("goes to one of two that ask at the same moment", async () => {
    await using lab = await startLab();
    const asked = await Promise.allSettled([take(lab, "a"), take(lab, "b"), take(lab, "c")]);
    expect(asked.filter((result) => result.status === "fulfilled")).toHaveLength(1);
    for (const result of asked)
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "lease" });
  });

  it("is no lease where it cannot be written: nothing is done without it", async () => {
    await using lab = await startLab();
    lab.cluster.deny({ group: "coordination.k8s.io", resource: "leases", verb: "create" });
    await expect(take(lab, "a")).rejects.toMatchObject({ code: "forbidden" });
  });
});
