import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Body } from "./client.ts";
import { AGNHOST, BUSYBOX, NGINX, PYTHON } from "./programs.ts";
import { useTarget } from "./target.ts";

const target = useTarget("work");

function deployment(name: string, container: Body, replicas = 1): Body {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "app", ...container }] },
      },
    },
  };
}

/** The first pod of an app whose first container's status fits. */
async function podOf(app: string, fits: (status: Body, pod: Body) => boolean, seconds = 90): Promise<Body> {
  const path = `${target.at("v1", "pods")}?labelSelector=app%3D${app}`;
  const find = (list: Body): Body | undefined =>
    list.items?.find(
      (pod: Body) => pod.status?.containerStatuses?.[0] !== undefined && fits(pod.status.containerStatuses[0], pod),
    );
  return find(await target.until(path, (list) => find(list) !== undefined, seconds)) as Body;
}

async function warnings(app: string, reason: string): Promise<Body[]> {
  const { body } = await target.get(`${target.at("v1", "events")}?fieldSelector=type%3DWarning`);
  return body.items.filter((event: Body) => event.reason === reason && event.involvedObject.name.startsWith(`${app}-`));
}

describe("what the kubelet says of a container that", () => {
  it("needs more memory than its limit", async () => {
    const command = ["python3", "-c", "x = bytearray(90 * 1024 * 1024); import time; time.sleep(600)"];
    await target.make(deployment("oom", { image: PYTHON, command, resources: { limits: { memory: "64Mi" } } }));
    const pod = await podOf(
      "oom",
      (status) => status.lastState?.terminated?.reason === "OOMKilled" && status.restartCount >= 2,
    );
    const [status] = pod.status.containerStatuses;
    expect(status.lastState.terminated).toMatchObject({
      reason: "OOMKilled",
      exitCode: 137,
      finishedAt: expect.any(String),
    });
  });

  it("has an image that does not exist", async () => {
    await target.make(deployment("tag", { image: "busybox:no-such-tag" }));
    const pod = await podOf("tag", (status) => status.state.waiting?.reason === "ImagePullBackOff");
    expect(pod.status.phase).toBe("Pending");
    expect(pod.status.containerStatuses[0].state.waiting.message).toContain(
      'Back-off pulling image "busybox:no-such-tag"',
    );
    const said = (await warnings("tag", "Failed")).map((event) => event.message).join("\n");
    expect(said).toMatch(/failed to resolve reference .*busybox:no-such-tag.*: .*not found/);
  });

  it("refers to a ConfigMap that does not exist, and to a key that is not in one", async () => {
    await target.make({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "there" }, data: { here: "1" } });
    const env = (name: string, key: string) => [{ name: "X", valueFrom: { configMapKeyRef: { name, key } } }];
    await target.make(
      deployment("nomap", { image: BUSYBOX, command: ["sh", "-c", "sleep 600"], env: env("nowhere", "here") }),
    );
    await target.make(
      deployment("nokey", { image: BUSYBOX, command: ["sh", "-c", "sleep 600"], env: env("there", "gone") }),
    );
    const waits = (status: Body): boolean => status.state.waiting?.reason === "CreateContainerConfigError";
    const map = await podOf("nomap", waits);
    expect(map.status.containerStatuses[0].state.waiting.message).toBe('configmap "nowhere" not found');
    const key = await podOf("nokey", waits);
    expect(key.status.containerStatuses[0].state.waiting.message).toBe(
      `couldn't find key gone in ConfigMap ${target.namespace}/there`,
    );
  });

  it("ends with an error again and again", async () => {
    await target.make(deployment("crash", { image: BUSYBOX, command: ["sh", "-c", "echo broken; exit 3"] }));
    const pod = await podOf(
      "crash",
      (status) => status.state.waiting?.reason === "CrashLoopBackOff" && status.restartCount >= 1,
      // A kubelet says "terminated" until it looks at the pod again, which may take the whole of a back-off.
      170,
    );
    const [status] = pod.status.containerStatuses;
    expect(status.lastState.terminated).toMatchObject({ reason: "Error", exitCode: 3 });
    expect(status.state.waiting.message).toMatch(/^back-off [\dms]+ restarting failed container=app pod=crash-/);
    const log = await target.get(`${target.at("v1", "pods", pod.metadata.name, "log")}?previous=true&tailLines=5`);
    expect(log.text.trim()).toBe("broken");
  });

  it("is asked for its readiness where it does not listen", async () => {
    const readinessProbe = { httpGet: { path: "/", port: 8081 }, periodSeconds: 1 };
    await target.make(
      deployment("unready", {
        image: AGNHOST,
        args: ["netexec", "--http-port=8080"],
        ports: [{ containerPort: 8080 }],
        readinessProbe,
      }),
    );
    const pod = await podOf("unready", (status) => status.state.running !== undefined && status.ready === false);
    expect(pod.status.conditions.find((condition: Body) => condition.type === "Ready")).toMatchObject({
      status: "False",
      reason: "ContainersNotReady",
    });
    await expect
      .poll(async () => (await warnings("unready", "Unhealthy")).map((event) => event.message).join(), {
        timeout: 60_000,
      })
      .toMatch(/Readiness probe failed: .*connection refused/);
  });

  it("is killed by a liveness probe that asks the wrong port", async () => {
    const livenessProbe = { httpGet: { path: "/", port: 8081 }, periodSeconds: 1, failureThreshold: 2 };
    await target.make(deployment("alive", { image: AGNHOST, args: ["netexec", "--http-port=8080"], livenessProbe }));
    await podOf("alive", (status) => status.restartCount >= 1);
    expect((await warnings("alive", "Unhealthy")).map((event) => event.message).join()).toMatch(
      /Liveness probe failed: .*connection refused/,
    );
  });
});

describe("a rolling update", () => {
  it("keeps the old pods ready while the new revision fails", async () => {
    const sleep = { image: BUSYBOX, command: ["sh", "-c", "sleep 600"] };
    await target.make(deployment("roll", sleep, 2));
    const path = target.at("apps/v1", "deployments", "roll");
    await target.until(path, (body) => body.status?.availableReplicas === 2, 90);
    const response = await target.patch(path, "json", [
      { op: "replace", path: "/spec/template/spec/containers/0/image", value: "busybox:no-such-tag" },
    ]);
    expect(response.code).toBe(200);
    await podOf("roll", (status) => /ErrImagePull|ImagePullBackOff/.test(status.state.waiting?.reason ?? ""));
    const { body } = await target.get(path);
    expect(body.status.readyReplicas).toBe(2);
    expect(body.status.updatedReplicas).toBe(1);
    const sets = (await target.get(`${target.at("apps/v1", "replicasets")}?labelSelector=app%3Droll`)).body
      .items as Body[];
    const revisions = sets
      .map((set) => [set.metadata.annotations["deployment.kubernetes.io/revision"], set.status.readyReplicas ?? 0])
      .toSorted();
    expect(revisions).toEqual([
      ["1", 2],
      ["2", 0],
    ]);
    expect(
      sets.every(
        (set) => set.metadata.labels["pod-template-hash"] === set.spec.selector.matchLabels["pod-template-hash"],
      ),
    ).toBe(true);
  });
});

describe("a pod that is asked through the API server", () => {
  it("answers for itself where it listens, and the API server where nothing does", async () => {
    await target.make(deployment("web", { image: NGINX }));
    const pod = await podOf("web", (status) => status.ready === true);
    const ask = (port: number, path: string) =>
      target.get(`${target.at("v1", "pods")}/http:${pod.metadata.name}:${port}/proxy${path}`);
    // Without a readiness probe a container is ready before its program listens.
    let top = await ask(80, "/");
    for (let tries = 0; top.code === 503 && tries < 40; tries += 1) {
      await sleep(250);
      top = await ask(80, "/");
    }
    expect(top.code).toBe(200);
    const missing = await ask(80, "/get_status");
    expect([missing.code, missing.body?.kind]).toEqual([404, undefined]);
    const refused = await ask(81, "/");
    expect([refused.code, refused.body.kind, refused.body.reason]).toEqual([503, "Status", "ServiceUnavailable"]);
    expect(refused.body.message).toContain("error trying to reach service");
  });
});
