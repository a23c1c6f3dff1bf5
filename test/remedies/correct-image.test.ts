import { describe, expect, it } from "vitest";
import type { Json, Symptom } from "../../src/model.ts";
import { workload } from "../detectors/snapshot-builder.ts";
import { APP, helps, NAMES, onWorkload, refuses, tried, type World } from "./remedy-context.ts";

const WRONG = "ghcr.io/acme/cart:1.4.2-alpin";
const pull = (image: string, over: object = {}): Symptom => ({
  kind: "ImagePull",
  cause: "terminal",
  image,
  message: "not found",
  init: false,
  ...over,
});

function world(
  image = WRONG,
  tags: readonly string[] = ["1.4.1-alpine", "1.4.2-alpine"],
  over: Partial<World> = {},
): World {
  return {
    workload: workload({ container: { image } }),
    symptom: pull(image),
    registry: { "ghcr.io/acme/cart": tags },
    ...over,
  };
}

describe("corrects", () => {
  it("the tag to the only one that it is a typo of", async () => {
    const given = world();
    const planned = await helps("correct-image", given);
    expect(planned.changes).toEqual([
      onWorkload(given.workload, [...APP, "image"], WRONG, "ghcr.io/acme/cart:1.4.2-alpine"),
    ]);
    expect(planned.evidence[0]?.text).toMatch(/has 2 tags of acme\/cart.*1\.4\.2-alpine is/);
    expect(planned.offered).toEqual(["correct-image"]);
  });

  it("swapped digits", async () => {
    const planned = await helps("correct-image", world("ghcr.io/acme/cart:6.41.1", ["6.14.1", "6.13.0"]));
    expect(planned.changes.map((change) => change.to)).toEqual(["ghcr.io/acme/cart:6.14.1"]);
  });

  it("to what every other container of the workload uses of the repository", async () => {
    const given = world("ghcr.io/acme/cart:nightly", ["2.0.0", "3.1.4"], {
      workload: workload({
        podSpec: {
          containers: [
            { name: "app", image: "ghcr.io/acme/cart:nightly" },
            { name: "worker", image: "ghcr.io/acme/cart:3.1.4" },
          ],
        },
      }),
    });
    expect((await helps("correct-image", given)).changes).toEqual([
      onWorkload(given.workload, [...APP, "image"], "ghcr.io/acme/cart:nightly", "ghcr.io/acme/cart:3.1.4"),
    ]);
  });

  it("an init container's tag", async () => {
    const init = { name: "migrate", image: WRONG };
    const given = world(WRONG, ["1.4.2-alpine"], {
      workload: workload({ podSpec: { initContainers: [init] } }),
      container: "migrate",
      symptom: pull(WRONG, { init: true }),
    });
    expect((await helps("correct-image", given)).changes).toEqual([
      onWorkload(
        given.workload,
        ["initContainers", { by: "name", value: "migrate" }, "image"],
        WRONG,
        "ghcr.io/acme/cart:1.4.2-alpine",
      ),
    ]);
  });
});

describe("refuses, and says what a person must do,", () => {
  it.each<[string, World, RegExp]>([
    [
      "credentials",
      world(WRONG, [], { symptom: pull(WRONG, { cause: "authentication" }) }),
      /a person must grant the pull secret/,
    ],
    [
      "a passing fault",
      world(WRONG, [], { symptom: pull(WRONG, { cause: "transient" }) }),
      /passing fault; the pull is tried again/,
    ],
    ["another symptom", world(WRONG, [], { symptom: { kind: "OOMKilled" } }), /only an image that cannot be pulled/],
    [
      "tags are not to be asked for",
      world(WRONG, ["1.4.2-alpine"], { settings: { remedies: { image: { tags: false } } } }),
      /turned off/,
    ],
    [
      "the tag is there after all",
      world("ghcr.io/acme/cart:1.0.0", ["1.0.0"]),
      /has ghcr\.io\/acme\/cart:1\.0\.0: the fault lies elsewhere/,
    ],
    [
      "another number is no typo",
      world("ghcr.io/acme/cart:1.28.0", ["1.27.0", "1.26.0"]),
      /no tag .* is near 1\.28\.0 \(2 tags, such as 1\.27\.0, 1\.26\.0\)\. A person must say/,
    ],
    [
      "two tags are as near",
      world("ghcr.io/acme/cart:1.4.2-alpina", ["1.4.2-alpine", "1.4.2-alpino"]),
      /several tags are near 1\.4\.2-alpina: .*A person must say which is meant/,
    ],
    [
      "the repository is unknown",
      world("ghcr.io/acme/crat:1.4.2", []),
      /knows no repository ghcr\.io\/acme\/crat.*a person must say which image is meant/,
    ],
    [
      "the registry cannot be asked",
      { workload: workload({ container: { image: WRONG } }), symptom: pull(WRONG) },
      /no route to it.*a person must say/,
    ],
    ["the reference cannot be read", world(":::", [], { symptom: pull("UPPER case!") }), /is no image reference/],
  ])("where %s", async (_, given, says) => expect(await refuses("correct-image", given)).toMatch(says));
});

describe("parameters from elsewhere change nothing:", () => {
  it.each<[string, { readonly [name: string]: Json }, RegExp]>([
    [
      "another container",
      { container: "sidecar", image: "ghcr.io/acme/cart:1.4.2-alpine" },
      /there is no container sidecar/,
    ],
    [
      "another repository",
      { container: "app", image: "ghcr.io/evil/cart:1.4.2-alpine" },
      /another repository than ghcr\.io\/acme\/cart/,
    ],
    ["another registry", { container: "app", image: "evil.example/acme/cart:1.4.2-alpine" }, /another repository/],
    [
      "a repository with a port",
      { container: "app", image: "ghcr.io:5000/acme/cart:1.4.2-alpine" },
      /another repository/,
    ],
    ["no reference at all", { container: "app", image: "; rm -rf /" }, /another repository/],
    [
      "a reference that ends in another",
      { container: "app", image: "evil.example/x?ghcr.io/acme/cart:1" },
      /another repository/,
    ],
    ["what stands there", { container: "app", image: WRONG }, /has .* already/],
    ["a tag that is no typo", { container: "app", image: "ghcr.io/acme/cart:0.0.1-backdoor" }, /no typo/],
    ["an empty text", { container: "app", image: "" }, /parameters are wrong/],
    ["a huge text", { container: "app", image: `ghcr.io/acme/cart:${"1".repeat(100_000)}` }, /parameters are wrong/],
    ["nothing", {}, /parameters are wrong/],
    [
      "a pull policy beside it",
      { container: "app", image: "ghcr.io/acme/cart:1.4.2-alpine", imagePullPolicy: "Never" },
      /parameters are wrong/,
    ],
  ])("%s", async (_, params, says) => expect(await tried("correct-image", params, world())).toMatch(says));

  it.each(NAMES)("a container called %s", async (container) =>
    expect(await tried("correct-image", { container, image: "ghcr.io/acme/cart:1.4.2-alpine" }, world())).toMatch(
      /there is no container|parameters are wrong/,
    ),
  );
});
