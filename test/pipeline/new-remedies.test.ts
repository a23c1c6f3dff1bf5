import { describe, expect, it } from "vitest";
import type { ProgramSource } from "../../src/demo/cluster/programs.ts";
import type { Json } from "../../src/model.ts";
import { makeWorld, REPOSITORY, virtualClock, type World } from "./world.ts";

/** Faults that were there from the first commit on: Git's history has no better value, and the cluster has. */

const IMAGE = "example.com/shop:1.0.0";

function deployment(name: string, container: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: shop
spec:
  replicas: 1
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
        - name: app
          image: ${IMAGE}
          ports: [{containerPort: 8080}]
${container}`;
}

function service(name: string, app: string): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: shop
spec:
  selector: {app: ${app}}   # see the wiki
  ports: [{port: 80, targetPort: 8080}]
`;
}

async function deployed(files: Readonly<Record<string, string>>, program: ProgramSource): Promise<World> {
  const world = await makeWorld(files, virtualClock());
  world.cluster.registry.push(IMAGE, program);
  await world.deploy();
  return world;
}

/** What a run does about a cause: its outcomes, and Git before and after as lines that differ. */
async function healed(world: World, file: string) {
  const before = await world.host.read(REPOSITORY, "main", file);
  const { outcomes } = await world.run();
  const pulls = world.host.pulls(REPOSITORY);
  const after = await world.host.read(REPOSITORY, pulls[0]?.head ?? "main", file);
  const lines = (text: string, other: string) => text.split("\n").filter((line) => !other.split("\n").includes(line));
  return {
    outcomes: outcomes.map((outcome) => outcome.kind),
    messages: outcomes.map((outcome) => outcome.message).join("\n"),
    pulls: pulls.map((pull) => pull.state),
    removed: lines(before, after),
    added: lines(after, before),
  };
}

const containerOf = (world: World, name: string) =>
  (
    world.cluster.get("apps/v1", "Deployment", "shop", name) as unknown as {
      spec: { template: { spec: { containers: { [field: string]: Json }[] } } };
    }
  ).spec.template.spec.containers[0];

const restarts = (world: World): number =>
  Math.max(
    0,
    ...world.cluster
      .list("v1", "Pod", "shop")
      .map(
        (pod) =>
          (pod["status"] as { containerStatuses?: { restartCount: number }[] } | undefined)?.containerStatuses?.[0]
            ?.restartCount ?? 0,
      ),
  );

const isReady = (world: World): boolean =>
  world.cluster
    .list("v1", "Pod", "shop")
    .some((pod) =>
      (pod["status"] as { conditions?: { type: string; status: string }[] } | undefined)?.conditions?.some(
        ({ type, status }) => type === "Ready" && status === "True",
      ),
    );

const probe = (name: string, path: string) => `          ${name}:
            httpGet: {path: ${path}, port: 8080}
            periodSeconds: 5
`;

describe.concurrent("heals, from the first commit on,", () => {
  it("a liveness probe of a path that the program does not serve, by asking the program", async () => {
    const file = "apps/web.yaml";
    await using world = await deployed(
      { [file]: deployment("web", probe("livenessProbe", "/helthz")) },
      { ports: [8080], paths: ["/healthz"] },
    );
    await world.until(() => restarts(world) >= 3);
    const { outcomes, pulls, removed, added } = await healed(world, file);
    expect({ outcomes, pulls }).toEqual({ outcomes: ["proposed"], pulls: ["open"] });
    expect(removed).toEqual(["            httpGet: {path: /helthz, port: 8080}"]);
    expect(added).toEqual(["            httpGet: {path: /healthz, port: 8080}"]);
    expect(containerOf(world, "web")?.["livenessProbe"]).toMatchObject({ httpGet: { path: "/healthz" } });
  });

  it("a readiness probe of a program that serves nothing but its top", async () => {
    const file = "apps/web.yaml";
    await using world = await deployed(
      { [file]: deployment("web", probe("readinessProbe", "/is_ready")) },
      { ports: [8080], paths: ["/"] },
    );
    await world.clock.sleep(15 * 60_000);
    const { outcomes, added } = await healed(world, file);
    expect(outcomes).toEqual(["proposed"]);
    expect(added).toEqual(["            httpGet: {path: /, port: 8080}"]);
    expect(isReady(world)).toBe(true);
  });

  it("and does not wait for answers that it may not ask for", async () => {
    await using world = await deployed(
      { "apps/web.yaml": deployment("web", probe("readinessProbe", "/is_ready")) },
      { ports: [8080], paths: ["/"] },
    );
    await world.clock.sleep(15 * 60_000);
    let asked = 0;
    const { outcomes } = await world.run(({ api, hosts }) => ({
      hosts,
      api: {
        ...api,
        ask: async () => {
          asked += 1;
          return null;
        },
        review: async (accesses) => accesses.map((access) => access.subresource !== "proxy"),
      },
    }));
    expect([outcomes.map((outcome) => outcome.kind), asked]).toEqual([["escalated"], 1]);
  });

  it("and leaves a probe alone whose program serves no health path: a person is asked", async () => {
    const file = "apps/web.yaml";
    await using world = await deployed(
      { [file]: deployment("web", probe("livenessProbe", "/helthz")) },
      { ports: [8080], paths: ["/api/orders"] },
    );
    await world.until(() => restarts(world) >= 3);
    const { outcomes, messages, pulls } = await healed(world, file);
    expect({ outcomes, pulls }).toEqual({ outcomes: ["escalated"], pulls: [] });
    expect(messages).toMatch(/none of the usual health paths with success; a person must say what it serves/);
    expect(containerOf(world, "web")?.["livenessProbe"]).toMatchObject({ httpGet: { path: "/helthz" } });
  });

  it("a Service whose selector is a slip, by the workload that fits", async () => {
    const file = "apps/cart-service.yaml";
    await using world = await deployed(
      {
        "apps/cart.yaml": deployment("cart", ""),
        "apps/other.yaml": deployment("other", ""),
        [file]: service("cart", "catr"),
      },
      { ports: [8080] },
    );
    await world.until(() => isReady(world));
    await world.clock.sleep(10 * 60_000);
    const { outcomes, pulls, removed, added } = await healed(world, file);
    expect({ outcomes, pulls }).toEqual({ outcomes: ["proposed"], pulls: ["open"] });
    expect(removed).toEqual(["  selector: {app: catr}   # see the wiki"]);
    expect(added).toEqual(["  selector: {app: cart}   # see the wiki"]);
    expect(world.cluster.get("v1", "Service", "shop", "cart")).toMatchObject({ spec: { selector: { app: "cart" } } });
  });

  it("a host that does not resolve, by the Service that it is a typo of", async () => {
    const file = "apps/web.yaml";
    const line = (host: string) => `          env: [{name: DB_URL, value: "postgres://shop:pw@${host}:80/shop"}]`;
    await using world = await deployed(
      {
        [file]: deployment("web", `${line("orders-dbb")}\n`),
        "apps/orders-db.yaml": deployment("orders-db", `${line("orders-db")}\n`),
        "apps/orders-db-service.yaml": service("orders-db", "orders-db"),
      },
      {
        ports: [8080],
        requires: [
          {
            name: "DB_URL",
            values: ["postgres://shop:pw@orders-db:80/shop"],
            log: 'could not translate host name "orders-dbb" to address: Name or service not known',
          },
        ],
      },
    );
    await world.until(() => restarts(world) >= 4);
    const { outcomes, messages, pulls, removed, added } = await healed(world, file);
    expect({ outcomes, pulls }).toEqual({ outcomes: ["proposed"], pulls: ["open"] });
    expect(removed).toEqual([line("orders-dbb")]);
    expect(added).toEqual([line("orders-db")]);
    expect(messages).not.toContain("shop:pw");
  });
});
