import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { StanchError } from "../../src/errors.ts";
import { refOf } from "../../src/kube/ref.ts";
import type { KubeObject } from "../../src/model.ts";
import { createWorkbench } from "../../src/workbench.ts";
import { deployed } from "./deployed.ts";
import { CART, FLEET, kustomization, object, PLAIN } from "./layers.ts";
import { makeRepository, renderer } from "./repository.ts";

const roots = (...names: string[]): KubeObject[] => names.map((name) => object(kustomization(name, name)));

describe("an object that is not in the cluster", () => {
  it("is found in what is deployed into its namespace, whatever else is broken", async () => {
    await using world = deployed({ "acme/fleet": { "apps/cart.yaml": PLAIN } }, [FLEET, ...roots("gone", "apps")]);
    expect(await world.workbench.find(CART)).toMatchObject({
      found: true,
      bench: { source: { id: expect.stringContaining("Kustomization flux-system/apps") } },
    });
  });

  it("that two declare, or none, is not", async () => {
    const files = { "apps/cart.yaml": PLAIN, "more/cart.yaml": PLAIN, "none/x.yaml": "a: b\n" };
    await using world = deployed({ "acme/fleet": files }, [FLEET, ...roots("apps", "more")]);
    expect((await world.workbench.find(CART)).found).toBe(false);
    await using empty = deployed({ "acme/fleet": files }, [FLEET, ...roots("none")]);
    expect((await empty.workbench.find(CART)).found).toBe(false);
  });

  it("that a commit removed is found there, whatever else is broken", async () => {
    await using world = deployed({ "acme/fleet": { "apps/cart.yaml": PLAIN, "apps/x.yaml": "a: b\n" } }, [
      FLEET,
      ...roots("gone", "apps"),
    ]);
    world.repository("acme/fleet").commit("Tidy up", { "apps/cart.yaml": null });
    expect((await world.workbench.removed(CART))?.commit.subject).toBe("Tidy up");
  });
});

describe("an object of a kind that may not be read", () => {
  it("is found where the configuration says, as without an engine", async () => {
    const repository = makeRepository({ "apps/cart.yaml": PLAIN });
    const config = parseConfig(
      JSON.stringify({ sources: [{ repository: "acme/fleet", path: "apps", namespaces: ["shop"] }] }),
    );
    const workbench = createWorkbench(config, {
      repositories: { open: async () => ({ ...repository, close: async () => undefined }) },
      codeHost: { check: async () => ({ login: "stanch", push: true, defaultBranch: "main", archived: false }) },
      renderer,
      live: () => Promise.reject(new StanchError("forbidden", "may not get it")),
      readDeployers: async () => {
        const [app] = roots("apps");
        const owner = { kind: "flux" as const, name: "x" };
        const origins = { found: false as const, owner, reason: "", hint: "" };
        return {
          all: app === undefined ? [] : [{ ref: refOf(app), object: app, origins }],
          of: () => null,
          gaps: [],
        };
      },
    });
    expect((await workbench.find(CART)).found).toBe(true);
    await repository.close();
  });
});
