import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { showFault } from "../src/commands/show-fault.ts";
import { StanchError } from "../src/errors.ts";
import { createLog, inContext, type LogOptions, secretsOf } from "../src/log.ts";

function logOf(over: Partial<LogOptions> = {}) {
  let text = "";
  const log = createLog({
    format: "json",
    level: "debug",
    interactive: false,
    write: (more) => {
      text += more;
    },
    now: () => new Date("2026-03-01T10:00:00Z"),
    ...over,
  });
  return {
    log,
    text: () => text,
    lines: () =>
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

const HOSTILE = 'a\nFAKE level=error\r\u001b[2J\u001b[1A\u009b31m\u202egnp.exe\u2028b\u0000\t"quoted"=x';
/** What moves a cursor, ends a line or turns the reading direction. */
const RAW = /[\p{Cc}\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

describe("JSON lines", () => {
  it("have stable keys, the head's own first, whatever the facts say", () => {
    const { log, lines, text } = logOf({ always: { run: "ab12" } });
    log.info("finding failed", { level: "debug", msg: "forged", time: "never", run: "other", pods: 2 });
    expect(lines()).toEqual([
      { time: "2026-03-01T10:00:00.000Z", level: "info", msg: "finding failed", run: "other", pods: 2 },
    ]);
    expect(text()).toMatch(/^\{"time":"2026-03-01T10:00:00\.000Z","level":"info","msg":"finding failed","run":/);
  });

  it("stay one line of printable text that reads back as it was", () => {
    const { log, lines, text } = logOf();
    log.warn(HOSTILE, { [HOSTILE]: HOSTILE, list: [HOSTILE], deep: { in: HOSTILE } });
    expect(text().split("\n")).toHaveLength(2);
    expect(text().trimEnd()).not.toMatch(RAW);
    expect(lines()[0]).toMatchObject({ msg: HOSTILE, [HOSTILE]: HOSTILE, list: [HOSTILE], deep: { in: HOSTILE } });
  });

  it("take any fact without failing", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    const { log, lines } = logOf();
    log.error("odd", {
      circle,
      big: 2n ** 70n,
      nothing: undefined,
      call: () => 1,
      error: new Error("first\nsecond"),
      infinite: Number.POSITIVE_INFINITY,
      at: new Date(Number.NaN),
      long: "x".repeat(1_000_000),
      many: Array.from({ length: 5000 }, (_, at) => at),
      __proto__: null,
    });
    const [line] = lines();
    expect(line).toMatchObject({
      big: "1180591620717411303424",
      error: "first\nsecond",
      infinite: "Infinity",
      at: "invalid date",
    });
    expect(line).not.toHaveProperty("nothing");
    expect(line).not.toHaveProperty("call");
    expect(JSON.stringify(line).length).toBeLessThan(10_000);
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withDate: true })),
        (message, facts) => {
          const one = logOf();
          one.log.info(message, facts);
          expect(one.text().split("\n")).toHaveLength(2);
          expect(one.text().trimEnd()).not.toMatch(RAW);
          expect(one.lines()[0]?.["level"]).toBe("info");
        },
      ),
    );
  });

  it("know their incident and step, also of what goes on at the same time", async () => {
    const { log, lines } = logOf();
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all([
      inContext({ incident: "shop/a", step: "act" }, async () => {
        await pause();
        await inContext({ step: "verify" }, async () => {
          await pause();
          log.info("inner");
        });
        log.info("outer", { step: "mine" });
      }),
      inContext({ incident: "shop/b" }, async () => {
        await pause();
        log.info("other");
      }),
    ]);
    log.info("outside");
    const of = (msg: string) => lines().find((line) => line["msg"] === msg);
    expect(of("inner")).toMatchObject({ incident: "shop/a", step: "verify" });
    expect(of("outer")).toMatchObject({ incident: "shop/a", step: "mine" });
    expect(of("other")).toMatchObject({ incident: "shop/b" });
    expect(of("other")).not.toHaveProperty("step");
    expect(of("outside")).not.toHaveProperty("incident");
  });
});

describe("text", () => {
  it("is one line a message, readable, and does nothing to a terminal", () => {
    const { log, text } = logOf({ format: "text" });
    log.info("pull request opened", {
      incident: "shop/cart",
      url: "https://x/1",
      count: 3,
      note: "two words",
      none: "",
    });
    expect(text()).toBe('pull request opened  incident=shop/cart url=https://x/1 count=3 note="two words" none=""\n');
    log.error(HOSTILE, { [HOSTILE]: HOSTILE, list: [HOSTILE] });
    expect(text().trimEnd().split("\n")).toHaveLength(2);
    expect(text().replaceAll("\n", "")).not.toMatch(RAW);
    expect(text()).toContain("\\u001b[2J");
  });

  it("has a progress line that goes before anything else is written, and none in a pipe", () => {
    const { log, text } = logOf({ format: "text", interactive: true });
    log.progress(`reading ${HOSTILE}`);
    expect(text()).not.toMatch(RAW);
    expect(text()).not.toContain("\n");
    log.info("done");
    expect(text()).toMatch(/\r +\rdone\n$/);
    log.progress("");
    expect(text()).toMatch(/done\n$/);
    const piped = logOf();
    piped.log.progress("reading");
    expect(piped.text()).toBe("");
  });
});

describe("secrets", () => {
  it("stand in no fault that the entry shows, and it does nothing to a terminal", () => {
    const fault = new StanchError("cluster", "401 for hunter2hunter2 at https://me:pw123456@host\u001b[2J", {
      hint: "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    });
    const text = showFault(fault, { GITHUB_TOKEN: "hunter2hunter2" });
    expect(text).toBe("stanch: 401 for ‹redacted› at https://me:‹redacted›@host�[2J\n        ‹redacted token›\n");
    expect(showFault(new TypeError("odd"), {})).toMatch(/^stanch: odd\nTypeError: odd\n {4}at /);
  });

  const TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

  it.each(["json", "text"] as const)("stand in no line, whatever brings them there: %s", (format) => {
    const env = {
      GITHUB_TOKEN: "plain words of a token",
      STANCH_PUSHGATEWAY_PASSWORD: "hunter2hunter2",
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=abc%20defghi, x-scope=tenant-seven",
      PATH: "/usr/bin",
    };
    const { log, text } = logOf({ format, secrets: secretsOf(env) });
    log.warn("said plain words of a token", {
      url: "https://me:hunter2hunter2@host/x",
      error: new Error(`401 for ${TOKEN}: password=Tr0ub4dor`),
      stderr: "Authorization: Basic aGVsbG86d29ybGQ=",
      deep: { list: ["tenant-seven", TOKEN] },
      hint: "api_key: s3cretvalue",
      path: "/usr/bin",
    });
    for (const secret of [
      "plain words",
      "hunter2",
      TOKEN,
      "Tr0ub4dor",
      "aGVsbG86d29ybGQ",
      "tenant-seven",
      "s3cretvalue",
    ])
      expect(text()).not.toContain(secret);
    expect(text()).toContain("/usr/bin");
  });

  it("leave what a manifest is about: names of keys and Secrets", () => {
    const { log, lines } = logOf();
    log.info("not looked through", { path: "spec.secretName: db-password", image: `x@sha256:${"0a".repeat(32)}` });
    expect(lines()[0]).toMatchObject({ path: "spec.secretName: db-password", image: `x@sha256:${"0a".repeat(32)}` });
  });
});
