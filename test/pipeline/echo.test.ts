import { expect, it } from "vitest";
import type { RunReport } from "../../src/run.ts";
import { makeWorld, REPOSITORY, virtualClock, type World } from "./world.ts";

/** A program that ends without a variable which comes from a key that may be missing. */
const app = `apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: shop}
spec:
  replicas: 1
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
        - name: app
          image: example.com/flagged:1.0.0
          env:
            - name: FEATURE
              valueFrom: {configMapKeyRef: {name: settings, key: feature, optional: true}}
`;
const settings = (data: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata:\n  level: info\n${data}`;

const said = (report: RunReport): string[] => report.outcomes.map((outcome) => outcome.kind);

function restarts(world: World): number {
  return Math.max(
    0,
    ...world.cluster.list("v1", "Pod", "shop").map((pod) => {
      const status = pod["status"] as { containerStatuses?: { restartCount: number }[] } | undefined;
      return status?.containerStatuses?.[0]?.restartCount ?? 0;
    }),
  );
}

/** A pod goes on when a ConfigMap changes: its restarts stay, and look like a crash loop for a while. */
it("what is left to see of a resolved incident is no new one, and its fix is not taken for the cause", async () => {
  await using world = await makeWorld(
    { "apps/app.yaml": app, "apps/settings.yaml": settings("  feature: enabled\n") },
    virtualClock(),
  );
  await world.host.commit(REPOSITORY, "main", { "apps/settings.yaml": settings("") }, { message: "Tidy up" });
  await world.deploy();
  await world.until(() => restarts(world) >= 3);
  expect(said(await world.run())).toEqual(["proposed"]);
  await world.host.merge(REPOSITORY, 1, { as: "ada" });
  await world.deploy();
  const after = await world.run();
  expect(said(after)).toEqual(["resolved", "watching"]);
  expect(after.outcomes[1]?.message).toMatch(/it began before .* was resolved, and may be what is left of it/);
  // Later it is looked at again: whatever is found then, the merged fix is not taken back.
  await world.clock.sleep(16 * 60_000);
  await world.run();
  expect(world.host.pulls(REPOSITORY)).toHaveLength(1);
  expect(await world.host.read(REPOSITORY, "main", "apps/settings.yaml")).toBe(settings("  feature: enabled\n"));
}, 60_000);
