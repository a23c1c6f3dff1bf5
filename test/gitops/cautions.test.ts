import { describe, expect, it } from "vitest";
import { cautionsOf } from "../../src/gitops/cautions.ts";
import type { Source, SourceOwner } from "../../src/model.ts";
import { sourceOf } from "./repository.ts";

const source = (owner: Partial<SourceOwner>): Source => ({
  ...sourceOf("charts/cart", "helm"),
  helm: { release: "cart", values: ["charts/cart/ci.yaml", "env/prod.yaml"] },
  owner: { kind: "flux", name: "HelmRelease shop/cart", ...owner },
});
const edit = (file: string) => ({ file, before: "a", after: "b" });
const said = (owner: Partial<SourceOwner>, ...files: string[]): string[] =>
  cautionsOf([{ source: source(owner), edits: files.map(edit) }]);
const version = { versionFile: "charts/cart/Chart.yaml" };

describe("a merge that does not deploy by itself", () => {
  it("is one of what is pinned, or suspended", () => {
    expect(said({ pinned: "tag v1.2" }, "env/prod.yaml")).toEqual([
      "HelmRelease shop/cart deploys tag v1.2: merging alone changes nothing until it is moved.",
    ]);
    expect(said({ suspended: true }, "env/prod.yaml")).toEqual([expect.stringContaining("sync it after the merge")]);
  });

  it("is one of a file of a chart that is packed by its version, unless that rises with it", () => {
    expect(said(version, "charts/cart/templates/a.yaml")).toEqual([expect.stringContaining("raise `version`")]);
    for (const files of [
      ["env/prod.yaml"],
      ["charts/cart/ci.yaml"],
      ["charts/cart/values.yaml", "charts/cart/Chart.yaml"],
    ])
      expect(said(version, ...files)).toEqual([]);
  });

  it("is none where the source is edited elsewhere", () => {
    expect(said({ pinned: "tag v1.2", ...version }, "\u0000spec.values")).toEqual([]);
  });
});
