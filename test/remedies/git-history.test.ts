import { expect, it } from "vitest";
import { withoutCommits } from "../../src/remedies/git-history.ts";
import type { PreviousVersion } from "../../src/remedies/remedy.ts";

const object = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
const memory = { object, path: ["memory"], from: "128Mi", to: "64Mi" };
const image = { object, path: ["image"], from: "cart:2", to: "cart:1" };
const mode = { object, path: ["mode"], from: "b", to: "a" };
const version = (sha: string, ...changes: PreviousVersion["changes"]): PreviousVersion =>
  ({ commit: { sha }, changes }) as unknown as PreviousVersion;

it("what a commit that is left out changed is no older commit's change", () => {
  const versions = [version("later", mode), version("fix", mode, memory), version("release", mode, memory, image)];
  expect(withoutCommits(versions, new Set(["fix", undefined]))).toEqual([
    version("later", mode),
    version("release", image),
  ]);
  expect(withoutCommits(versions, new Set())).toEqual(versions);
});
