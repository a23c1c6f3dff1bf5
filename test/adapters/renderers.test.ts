import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { executables } from "../../src/adapters/programs.ts";
import { createRenderer } from "../../src/adapters/renderers.ts";
import {
  canKustomize,
  type Files,
  makeRepository,
  PATH,
  type Repository,
  renderer,
  sourceOf,
} from "../gitops/repository.ts";

const kustomize = await canKustomize();
const open: Repository[] = [];
afterEach(async () => {
  for (const repository of open.splice(0)) await repository.close();
});

function directoryOf(files: Files): string {
  const repository = makeRepository(files);
  open.push(repository);
  return repository.directory;
}

const DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: cart\nspec:\n  replicas: 1\n";

describe("plain", () => {
  it("renders without any program and fills in the namespace", async () => {
    const directory = directoryOf({ "apps/cart.yaml": DEPLOYMENT, "apps/broken.yaml": "kind: [\n" });
    const rendered = await createRenderer({ path: "" }).render(directory, sourceOf("apps", "plain", "shop"));
    expect(rendered.tool).toBe("plain");
    expect(rendered.objects).toMatchObject([{ metadata: { name: "cart", namespace: "shop" } }]);
  });

  it("names the file that it passes over, and none that is no manifest", async () => {
    const directory = directoryOf({
      "apps/cart.yaml": DEPLOYMENT,
      "apps/broken.yaml": `${DEPLOYMENT}bad: [\n`,
      "apps/values.yaml": "kind: [\n",
    });
    const rendered = await renderer.render(directory, sourceOf("apps", "plain", "shop"));
    expect(rendered.objects).toHaveLength(1);
    expect(rendered.unread).toMatchObject([{ file: "apps/broken.yaml", line: expect.any(Number) }]);
  });

  it("says what is wrong when nothing can be read", async () => {
    const directory = directoryOf({ "apps/broken.yaml": "kind: [\n" });
    await expect(renderer.render(directory, sourceOf("apps", "plain"))).rejects.toThrow(/apps\/broken.yaml/);
  });
});

describe("without a program", () => {
  it("says what is missing", async () => {
    const none = createRenderer({ path: "/nowhere" });
    const directory = directoryOf({ "kustomization.yaml": "resources: []\n" });
    await expect(none.render(directory, sourceOf(".", "kustomize"))).rejects.toThrow(
      "neither kustomize nor kubectl is on the PATH",
    );
    expect(await none.versions()).toContainEqual({
      tool: "kustomize",
      missing: "neither kustomize nor kubectl is on the PATH",
    });
  });

  it("says that helm is missing, and how to get it", async () => {
    const none = createRenderer({ path: "/nowhere" });
    const directory = directoryOf({ "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n" });
    await expect(none.render(directory, sourceOf("chart", "helm"))).rejects.toMatchObject({
      code: "render",
      message: "helm is not on the PATH",
      hint: expect.stringContaining("install helm"),
    });
  });
});

describe("a program that misbehaves", () => {
  function renderWith(script: string, options: { timeoutMs?: number; maxBytes?: number } = {}): Promise<unknown> {
    const directory = directoryOf({ "kustomization.yaml": "resources: []\n" });
    const program = join(directory, "kustomize");
    writeFileSync(program, `#!/bin/sh\nif [ "$1" = version ]; then echo v9.9.9; exit; fi\n${script}\n`);
    chmodSync(program, 0o755);
    return createRenderer({ path: PATH, program, ...options }).render(directory, sourceOf(".", "kustomize"));
  }

  it("is stopped when it takes too long or says too much", async () => {
    await expect(renderWith("exec sleep 20", { timeoutMs: 300 })).rejects.toThrow("longer than 0.3 s");
    await expect(renderWith("yes", { maxBytes: 1000 })).rejects.toThrow("too large");
  });

  it("is quoted without paths of this machine, bounded", async () => {
    await expect(renderWith('echo "Error: no file at $PWD/base/x.yaml in /root/secret" >&2; exit 1')).rejects.toThrow(
      "kustomize says: no file at base/x.yaml in (a path outside of the repository)",
    );
  });

  it("sees nothing of the environment", async () => {
    process.env["STANCH_TEST_TOKEN"] = "t0ken";
    await expect(renderWith("env >&2; exit 1")).rejects.toThrow(/^(?!.*t0ken)/s);
    delete process.env["STANCH_TEST_TOKEN"];
  });

  it("may only write Kubernetes objects", async () => {
    await expect(renderWith("echo 'a: [1'")).rejects.toThrow("not valid YAML");
  });

  it.each([
    ["kind: Pod\nmetadata: {name: a}", "a Pod without an apiVersion"],
    ["apiVersion: v1\nmetadata: {name: a}", "an object without a kind, named a"],
    ["apiVersion: v1\nkind: Pod\nmetadata:\n  name:", "a Pod without a name"],
    ["apiVersion: v1\nkind: Pod\nmetadata:\n  name: 12", "a Pod whose name is no text"],
    ["apiVersion: v1\nkind: Pod", "a Pod without a name"],
    ["apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod}", "a Pod without a name"],
  ])("may not leave out what an object is: %j", async (text, short) => {
    await expect(renderWith(`cat <<'END'\n# Source: web/templates/a.yaml\n${text}\nEND`)).rejects.toMatchObject({
      code: "render",
      message: `web/templates/a.yaml renders ${short}`,
    });
    const second = renderWith(`cat <<'END'\n${DEPLOYMENT}---\n${text}\nEND`);
    await expect(second).rejects.toThrow(`document 2 of the output for . renders ${short}`);
  });

  it("may write nothing, comments, lists of nothing, and objects that are named when they are made", async () => {
    const texts = [
      "# nothing",
      "null",
      "{}",
      "apiVersion: v1\nkind: List\nitems:",
      "apiVersion: v1\nkind: ConfigMapList\nitems: []",
      "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-}",
    ];
    const made = await renderWith(`cat <<'END'\n${[...texts, DEPLOYMENT].join("\n---\n")}END`);
    expect(made).toMatchObject({ objects: [{ kind: "Deployment" }] });
  });
});

const helm = process.platform === "linux" && (await executables(["helm"], PATH).next()).done !== true;

describe.skipIf(!helm)("a chart that asks for more memory than there is", () => {
  it("is refused by name of the limit, while others render", async () => {
    const chart = (size: number): Files => ({
      "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
      "chart/templates/a.yaml": `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  size: "{{ repeat ${size} "ab" | len }}"\n`,
    });
    const limited = createRenderer({ path: PATH, memoryBytes: 256 * 1024 * 1024 });
    const render = (files: Files) => limited.render(directoryOf(files), sourceOf("chart", "helm", "shop"));
    expect((await render(chart(1000))).objects).toMatchObject([{ data: { size: "2000" } }]);
    await expect(render(chart(300_000_000))).rejects.toMatchObject({
      code: "render",
      message: "rendering takes more memory than 256 MiB",
      hint: expect.stringContaining("repeats"),
    });
  });
});

describe.skipIf(!kustomize)("kustomize", () => {
  it("renders a root with its bases and says which program did it", async () => {
    const directory = directoryOf({
      "base/cart.yaml": DEPLOYMENT,
      "base/kustomization.yaml": "resources: [cart.yaml]\n",
      "prod/kustomization.yml": "resources: [../base]\nreplicas: [{name: cart, count: 3}]\n",
    });
    const rendered = await renderer.render(directory, sourceOf("prod", "kustomize", "shop"));
    expect(rendered.objects).toMatchObject([
      { kind: "Deployment", metadata: { namespace: "shop" }, spec: { replicas: 3 } },
    ]);
    expect(rendered.tool).toMatch(/kustomize v\d/);
  });

  it.each([
    "https://example.com/base.yaml",
    "github.com/org/repo//base?ref=v1",
    "git@github.com:org/repo.git",
    "https://user:pw@example.com/r.git",
  ])("refuses the remote base %s without asking the network", async (remote) => {
    const directory = directoryOf({
      "base/kustomization.yaml": `resources:\n- ${remote}\n`,
      "prod/kustomization.yaml": "resources: [../base]\n",
    });
    const message = await renderer
      .render(directory, sourceOf("prod", "kustomize"))
      .catch((error: Error) => error.message);
    expect(message).toContain("base/kustomization.yaml pulls in ");
    expect(message).not.toContain("pw@");
  });

  it("keeps files inside of the root and bases inside of the repository", async () => {
    const directory = directoryOf({
      "x/cart.yaml": DEPLOYMENT,
      "prod/kustomization.yaml": "resources: [../x/cart.yaml]\n",
      "out/kustomization.yaml": "resources: [../../../etc]\n",
    });
    await expect(renderer.render(directory, sourceOf("prod", "kustomize"))).rejects.toThrow(/security|restrict/i);
    await expect(renderer.render(directory, sourceOf("out", "kustomize"))).rejects.toThrow("outside of the repository");
  });

  it("reports the tool's own complaint without this machine's paths", async () => {
    const directory = directoryOf({ "prod/kustomization.yaml": "resources: [gone.yaml]\n" });
    const message = await renderer
      .render(directory, sourceOf("prod", "kustomize"))
      .catch((error: Error) => error.message);
    expect(message).toContain("gone.yaml");
    expect(message).not.toContain(directory);
    expect(message).not.toContain("/tmp");
  });

  it("runs no plugins", async () => {
    const directory = directoryOf({
      "prod/kustomization.yaml": "generators: [gen.yaml]\n",
      "prod/gen.yaml":
        "apiVersion: x/v1\nkind: Gen\nmetadata:\n  name: g\n  annotations:\n    config.kubernetes.io/function: |\n      exec:\n        path: ./run.sh\n",
      "prod/run.sh": "#!/bin/sh\ntouch ran\n",
    });
    await expect(renderer.render(directory, sourceOf("prod", "kustomize"))).rejects.toThrow();
  });
});
