import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import type { Deployer, Origin } from "../../src/gitops/origin.ts";
import { keyOf, refOf } from "../../src/kube/ref.ts";
import type { KubeObject } from "../../src/model.ts";
import type { Run } from "../../src/run.ts";
import { countOpen } from "../../src/steps/count-open.ts";

const object = (kind: string, name: string): KubeObject => ({
  apiVersion: "x/v1",
  kind,
  metadata: { name, namespace: "shop" },
});
const deployer = (name: string, more: Partial<Origin>): Deployer => {
  const made = object("Application", name);
  const owner = { kind: "argocd" as const, name };
  const origin = { repository: `acme/${name}`, path: ".", tool: "auto" as const, owner, ...more };
  return { ref: refOf(made), object: made, origins: { found: true, origins: [origin] } };
};

describe("open pull requests", () => {
  it("are counted where the object may be corrected, however much else is deployed from elsewhere", async () => {
    const asked: string[] = [];
    const files = { "\u0000x": { repository: "acme/values", file: "v.yaml" } };
    const own = deployer("cart", { files });
    const root = deployer("root", {});
    const others = Array.from({ length: 300 }, (_, index) => deployer(`other${index}`, {}));
    const cart = object("Deployment", "cart");
    const run = {
      config: parseConfig(
        JSON.stringify({ sources: [{ repository: "acme/configured", path: "apps", namespaces: ["shop"] }] }),
      ),
      codeHost: {
        openPullRequests: async (repository: string) => {
          asked.push(repository);
          return repository === "acme/values" ? [1, 2] : [1];
        },
      },
      workbench: {
        deployers: async () => ({
          all: [own, root, ...others],
          of: (it: KubeObject) => (it === cart ? own : it === own.object ? root : it === root.object ? root : null),
          gaps: [],
        }),
      },
    } as unknown as Run;
    expect(await countOpen(new Map([[keyOf(refOf(cart)), cart]]), [refOf(cart)], run)).toBe(2);
    expect(asked.toSorted()).toEqual(["acme/cart", "acme/configured", "acme/root", "acme/values"]);
  });
});
