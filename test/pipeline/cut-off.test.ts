import { expect, it } from "vitest";
import type { RunReport } from "../../src/run.ts";
import { deployment, makeWorld, REPOSITORY, virtualClock } from "./world.ts";

const said = (report: RunReport): string[] => report.outcomes.map((outcome) => outcome.kind);
const APP = "apps/app.yaml";
const API = "apps/api.yaml";
const service = (port: number): string => `apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec:
  selector: {app: app}
  ports:
    - port: ${port}
      targetPort: 8080 # where it listens
`;
const client = (app: string): string =>
  app.replace("image:", "env: [{name: API_URL, value: 'http://api:81/'}]\n          image:");

it("a port that a declared client asks for comes back, live and in Git", async () => {
  const app = client(deployment({ memory: "256Mi" }));
  await using world = await makeWorld({ [APP]: app, [API]: service(81) }, virtualClock());
  await world.deploy();
  await world.clock.sleep(60_000);
  expect(said(await world.run())).toEqual([]);
  await world.host.commit(REPOSITORY, "main", { [API]: service(8000) }, { message: "More", date: world.clock.now() });
  await world.deploy();
  await world.clock.sleep(60_000);
  const report = await world.run();
  expect(said(report), JSON.stringify(report.outcomes)).toEqual(["proposed"]);
  const [pull] = world.host.pulls(REPOSITORY);
  expect(await world.host.read(REPOSITORY, pull?.head ?? "", API)).toBe(service(81));
  expect(said(await world.run())).toEqual(["waiting"]);
}, 60_000);
