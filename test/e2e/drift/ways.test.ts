import { describe, expect, it } from "vitest";
import { missing } from "../gitops/present.ts";
import { expected, plantEdits } from "./edits.ts";
import { openDrift, told, type Way } from "./world.ts";

const WAYS: readonly Way[] = ["server-side apply", "client-side apply", "flux", "argocd"];
/** The autoscaler wants two and Git says one: said once, and no drift. */
const conflicts = (lines: readonly string[]): string[] =>
  lines.filter((line) => line.startsWith("Deployment/scaled conflict: spec.replicas"));
const others = (lines: readonly string[]): string[] => lines.filter((line) => !conflicts(lines).includes(line));

describe.each(WAYS)("deployed by %s", (way) => {
  const absent = way === "flux" || way === "argocd" ? missing(way) : false;
  it.skipIf(absent)("nothing drifts; edits are found and attributed; no secret is told", async () => {
    await using world = await openDrift(way);
    for (const mode of ["client", "auto", "server"]) {
      const clean = await world.drift(["--mode", mode]);
      expect([mode, others(told(clean.report)), clean.report.gaps]).toEqual([mode, [], []]);
      expect(clean.code).toBe(0);
      expect(clean.report.roots[0]?.compared).toBeGreaterThan(18);
    }
    await plantEdits(world, way);
    for (const mode of ["client", "auto", "server"]) {
      const found = await world.drift(["--mode", mode]);
      expect([mode, ...others(told(found.report))]).toEqual([mode, ...expected(way)]);
      expect(conflicts(told(found.report))).toHaveLength(1);
      expect(found.code).toBe(3);
      // What the API server refuses to apply once more as it stands in Git is compared here.
      expect(mode === "client" ? ["client"] : ["server", "mixed"]).toContain(found.report.mode);
      const all = `${JSON.stringify(found.report)}${found.said}`;
      for (const secret of ["correct-horse", "staple-staple", "hunter2", "Y29ycmVjdC1ob3JzZS", "c3RhcGxlLX"])
        expect(all).not.toContain(secret);
    }
    process.stdout.write(`  [${way}] all edits found in three modes\n`);
  });
});
