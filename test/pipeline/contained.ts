import type { Program } from "../../src/demo/cluster/programs.ts";
import { APPS, IMAGE } from "./issues.ts";
import { makeWorld, REPOSITORY, virtualClock, type World } from "./world.ts";

export const FILE = "apps/app.yaml";

/** Where the image's developers are told. */
export const TOLD = { apps: [{ images: ["example.com/*"], repository: APPS }] };

/** A Deployment `shop/app`. */
export function manifest(
  more: { readonly replicas?: number; readonly container?: string; readonly spec?: string } = {},
) {
  const { replicas = 3, container = "", spec = "" } = more;
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
  namespace: shop
spec:
  replicas: ${replicas}
${spec}  selector:
    matchLabels: {app: app}
  template:
    metadata:
      labels: {app: app}
    spec:
      containers:
        - name: app
          image: ${IMAGE}
${container}`;
}

export const PROBED = `          readinessProbe:
            httpGet: {path: /, port: 8080}
            periodSeconds: 15
`;

/** A world in which the manifest is deployed; `program` is asked for each container that starts, the first is 1. */
export async function deployed(text: string, program: (start: number) => Program): Promise<World> {
  const world = await makeWorld({ [FILE]: text }, virtualClock());
  await world.host.addRepository(APPS, { commits: [{ message: "Import", files: { "main.go": "package main\n" } }] });
  let starts = 0;
  world.cluster.registry.push(IMAGE, () => {
    starts += 1;
    return program(starts);
  });
  await world.deploy();
  return world;
}

export interface Seen {
  readonly name: string;
  readonly uid: string;
  readonly ready: boolean;
  readonly restarts: number;
}

export function pods(world: World): Seen[] {
  return world.cluster.list("v1", "Pod", "shop").map(({ metadata, status }) => {
    const { conditions = [], containerStatuses = [] } = (status ?? {}) as {
      conditions?: { type: string; status: string }[];
      containerStatuses?: { restartCount: number }[];
    };
    return {
      name: metadata.name,
      uid: metadata.uid ?? "",
      ready: conditions.some((one) => one.type === "Ready" && one.status === "True"),
      restarts: containerStatuses[0]?.restartCount ?? 0,
    };
  });
}

export const ready = (world: World): number => pods(world).filter((pod) => pod.ready).length;
/** Lets time pass and everything happen that is due in it: what a test changes then is new. */
export async function minutes(world: World, count: number): Promise<void> {
  await world.clock.sleep(count * 60_000);
  pods(world);
}

/** Pods that were evicted, or in which a command was run, in order. */
export function acted(world: World, subresource: "eviction" | "exec"): string[] {
  const found = world.cluster.requests.map(({ path }) => new RegExp(`/pods/([^/]+)/${subresource}$`).exec(path)?.[1]);
  return found.filter((name) => name !== undefined);
}

/** Nothing came into Git: neither a pull request nor an issue of the deployment's own repository. */
export const inGit = (world: World): number =>
  world.host.pulls(REPOSITORY).length + world.host.issues(REPOSITORY).length;
