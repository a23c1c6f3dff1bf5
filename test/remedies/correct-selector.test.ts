import { describe, expect, it } from "vitest";
import type { Json, KubeObject, Symptom, Workload } from "../../src/model.ts";
import { service, type WorkloadSpec, workload } from "../detectors/snapshot-builder.ts";
import { helps, NAMES, refuses, tried, type World } from "./remedy-context.ts";

const noEndpoints: Symptom = { kind: "NoEndpoints", message: "It matches no pod." };
const PORTS = [{ port: 80, targetPort: 8080, protocol: "TCP" }];
const serving = (port = 8080, more: { readonly [field: string]: Json } = {}): Json => [
  { containerPort: port, ...more },
];

function deployed(name: string, over: WorkloadSpec = {}): KubeObject {
  return workload({ name, container: { ports: serving() }, ...over }).object;
}

/** The Service `cart` stands in for the workload of the finding. */
function world(
  spec: { readonly [field: string]: Json },
  others: readonly KubeObject[] | null,
  over: Partial<World> & { readonly name?: string } = {},
): World {
  const { name = "cart", ...rest } = over;
  const made = service({ metadata: { name }, spec: { ports: PORTS, ...spec } });
  const ref = { ...made.ref, name };
  return {
    workload: { ...workload(), ref, object: made.object } as Workload,
    container: null,
    symptom: noEndpoints,
    others: others === null ? null : [made.object, ...others],
    ...rest,
  };
}

const mistyped = (others: readonly KubeObject[] = [deployed("cart"), deployed("web")]) =>
  world({ selector: { app: "catr" } }, others);
const at = (key: string) => ["spec", "selector", key];

describe("points", () => {
  it("a label's value to the one that it is a slip of", async () => {
    const given = mistyped();
    const planned = await helps("correct-selector", given);
    expect(planned.changes).toEqual([{ object: given.workload.ref, path: at("app"), from: "catr", to: "cart" }]);
    expect(planned.title).toBe("point selector app=catr → app=cart");
    expect(planned.reason).toBe(
      "No pod has the labels app=catr; Deployment cart (app=cart) is the only one that no Service selects and that serves its port, and its labels differ by a slip.",
    );
    expect(planned.offered).toEqual(["correct-selector"]);
    expect(planned.gitOnly).toBeUndefined();
  });

  it("a label's key, keeping as many labels as there were", async () => {
    const labels = { app: "cart", component: "api" };
    const given = world({ selector: { app: "cart", componnet: "api" } }, [
      deployed("cart", { labels }),
      deployed("web"),
    ]);
    expect((await helps("correct-selector", given)).changes).toEqual([
      { object: given.workload.ref, path: at("componnet"), from: "api" },
      { object: given.workload.ref, path: at("component"), to: "api" },
    ]);
  });

  it("to the workload that bears the Service's name, however different the label", async () => {
    const given = world({ selector: { app: "frontend" } }, [deployed("cart"), deployed("web")], { name: "cart-svc" });
    const planned = await helps("correct-selector", given);
    expect(planned.changes.map((change) => change.to)).toEqual(["cart"]);
    expect(planned.reason).toMatch(/and it bears the Service's name\.$/);
  });

  it("to the only workload of the namespace that declares the very port", async () => {
    const given = world({ selector: { app: "frontend" } }, [deployed("shop")]);
    expect((await helps("correct-selector", given)).changes.map((change) => change.to)).toEqual(["shop"]);
  });

  it("only the label that is wrong", async () => {
    const labels = { app: "cart", tier: "web", extra: "x" };
    const given = world({ selector: { app: "catr", tier: "web" } }, [deployed("cart", { labels })]);
    expect((await helps("correct-selector", given)).changes.map((change) => change.path.at(-1))).toEqual(["app"]);
  });

  it("over a named port, several ports, and a StatefulSet beside its headless Service", async () => {
    const ports: Json = [
      { containerPort: 8080, name: "http" },
      { containerPort: 9090, name: "metrics" },
    ];
    const asked: Json = [
      { name: "http", port: 80, targetPort: "http" },
      { name: "metrics", port: 9090 },
    ];
    const headless = service({
      metadata: { name: "cart-peers" },
      spec: { clusterIP: "None", selector: { app: "cart" } },
    });
    const given = world({ selector: { app: "catr" }, ports: asked }, [
      workload({ kind: "StatefulSet", name: "cart", container: { ports } }).object,
      headless.object,
    ]);
    expect((await helps("correct-selector", given)).changes.map((change) => change.to)).toEqual(["cart"]);
  });
});

describe("refuses, and says what a person must do,", () => {
  const other = service({ metadata: { name: "other" }, spec: { selector: { app: "cart" } } }).object;
  it.each<[string, World, RegExp]>([
    ["nothing fits", mistyped([]), /no workload of shop fits its selector \(app=catr\) and port\. A person must say/],
    [
      "two differ by a slip",
      mistyped([deployed("cart"), deployed("cat1"), deployed("catry")]),
      /several workloads of shop could be meant by app=catr: .*A person must say which/,
    ],
    [
      "two bear its name",
      world({ selector: { app: "x" } }, [
        deployed("cart", { labels: { app: "a" } }),
        workload({ kind: "StatefulSet", name: "cart", labels: { app: "b" } }).object,
      ]),
      /several workloads of shop could be meant/,
    ],
    [
      "only its port speaks for one",
      mistyped([deployed("web"), deployed("x", { labels: { y: "z" } })]),
      /nothing but its port says/,
    ],
    [
      "the only workload declares no port",
      world({ selector: { app: "redis" } }, [workload({ name: "web" }).object]),
      /nothing but its port says that Deployment web is meant/,
    ],
    [
      "the only workload would be shown to the outside",
      world({ selector: { app: "redis" }, type: "LoadBalancer" }, [deployed("web")]),
      /nothing but its port says/,
    ],
    [
      "another Service selects it",
      mistyped([deployed("cart"), other]),
      /Service other selects it already\. A person must/,
    ],
    [
      "another Service selects the one that is meant, and a wrong one is left",
      world({ selector: { app: "crat" } }, [deployed("cart"), deployed("crate"), other]),
      /several workloads of shop could be meant/,
    ],
    [
      "it is spelled as its own name, and the other is another thing",
      world({ selector: { app: "cart" } }, [deployed("card"), deployed("web")]),
      /is spelled as its own name, so that Deployment card may be another thing\. A person must say/,
    ],
    [
      "it is scaled to zero",
      mistyped([deployed("cart", { spec: { replicas: 0 } })]),
      /scaled to zero or being deleted/,
    ],
    [
      "it is being deleted",
      mistyped([deployed("cart", { metadata: { deletionTimestamp: "2026-01-10T11:59:00Z" } })]),
      /scaled to zero or being deleted/,
    ],
    [
      "it serves another port",
      mistyped([deployed("cart", { container: { ports: serving(9090) } })]),
      /no workload of shop fits its selector/,
    ],
    [
      "it serves the port by UDP only",
      mistyped([deployed("cart", { container: { ports: serving(8080, { protocol: "UDP" }) } })]),
      /no workload of shop fits its selector/,
    ],
    [
      "it serves one port of two",
      world({ selector: { app: "catr" }, ports: [{ port: 8080 }, { port: 53, protocol: "UDP" }] }, [deployed("cart")]),
      /no workload of shop fits/,
    ],
    [
      "it has no port of that name",
      world({ selector: { app: "catr" }, ports: [{ port: 80, targetPort: "htpp" }] }, [deployed("cart")]),
      /no workload of shop fits/,
    ],
    [
      "an init container has the port",
      mistyped([
        deployed("cart", {
          container: { ports: serving(9090) },
          podSpec: {
            initContainers: [{ name: "init", ports: [{ containerPort: 8080 }] }] as Json,
          },
        }),
      ]),
      /no workload of shop fits/,
    ],
    [
      "a label is written at run time",
      world({ selector: { app: "cart", role: "primary" } }, [deployed("cart")]),
      /no workload of shop fits/,
    ],
    [
      "it selects one pod by its name",
      world({ selector: { "statefulset.kubernetes.io/pod-name": "cart-0" } }, [
        workload({ kind: "StatefulSet", name: "cart" }).object,
      ]),
      /no workload of shop fits/,
    ],
    [
      "two labels would become one",
      world({ selector: { component: "cart", componnet: "cart" } }, [
        deployed("cart", { labels: { component: "cart" } }),
      ]),
      /no workload of shop fits/,
    ],
    [
      "a label is called like a part of the language",
      world({ selector: { constructor: "cart" } }, [deployed("cart")]),
      /no workload of shop fits/,
    ],
    [
      "objects may not be read",
      world({ selector: { app: "catr" } }, null),
      /workloads and Services of shop cannot be read/,
    ],
    [
      "it is headless",
      world({ selector: { app: "catr" }, clusterIP: "None" }, [deployed("cart")]),
      /may be empty on purpose/,
    ],
    [
      "it is a name for a host outside",
      world({ selector: { app: "catr" }, type: "ExternalName", externalName: "db.example.com" }, [deployed("cart")]),
      /has no selector of its own/,
    ],
    ["it has no selector", world({ selector: {} }, [deployed("cart")]), /has no selector of its own/],
    ["it is no Service", { ...mistyped(), workload: workload() }, /only a Service without pods is pointed/],
    ["it has pods", { ...mistyped(), symptom: { kind: "OOMKilled" } }, /only a Service without pods is pointed/],
    [
      "names only begin alike",
      world({ selector: { app: "x" } }, [deployed("cart-worker"), deployed("cartography")]),
      /several workloads of shop could be meant/,
    ],
    [
      "nothing but an ending is alike",
      world({ selector: { app: "x" } }, [deployed("deploy", { labels: { app: "a" } }), deployed("web")], {
        name: "svc",
      }),
      /several workloads of shop could be meant/,
    ],
    [
      "the letter says which shard",
      world({ selector: { app: "shard-a" } }, [deployed("shard-b"), deployed("web")], { name: "front" }),
      /several workloads of shop could be meant/,
    ],
  ])("where %s", async (_, given, says) => expect(await refuses("correct-selector", given)).toMatch(says));
});

describe("parameters from elsewhere change nothing:", () => {
  const on = (selector: Json, name: Json = "cart") => ({ workload: name, selector });
  it.each<[string, { readonly [name: string]: Json }, RegExp]>([
    ["another workload's pods", on({ app: "web" }), /cart with app=web is not what is meant by app=catr/],
    ["another workload's name", on({ app: "cart" }, "web"), /web with app=cart is not what is meant/],
    ["labels of nobody", on({ app: "evil" }), /is not what is meant/],
    ["a wider selector", on({}), /is not what is meant/],
    ["a narrower selector", on({ app: "cart", tier: "x" }), /is not what is meant/],
    ["another label", on({ tier: "cart" }), /is not what is meant/],
    ["an expression", on({ app: ["cart", "web"] }), /parameters are wrong/],
    ["a list", on([]), /parameters are wrong/],
    ["a huge value", on({ app: "a".repeat(64) }), /parameters are wrong/],
    ["a type beside it", { ...on({ app: "cart" }), type: "LoadBalancer" }, /parameters are wrong/],
    ["no workload", { selector: { app: "cart" } }, /parameters are wrong/],
  ])("%s", async (_, params, says) => expect(await tried("correct-selector", params, mistyped())).toMatch(says));

  it("nor what another Service has got in the meantime", async () =>
    expect(
      await tried(
        "correct-selector",
        on({ app: "cart" }),
        mistyped([
          deployed("cart"),
          service({ metadata: { name: "other" }, spec: { selector: { app: "cart" } } }).object,
        ]),
      ),
    ).toMatch(/selects it already/));

  it.each(NAMES)("a workload called %s", async (name) =>
    expect(await tried("correct-selector", on({ app: "cart" }, name), mistyped())).toMatch(
      /is not what is meant|parameters are wrong/,
    ),
  );

  it.each(NAMES)("a label called %s", async (name) =>
    expect(await tried("correct-selector", on({ [name]: "cart" }), mistyped())).toMatch(
      /is not what is meant|parameters are wrong/,
    ),
  );
});
