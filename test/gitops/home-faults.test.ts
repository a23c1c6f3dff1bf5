import { describe, expect, it } from "vitest";
import { StanchError } from "../../src/errors.ts";
import { homesOf } from "../../src/homes.ts";
import type { KubeObject, ObjectRef, Source } from "../../src/model.ts";
import { sourceOf } from "./repository.ts";

const app: ObjectRef = { apiVersion: "argoproj.io/v1alpha1", kind: "Application", namespace: "argocd", name: "cart" };
const made: KubeObject = {
  apiVersion: app.apiVersion,
  kind: app.kind,
  metadata: {
    name: "cart",
    namespace: "argocd",
    ownerReferences: [{ apiVersion: app.apiVersion, kind: "ApplicationSet", name: "carts", uid: "1" }],
  },
};
const source = sourceOf("apps", "plain") as Source;
const nothing = async (): Promise<never> => {
  throw new Error("not asked");
};
const doors = { roots: nothing, open: nothing, deployers: async () => ({ all: [], of: () => null, gaps: [] }) };

describe("where an object comes from", () => {
  it("is not known where its ApplicationSet may not be read, which is an answer and no fault", async () => {
    const homes = homesOf({
      workbench: { ...doors, find: async () => ({ found: true, bench: { source } }) as never },
      cluster: {
        get: async ({ kind }) => {
          if (kind === "Application") return made;
          throw new StanchError("forbidden", "may not get applicationsets");
        },
      },
    });
    expect(await homes.object(app, source)).toMatchObject({
      found: false,
      reason: expect.stringContaining("may not get applicationsets"),
    });
  });

  it.each([
    ["render", false],
    ["config", false],
    ["code-host", true],
    ["lease", true],
  ] as const)(
    "where what deploys it does not open (%s): a fault only where it comes back: %s",
    async (code, thrown) => {
      const homes = homesOf({
        workbench: { ...doors, find: () => Promise.reject(new StanchError(code, "no")) },
        cluster: { get: async () => null },
      });
      const asked = homes.object(app, source);
      if (thrown) await expect(asked).rejects.toThrow("no");
      else expect(await asked).toMatchObject({ found: false, reason: expect.stringContaining("is not known: no") });
    },
  );
});
