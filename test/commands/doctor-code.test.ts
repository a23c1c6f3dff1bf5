import { describe, expect, it } from "vitest";
import { checkCode } from "../../src/commands/check-model.ts";
import { Config } from "../../src/config/schema.ts";
import { StanchError } from "../../src/errors.ts";

const seen = { login: "stanch[bot]", push: true, defaultBranch: "trunk", archived: false };
const app = { images: ["ghcr.io/acme/cart*"], repository: "acme/cart" };
const config = (more: object = {}) =>
  Config.parse({ mode: "propose", model: { enabled: true, code: { enabled: true } }, apps: [app], ...more });
const hosts = (answer: object | Error = seen, reason: string | null | undefined = undefined) => ({
  codeHost: {
    async check() {
      if (answer instanceof Error) throw answer;
      return { ...seen, ...answer };
    },
  },
  ...(reason === undefined
    ? {}
    : { checks: { unavailable: async () => reason, run: () => Promise.reject(new Error("doctor runs nothing")) } }),
});
const bad = async (...[given, host]: Parameters<typeof checkCode>) =>
  (await checkCode(given, host)).filter((line) => !line.ok || line.warning === true);

describe("stanch doctor, where a model may write code", () => {
  it("is content with a repository that takes a push, and says nothing where none is wanted", async () => {
    expect(await checkCode(config(), hosts())).toEqual([
      { check: "code fixes", ok: true, text: "acme/cart: stanch[bot] may push; drafts stand on trunk" },
    ]);
    expect(await checkCode(config({ model: { enabled: true } }), hosts())).toEqual([]);
    expect(await checkCode(config({ model: { code: { enabled: true } } }), hosts())).toEqual([]);
  });

  it.each<[string, object, ReturnType<typeof hosts>, RegExp]>([
    ["faults of programs are not told", { issues: { apps: false } }, hosts(), /issues\.apps/],
    ["nobody may push", {}, hosts({ push: false }), /acme\/cart: stanch\[bot\] may not push/],
    ["the repository is archived", {}, hosts({ archived: true }), /acme\/cart is archived/],
    [
      "it is not there",
      {},
      hosts(new StanchError("code-host", "acme/cart: Not Found", { hint: "check its name" })),
      /Not Found/,
    ],
    [
      "the model has no price",
      { model: { enabled: true, code: { enabled: true, model: "unknown-1" } } },
      hosts(),
      /what unknown-1 costs is not known/,
    ],
  ])("fails where %s, with a fix", async (_, more, host, text) => {
    const [line, ...rest] = await bad(config(more), host);
    expect(rest).toEqual([]);
    expect(line).toMatchObject({ ok: false, text: expect.stringMatching(text), fix: expect.stringMatching(/./) });
  });

  it("warns where no program is named, or no sandbox is to be had for a check command", async () => {
    expect(await bad(config({ apps: [] }), hosts())).toMatchObject([{ ok: true, warning: true }]);
    const apps = [{ ...app, check: { command: ["go", "test", "./..."] } }];
    expect(await bad(config({ apps }), hosts(seen, "bwrap is not installed"))).toMatchObject([
      { ok: true, warning: true, text: expect.stringContaining("bwrap is not installed") },
    ]);
    expect(await bad(config({ apps }), hosts(seen, null))).toEqual([]);
  });
});
