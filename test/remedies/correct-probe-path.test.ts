import { describe, expect, it } from "vitest";
import type { Json, Symptom } from "../../src/model.ts";
import { event, revision, workload } from "../detectors/snapshot-builder.ts";
import { APP, contextOf, findingOf, helps, NAMES, onWorkload, refuses, tried, type World } from "./remedy-context.ts";

const NOT_FOUND = "HTTP probe failed with statuscode: 404";
const liveness = (message = NOT_FOUND): Symptom => ({ kind: "LivenessKill", probe: "livenessProbe", message });
const notReady: Symptom = { kind: "NotReady", message: `Readiness probe failed: ${NOT_FOUND}` };
const asks = (path: string, over: { readonly [field: string]: Json } = {}) => ({
  httpGet: { path, port: 8080, ...over },
});

function world(
  container: { readonly [field: string]: Json } = { livenessProbe: asks("/helthz") },
  answers: Readonly<Record<string, number>> = { "8080/helthz": 404, "8080/healthz": 200 },
  over: Partial<World> = {},
): World {
  return { workload: workload({ container }), symptom: liveness(), answers: asked(answers), ...over };
}

/** A program that serves these paths, and answers every other with 404. */
function asked(answers: Readonly<Record<string, number>>): Record<string, number> {
  return new Proxy(
    { ...answers },
    { get: (all, key: string) => all[key] ?? (key.startsWith("8080/") ? 404 : undefined) },
  );
}

const pathOf = (probe: string) => [...APP, probe, "httpGet", "path"];
const to = async (given: World) =>
  (await helps("correct-probe-path", given)).changes.map((change) => [change.path.at(-3), change.to]);

describe("points", () => {
  it("a liveness probe to the path that the program answers", async () => {
    const given = world();
    const planned = await helps("correct-probe-path", given);
    expect(planned.changes).toEqual([onWorkload(given.workload, pathOf("livenessProbe"), "/helthz", "/healthz")]);
    expect(planned.title).toBe("correct path of livenessProbe /helthz → /healthz");
    expect(planned.reason).toBe(
      "livenessProbe asks /helthz, which the program answers with 404; it answers /healthz with 200.",
    );
    expect(planned.offered).toEqual(["correct-probe-path"]);
    expect(planned.gitOnly).toBeUndefined();
  });

  it("a path that is not written, which means the top, by adding it", async () => {
    const given = world({ livenessProbe: { httpGet: { port: 8080 } } }, { "8080/": 404, "8080/livez": 204 });
    expect((await helps("correct-probe-path", given)).changes).toEqual([
      onWorkload(given.workload, pathOf("livenessProbe"), undefined, "/livez"),
    ]);
  });

  it("every probe that is answered with 404, and none that is served", async () => {
    const given = world(
      { startupProbe: asks("/up"), livenessProbe: asks("/helthz"), readinessProbe: asks("/raedyz") },
      { "8080/up": 200, "8080/livez": 200, "8080/readyz": 200 },
    );
    const planned = await helps("correct-probe-path", given);
    expect(planned.changes.map((change) => [change.path.at(-3), change.to])).toEqual([
      ["livenessProbe", "/livez"],
      ["readinessProbe", "/readyz"],
    ]);
    expect(planned.title).toBe("correct path of livenessProbe /helthz → /livez and readinessProbe /raedyz → /readyz");
    expect(planned.evidence).toHaveLength(2);
  });

  it("what it is a typo of before what is more usual", async () => {
    expect(await to(world({ livenessProbe: asks("/pingg") }, { "8080/ping": 200, "8080/healthz": 200 }))).toEqual([
      ["livenessProbe", "/ping"],
    ]);
  });

  it("another probe's path of the same port before those that are for any probe", async () => {
    const given = world(
      { livenessProbe: asks("/nowhere"), readinessProbe: asks("/internal/state") },
      { "8080/internal/state": 200, "8080/healthz": 200 },
    );
    expect(await to(given)).toEqual([["livenessProbe", "/internal/state"]]);
  });

  it("the top of the site last, for a program that serves nothing else", async () => {
    const given = world({ livenessProbe: asks("/get_status"), readinessProbe: asks("/is_ready") }, { "8080/": 200 });
    expect(await to(given)).toEqual([
      ["livenessProbe", "/"],
      ["readinessProbe", "/"],
    ]);
  });

  it("by an event where the symptom is silent", async () => {
    const given = world(undefined, undefined, {
      workload: workload({ container: { livenessProbe: asks("/helthz") }, events: [event("Unhealthy", NOT_FOUND)] }),
      symptom: liveness(""),
    });
    expect(await to(given)).toEqual([["livenessProbe", "/healthz"]]);
  });

  it("the probe of a named port, at the number that the name stands for", async () => {
    const given = world({
      ports: [{ name: "web", containerPort: 8080 }],
      livenessProbe: { httpGet: { path: "/helthz", port: "web" } },
    });
    expect(await to(given)).toEqual([["livenessProbe", "/healthz"]]);
  });

  it("a StatefulSet's live, a bare Pod's in Git only", async () => {
    const container = { livenessProbe: asks("/helthz") };
    const planned = await helps(
      "correct-probe-path",
      world(container, undefined, { workload: workload({ kind: "StatefulSet", container }) }),
    );
    expect(planned.gitOnly).toBeUndefined();
    const pod = await helps(
      "correct-probe-path",
      world(container, undefined, { workload: workload({ kind: "Pod", container }) }),
    );
    expect(pod.gitOnly).toMatch(/must be deleted and made anew/);
  });
});

describe("keeps what a probe is for:", () => {
  it("a liveness probe never asks whether the program is ready: others' trouble would kill it", async () => {
    const given = world(
      { livenessProbe: asks("/nowhere"), readinessProbe: asks("/is-ready") },
      { "8080/is-ready": 200, "8080/readyz": 200, "8080/ready": 200, "8080/health/ready": 200, "8080/ping": 200 },
    );
    expect(await to(given)).toEqual([["livenessProbe", "/ping"]]);
  });

  it("a readiness probe never asks only whether the program lives: it would get requests that it cannot serve", async () => {
    const given = world(
      { livenessProbe: asks("/app/alive"), readinessProbe: asks("/nowhere") },
      { "8080/app/alive": 200, "8080/livez": 200, "8080/-/healthy": 200, "8080/status": 200 },
      { symptom: notReady },
    );
    expect(await to(given)).toEqual([["readinessProbe", "/status"]]);
  });
});

describe("refuses, and says what a person must do,", () => {
  it.each<[string, World, RegExp]>([
    [
      "nobody saw a 404",
      world(undefined, undefined, { symptom: liveness("HTTP probe failed with statuscode: 500") }),
      /no probe was answered with 404/,
    ],
    [
      "a log says 404, and no probe",
      world(undefined, undefined, { symptom: { kind: "NotReady", message: "GET /statuscode 404" } }),
      /no probe was answered with 404/,
    ],
    [
      "the path is served by now",
      world(undefined, { "8080/helthz": 200 }),
      /every probe's path is answered by the program now/,
    ],
    [
      "it fails with 503",
      world(undefined, { "8080/helthz": 503 }),
      /every probe's path is answered by the program now/,
    ],
    [
      "nothing usual is served",
      world(undefined, { "8080/secret-door": 200 }),
      /none of the usual health paths with success; a person must say what it serves/,
    ],
    [
      "all it does is to send elsewhere",
      world(undefined, { "8080/": 302, "8080/healthz": 301, "8080/health": 401 }),
      /a person must say what it serves/,
    ],
    [
      "nobody can be asked",
      { ...world(), answers: {} },
      /could not be asked on port 8080 at this moment \(it is restarting, or the right to get pods\/proxy is missing\)/,
    ],
    [
      "it goes silent in the middle",
      { ...world(), answers: { "8080/helthz": 404, "8080/healthz": 404 } },
      /could not be asked on port 8080/,
    ],
    [
      "another host is asked",
      world({ livenessProbe: asks("/helthz", { host: "10.0.0.9" }) }),
      /livenessProbe asks another host than the pod; a person must look there/,
    ],
    [
      "headers are sent",
      world({ livenessProbe: asks("/helthz", { httpHeaders: [{ name: "Authorization", value: "Bearer s3cret" }] }) }),
      /^livenessProbe sends headers of its own, on which its answer may depend; a person must compare its path with what the program serves$/,
    ],
    [
      "the path has a query",
      world({ livenessProbe: asks("/helthz?token=s3cret") }),
      /^the path of livenessProbe is more than a plain path; a person must compare it with what the program serves$/,
    ],
    ["the path climbs", world({ livenessProbe: asks("/../../../../v1/secrets") }), /more than a plain path/],
    ["the path hides a climb", world({ livenessProbe: asks("/%2e%2e/%2e%2e/secrets") }), /more than a plain path/],
    ["the path is no path", world({ livenessProbe: asks("helthz") }), /more than a plain path/],
    [
      "other pods of the revision are ready",
      world({ readinessProbe: asks("/helthz") }, undefined, {
        symptom: notReady,
        workload: workload({
          container: { readinessProbe: asks("/helthz") },
          revisions: [revision("cart-new", 2, true, { replicas: 2, readyReplicas: 1 })],
        }),
      }),
      /other pods of the same revision pass their readinessProbe, so that its path exists; a person must see why/,
    ],
    ["the probe is a command", world({ livenessProbe: { exec: { command: ["true"] } } }), /every probe's path/],
    ["the container is not known", world(undefined, undefined, { container: null }), /failing container is not known/],
  ])("where %s", async (_, given, says) => expect(await refuses("correct-probe-path", given)).toMatch(says));

  it("asks nobody about a path that is not plain", async () => {
    const paths: string[] = [];
    const given = world({ livenessProbe: asks("/../secrets") });
    const context = {
      ...contextOf(given),
      ask: async (_: string, question: { path: string }) => {
        paths.push(question.path);
        return 404;
      },
    };
    const { correctProbePath } = await import("../../src/remedies/correct-probe-path.ts");
    expect((await correctProbePath.diagnose(findingOf(given), context)).applies).toBe(false);
    expect(paths).toEqual([]);
  });
});

describe("parameters from elsewhere change nothing:", () => {
  const on = (probes: Json, container: Json = "app") => ({ container, probes });
  const one = (path: Json, probe: Json = "livenessProbe") => on([{ probe, path }]);
  it.each<[string, { readonly [name: string]: Json }, RegExp]>([
    ["a path that nobody knows", one("/admin/shutdown"), /\/admin\/shutdown is neither a usual health path/],
    ["a readiness path for a liveness probe", one("/readyz"), /\/readyz is neither a usual health path for a liveness/],
    ["another host", one("//evil.example/healthz"), /neither a usual health path/],
    ["an address", one("http://evil.example/"), /parameters are wrong/],
    ["a climb", one("/healthz/../../secrets"), /parameters are wrong/],
    ["a query", one("/healthz?a=b"), /parameters are wrong/],
    ["an escape", one("/%2e%2e/secrets"), /parameters are wrong/],
    ["a line break", one("/healthz\n"), /parameters are wrong/],
    ["a long path", one(`/${"a".repeat(200)}`), /parameters are wrong/],
    ["a path as a list", one(["/healthz"]), /parameters are wrong/],
    ["what stands there", one("/helthz"), /asks \/helthz already/],
    ["a probe that is not there", one("/healthz", "readinessProbe"), /has no readinessProbe that asks by HTTP/],
    ["no probe at all", one("/healthz", "lifecycle"), /parameters are wrong/],
    ["a prototype", one("/healthz", "__proto__"), /parameters are wrong/],
    [
      "a probe twice",
      on([
        { probe: "livenessProbe", path: "/healthz" },
        { probe: "livenessProbe", path: "/health" },
      ]),
      /a probe is named twice/,
    ],
    ["a port beside it", on([{ probe: "livenessProbe", path: "/healthz", port: 22 }]), /parameters are wrong/],
    ["a command", on([{ probe: "livenessProbe", path: "/", exec: { command: ["true"] } }]), /parameters are wrong/],
    ["no probes", on([]), /parameters are wrong/],
    ["another container", on([{ probe: "livenessProbe", path: "/healthz" }], "other"), /no failing container other/],
  ])("%s", async (_, params, says) => expect(await tried("correct-probe-path", params, world())).toMatch(says));

  it("a neighbour that does not fail", async () => {
    const livenessProbe = asks("/x");
    const given = world(undefined, undefined, {
      workload: workload({
        podSpec: {
          containers: [
            { name: "app", livenessProbe },
            { name: "other", livenessProbe },
          ] as Json,
        },
      }),
    });
    expect(
      await tried("correct-probe-path", on([{ probe: "livenessProbe", path: "/healthz" }], "other"), given),
    ).toMatch(/no failing container other/);
  });

  it("nor after the 404 is gone", async () =>
    expect(
      await tried("correct-probe-path", one("/healthz"), world(undefined, undefined, { symptom: liveness("timeout") })),
    ).toMatch(/no probe was answered with 404/));

  it("nor a probe of another host", async () =>
    expect(
      await tried(
        "correct-probe-path",
        one("/healthz"),
        world({ livenessProbe: asks("/helthz", { host: "10.0.0.9" }) }),
      ),
    ).toMatch(/asks another host/));

  it.each(NAMES)("a container called %s", async (container) =>
    expect(
      await tried("correct-probe-path", on([{ probe: "livenessProbe", path: "/healthz" }], container), world()),
    ).toMatch(/there is no failing container|parameters are wrong/),
  );
});
