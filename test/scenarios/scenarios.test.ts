import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findingsIn, objectsOf, play, scenarios } from "./scenario.ts";

const update = process.env["STANCH_UPDATE"] === "1";

/**
 * Each folder is a cluster as it was seen, the repository behind it, and what Stanch makes of them. `golden.json` is only written
 * with STANCH_UPDATE=1: read its diff as you would read a change of behaviour, because it is one.
 */
describe.each(scenarios())("$name", (scenario) => {
  const golden = join(scenario.folder, "golden.json");

  it("is answered as its golden says", async () => {
    const said = `${JSON.stringify(await play(scenario), null, 2)}\n`;
    if (update) writeFileSync(golden, said);
    expect(existsSync(golden), "no golden.json: write it with STANCH_UPDATE=1 and read it").toBe(true);
    expect(JSON.parse(said)).toEqual(JSON.parse(readFileSync(golden, "utf8")));
    const { findings, causes } = JSON.parse(said) as { findings: unknown[]; causes: { outcome: string }[] };
    expect(findings.length).toBeGreaterThan(0);
    for (const cause of causes) expect(cause.outcome).not.toBe("");
  });

  it("has a healthy twin in which nothing is found", async () => {
    const healthy = objectsOf(join(scenario.folder, "healthy.yaml"));
    // The same objects, so that the twin differs in the fault and not in being empty.
    const names = (file: string) =>
      objectsOf(join(scenario.folder, file))
        .filter(
          (object) => !["Event", "Pod", "ReplicaSet", "EndpointSlice", "ControllerRevision"].includes(object.kind),
        )
        .map((object) => `${object.kind} ${object.metadata.name}`);
    expect(names("healthy.yaml")).toEqual(expect.arrayContaining(names("cluster.yaml")));
    expect(await findingsIn(healthy, scenario)).toEqual([]);
  });
});
