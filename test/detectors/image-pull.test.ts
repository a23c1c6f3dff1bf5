import { describe, expect, it } from "vitest";
import { imagePull } from "../../src/detectors/image-pull.ts";
import { pullCause } from "../../src/kube/pull-failure.ts";
import {
  ago,
  container,
  event,
  pod,
  rollingOut,
  settings,
  snapshot,
  type WorkloadSpec,
  workload,
} from "./snapshot-builder.ts";

const NOT_FOUND =
  'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.99": failed to resolve reference "docker.io/library/nginx:1.99": docker.io/library/nginx:1.99: not found';
const BACK_OFF = 'Back-off pulling image "nginx:1.99"';

describe("pullCause", () => {
  it.each([
    [NOT_FOUND, "terminal"],
    [`${BACK_OFF}: ErrImagePull: ${NOT_FOUND}`, "terminal"],
    ['failed to pull image "x:1": manifest unknown: manifest unknown', "terminal"],
    ["reading manifest v9 in quay.io/a/b: name unknown: repository not found", "terminal"],
    ['failed to resolve image "x": no match for platform in manifest: not found', "terminal"],
    ["no matching manifest for linux/arm64/v8 in the manifest list entries", "terminal"],
    [
      'Failed to apply default image tag "nginx:1.2 7": couldn\'t parse image name "nginx:1.2 7": invalid reference format',
      "terminal",
    ],
    ['Container image "nginx:1.98" is not present with pull policy of Never', "terminal"],
    [
      "failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://ghcr.io/token: 401 Unauthorized",
      "authentication",
    ],
    ["unexpected status from HEAD request to https://ghcr.io/v2/a/b/manifests/1: 403 Forbidden", "authentication"],
    [
      "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
      "authentication",
    ],
    ["no basic auth credentials", "authentication"],
    [
      "toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
      "transient",
    ],
    ["unexpected status from HEAD request to https://r.io/v2/x/manifests/1: 429 Too Many Requests", "transient"],
    ["unexpected status from HEAD request to https://r.io/v2/x/manifests/1: 503 Service Unavailable", "transient"],
    [
      "failed to do request: Head https://r.io/v2/x/manifests/1: dial tcp: lookup r.io on 10.0.0.10:53: no such host",
      "transient",
    ],
    ["dial tcp 10.1.2.3:443: i/o timeout", "transient"],
    ["read tcp 10.0.0.1:5000: connection reset by peer", "transient"],
    [BACK_OFF, null],
    ["Error: ImagePullBackOff", null],
    // The words stand in names only.
    ['Back-off pulling image "acme/unauthorized-not found:503"', null],
  ])("%s → %s", (message, cause) => expect(pullCause(message)).toBe(cause));
});

function found(
  over: WorkloadSpec & {
    readonly reason?: string;
    readonly message?: string;
    readonly init?: boolean;
    readonly age?: string;
  },
) {
  const { reason = "ImagePullBackOff", message = BACK_OFF, init = false, age = "30s", ...rest } = over;
  const state = container({ image: "nginx:1.99", init, waiting: { reason, message } });
  return imagePull.detect(
    snapshot([
      workload({
        container: { image: "nginx:1.99" },
        pods: [pod({ phase: "Pending", createdAt: ago(age), containers: [state] })],
        ...rest,
      }),
    ]),
    settings,
  );
}

const failed = (message: string, count = 1) =>
  event("Failed", `Failed to pull image "nginx:1.99": ${message}`, { count, first: "30s", last: "5s" });

describe("image-pull", () => {
  it.each([
    ["ErrImagePull", NOT_FOUND],
    ["ImagePullBackOff", `${BACK_OFF}: ErrImagePull: ${NOT_FOUND}`],
    [
      "InvalidImageName",
      'Failed to apply default image tag "nginx:1.99": couldn\'t parse image name "nginx:1.99": invalid reference format',
    ],
    ["ErrImageNeverPull", 'Container image "nginx:1.99" is not present with pull policy of Never'],
  ])("finds %s terminal at once, on a young rollout, too", (reason, message) => {
    const [finding, ...rest] = found({ reason, message, status: rollingOut });
    expect(rest).toEqual([]);
    expect(finding).toMatchObject({
      container: "app",
      symptom: { kind: "ImagePull", cause: "terminal", image: "nginx:1.99", init: false },
    });
    expect(finding?.unripe).toBeUndefined();
  });

  it("takes the cause from the one event of four that tells it", () => {
    const events = [
      event("Failed", "Error: ImagePullBackOff"),
      event("BackOff", BACK_OFF),
      failed(NOT_FOUND),
      event("Failed", "Error: ErrImagePull"),
    ];
    const [finding] = found({ events });
    expect(finding).toMatchObject({ symptom: { cause: "terminal" } });
    expect(finding?.symptom.kind === "ImagePull" && finding.symptom.message).toContain("not found");
  });

  it("does not take another container's or pod's event for its own", () => {
    expect(found({ events: [event("Failed", `Failed to pull image "redis:9": ${NOT_FOUND}`)] })[0]).toMatchObject({
      symptom: { cause: "transient" },
    });
    expect(
      found({ events: [event("Failed", `Failed to pull image "nginx:1.99": ${NOT_FOUND}`, { on: "other-1" })] })[0],
    ).toMatchObject({ symptom: { cause: "transient" } });
  });

  it("lets one pod that knows the cause speak for those that only wait", () => {
    const pods = [1, 2, 3].map((index) =>
      pod({
        name: `cart-${index}`,
        phase: "Pending",
        createdAt: ago("30s"),
        containers: [
          container({
            image: "nginx:1.99",
            waiting: {
              reason: "ImagePullBackOff",
              message: index === 3 ? `${BACK_OFF}: ErrImagePull: ${NOT_FOUND}` : BACK_OFF,
            },
          }),
        ],
      }),
    );
    const all = imagePull.detect(snapshot([workload({ pods })]), settings);
    expect(all).toHaveLength(1);
    expect(all[0]).toMatchObject({ pods: 3, symptom: { cause: "terminal" } });
  });

  it("waits with what may pass, until it has failed often enough or long enough", () => {
    const slow = "toomanyrequests: You have reached your pull rate limit";
    expect(found({ events: [failed(slow, 2)] })[0]?.unripe).toContain("2 of 3");
    expect(found({ events: [failed(slow, 3)] })[0]).toMatchObject({ symptom: { cause: "transient" } });
    expect(found({ events: [failed(slow, 3)] })[0]?.unripe).toBeUndefined();
    expect(found({})[0]?.unripe).toContain("No message tells");
    expect(found({ age: "6m" })[0]?.unripe).toBeUndefined();
  });

  it("waits for a second refusal, because a pull secret may be late", () => {
    const refused = "failed to authorize: 401 Unauthorized";
    expect(found({ events: [failed(refused, 1)] })[0]).toMatchObject({ symptom: { cause: "authentication" } });
    expect(found({ events: [failed(refused, 1)] })[0]?.unripe).toContain("1 time");
    expect(found({ events: [failed(refused, 2)] })[0]?.unripe).toBeUndefined();
  });

  it("names an init container", () => {
    expect(found({ init: true, reason: "ErrImagePull", message: NOT_FOUND })[0]).toMatchObject({
      symptom: { init: true },
    });
  });

  it.each(["ContainerCreating", "PodInitializing", "CrashLoopBackOff", "CreateContainerConfigError"])(
    "says nothing of %s",
    (reason) => expect(found({ reason })).toEqual([]),
  );

  it("says nothing of an image that was pulled in the end", () => {
    expect(
      imagePull.detect(snapshot([workload({ pods: [pod()], events: [failed("i/o timeout", 5)] })]), settings),
    ).toEqual([]);
  });
});
