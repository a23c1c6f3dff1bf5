import { describe, expect, it } from "vitest";
import type { Json, Symptom } from "../../src/model.ts";
import { event, workload } from "../detectors/snapshot-builder.ts";
import { APP, helps, NAMES, onWorkload, refuses, tried, type World } from "./remedy-context.ts";

const REFUSED =
  'Liveness probe failed: Get "http://10.0.0.7:9090/healthz": dial tcp 10.0.0.7:9090: connect: connection refused';
const liveness = (message = REFUSED): Symptom => ({ kind: "LivenessKill", probe: "livenessProbe", message });
const HTTP = [{ name: "http", containerPort: 8080 }];

function world(
  container: { readonly [field: string]: Json } = {
    ports: HTTP,
    livenessProbe: { httpGet: { path: "/healthz", port: 9090 } },
  },
  over: Partial<World> = {},
): World {
  return { workload: workload({ container }), symptom: liveness(), ...over };
}

describe("corrects", () => {
  it("the port to the only one that the container declares", async () => {
    const given = world();
    const planned = await helps("correct-probe", given);
    expect(planned.changes).toEqual([
      onWorkload(given.workload, [...APP, "livenessProbe", "httpGet", "port"], 9090, 8080),
    ]);
    expect(planned.title).toBe("correct port of livenessProbe 9090 → 8080");
    expect(planned.offered).toEqual(["correct-probe"]);
  });

  it("a name that no port has, by the name of the only port", async () => {
    const given = world(
      { ports: HTTP, readinessProbe: { tcpSocket: { port: "htpp" } } },
      { symptom: { kind: "NotReady", message: "" } },
    );
    expect((await helps("correct-probe", given)).changes).toEqual([
      onWorkload(given.workload, [...APP, "readinessProbe", "tcpSocket", "port"], "htpp", "http"),
    ]);
  });

  it("every probe that asks the wrong port, at once", async () => {
    const probe = { httpGet: { path: "/", port: 9090 } };
    const given = world({ ports: HTTP, startupProbe: probe, livenessProbe: probe, readinessProbe: probe });
    expect((await helps("correct-probe", given)).changes).toEqual(
      ["startupProbe", "livenessProbe", "readinessProbe"].map((name) =>
        onWorkload(given.workload, [...APP, name, "httpGet", "port"], 9090, 8080),
      ),
    );
  });

  it("the scheme, when the server's own answer says so", async () => {
    const probe = { httpGet: { path: "/", port: 8080, scheme: "HTTPS" } };
    const given = world(
      { ports: HTTP, livenessProbe: probe },
      { symptom: liveness("http: server gave HTTP response to HTTPS client") },
    );
    expect((await helps("correct-probe", given)).changes).toEqual([
      onWorkload(given.workload, [...APP, "livenessProbe", "httpGet", "scheme"], "HTTPS", "HTTP"),
    ]);
  });

  it("the scheme where none is written", async () => {
    const given = world(
      { ports: HTTP, readinessProbe: { httpGet: { path: "/", port: 8080 } } },
      { symptom: { kind: "NotReady", message: "malformed HTTP response" } },
    );
    expect((await helps("correct-probe", given)).changes).toEqual([
      onWorkload(given.workload, [...APP, "readinessProbe", "httpGet", "scheme"], undefined, "HTTPS"),
    ]);
  });

  it("by what events say where the symptom is silent", async () => {
    const given: World = {
      workload: workload({
        container: { ports: HTTP, livenessProbe: { tcpSocket: { port: 9090 } } },
        events: [event("Unhealthy", REFUSED)],
      }),
      symptom: liveness(""),
    };
    expect((await helps("correct-probe", given)).changes.map((change) => change.to)).toEqual([8080]);
  });
});

describe("refuses, and says what a person must do,", () => {
  const probe = { httpGet: { path: "/healthz", port: 9090 } };
  it.each<[string, World, RegExp]>([
    ["no port is declared", world({ livenessProbe: probe }), /declares no port; a person must say which one is meant/],
    [
      "two ports are declared",
      world({ ports: [{ containerPort: 80 }, { containerPort: 81 }], livenessProbe: probe }),
      /declares 80, 81; a person must say which one/,
    ],
    [
      "the path is wrong, not the port",
      world(
        { ports: HTTP, livenessProbe: { httpGet: { path: "/helth", port: 8080 } } },
        { symptom: liveness("HTTP probe failed with statuscode: 404") },
      ),
      /a person must compare the probe.*paths are never guessed/,
    ],
    [
      "nothing says that the connection is refused",
      world(undefined, { symptom: liveness("context deadline exceeded") }),
      /nothing proves another port/,
    ],
    [
      "only UDP is declared",
      world({ ports: [{ containerPort: 8080, protocol: "UDP" }], livenessProbe: probe }),
      /declares no port/,
    ],
    [
      "the probe is a command",
      world({ ports: HTTP, livenessProbe: { exec: { command: ["true"] } } }),
      /nothing proves/,
    ],
    ["the container is not known", world(undefined, { container: null }), /the failing container is not known/],
    ["the container is gone", world(undefined, { container: "other" }), /the failing container is not known/],
  ])("where %s", async (_, given, says) => expect(await refuses("correct-probe", given)).toMatch(says));
});

describe("parameters from elsewhere change nothing:", () => {
  const on = (probes: Json, container: Json = "app") => ({ container, probes });
  it.each<[string, { readonly [name: string]: Json }, RegExp]>([
    ["another container", on([{ probe: "livenessProbe", port: 8080 }], "sidecar"), /there is no container sidecar/],
    ["a port that nobody declares", on([{ probe: "livenessProbe", port: 22 }]), /port 22 is not declared/],
    ["a port's name that nobody declares", on([{ probe: "livenessProbe", port: "ssh" }]), /port ssh is not declared/],
    ["a port beyond all", on([{ probe: "livenessProbe", port: 65_536 }]), /parameters are wrong/],
    ["a port that is no number", on([{ probe: "livenessProbe", port: 1e308 }]), /parameters are wrong/],
    [
      "a probe that is not there",
      on([{ probe: "readinessProbe", port: 8080 }]),
      /has no readinessProbe that asks a port/,
    ],
    ["no probe at all", on([{ probe: "lifecycle", port: 8080 }]), /parameters are wrong/],
    ["a command", on([{ probe: "livenessProbe", exec: { command: ["sh"] } }]), /parameters are wrong/],
    ["a host", on([{ probe: "livenessProbe", port: 8080, host: "evil.example" }]), /parameters are wrong/],
    ["a scheme of another kind", on([{ probe: "livenessProbe", scheme: "FTP" }]), /parameters are wrong/],
    ["neither port nor scheme", on([{ probe: "livenessProbe" }]), /says so already/],
    ["no probes", on([]), /parameters are wrong/],
    [
      "more than there are",
      on(Array.from({ length: 4 }, () => ({ probe: "livenessProbe", port: 8080 }))),
      /parameters are wrong/,
    ],
    ["what stands there", on([{ probe: "livenessProbe", scheme: "HTTP" }]), /says so already/],
    ["a prototype", on([{ probe: "__proto__", port: 8080 }]), /parameters are wrong/],
  ])("%s", async (_, params, says) =>
    expect(
      await tried(
        "correct-probe",
        params,
        world({ ports: HTTP, livenessProbe: { httpGet: { path: "/", port: 9090, scheme: "HTTP" } } }),
      ),
    ).toMatch(says),
  );

  it("a scheme for a probe that has none", async () =>
    expect(
      await tried(
        "correct-probe",
        on([{ probe: "livenessProbe", scheme: "HTTPS" }]),
        world({ ports: HTTP, livenessProbe: { tcpSocket: { port: 8080 } } }),
      ),
    ).toMatch(/has no scheme/));

  it.each(NAMES)("a container called %s", async (container) =>
    expect(await tried("correct-probe", on([{ probe: "livenessProbe", port: 8080 }], container), world())).toMatch(
      /there is no container|parameters are wrong/,
    ),
  );
});
