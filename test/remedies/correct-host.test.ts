import { describe, expect, it } from "vitest";
import type { Json, KubeObject, Symptom } from "../../src/model.ts";
import { correctHost } from "../../src/remedies/correct-host.ts";
import { cpuTime } from "../cpu-time.ts";
import { service, workload } from "../detectors/snapshot-builder.ts";
import {
  APP,
  configMap,
  contextOf,
  findingOf,
  helps,
  NAMES,
  onWorkload,
  refuses,
  tried,
  type World,
} from "./remedy-context.ts";

const crash = (message: string): Symptom => ({
  kind: "CrashLoop",
  exit: "application",
  exitCode: 1,
  init: false,
  message,
});
const unresolved = (host: string): Symptom =>
  crash(`could not translate host name "${host}" to address: Name or service not known`);
const named = (name: string, spec: { readonly [field: string]: Json } = {}): KubeObject =>
  service({ metadata: { name }, spec: { selector: { app: name }, ports: [{ port: 5432 }], ...spec } }).object;
const env = (...pairs: readonly [string, string][]): Json => pairs.map(([name, value]) => ({ name, value }));

function world(
  variables: Json,
  symptom: Symptom = unresolved("cart-dbb"),
  others: readonly KubeObject[] | null = [named("cart-db"), named("web")],
  over: Partial<World> = {},
): World {
  return { workload: workload({ container: { env: variables } }), symptom, others, ...over };
}

const WHOLE = "cart-dbb.shop.svc.cluster.local";
const valueAt = (variable: string) => [...APP, "env", { by: "name", value: variable }, "value"];
const typo = () => world(env(["DB_HOST", "cart-dbb"], ["LOG_LEVEL", "debug"]));
const corrected = async (given: World) => (await helps("correct-host", given)).changes.map((change) => change.to);

describe("points", () => {
  it("a variable to the Service that its host is a typo of", async () => {
    const given = typo();
    const planned = await helps("correct-host", given);
    expect(planned.changes).toEqual([onWorkload(given.workload, valueAt("DB_HOST"), "cart-dbb", "cart-db")]);
    expect(planned.title).toBe("point DB_HOST of app cart-dbb → cart-db");
    expect(planned.reason).toBe(
      'The program cannot resolve "cart-dbb" (DB_HOST), and shop has no such Service; "cart-db" is the only one that it is a typo of.',
    );
    expect(planned.offered).toEqual(["correct-host"]);
  });

  it.each<[string, string, string, string?]>([
    ["a port", "cart-dbb:5432", "cart-db:5432"],
    ["a URL", "postgres://cart-dbb:5432/shop?sslmode=off", "postgres://cart-db:5432/shop?sslmode=off"],
    ["a user of the same name", "postgres://cart-dbb:5432@cart-dbb:5432/x", "postgres://cart-dbb:5432@cart-db:5432/x"],
    ["a scheme of the same name", "cart-dbb://cart-dbb/x", "cart-dbb://cart-db/x"],
    ["a path of the same name", "http://cart-dbb/cart-dbb", "http://cart-db/cart-dbb"],
    ["the namespace", "cart-dbb.shop", "cart-db.shop", "cart-dbb.shop"],
    ["the whole domain", "cart-dbb.shop.svc.cluster.local:5432", "cart-db.shop.svc.cluster.local:5432", WHOLE],
    ["a final dot", "cart-dbb.shop.svc.cluster.local.", "cart-db.shop.svc.cluster.local.", WHOLE],
    ["JDBC", "jdbc:postgresql://cart-dbb:5432/shop", "jdbc:postgresql://cart-db:5432/shop"],
    ["a path of another variable", "http://cart-dbb/$(PATH)", "http://cart-db/$(PATH)"],
    ["a password of another variable", "http://u:$(PASSWORD)@cart-dbb/", "http://u:$(PASSWORD)@cart-db/"],
  ])("only the Service's name in a value with %s", async (_, from, to, host = "cart-dbb") => {
    expect(await corrected(world(env(["DB", from]), unresolved(host)))).toEqual([to]);
  });

  it("every variable that names the same host, at once", async () => {
    const given = world(env(["DB_HOST", "cart-dbb"], ["DB_URL", "postgres://cart-dbb:5432/x"]));
    const planned = await helps("correct-host", given);
    expect(planned.changes.map((change) => change.to)).toEqual(["cart-db", "postgres://cart-db:5432/x"]);
    expect(planned.title).toBe("point DB_HOST and DB_URL of app cart-dbb → cart-db");
  });

  it("an external or headless Service's name without a look at its ports", async () => {
    for (const spec of [
      { type: "ExternalName", ports: [] },
      { clusterIP: "None", ports: [] },
    ])
      expect(await corrected(world(env(["DB", "cart-dbb:6543"]), undefined, [named("cart-db", spec)]))).toEqual([
        "cart-db:6543",
      ]);
  });

  it("a Job's in Git only", async () => {
    const given = world([], undefined, undefined, {
      workload: workload({ kind: "Job", container: { env: env(["DB_HOST", "cart-dbb"]) } }),
    });
    expect((await helps("correct-host", given)).gitOnly).toMatch(/cannot be changed while it exists/);
  });
});

describe("points to what the other workloads have in the variable", () => {
  const from = (name: string, container: { readonly [field: string]: Json }) => workload({ name, container }).object;
  const fromMap = (name: string) =>
    from(name, { env: [{ name: "DB_HOST", valueFrom: { configMapKeyRef: { name: "db", key: "host" } } }] });
  const own = env(["DB_HOST", "orders-prod"]);
  const given = (...others: readonly KubeObject[]) =>
    world(own, unresolved("orders-prod"), [
      named("cart-db"),
      named("web"),
      configMap("db", { host: "cart-db" }),
      ...others,
    ]);

  it("as literals, from ConfigMaps and from envFrom with its prefix", async () => {
    const planned = await helps(
      "correct-host",
      given(
        from("booking", { env: env(["DB_HOST", "cart-db.shop.svc"]) }),
        fromMap("payment"),
        from("report", { envFrom: [{ prefix: "DB_", configMapRef: { name: "env" } }] }),
        configMap("env", { HOST: "cart-db" }),
      ),
    );
    expect(planned.changes.map((change) => change.to)).toEqual(["cart-db"]);
    expect(planned.reason).toMatch(/"cart-db" is what the other workloads have there\.$/);
  });

  it.each<[string, readonly KubeObject[] | null]>([
    ["nobody has one", []],
    ["two differ", [fromMap("a"), from("b", { env: env(["DB_HOST", "web"]) })]],
    ["it is no Service", [from("a", { env: env(["DB_HOST", "orders-prod"]) })]],
    ["it is outside", [from("a", { env: env(["DB_HOST", "db.example.com"]) })]],
    ["it is of another namespace", [from("a", { env: env(["DB_HOST", "cart-db.bank"]) })]],
    ["it is on another port", [from("a", { env: env(["DB_HOST", "cart-db:6543"]) })]],
    ["it is made of another variable", [fromMap("a"), from("b", { env: env(["DB_HOST", "$(HOST)"]) })]],
    [
      "one comes from a Secret",
      [fromMap("a"), from("b", { env: [{ name: "DB_HOST", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] })],
    ],
    [
      "one comes from a ConfigMap that is not there",
      [
        fromMap("a"),
        from("b", { env: [{ name: "DB_HOST", valueFrom: { configMapKeyRef: { name: "x", key: "k" } } }] }),
      ],
    ],
    ["a later entry of the same name counts", [from("a", { env: env(["DB_HOST", "cart-db"], ["DB_HOST", "web-x"]) })]],
    [
      "the last envFrom counts",
      [
        from("a", { envFrom: [{ configMapRef: { name: "one" } }, { configMapRef: { name: "two" } }] }),
        configMap("one", { DB_HOST: "cart-db" }),
        configMap("two", { DB_HOST: "elsewhere" }),
      ],
    ],
  ])("but not where %s", async (_, others) =>
    expect(await refuses("correct-host", given(...(others ?? [])))).toMatch(
      /DB_HOST names the host orders-prod, and shop has no such Service.* A person must say which is meant/,
    ),
  );

  it("nor to a Service of its own pods", async () => {
    const itself = world(own, unresolved("orders-prod"), [named("cart"), from("a", { env: env(["DB_HOST", "cart"]) })]);
    expect(await refuses("correct-host", itself)).toMatch(/A person must say which is meant/);
  });

  it("nor where one of the kinds may not be read", async () => {
    const seen = given(fromMap("a"));
    const context = contextOf(seen);
    const blind = {
      ...context,
      others: (kind: Parameters<typeof context.others>[0], namespace: string) =>
        kind === "StatefulSet" ? null : context.others(kind, namespace),
    };
    expect((await correctHost.diagnose(findingOf(seen), blind)).applies).toBe(false);
  });
});

describe("refuses, and says what a person must do,", () => {
  const HOST = env(["DB_HOST", "cart-dbb"]);
  it.each<[string, World, RegExp]>([
    ["no log says it", world(HOST, crash("connection refused: cart-dbb:5432")), /names no host that does not resolve/],
    [
      "another host is said",
      world(HOST, unresolved("other")),
      /no variable of the container names it.*a person must look/,
    ],
    ["the Service exists", world(HOST, undefined, [named("cart-dbb")]), /no variable of the container names it/],
    ["Services cannot be read", world(HOST, undefined, null), /Services of shop cannot be read/],
    [
      "nothing is near",
      world(HOST, undefined, [named("web")]),
      /nor a single one that it is a typo of or that others use/,
    ],
    [
      "two are as near",
      world(HOST, undefined, [named("cart-db"), named("cart-dbs")]),
      /nor a single one that it is a typo of/,
    ],
    [
      "only a number differs",
      world(env(["H", "db-main-1"]), unresolved("db-main-1"), [named("db-main-2")]),
      /A person must/,
    ],
    [
      "only a letter says which",
      world(env(["H", "shard-a"]), unresolved("shard-a"), [named("shard-b")]),
      /A person must/,
    ],
    [
      "the one writes and the other reads",
      world(env(["H", "pg-rw"]), unresolved("pg-rw"), [named("pg-ro")]),
      /A person must/,
    ],
    [
      "it is another region's",
      world(env(["H", "database-eu"]), unresolved("database-eu"), [named("database-us")]),
      /A person/,
    ],
    [
      "the port is not served",
      world(env(["DB", "cart-dbb:3306"])),
      /DB asks port 3306, which Service cart-db does not serve\. A person must say/,
    ],
    [
      "several hosts do not resolve",
      world(env(["A", "cart-dbb"], ["B", "webb"]), crash("lookup cart-dbb: no such host\nlookup webb: no such host"), [
        named("cart-db"),
        named("webs"),
      ]),
      /several variables name hosts that do not resolve: A, B/,
    ],
    ["it is outside", world(env(["H", "db.example.com"]), unresolved("db.example.com")), /no variable/],
    ["it is of another namespace", world(env(["H", "cart-dbb.bank"]), unresolved("cart-dbb.bank")), /no variable/],
    ["it is an address", world(env(["H", "10.0.0.1"]), unresolved("10.0.0.1")), /no variable/],
    ["it is an IPv6 address", world(env(["H", "[fd00::1]:5432"]), unresolved("fd00::1")), /no variable/],
    ["it is made of another variable", world(env(["H", "$(NAME)-dbb"]), unresolved("cart-dbb")), /no variable/],
    ["it is one of a list", world(env(["H", "cart-dbb:9092,web:9092"])), /no variable/],
    ["the variable stands twice", world(env(["H", "cart-dbb"], ["H", "cart-dbb"])), /no variable/],
    [
      "it comes from a ConfigMap",
      world([{ name: "H", valueFrom: { configMapKeyRef: { name: "db", key: "h" } } }]),
      /no variable/,
    ],
    ["the container is not known", world(HOST, undefined, undefined, { container: null }), /container is not known/],
  ])("where %s", async (_, given, says) => expect(await refuses("correct-host", given)).toMatch(says));
});

describe("a password is never said:", () => {
  const SECRET = "hunter2-s3cret";
  const url = `postgres://admin:${SECRET}@cart-dbb:5432/shop`;
  it("neither in a reason, nor in evidence, nor in a title", async () => {
    const planned = await helps("correct-host", world(env(["DB_URL", url])));
    const { changes, ...told } = planned;
    expect(JSON.stringify([told.reason, told.evidence, told.title])).not.toContain(SECRET);
    expect(JSON.stringify([told.reason, told.evidence, told.title])).not.toContain("admin");
    expect(changes[0]?.to).toBe(`postgres://admin:${SECRET}@cart-db:5432/shop`);
  });

  it.each([
    ["no Service is near", url, [named("web")]],
    ["the port is not served", `postgres://admin:${SECRET}@cart-dbb:1/shop`, [named("cart-db")]],
    ["two are near", url, [named("cart-db"), named("cart-dbs")]],
  ])("nor in a refusal where %s", async (_, value, others) => {
    expect(await refuses("correct-host", world(env(["DB_URL", value]), undefined, others))).not.toMatch(
      /hunter2|admin/,
    );
  });

  it("nor what a ConfigMap or the log holds", async () => {
    const given = world(env(["DB_HOST", "orders-prod"]), crash(`lookup orders-prod: no such host ${SECRET}`), [
      named("web"),
      configMap("db", { DB_HOST: SECRET }),
      workload({ name: "other", container: { envFrom: [{ configMapRef: { name: "db" } }] } }).object,
    ]);
    expect(await refuses("correct-host", given)).not.toContain("hunter2");
  });
});

describe("parameters from elsewhere change nothing:", () => {
  const on = (service: Json, variables: Json = ["DB_HOST"], container: Json = "app") => ({
    container,
    variables,
    service,
  });
  it.each<[string, { readonly [name: string]: Json }, RegExp]>([
    ["another existing Service: nobody gets a password by repair", on("web"), /web is not the Service that is meant/],
    ["a Service that does not exist", on("evil"), /evil is not the Service/],
    ["a host outside", on("evil.example.com"), /parameters are wrong/],
    ["another namespace", on("cart-db.bank"), /parameters are wrong/],
    ["an address", on("http://evil"), /parameters are wrong/],
    ["a pattern", on("$&"), /parameters are wrong/],
    ["a port", on("cart-db:22"), /parameters are wrong/],
    ["nothing", on(""), /parameters are wrong/],
    ["another variable", on("cart-db", ["LOG_LEVEL"]), /variable LOG_LEVEL names no host that does not resolve/],
    ["a variable that is not there", on("cart-db", ["LD_PRELOAD"]), /variable LD_PRELOAD names no host/],
    ["one more variable", on("cart-db", ["DB_HOST", "LOG_LEVEL"]), /variable LOG_LEVEL names no host/],
    ["no variable", on("cart-db", []), /parameters are wrong/],
    ["another container", on("cart-db", ["DB_HOST"], "sidecar"), /container sidecar is not the one that fails/],
    ["a value", { ...on("cart-db"), value: "evil" }, /parameters are wrong/],
  ])("%s", async (_, params, says) => expect(await tried("correct-host", params, typo())).toMatch(says));

  it.each(NAMES)("a variable called %s", async (name) =>
    expect(await tried("correct-host", on("cart-db", [name]), typo())).toMatch(/names no host|parameters are wrong/),
  );

  it("nor after the log is silent", async () =>
    expect(await tried("correct-host", on("cart-db"), { ...typo(), symptom: crash("done") })).toMatch(
      /its log names no host/,
    ));
});

describe("in commands and arguments", () => {
  const script = (text: string): World => ({
    workload: workload({ container: { command: ["sh", "-c", text] } }),
    symptom: unresolved("cart-dbb"),
    others: [named("cart-db"), named("web")],
  });

  it.each<[string, string]>([
    ["until nslookup cart-dbb; do sleep 2; done", "until nslookup cart-db; do sleep 2; done"],
    [
      "wget -qO- http://cart-dbb:5432/x; wget http://cart-dbb/",
      "wget -qO- http://cart-db:5432/x; wget http://cart-db/",
    ],
    ["nslookup cart-dbb.shop.svc.cluster.local", "nslookup cart-db.shop.svc.cluster.local"],
    ["nslookup cart-dbb.$(cat /ns).svc.cluster.local", "nslookup cart-db.$(cat /ns).svc.cluster.local"],
    [
      "until nc -z cart-dbb 5432; do echo waiting for cart-dbb; done",
      "until nc -z cart-db 5432; do echo waiting for cart-dbb; done",
    ],
    ["psql -U cart-dbb -h cart-dbb shop", "psql -U cart-dbb -h cart-db shop"],
  ])("%s", async (from, to) => {
    const given = script(from);
    expect((await helps("correct-host", given)).changes).toEqual([
      onWorkload(given.workload, [...APP, "command", 2], from, to),
    ]);
  });

  it.each([
    "cp cart-dbb /tmp/cart-dbb",
    "connect cart-dbb",
    "echo waiting for cart-dbb",
    "nslookup cart-dbb.example.com",
    "nslookup my-cart-dbb",
    "nslookup cart-dbb-replica",
    "nslookup cart-dbb.other.svc.cluster.local",
  ])("leaves what need not be the host alone: %s", async (text) => {
    expect(await refuses("correct-host", script(text))).toMatch(/no variable of the container names it/);
  });

  it("is not led astray by other words of the log", async () => {
    const given = script("until nslookup cart-dbb.shop.svc.cluster.local; do echo waiting for cart; sleep 2; done");
    const log = "Server: 10.96.0.10 ** server can't find cart-dbb.shop.svc.cluster.local: NXDOMAIN\nwaiting for cart";
    expect((await helps("correct-host", { ...given, symptom: crash(log) })).changes).toHaveLength(1);
  });

  it("refuses a port that the Service does not have", async () => {
    expect(await refuses("correct-host", script("wget http://cart-dbb:8080/"))).toMatch(/asks port 8080/);
  });

  it("is not slow on a hostile text", async () => {
    const began = cpuTime();
    await refuses("correct-host", script(`${"cart-dbb. ".repeat(1900)}`)).catch(() => undefined);
    expect(cpuTime() - began).toBeLessThan(1000);
  });
});
